"""Sections on the volume, the mesh and the transport properties."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from voxtrode.pipeline.report.blocks import Block, Cell, Listing, Missing, Section, State, Table
from voxtrode.pipeline.report.numbers import NONE, box, number, percent, quantity
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.scene import make_scene
from voxtrode.pipeline.report.structure_figures import scene_figure, sections_figure
from voxtrode.pipeline.report.style import phase_colours

_UM2 = 1e12
_ROLES = {
    "stores": "stores lithium",
    "electrons": "conducts electrons",
    "ions": "conducts ions",
}


def structure_section(results: Results, folder: Path) -> Section:
    """Pictures and numbers of the volume.

    Args:
        results: The run.
        folder: Where files may lie for a while.
    """
    header, image = results.header, results.image
    if header is None or not image:
        missing = Missing("No volume here: run the image stage, `voxtrode image`.")
        return Section("structure", "Structure", [missing])
    picture = scene_figure(make_scene(results, header), results, folder)
    blocks: list[Block] = [
        Missing(picture) if isinstance(picture, str) else picture,
        sections_figure(results, header),
        _phase_table(results),
        _size_table(results),
        _image_areas(image),
    ]
    evidence = image.get("evidence", {}).get("volume")
    if evidence:
        text = yaml.safe_dump(evidence, sort_keys=False, allow_unicode=True)
        blocks.append(Listing("How the volume was made", text))
    return Section("structure", "Structure", blocks)


def _phase_table(results: Results) -> Table:
    colours = phase_colours(results.able)
    rows: list[list[Cell | str]] = []
    for name, phase in results.image.get("phases", {}).items():
        able = results.able.get(name, {})
        roles = ", ".join(text for key, text in _ROLES.items() if able.get(key)) or "inert"
        share = phase.get("percolating_fraction", {})
        rows.append(
            [
                Cell(name, colour=colours.get(name, "")),
                roles,
                percent(phase.get("fraction")),
                *(_percolation(phase, share, axis) for axis in "zyx"),
                _isolated(phase),
            ]
        )
    return Table(
        [
            "Phase",
            "What it does",
            "Fraction",
            "Percolates z",
            "y",
            "x",
            "Isolated",
        ],
        rows,
        "Phases of the volume. Percolates: share of the phase's voxels in clusters that span the"
        " box (✗: none does). Isolated: share without the path that its role needs; it takes no"
        " part.",
        left=(0, 1),
    )


def _percolation(phase: Mapping[str, Any], share: Mapping[str, Any], axis: str) -> Cell:
    spans = bool(phase.get("percolates", {}).get(axis))
    return Cell(percent(share.get(axis)) if spans else "no", "good" if spans else "bad")


def _isolated(phase: Mapping[str, Any]) -> Cell:
    share = phase.get("isolated_fraction")
    return Cell(percent(share, 2), "warn" if share else "")


def _size_table(results: Results) -> Table:
    header, image = results.header, results.image
    assert header is not None
    particles = image.get("particles", {})
    made = image.get("evidence", {}).get("volume", {})
    rows = [
        ["Voxels (z × y × x)", " × ".join(map(str, header.shape))],
        ["Voxel", box(header.voxel, "nm", 1e9, 4)],
        ["Box", box(header.size, digits=4)],
        ["Particles", number(particles.get("count"))],
        ["… cut by the box", number(particles.get("touching_box"))],
        [
            "… dead",
            f"{number(particles.get('dead'))} ({percent(particles.get('dead_volume_share'))}"
            " of their volume)",
        ],
        [
            "Diameter of whole particles",
            f"{quantity(particles.get('mean_diameter_m'), 'µm', 1e6)} ± "
            f"{quantity(particles.get('std_diameter_m'), 'µm', 1e6, 2)}",
        ],
    ]
    if "neck_diameter_mean_m" in made:
        rows.append(
            [
                "Necks between particles, mean (largest)",
                f"{quantity(made['neck_diameter_mean_m'], 'µm', 1e6)}"
                f" ({quantity(made.get('neck_diameter_max_m'), 'µm', 1e6)})",
            ]
        )
    return Table([], rows, "Sizes; diameters are those of balls of equal volume.")


def _image_areas(image: Mapping[str, Any]) -> Table:
    size = image.get("size_m", [0.0, 0.0, 0.0])
    volume = size[0] * size[1] * size[2]
    rows = []
    for pair, entry in image.get("interfaces", {}).items():
        area = entry.get("area_m2", {})
        smooth, faces = area.get("marching_cubes"), area.get("voxel_faces")
        rows.append(
            [
                pair.replace("|", " | "),
                number(_scaled(smooth, _UM2), 4),
                number(_scaled(faces, _UM2), 4),
                number(faces / smooth if smooth else None),
                number(_scaled(smooth, 1e-6 / volume) if volume else None),
            ]
        )
    return Table(
        [
            "Interface",
            "Marching cubes [µm²]",
            "Voxel faces [µm²]",
            "Ratio",
            "Per electrode volume [µm⁻¹]",
        ],
        rows,
        "Areas between phases on the image. Counting voxel faces overstates a smooth surface by"
        " half at any resolution; the area by marching cubes is the one to use.",
    )


def _scaled(value: Any, factor: float) -> float | None:
    return None if value is None else float(value) * factor


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
                *(number(_scaled(area.get(kind), _UM2), 4) for kind in kinds),
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
