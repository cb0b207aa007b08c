"""Rows of `transport.json`: what an engine found, with the numbers that follow from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from math import inf, log
from typing import Any

from voxtrode.pipeline.transport_cases import ELECTRONS, IONS, Case
from voxtrode.solvers.bounds import hashin_shtrikman
from voxtrode.solvers.taufactor_engine import TauFactorTransport
from voxtrode.solvers.transport import TransportRow
from voxtrode.solvers.voxel_transport import VoxelTransport

PREFERRED = ("mesh", "voxel", "taufactor")
"""Whose values the block of parameters takes: first the structure that the simulation sees."""

Row = dict[str, Any]


type Found = VoxelTransport | TransportRow | TauFactorTransport
"""What an engine finds."""


def scaled[F: Found](found: F, share: float, conductivity: float) -> F:
    """A phase that carries only a share, and conducts otherwise, than it was solved with (1, 1).

    Args:
        found: Of the phase's shape alone.
        share, conductivity: What it carries: ε, and its conductivity over the reference.
    """
    ratio, fraction = conductivity * found.effective_ratio, share * found.fraction
    values: Row = {
        "fraction": fraction,
        "percolating_fraction": share * found.percolating_fraction,
        "effective_ratio": ratio,
    }
    if ratio > 0.0:
        values["tortuosity_factor"] = fraction / ratio
    return replace(found, **values)


def row_of(case: Case, found: Found, shares: Mapping[int, float]) -> Row:
    """A row: the engine's values, and those that follow.

    `percolating_tortuosity_factor` is τ with what percolates, `macmullin_number` D₀/D_eff,
    `bruggeman_exponent` the α of D_eff/D₀ = (Σ φ_i ε_i)^α. Outside the bounds of Hashin and
    Shtrikman, which hold for isotropic arrangements, a note says so.

    Args:
        case: What was worked out.
        found: An engine's result, a dataclass.
        shares: Volume fraction of each label of the case in the structure that was solved.
    """
    row: Row = {**asdict(found), "phase": case.name}
    ratio, fraction = found.effective_ratio, found.fraction
    row["percolating_tortuosity_factor"] = found.percolating_fraction / ratio if ratio > 0 else inf
    row["macmullin_number"] = 1.0 / ratio if ratio > 0.0 else inf
    usable = ratio > 0.0 and 0.0 < fraction < 1.0
    row["bruggeman_exponent"] = log(ratio) / log(fraction) if usable else None
    if case.reference is not None:
        row["reference_S_m"] = case.reference
        row["effective_conductivity_S_m"] = ratio * case.reference
    bounds = hashin_shtrikman(
        [k for _, k in case.inside.values()], [shares.get(label, 0.0) for label in case.inside]
    )
    row["hashin_shtrikman"] = bounds
    row["notes"] = []
    if not bounds[0] * (1.0 - 1e-3) <= ratio <= bounds[1] * (1.0 + 1e-3):
        row["notes"].append(
            f"outside the bounds {bounds[0]:.4g} to {bounds[1]:.4g} of Hashin and Shtrikman, which"
            " hold for isotropic structures: this one is not isotropic"
        )
    return row


def add_estimate(row: Row, coarse: Found) -> None:
    """Put the relative change of τ from voxels or cells twice as long beside the value.

    The error of a staircase falls about linearly with the voxel: the change is about the error. On
    smooth meshes it falls faster, and the change is more than the error.
    """
    row["coarse_tortuosity_factor"] = (
        coarse.fraction / coarse.effective_ratio if coarse.effective_ratio > 0.0 else None
    )
    change = None
    if row["effective_ratio"] > 0.0 and row["coarse_tortuosity_factor"] is not None:
        change = abs(row["coarse_tortuosity_factor"] / row["tortuosity_factor"] - 1.0)
    row["error_estimate"] = change


def differences(rows: Sequence[Row]) -> list[Row]:
    """By phase and axis, how much larger τ is by each further method than by the first one."""
    first: dict[tuple[str, str], Row] = {}
    result = []
    for row in rows:
        base = first.setdefault((row["phase"], row["axis"]), row)
        if base is row or not (base["effective_ratio"] and row["effective_ratio"]):
            continue
        result.append(
            {
                "phase": row["phase"],
                "axis": row["axis"],
                "methods": [row["method"], base["method"]],
                "relative": row["tortuosity_factor"] / base["tortuosity_factor"] - 1.0,
            }
        )
    return result


def parameters(rows: Sequence[Row], thickness: float) -> Row:
    """The numbers along z by the names of BPX and of PyBaMM, of a positive electrode.

    Args:
        rows: All rows.
        thickness: Of the electrode [m].
    """
    picked = {}
    for name in (IONS, ELECTRONS):
        of_name = [row for row in rows if row["phase"] == name and row["axis"] == "z"]
        of_name.sort(key=lambda row: PREFERRED.index(row["method"]))
        if of_name:
            picked[name] = of_name[0]
    bpx: Row = {"Thickness [m]": thickness}
    pybamm: Row = {"Positive electrode thickness [m]": thickness}
    for name, row in picked.items():
        _NAMED[name](row, bpx, pybamm)
    methods = {name: row["method"] for name, row in picked.items()}
    return {"methods": methods, "bpx": {"Positive electrode": bpx}, "pybamm": pybamm}


def _named_ions(row: Row, bpx: Row, pybamm: Row) -> None:
    """Factors on the one free electrolyte; both formats have no place for several conductors."""
    if "reference_S_m" in row:
        return
    bpx["Porosity"] = row["fraction"]
    bpx["Transport efficiency"] = row["effective_ratio"]
    pybamm["Positive electrode porosity"] = row["fraction"]
    exponent = row["bruggeman_exponent"]
    if exponent is not None:
        pybamm["Positive electrode Bruggeman coefficient (electrolyte)"] = exponent
        # PyBaMM's option {"transport efficiency": "tortuosity factor"}.
        tau = row["tortuosity_factor"]
        pybamm["Positive electrode tortuosity factor (electrolyte)"] = tau


def _named_electrons(row: Row, bpx: Row, pybamm: Row) -> None:
    bpx["Conductivity [S.m-1]"] = row["effective_conductivity_S_m"]
    pybamm["Positive electrode conductivity [S.m-1]"] = row["effective_conductivity_S_m"]
    # The conductivity is the effective one already.
    pybamm["Positive electrode Bruggeman coefficient (electrode)"] = 0.0


_NAMED: dict[str, Callable[[Row, Row, Row], None]] = {
    IONS: _named_ions,
    ELECTRONS: _named_electrons,
}
