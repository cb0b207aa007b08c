"""What `transport.json` says beside an engine's values, and which cases a study makes."""

import dataclasses
import sys
from math import inf

import pytest
from pydantic import ValidationError

from voxtrode.data.errors import InputError
from voxtrode.data.materials import electrolyte
from voxtrode.data.phases import Liquid, Phase
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.study_transport import Transport
from voxtrode.pipeline.transport_cases import Case, transport_cases
from voxtrode.pipeline.transport_meshes import usable_ranks
from voxtrode.pipeline.transport_rows import (
    add_estimate,
    differences,
    parameters,
    row_of,
    scaled,
)
from voxtrode.pipeline.transport_voxels import periodic_sides, tensor_of
from voxtrode.solvers.taufactor_engine import require_taufactor
from voxtrode.solvers.transport import TransportRow
from voxtrode.solvers.voxel_transport import VoxelTransport

CONTRACT = {
    "phase",
    "axis",
    "method",
    "fraction",
    "tortuosity_factor",
    "effective_ratio",
    "flux_imbalance",
    "wall_s",
    "percolating_fraction",
}


def voxel(ratio: float, axis: str = "z", fraction: float = 0.4) -> VoxelTransport:
    """A result of the voxel engine."""
    tau = fraction / ratio if ratio else inf
    return VoxelTransport(axis, fraction, 0.39, 0.025, ratio, tau, 5e-4, 6, 0.1)


def mesh(ratio: float, axis: str = "z") -> TransportRow:
    """A result of the mesh engine."""
    return TransportRow("pore", axis, 0.4, 0.4, ratio, 0.4 / ratio, 1e-10, 0.1)


PORE = Case("pore", {0: (1.0, 1.0)})


@pytest.mark.parametrize("found", [voxel(0.16), mesh(0.16)])
def test_a_row_has_the_contracts_keys_and_what_follows(
    found: VoxelTransport | TransportRow,
) -> None:
    """MacMullin's number is 1/ratio; 0.4 to the power of Bruggeman's exponent is 0.16."""
    row = row_of(PORE, found, {0: 0.4})
    assert set(row) >= CONTRACT
    assert row["macmullin_number"] == pytest.approx(6.25)
    assert row["bruggeman_exponent"] == pytest.approx(2.0)
    assert row["notes"] == []


def test_no_path_is_zero_and_infinite() -> None:
    row = row_of(PORE, voxel(0.0), {0: 0.4})
    assert row["percolating_tortuosity_factor"] == inf
    assert (row["effective_ratio"], row["tortuosity_factor"]) == (0.0, inf)
    assert (row["macmullin_number"], row["bruggeman_exponent"]) == (inf, None)


def test_outside_hashin_and_shtrikman_is_a_note() -> None:
    """Straight channels: legal, and better than any isotropic pore (2 φ/(3 − φ) = 0.3077)."""
    row = row_of(PORE, voxel(0.4), {0: 0.4})
    assert "not isotropic" in row["notes"][0]


def test_the_error_estimate_is_the_change_with_the_voxel() -> None:
    row = row_of(PORE, voxel(0.16), {0: 0.4})
    add_estimate(row, voxel(0.15))
    assert row["error_estimate"] == pytest.approx(0.16 / 0.15 - 1.0)
    add_estimate(row, voxel(0.0))
    assert row["error_estimate"] is None


def test_a_single_phase_is_scaled() -> None:
    """ε = 0.5 and ε/τ = 0.3 inside: a third of the ratio, half of the fraction."""
    found = scaled(voxel(0.16), 0.5, 0.3)
    assert found.effective_ratio == pytest.approx(0.048)
    assert found.tortuosity_factor == pytest.approx(0.2 / 0.048)
    assert found.percolating_tortuosity_factor == pytest.approx(0.195 / 0.048)
    assert dataclasses.replace(found, effective_ratio=0.0).axis == "z"
    assert scaled(voxel(0.0), 0.5, 0.3).tortuosity_factor == inf


