"""The section on the volume: pictures, phases, sizes, surfaces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from voxtrode.pipeline.report.blocks import Block, Cell, Listing, Missing, Section, Table
from voxtrode.pipeline.report.characterisation_tables import (
    area_table,
    connection_table,
    line_table,
    representativity_table,
    size_table,
)
from voxtrode.pipeline.report.numbers import box, number, percent, quantity
from voxtrode.pipeline.report.origin_tables import (
    agreement_table,
    asked_table,
    downsampling_table,
    segmentation_table,
)
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.scene import make_scene
from voxtrode.pipeline.report.structure_figures import (
    distributions_figure,
    profiles_figure,
    scene_figure,
    sections_figure,
)
from voxtrode.pipeline.report.style import phase_colours

_LONG = 12  # entries of a list that are written out
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
    colours = phase_colours(results.able)
    figures = (distributions_figure(results, header), profiles_figure(results, header))
    blocks: list[Block] = [
        Missing(picture) if isinstance(picture, str) else picture,
        sections_figure(results, header),
        *(figure for figure in figures if figure),
        _phase_table(results),
        _size_table(results),
        *(table for table in _tables(image, colours) if table),
    ]
    evidence = image.get("evidence", {}).get("volume")
    if evidence:
        text = yaml.safe_dump(_shortened(evidence), sort_keys=False, allow_unicode=True)
        blocks.append(Listing("How the volume was made", text))
    return Section("structure", "Structure", blocks)


def _tables(image: Mapping[str, Any], colours: Mapping[str, str]) -> tuple[Table | None, ...]:
    """Where the volume comes from, then what was measured on it; None for what is not known."""
    return (
        asked_table(image),
        agreement_table(image),
        segmentation_table(image),
        downsampling_table(image),
        area_table(image),
        line_table(image),
        connection_table(image, colours),
        size_table(image, colours),
        representativity_table(image, colours),
    )


def _shortened(node: Any) -> Any:
    """The same without long lists, which nobody reads on a page."""
    if isinstance(node, Mapping):
        return {key: _shortened(value) for key, value in node.items()}
    if isinstance(node, list):
        if len(node) > _LONG:
            return f"{len(node)} entries, in image.json"
        return [_shortened(value) for value in node]
    return node


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
