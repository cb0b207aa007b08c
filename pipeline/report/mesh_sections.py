"""Sections on the mesh and on the transport properties worked out on it."""

from collections.abc import Mapping
from typing import Any

from voxtrode.pipeline.report.blocks import Block, Cell, Missing, Section, State, Table
from voxtrode.pipeline.report.numbers import (
    NONE,
    box,
    number,
    percent,
    quantity,
    square_microns,
)
from voxtrode.pipeline.report.results import Results


def mesh_section(results: Results) -> Section:
    """What the mesh is like, and how well it keeps the volume."""
    mesh = results.mesh
    if not mesh:
        missing = Missing("No mesh here: run the mesh stage, `voxtrode mesh`.")
        return Section("mesh", "Mesh", [missing])
    layers = mesh.get("separator_layers_m", [])
    rows: list[list[Cell | str]] = [
        ["Method", str(mesh.get("method", NONE))],
        ["Spacing (z × y × x)", box(mesh.get("spacing_m"), digits=4)],
        ["Tetrahedra", number(mesh.get("cells"))],
        ["Vertices", number(mesh.get("vertices"))],
        [
            "Dihedral angles",
            f"{number(mesh.get('min_dihedral_deg'))}° to {number(mesh.get('max_dihedral_deg'))}°",
        ],
        ["Inverted cells", _none_wanted(mesh.get("inverted"))],
        ["Facets of more than two cells", _none_wanted(mesh.get("nonmanifold_facets"))],
    ]
    if layers:
        rows.append(
            [
                "Separator layers",
                f"{len(layers)}, {quantity(min(layers), 'µm', 1e6)} to"
                f" {quantity(max(layers), 'µm', 1e6)} thick",
            ]
        )
    blocks: list[Block] = [Table([], rows, "The tetrahedral mesh of electrode and separator.")]
    blocks.append(_mesh_phases(mesh))
    blocks.append(_mesh_areas(mesh))
    return Section("mesh", "Mesh", blocks)


def _none_wanted(count: Any) -> Cell:
    state: State = "" if count is None else "bad" if count else "good"
    return Cell(number(count), state)


def _mesh_phases(mesh: Mapping[str, Any]) -> Table:
    errors, components = mesh.get("volume_error", {}), mesh.get("components", {})
    rows = [
        [name, percent(errors.get(name), 2), number(components.get(name))]
        for name in dict.fromkeys([*errors, *components])
    ]
    return Table(
        ["Phase", "Volume error", "Components"],
        rows,
        "Volume of each phase on the mesh against the cleaned image, and its face-connected"
        " components.",
    )


def _mesh_areas(mesh: Mapping[str, Any]) -> Table:
    rows = []
    for pair, entry in mesh.get("interfaces", {}).items():
        area = entry.get("area_m2", {})
        kinds = ("mesh", "marching_cubes", "voxel_faces")
        rows.append(
            [
                pair.replace("|", " | "),
                *(square_microns(area.get(kind)) for kind in kinds),
                number(entry.get("facet_weight_mean")),
                number(entry.get("facet_weight_factor")),
            ]
        )
    return Table(
        [
            "Interface",
            "Mesh, weighted [µm²]",
            "Marching cubes [µm²]",
            "Voxel faces [µm²]",
            "Mean facet weight",
            "Factor",
        ],
        rows,
        "Interfaces as the solver integrates them. Facet weight: "
        + str(mesh.get("facet_weight", "none"))
        + ".",
    )


def transport_section(results: Results) -> Section:
    """Tortuosity factors."""
    rows = results.transport.get("rows", [])
    if not rows:
        missing = Missing("No transport properties here: run `voxtrode transport`.")
        return Section("transport", "Transport", [missing])
    table = Table(
        [
            "Phase",
            "Axis",
            "Method",
            "Fraction Σφε",
            "Tortuosity factor τ",
            "D_eff/D₀",
            "Flux imbalance",
            "Wall time",
        ],
        [
            [
                str(row.get("phase")),
                str(row.get("axis")),
                str(row.get("method")),
                number(row.get("fraction")),
                number(row.get("tortuosity_factor"), 4),
                number(row.get("effective_ratio"), 4),
                number(row.get("flux_imbalance"), 2),
                quantity(row.get("wall_s"), "s"),
            ]
            for row in rows
        ],
        "Tortuosity factors of the electrode without separator, τ = (Σφε) D₀/D_eff. A row named"
        " after a phase is geometric (the inside of the phase counts as 1); “ions” joins all"
        " liquid phases with their own porosity and tortuosity. The flux imbalance bounds the"
        " error of the solution.",
        left=(0, 1, 2),
    )
    return Section("transport", "Transport", [table])
