"""The section on the volume: pictures, phases, sizes, surfaces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from voxtrode.pipeline.report.blocks import Block, Cell, Listing, Missing, Section, Table
from voxtrode.pipeline.report.numbers import box, number, percent, quantity, square_microns
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.scene import make_scene
from voxtrode.pipeline.report.structure_figures import scene_figure, sections_figure
from voxtrode.pipeline.report.style import phase_colours

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
                square_microns(smooth),
                square_microns(faces),
                number(faces / smooth if smooth else None),
                number(1e-6 * smooth / volume if smooth and volume else None),
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