def test_what_is_solved_for_a_case() -> None:
    """A phase alone once, by its shape; its tensor and its row scale."""
    liquid = Case("ions", {2: (0.5, 0.3)})
    assert (liquid.solved, liquid.scale) == ({2: (1.0, 1.0)}, (0.5, 0.3))
    several = Case("ions", {0: (1.0, 1.0), 2: (0.5, 0.3)})
    assert (several.solved, several.scale) == (several.inside, (1.0, 1.0))
    columns = {"z": (0.5, 0.1, 0.2), "y": (0.0, 0.4, 0.04), "x": (0.0, 0.06, 0.3)}
    tensor, asymmetry = tensor_of(columns, 2.0)
    assert tensor == [[1.0, 0.2, 0.4], [0.2, 0.8, 0.1], [0.4, 0.1, 0.6]]
    assert asymmetry == pytest.approx(0.04)


@pytest.mark.parametrize(("ranks", "used"), [(1, 1), (2, 2), (3, 3), (6, 5), (64, 5)])
def test_ranks_of_the_coarse_mesh(ranks: int, used: int) -> None:
    """40 µm at 2 × 1 µm: 20 layers, which are four each for five ranks; never none."""
    header = VolumeHeader((80, 9, 9), (0.5e-6,) * 3, ("pore",))
    assert usable_ranks(header, 1e-6, ranks) == used
    assert usable_ranks(header, 18e-6, ranks) == 1


def test_methods_are_compared_and_named() -> None:
    """The mesh's values stand in the block of parameters; differences are against the first."""
    cases = [Case("ions", {0: (1.0, 1.0)}), Case("electrons", {1: (1.0, 1.0)}, 100.0)]
    rows = [row_of(case, found, {}) for found in (voxel(0.16), mesh(0.2)) for case in cases]
    apart = differences(rows)
    assert [one["relative"] for one in apart] == pytest.approx([-0.2, -0.2])
    block = parameters(rows, 5e-5)
    assert block["methods"] == {"ions": "mesh", "electrons": "mesh"}
    bpx = block["bpx"]["Positive electrode"]
    assert bpx["Transport efficiency"] == pytest.approx(0.2)
    assert bpx["Conductivity [S.m-1]"] == pytest.approx(20.0)
    assert bpx["Thickness [m]"] == 5e-5
    pybamm = block["pybamm"]
    exponent = pybamm["Positive electrode Bruggeman coefficient (electrolyte)"]
    assert pybamm["Positive electrode porosity"] ** exponent == pytest.approx(0.2)


def test_cases_of_a_composite() -> None:
    """Every phase that carries something; ions and electrons with their own values."""
    salt = electrolyte("lipf6-ec-emc-nyman2008")
    phases = {
        "pore": Phase("pore", liquid=Liquid(salt)),
        "cbd": Phase("cbd", sigma=200.0, liquid=Liquid(salt, 0.5, 4.0)),
        "void": Phase("void"),
        "oxide": Phase("oxide", sigma=2.0),
    }
    cases = {case.name: case for case in transport_cases(phases, list(phases))}
    assert list(cases) == ["pore", "cbd", "oxide", "ions", "electrons"]
    assert cases["ions"].inside == {0: (1.0, 1.0), 1: (0.5, 0.125)}
    assert cases["ions"].reference is None
    assert cases["electrons"].inside == {1: (1.0, 1.0), 3: (1.0, 0.01)}
    assert cases["electrons"].reference == 200.0


def test_periodic_sides_are_those_in_the_plane() -> None:
    periodic = Transport(sides="periodic")
    assert [periodic_sides(periodic, axis) for axis in "zyx"] == [("y", "x"), ("x",), ("y",)]
    assert periodic_sides(Transport(), "z") == ()


def test_taufactor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, one line."""
    monkeypatch.setitem(sys.modules, "taufactor", None)
    with pytest.raises(InputError, match=r"voxtrode\[taufactor\]"):
        require_taufactor()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tensor": True}, "needs sides: periodic"),
        ({"methods": []}, "methods"),
        ({"methods": ["voxels"]}, "methods"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"tolerence": 1e-3}, "tolerence"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Transport.model_validate(given)
