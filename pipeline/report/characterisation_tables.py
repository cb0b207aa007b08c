"""Tables of what was measured on the volume; each is None where `image.json` lacks its numbers."""

from collections.abc import Mapping
from typing import Any

from voxtrode.pipeline.report.blocks import Cell, State, Table
from voxtrode.pipeline.report.numbers import (
    NONE,
    is_number,
    number,
    percent,
    quantity,
    square_microns,
)

_UM = 1e6
_PER_UM = 1e-6
_PER_UM2 = 1e-12
_AXES = "zyx"

type Tree = Mapping[str, Any]
type Rows = list[list[Cell | str]]


def area_table(image: Tree) -> Table | None:
    """Areas between phases."""
    size = image.get("size_m", [0.0, 0.0, 0.0])
    volume = size[0] * size[1] * size[2]
    rows: Rows = []
    for pair, entry in image.get("interfaces", {}).items():
        area = entry.get("area_m2", {})
        smooth, projected = area.get("marching_cubes"), area.get("projected_faces")
        best = entry.get("specific_area_m-1", {})
        per_box = best.get("per_box")
        if per_box is None and is_number(smooth) and volume:
            per_box = smooth / volume
        shares = best.get("per_phase", {})
        rows.append(
            [
                pair.replace("|", " | "),
                square_microns(smooth),
                square_microns(projected),
                square_microns(area.get("voxel_faces")),
                _scaled(per_box, _PER_UM),
                "; ".join(_scaled(value, _PER_UM) for value in shares.values()) or NONE,
            ]
        )
    if not rows:
        return None
    return Table(
        [
            "Interface",
            "Marching cubes [µm²]",
            "Projected faces [µm²]",
            "Voxel faces [µm²]",
            "Per box [µm⁻¹]",
            "Per volume of either phase [µm⁻¹]",
        ],
        rows,
        "Areas between phases on the image. Counting voxel faces overstates a smooth surface by"
        " half at any resolution; the specific areas are those by projected faces where known.",
    )


def line_table(image: Tree) -> Table | None:
    """Lines at which three phases meet, and contacts between particles."""
    rows: Rows = [
        [
            triple.replace("|", " | "),
            quantity(entry.get("length_m"), "µm", _UM, 4),
            quantity(entry.get("per_volume_m-2"), "µm⁻²", _PER_UM2),
        ]
        for triple, entry in image.get("three_phase_lines", {}).items()
    ]
    contacts = image.get("contacts")
    if contacts:
        rows.append(
            [
                f"Contacts between particles ({number(contacts.get('count'))};"
                f" {number(contacts.get('mean_coordination'))} a particle)",
                f"{square_microns(contacts.get('area_m2'))} µm²",
                quantity(contacts.get("specific_area_m-1"), "µm⁻¹", _PER_UM),
            ]
        )
    if not rows:
        return None
    caption = "Three-phase lines and contacts between particles, without the staircase of voxels."
    return Table(["Where they meet", "In the box", "Per volume of the box"], rows, caption)


def connection_table(image: Tree, colours: Mapping[str, str]) -> Table | None:
    """Connected components of phases and of what conducts together."""
    rows: Rows = []
    for name, entry in image.get("percolation", {}).items():
        spans = entry.get("percolating_share", {})
        rows.append(
            [
                Cell(name, colour=colours.get(name, "")),
                number(entry.get("components")),
                percent(entry.get("largest_share")),
                percent(entry.get("closed_share"), 2),
                *(_spanning(spans.get(axis)) for axis in _AXES),
            ]
        )
    if not rows:
        return None
    return Table(
        ["Phase", "Components", "Largest", "Closed", "Percolates z", "y", "x"],
        rows,
        "Components connected by faces, of each phase and of phases that conduct together. Largest:"
        " share of the largest one. Closed: share in those that touch no side of the box.",
    )


def size_table(image: Tree, colours: Mapping[str, str]) -> Table | None:
    """Widths of the phases."""
    rows: Rows = [
        [
            Cell(name, colour=colours.get(name, "")),
            *(_scaled(entry.get(key), _UM) for key in ("d10_m", "d50_m", "d90_m", "mean_m")),
            *(_scaled((entry.get("mean_chord_m") or {}).get(axis), _UM) for axis in _AXES),
        ]
        for name, entry in image.get("sizes", {}).items()
    ]
    if not rows:
        return None
    return Table(
        ["Phase", "d10 [µm]", "d50 [µm]", "d90 [µm]", "Mean [µm]", "Chord z [µm]", "y", "x"],
        rows,
        "Local thickness of each phase by volume, and mean chords: lengths of straight lines"
        " inside it along each axis.",
    )


def representativity_table(image: Tree, colours: Mapping[str, str]) -> Table | None:
    """Whether the volume is large enough."""
    found = image.get("representativity")
    if not found:
        return None
    rows: Rows = []
    for name, entry in found.get("fraction", {}).items():
        area = found.get("specific_area_m-1", {}).get(name, {})
        rows.append(
            [
                Cell(name, colour=colours.get(name, "")),
                _with_error(entry, 100.0, "%"),
                percent(entry.get("largest_deviation")),
                _with_error(area, _PER_UM, "µm⁻¹"),
                percent(area.get("largest_deviation")),
            ]
        )
    said: dict[Any, tuple[str, State]] = {
        True: ("representative", "good"),
        False: ("not representative", "warn"),
        None: ("cannot be judged", ""),
    }
    text, state = said[found.get("representative")]
    rows.append(["Verdict", Cell(text, state), "", "", ""])
    return Table(
        [
            "Phase",
            "Fraction ± standard error",
            "Half off by",
            "Area ± standard error",
            "Half off by",
        ],
        rows,
        f"Representativity. Criterion: {found.get('criterion', NONE)}.",
    )


def _scaled(value: Any, scale: float) -> str:
    return number(float(value) * scale) if is_number(value) else NONE


def _spanning(share: Any) -> Cell:
    return Cell(percent(share) if share else "no", "good" if share else "bad")


def _with_error(entry: Tree, scale: float, unit: str) -> str:
    whole, error = entry.get("whole"), entry.get("standard_error")
    if not is_number(error):
        return quantity(whole, unit, scale)
    return f"{_scaled(whole, scale)} ± {quantity(error, unit, scale, 2)}"
