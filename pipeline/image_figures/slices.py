"""Three sections through the volume: its phases, and its particles each in a colour of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.arrangement import Box, Place, arrange
from voxtrode.pipeline.image_figures.colours import (
    Bytes,
    named_colours,
    pale,
    particle_colours,
    solid,
)
from voxtrode.pipeline.image_figures.planes import Plane, read_planes
from voxtrode.pipeline.report.numbers import percent, shortest
from voxtrode.pipeline.report.style import DEAD, INK, UM, WIDTH

COLLECTOR = "#c8a27c"
_HEIGHT = 8.2  # largest height of the pictures [inch]
_FINE = 700  # pixels along a picture's longer edge, at least; lines are one pixel wide
_PLATE = 0.06  # thickness of the collector [inch]
_ROW = 0.21  # height of a row of the legend [inch]

type Able = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True, eq=False)
class _Picture:
    plane: Plane
    pixels: Bytes
    title: str


def slices_drawing(
    folder: Path,
    header: VolumeHeader,
    image: Mapping[str, Any],
    able: Able,
    table: pd.DataFrame | None,
) -> Drawing:
    """The middle planes zy, zx and yx to one scale, by phase and by particle.

    Planes that are a single voxel wide are left out where there are others.

    Args:
        folder: The folder of the volume's files.
        header: Its header.
        image: Its `image.json`; fractions go into the legend where it has them.
        able: What each phase can do.
        table: Its `particles.csv`, or None.
    """
    planes = read_planes(folder, header)
    shown = [plane for plane in planes if not plane.is_line] or list(planes)
    colours = named_colours(header.phases, able)
    dead = _dead(table)
    largest = max(int(plane.particles.max()) for plane in shown)
    largest = max(largest, int(table["id"].max()) if table is not None and len(table) else 0)
    kinds = 2 if largest else 1
    pictures = []
    for plane in shown:
        cut = f"{plane.normal[0]} = {shortest(plane.normal[1] * UM, 3)} µm"
        pictures.append(_Picture(plane, _by_phase(plane, colours, dead), cut))
        if largest:
            pictures.append(_Picture(plane, _by_particle(plane, colours, largest), cut))
    handles = _handles(header, image, colours, _has_dead(shown, dead), bool(largest))
    return _sheet(pictures, _ways(len(shown), kinds), handles)


def _ways(planes: int, kinds: int) -> list[list[Place]]:
    """Row and column of each picture: pairs below or beside each other, or all in a line."""
    each = [(p, k) for p in range(planes) for k in range(kinds)]
    return [
        [(k, p) for p, k in each],
        [(p, k) for p, k in each],
        [(0, kinds * p + k) for p, k in each],
        [(kinds * p + k, 0) for p, k in each],
    ]


def _sheet(
    pictures: Sequence[_Picture], ways: list[list[Place]], handles: Sequence[tuple[Any, str]]
) -> Drawing:
    sizes = [(p.plane.size[0] * UM, p.plane.size[1] * UM) for p in pictures]
    sheet = arrange(sizes, ways, WIDTH, _HEIGHT)
    columns = _columns([text for _, text in handles])
    foot = _ROW * -(-len(handles) // columns) + 0.12
    height = sheet.height + foot
    figure = Drawing(figsize=(WIDTH, height), layout="none")
    bar = _round_length(0.5 * max(box[2] for box in sheet.boxes) / sheet.scale)
    widest = max(range(len(pictures)), key=lambda k: sheet.boxes[k][2])
    for k, (picture, (left, bottom, wide, high)) in enumerate(
        zip(pictures, sheet.boxes, strict=True)
    ):
        axes = figure.add_axes(
            (left / WIDTH, (bottom + foot) / height, wide / WIDTH, high / height)
        )
        _draw(axes, picture, (left, bottom, wide, high))
        if k == widest:
            _scale_bar(axes, bar, sheet.scale)
    figure.legend(
        [handle for handle, _ in handles],
        [text for _, text in handles],
        loc="lower center",
        ncols=columns,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.6,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
    )
    return figure


def _draw(axes: Axes, picture: _Picture, box: Box) -> None:
    _, _, wide, high = box
    plane = picture.plane
    up, across = plane.size[0] * UM, plane.size[1] * UM
    axes.imshow(
        picture.pixels,
        origin="lower",
        extent=(0.0, across, 0.0, up),
        aspect="auto",
        interpolation="antialiased",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)  # type: ignore[call-overload]
    axes.set_title(picture.title, fontweight="normal", fontsize=8.5, pad=3.0)
    collector = plane.across == "z"
    words = {"fontsize": 8.0, "color": INK, "annotation_clip": False}
    axes.annotate(
        f"{plane.across} →", (1.0, 0.0), (0.0, -3.0), "axes fraction", "offset points",
        ha="right", va="top", **words,
    )
    if high > 0.3:
        axes.annotate(
            f"{plane.up} →", (0.0, 1.0), (-8.0 if collector else -3.0, 0.0),
            "axes fraction", "offset points", ha="right", va="top", rotation=90.0, **words,
        )
    if collector:
        plate = Rectangle(
            (-_PLATE / wide, 0.0), _PLATE / wide, 1.0, transform=axes.transAxes,
            facecolor=COLLECTOR, edgecolor=INK, linewidth=0.4, clip_on=False,
        )
        axes.add_patch(plate)
        if high > 1.1:
            axes.annotate(
                "collector", (0.0, 0.0), (-8.0, 0.0), "axes fraction", "offset points",
                ha="right", va="bottom", rotation=90.0, **words,
            )


def _scale_bar(axes: Axes, length: float, scale: float) -> None:
    """A bar below the picture, at its left."""
    wide = length * scale / (axes.get_position().width * WIDTH)
    axes.annotate(
        "", (wide, 0.0), (0.0, -0.0), "axes fraction", "axes fraction", annotation_clip=False
    )
    down = -7.0
    axes.annotate(
        "",
        (0.0, 0.0),
        (0.0, down),
        "axes fraction",
        "offset points",
        annotation_clip=False,
    )
    high = axes.get_position().height * axes.figure.get_figheight() * 72.0  # type: ignore[union-attr]
    axes.plot(
        [0.0, wide], [down / high] * 2, transform=axes.transAxes, color=INK, linewidth=2.2,
        solid_capstyle="butt", clip_on=False,
    )
    axes.annotate(
        f"{shortest(length)} µm", (wide, 0.0), (4.0, down), "axes fraction", "offset points",
        ha="left", va="center", fontsize=8.0, annotation_clip=False,
    )
