"""Pictures of the volume: sections phase by phase, and the 3D picture with its labels."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.patches import Patch
from numpy.typing import NDArray

from voxtrode.data.volume import VolumeHeader, read_slab
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.picture import HINT, draw_apart
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.scene import Scene, write_scene
from voxtrode.pipeline.report.style import (
    DEAD,
    INK,
    SOL_MAP,
    UM,
    WIDTH,
    as_figure,
    drawing,
    phase_colours,
)

_LAYERS = 16  # read at once
_PIXELS = 900  # largest number of pixels along an edge of a section


@dataclass(frozen=True, eq=False)
class Sections:
    """Labels on the three middle planes; dead particles have the label `n_phases`.

    Attributes:
        zy: At the middle x, [z, y].
        zx: At the middle y, [z, x].
        yx: At the middle z, [y, x].
    """

    zy: NDArray[np.uint8]
    zx: NDArray[np.uint8]
    yx: NDArray[np.uint8]


def read_sections(results: Results, header: VolumeHeader) -> Sections:
    """The three middle planes of the volume, read slab by slab."""
    folder = results.folder / "image"
    nz, ny, nx = header.shape
    dead = _dead(results)
    across_x, across_y = [], []
    middle = np.empty((0, 0), np.uint8)
    for z0 in range(0, nz, _LAYERS):
        labels, particles = read_slab(folder, z0, min(z0 + _LAYERS, nz))
        if len(dead):
            labels[np.isin(particles, dead)] = len(header.phases)
        across_x.append(labels[:, :, nx // 2])
        across_y.append(labels[:, ny // 2, :])
        if z0 <= nz // 2 < z0 + _LAYERS:
            middle = labels[nz // 2 - z0].copy()
    return Sections(np.concatenate(across_x), np.concatenate(across_y), middle)


def sections_figure(results: Results, header: VolumeHeader) -> Figure:
    """Three sections through the volume, coloured by phase, to one scale."""
    cut = read_sections(results, header)
    depth, height, width = (edge * UM for edge in header.size)
    colours = [*_colours(results, header), DEAD]
    cmap = ListedColormap(colours)
    norm = BoundaryNorm(np.arange(len(colours) + 1) - 0.5, len(colours))
    scale = (WIDTH - 1.5) / (depth + width)  # inches per µm
    figure = drawing((height + width) * scale + 1.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[depth, width], height_ratios=[width, height])
    planes = (
        (grid[0, 0], cut.zx.T, depth, width, "z", "x", f"y = {_um(height / 2)} µm"),
        (grid[1, 0], cut.zy.T, depth, height, "z", "y", f"x = {_um(width / 2)} µm"),
        (grid[1, 1], cut.yx, width, height, "x", "y", f"z = {_um(depth / 2)} µm"),
    )
    for place, labels, right, top, across, up, title in planes:
        axes = figure.add_subplot(place)
        thin = labels[_thin(labels.shape[0]), _thin(labels.shape[1])]
        axes.imshow(
            thin, cmap=cmap, norm=norm, origin="lower", extent=(0, right, 0, top), aspect="equal"
        )
        _frame(axes, across, up, title)
    legend = figure.add_subplot(grid[0, 1])
    legend.set_axis_off()
    names = [*header.phases]
    handles = [
        Patch(facecolor=colour, edgecolor=INK, linewidth=0.4, label=name)
        for name, colour in zip(names, colours, strict=False)
    ]
    if any(int(plane.max()) == len(names) for plane in (cut.zx, cut.zy, cut.yx)):
        handles.append(Patch(facecolor=DEAD, edgecolor=INK, linewidth=0.4, label="dead particle"))
    legend.legend(handles=handles, loc="center left", title="Phase", alignment="left")
    return as_figure(
        figure,
        "Sections through the middle of the labelled volume, all to one scale. Depth z runs from"
        " the collector (left) to the separator (right).",
        "Three orthogonal sections through the volume, coloured by phase",
    )


def scene_figure(scene: Scene, results: Results, folder: Path) -> Figure | str:
    """The 3D picture with its labels, or why there is none.

    Args:
        scene: What it shows.
        results: The run.
        folder: Where files may lie for a while.
    """
    write_scene(scene, folder / "scene.npz")
    png = folder / "scene.png"
    if fault := draw_apart(folder / "scene.npz", png):
        return f"No 3D picture: {fault}. {HINT}"
    pixels = image.imread(png)[..., :3]
    places = json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))
    inked = np.argwhere(pixels.min(axis=2) < 0.99)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0)
    cropped = pixels[top : bottom + 1, left : right + 1]
    ratio = cropped.shape[0] / cropped.shape[1]
    figure = drawing(WIDTH * ratio + (1.1 if scene.what else 0.5))
    axes = figure.add_subplot()
    axes.imshow(cropped, interpolation="antialiased")
    axes.set_axis_off()
    for name, text, at, move in _labels(scene):
        x, y = places[name][0] - left, places[name][1] - top
        axes.annotate(
            text,
            (x, y),
            xytext=move,
            textcoords="offset points",
            ha=at,
            va="top" if move[1] < 0 else "center",
            fontsize=8.5,
            annotation_clip=False,
        )
    caption = (
        "The electrode with one corner cut away; depth z runs from the collector (left) to the"
        " separator (right). Closing faces show the inside of particles."
    )
    plain = [s.name for s in scene.surfaces if not len(s.values) and len(s.points)]
    if scene.what:
        mappable = ScalarMappable(Normalize(*scene.limits), SOL_MAP)
        bar = figure.colorbar(
            mappable, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.09
        )
        bar.set_label(f"state of lithiation SoL at {results.instant_name(scene.time)}")
        bar.outline.set_visible(False)
        caption += " Colour: local state of lithiation (colours span the 1st to 99th percentile)."
        if plain:
            caption += f" In plain colour: {', '.join(plain)}."
    return as_figure(figure, caption, "3D picture of the electrode, cut open")


def _labels(scene: Scene) -> list[tuple[str, str, str, tuple[float, float]]]:
    depth, width, height = scene.size
    return [
        ("collector", "collector", "center", (0.0, -4.0)),
        ("electrode", f"electrode, {_um(depth)} µm", "center", (0.0, -6.0)),
        ("separator", f"separator, {_um(scene.separator)} µm", "center", (0.0, -6.0)),
        ("width", f"x: {_um(width)} µm", "left", (6.0, -4.0)),
        ("height", f"y:\n{_um(height)} µm", "right", (-5.0, 0.0)),
    ]


def _colours(results: Results, header: VolumeHeader) -> list[str]:
    known = phase_colours(results.able)
    return [known.get(name, "#b9b9b9") for name in header.phases]


def _dead(results: Results) -> NDArray[np.int64]:
    table = results.image_particles
    if table is None:
        return np.empty(0, np.int64)
    dead: NDArray[np.int64] = table["id"].to_numpy(np.int64)[table["dead"].to_numpy(bool)]
    return dead


def _thin(count: int) -> slice:
    return slice(None, None, max(1, count // _PIXELS))


def _um(value: float) -> str:
    return f"{value:.3g}"


def _frame(axes: Axes, across: str, up: str, title: str) -> None:
    axes.set_xlabel(f"{across} [µm]")
    axes.set_ylabel(f"{up} [µm]")
    axes.set_title(title, fontweight="normal")
    spines: Any = axes.spines
    spines[:].set_visible(True)
