"""Three sections through the volume: its phases, and its particles each in a colour of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.arrangement import Box, Place, arrange
from voxtrode.pipeline.image_figures.colours import (
    Bytes,
    largest_id,
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
_FINE = 700  # pixels along the longest edge of a picture, about; lines are one pixel wide
_PLATE = 0.06  # thickness of the collector [inch]
_ROW = 0.21  # height of a row of the legend [inch]
_BAR = 0.26  # room for the scale bar

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
    largest = max(largest_id(table), *(int(plane.particles.max()) for plane in shown))
    kinds = 2 if largest else 1
    factor = max(1, round(_FINE / max(max(plane.labels.shape) for plane in shown)))
    pictures = []
    for plane in shown:
        cut = f"{plane.normal[0]} = {shortest(plane.normal[1] * UM, 3)} µm"
        fine = plane.magnified(factor)
        pictures.append(_Picture(plane, _by_phase(fine, colours, dead), cut))
        if largest:
            pictures.append(_Picture(plane, _by_particle(fine, colours, largest), cut))
    handles = _phase_handles(header, image, colours)
    if any(bool(np.isin(plane.particles, dead).any()) for plane in shown):
        handles.append((_patch(DEAD), "dead particle"))
    if largest:
        hues = [_patch(tuple(rgb / 255.0)) for rgb in particle_colours(3)[1:]]
        handles.append((tuple(hues), "particles, one colour each"))
    if any(plane.across == "z" for plane in shown):
        handles.append((_patch(COLLECTOR), "collector, z = 0"))
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
    legend = _ROW * -(-len(handles) // columns) + 0.12
    foot = legend + _BAR
    height = sheet.height + foot
    figure = Drawing(figsize=(WIDTH, height), layout=PlaceHolderLayoutEngine(True, True))
    for picture, box in zip(pictures, sheet.boxes, strict=True):
        left, bottom, wide, high = box
        axes = figure.add_axes(
            (left / WIDTH, (bottom + foot) / height, wide / WIDTH, high / height)
        )
        _draw(axes, picture, box)
    longest = max(max(size) for size in sizes)
    start = min(box[0] for box in sheet.boxes)
    _scale_bar(figure, min(0.5 * longest, 2.0 / sheet.scale), sheet.scale, (start, legend + 0.1))
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
    axes.imshow(
        picture.pixels,
        origin="lower",
        extent=(0.0, plane.size[1] * UM, 0.0, plane.size[0] * UM),
        aspect="auto",
        interpolation="antialiased",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    spines: Any = axes.spines
    spines[:].set_visible(True)
    axes.set_title(picture.title, fontweight="normal", fontsize=8.5, pad=3.0)
    _note(axes, f"{plane.across} →", (1.0, 0.0), (0.0, -3.0), ha="right", va="top")
    collector = plane.across == "z"
    beside = -8.0 if collector else -3.0  # points
    if high > 0.3:
        up = f"{plane.up} →"
        _note(axes, up, (0.0, 1.0), (beside, 0.0), ha="right", va="top", rotation=90.0)
    if collector:
        plate = Rectangle(
            (-_PLATE / wide, 0.0),
            _PLATE / wide,
            1.0,
            transform=axes.transAxes,
            facecolor=COLLECTOR,
            edgecolor=INK,
            linewidth=0.4,
            clip_on=False,
        )
        axes.add_patch(plate)
    if collector and high > 1.1:
        _note(axes, "collector", (0.0, 0.0), (beside, 0.0), ha="right", va="bottom", rotation=90.0)


def _scale_bar(figure: Drawing, most: float, scale: float, at: tuple[float, float]) -> None:
    """A bar of a round length of at most so many µm, at a place of the sheet [inch]."""
    power = 10.0 ** np.floor(np.log10(most))
    length = float(max(k * power for k in (1.0, 2.0, 5.0) if k * power <= most * (1.0 + 1e-9)))
    left, bottom = at
    ends = np.array([left, left + length * scale]) / WIDTH
    height = figure.get_figheight()
    bar = Line2D(ends, [bottom / height] * 2, color=INK, linewidth=2.2, solid_capstyle="butt")
    figure.add_artist(bar)
    words = f"{shortest(length)} µm"
    figure.text(ends[1] + 0.06 / WIDTH, bottom / height, words, va="center_baseline", fontsize=8.0)


def _note(
    axes: Axes, text: str, at: tuple[float, float], move: tuple[float, float], **how: Any
) -> None:
    """A word at a place of a picture [shares of its edges], moved [points]."""
    axes.annotate(
        text,
        at,
        move,
        "axes fraction",
        "offset points",
        fontsize=8.0,
        annotation_clip=False,
        **how,
    )


def _by_phase(plane: Plane, colours: Sequence[str], dead: NDArray[np.int64]) -> Bytes:
    table = np.stack([*map(solid, colours), solid(DEAD)])
    labels = np.where(np.isin(plane.particles, dead), len(colours), plane.labels)
    return table[labels]


def _by_particle(plane: Plane, colours: Sequence[str], largest: int) -> Bytes:
    """Particles in colours of their own with dark edges, grains with light ones, on pale phases."""
    behind = np.stack([pale(colour) for colour in colours])
    particles = plane.particles
    pixels = np.where(
        (particles > 0)[..., None],
        particle_colours(largest)[particles],
        behind[plane.labels],
    )
    if plane.grains.any():
        pixels[_edges(plane.grains) & (particles > 0)] = 255
    pixels[_edges(particles)] = solid(INK)
    return pixels


def _edges(ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    edges: NDArray[np.bool_] = find_boundaries(  # type: ignore[no-untyped-call]
        ids, mode="inner", background=0
    )
    return edges


def _phase_handles(
    header: VolumeHeader, image: Mapping[str, Any], colours: Sequence[str]
) -> list[tuple[Any, str]]:
    handles: list[tuple[Any, str]] = []
    for name, colour in zip(header.phases, colours, strict=True):
        share = image.get("phases", {}).get(name, {}).get("fraction")
        text = name if share is None else f"{name}, {percent(share)}"
        handles.append((_patch(colour), text))
    return handles


def _patch(colour: Any) -> Patch:
    return Patch(facecolor=colour, edgecolor=INK, linewidth=0.4)


def _columns(texts: Sequence[str]) -> int:
    """How many entries of a legend stand side by side."""
    longest = max(map(len, texts))
    return max(1, min(len(texts), int(WIDTH / (0.5 + 0.078 * longest))))


def _dead(table: pd.DataFrame | None) -> NDArray[np.int64]:
    if table is None or "dead" not in table:
        return np.empty(0, np.int64)
    dead: NDArray[np.int64] = table["id"].to_numpy(np.int64)[table["dead"].to_numpy(bool)]
    return dead
