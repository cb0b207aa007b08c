"""The voxel size that a TIFF states by itself, where it states one at all."""

import math
import re
from collections.abc import Mapping
from typing import Any

import tifffile

METRES = {
    "m": 1.0,
    "meter": 1.0,
    "metre": 1.0,
    "cm": 1e-2,
    "mm": 1e-3,
    "um": 1e-6,
    "micron": 1e-6,
    "microns": 1e-6,
    "micrometer": 1e-6,
    "micrometre": 1e-6,
    "nm": 1e-9,
    "nanometer": 1e-9,
    "nanometre": 1e-9,
    "pm": 1e-12,
    "angstrom": 1e-10,
    "a": 1e-10,
    "inch": 0.0254,
    "in": 0.0254,
}
"""Length units by the names that ImageJ, OME and tifffile write; µ and Å are spelt out first."""

_RESOLUTION_UNIT = {2: 0.0254, 3: 1e-2, 4: 1e-3, 5: 1e-6}  # TIFF tag 296; 1 is "no unit"
_SCREEN_DPI = (72.0, 96.0)

Stated = dict[int, tuple[float, str]]
"""Edge length [m] and where it was found, by axis of the image (0, 1, 2 = page, row, column)."""


def stated_voxel_size(tiff: tifffile.TiffFile) -> Stated:
    """The voxel edges a TIFF states, from OME, ImageJ or resolution tags, in that order.

    Resolution tags without a unit of length, and 1/1, 72 or 96 dpi (what programs write when they
    know no size), say nothing.

    Args:
        tiff: An open file.

    Returns:
        Edge length [m] and its source by axis of the image; axes without a stated length are
        absent.
    """
    if tiff.is_ome and tiff.ome_metadata:
        return _from_ome(tiff.ome_metadata)
    page = tiff.pages.first
    tag = page.tags.get("ResolutionUnit")
    unit = _RESOLUTION_UNIT.get(int(tag.value)) if tag is not None else None
    described = tiff.imagej_metadata if tiff.is_imagej else (tiff.shaped_metadata or ({},))[0]
    described = described or {}
    if tiff.is_imagej and "unit" in described:
        unit = metres(described["unit"])  # ImageJ's resolution counts pixels per this unit
    in_plane = _from_tags(page, unit) if unit else {}
    return _spacing(described, in_plane) | in_plane


def _from_ome(xml: str) -> Stated:
    stated: Stated = {}
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    for axis, letter in enumerate("ZYX"):
        found = pixels and re.search(rf'\bPhysicalSize{letter}="([^"]+)"', pixels[0])
        unit = pixels and re.search(rf'\bPhysicalSize{letter}Unit="([^"]+)"', pixels[0])
        scale = metres(unit[1] if unit else "um")  # OME's default unit
        length = _number(found[1]) if found else None
        if length and scale:
            stated[axis] = (length * scale, f"OME PhysicalSize{letter}")
    return stated


def _from_tags(page: Any, unit: float) -> Stated:
    stated: Stated = {}
    for axis, name in ((1, "YResolution"), (2, "XResolution")):
        tag = page.tags.get(name)
        if tag is None:
            continue
        pixels, units = (float(part) for part in tag.value)
        if pixels <= 0.0 or units <= 0.0 or pixels == units:
            continue
        length = unit * units / pixels
        if not any(math.isclose(0.0254 / length, dpi, rel_tol=5e-3) for dpi in _SCREEN_DPI):
            stated[axis] = (length, name)
    return stated


def _spacing(metadata: Mapping[str, Any], in_plane: Stated) -> Stated:
    """Distance of the pages in ImageJ's or tifffile's description of the image.

    A spacing of 1 beside no in-plane size is a default and says nothing.
    """
    unit, spacing = metres(metadata.get("unit")), _number(metadata.get("spacing"))
    if not unit or not spacing or (spacing == 1.0 and not in_plane):
        return {}
    return {0: (spacing * unit, "spacing")}


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0.0 else None


def metres(unit: object) -> float | None:
    """Length [m] of a unit by its name, None where it is no unit of length."""
    name = str(unit or "").strip().replace("\\u00B5", "u").replace("\\u00b5", "u")
    for sign, letter in (("µ", "u"), ("μ", "u"), ("Å", "A"), ("Å", "A")):
        name = name.replace(sign, letter)
    return METRES.get(name.lower())
