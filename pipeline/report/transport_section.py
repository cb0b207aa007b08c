"""The section on effective transport: tables by phase and method, differences, parameters."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voxtrode.pipeline.report.blocks import Block, Figure, Listing, Missing, Section, Table
from voxtrode.pipeline.report.numbers import is_number, number, percent, quantity
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.style import data_uri
from voxtrode.pipeline.transport_figures_names import FIGURES

type Row = Mapping[str, Any]


def transport_section(results: Results) -> Section:
    """Tortuosity factors, and what follows from them."""
    tree = results.transport
    rows = tree.get("rows", [])
    if not rows:
        missing = Missing("No transport properties here: run `voxtrode transport`.")
        return Section("transport", "Transport", [missing])
    blocks: list[Block] = [_factors(rows, tree), _effective(rows)]
    blocks += _electrode(tree.get("electrode", []))
    blocks += _tensors(tree.get("tensors", []))
    blocks += _apart(tree.get("differences", []))
    blocks += _pictures(results)
    blocks += _parameters(tree.get("parameters", {}))
    return Section("transport", "Transport", blocks)


def _factors(rows: Sequence[Row], tree: Mapping[str, Any]) -> Table:
    limit = tree.get("tolerance")
    stops = f" The voxel engine stops at a flux imbalance of {number(limit)}." if limit else ""
    return Table(
        [
            "Phase",
            "Axis",
            "Method",
            "Fraction Σφε",
            "Percolating",
            "Tortuosity factor τ",
            "Error, about",
            "D_eff/D₀",
            "Flux imbalance",
        ],
        [
            [
                *(str(row.get(key)) for key in ("phase", "axis", "method")),
                number(row.get("fraction")),
                number(row.get("percolating_fraction")),
                number(row.get("tortuosity_factor"), 4) if row.get("effective_ratio") else "∞",
                percent(row.get("error_estimate"), 2),
                number(row.get("effective_ratio"), 4),
                number(row.get("flux_imbalance"), 2),
            ]
            for row in rows
        ],
        "Tortuosity factors of the electrode without separator, τ = (Σφε) D₀/D_eff. A row named"
        " after a phase is geometric (the inside of the phase counts as 1); “ions” and “electrons”"
        " join all phases that carry them, each with its own values. Percolating: the part of the"
        " fraction that reaches from face to face. The error is the change of τ from voxels, or"
        " cells, twice as long; a staircase of voxels errs about in proportion to the voxel."
        + stops,
        left=(0, 1, 2),
    )


def _effective(rows: Sequence[Row]) -> Table:
    return Table(
        [
            "Phase",
            "Axis",
            "Method",
            "MacMullin number",
            "Bruggeman exponent",
            "σ_eff",
            "Wall time",
            "Note",
        ],
        [
            [
                *(str(row.get(key)) for key in ("phase", "axis", "method")),
                number(row.get("macmullin_number"), 4),
                number(row.get("bruggeman_exponent"), 4),
                quantity(row.get("effective_conductivity_S_m"), "S/m", digits=4),
                quantity(row.get("wall_s"), "s"),
                "; ".join(row.get("notes", [])) or "–",
            ]
            for row in rows
        ],
        "MacMullin number D₀/D_eff; exponent α of D_eff/D₀ = (Σφε)^α; effective conductivity where"
        " several phases conduct with values of their own.",
        left=(0, 1, 2, 7),
    )


def _electrode(rows: Sequence[Row]) -> Iterator[Block]:
    if rows:
        yield Table(
            ["Species", "Electrode tortuosity τ_e", "D_e/D₀", "Flux imbalance", "Wall time"],
            [
                [
                    str(row["phase"]),
                    number(row["tortuosity_factor"], 4) if row["effective_ratio"] else "∞",
                    number(row["effective_ratio"], 4),
                    number(row["flux_imbalance"], 2),
                    quantity(row["wall_s"], "s"),
                ]
                for row in rows
            ],
            "As impedance of symmetric cells with blocking electrodes sees it: every piece of wall"
            " draws the same current, and all of it enters at the counter face. By the voxel"
            " engine.",
        )


def _tensors(found: Sequence[Row]) -> Iterator[Block]:
    if found:
        axes = found[0]["axes"]
        yield Table(
            ["Phase", "Row", *axes],
            [
                [str(one["phase"]), str(axis), *(number(value, 4) for value in row)]
                for one in found
                for axis, row in zip(axes, one["tensor"], strict=True)
            ],
            "Tensor of D_eff/D₀ by the voxel engine, with periodic sides.",
            left=(0, 1),
        )


def _apart(found: Sequence[Row]) -> Iterator[Block]:
    if found:
        yield Table(
            ["Phase", "Axis", "τ of", "over τ of", "Difference"],
            [
                [
                    str(row["phase"]),
                    str(row["axis"]),
                    *(str(name) for name in row["methods"]),
                    percent(row["relative"], 2),
                ]
                for row in found
            ],
            "How far the methods are apart. Voxels cut necks into steps and make paths through what"
            " stands between particles narrower; a smooth mesh widens contacts of a voxel or two."
            " The simulation sees the mesh.",
            left=(0, 1, 2, 3),
        )


def _pictures(results: Results) -> Iterator[Block]:
    for name, caption, alt in FIGURES:
        path = results.folder / "transport" / name
        if path.is_file():
            yield Figure(data_uri(path.read_bytes(), "image/png"), caption, alt)


def _parameters(block: Mapping[str, Any]) -> Iterator[Block]:
    sets = {key: block[key] for key in ("bpx", "pybamm") if block.get(key)}
    if sets and any(is_number(one) for one in block["pybamm"].values()):
        text = json.dumps(sets, indent=2, ensure_ascii=False)
        yield Listing("Numbers along z for BPX and PyBaMM", text)
