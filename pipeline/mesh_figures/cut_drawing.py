"""A plane through the mesh: by phase, and closer with its cells, by phase and by quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch, Rectangle

from voxtrode.pipeline.image_figures.colours import pale
from voxtrode.pipeline.mesh_figures.plane_cut import Floats, PlaneCut
from voxtrode.pipeline.report.style import ACCENT, INK, WIDTH, drawing

WINDOW = 60.0
"""Lattice spacings that the closer look shows at most, along each axis."""
BEYOND = 8.0
"""Of these, spacings of the separator."""
QUALITY = Normalize(0.0, 60.0)
"""Range of the smallest dihedral angles [degrees]; 60 in the body-centred cubic lattice."""
QUALITY_MAP = "RdYlBu"
_TALLEST = 3.4  # height of a picture [inch]
_HEAD = 0.75  # for its title and its axis
_FOOT = 1.3  # for the bar of colours and the legend
_WIDE = 1.6  # width over height from which the closer looks stand below each other

type Corner = tuple[float, float]


@dataclass(frozen=True)
class Extent:
    """What there is to see; coordinates (z, x) [µm].

    Attributes:
        size: Electrode and separator, from the origin.
        top: Where the electrode ends along z.
        spacing: Lattice spacing.
        y: Where the plane is.
    """

    size: Corner
    top: float
    spacing: float
    y: float

    def window(self) -> tuple[Corner, Corner]:
        """The closer look: the end of the electrode with some of the separator, mid-plane."""
        most = WINDOW * self.spacing
        high = min(self.size[0], self.top + BEYOND * self.spacing)
        low = max(0.0, high - most)
        high = min(self.size[0], low + most)
        middle, half = 0.5 * self.size[1], 0.5 * min(self.size[1], most)
        return (low, middle - half), (high, middle + half)


def cut_drawing(
    cut: PlaneCut, extent: Extent, phases: Sequence[str], colours: Sequence[str]
) -> Drawing:
    """Draws a plane through the mesh.

    Args:
        cut: The plane's polygons [µm].
        extent: What there is to see.
        phases: Name of each phase.
        colours: Their colours.
    """
    window = extent.window()
    near = cut.within(*window)
    size = (window[1][0] - window[0][0], window[1][1] - window[0][1])
    mosaic: list[Any] = (
        [["phase", "quality"]] if size[0] < _WIDE * size[1] else [["phase"], ["quality"]]
    )
    heights = [_height(size, len(mosaic[0]))] * len(mosaic)
    title = f"y = {extent.y:.3g} µm"
    if window != ((0.0, 0.0), extent.size):
        mosaic = [["whole"] * len(mosaic[0]), *mosaic]
        heights = [_height(extent.size, 1), *heights]
    figure = drawing(sum(heights) + _HEAD * len(heights) + _FOOT)
    axes = figure.subplot_mosaic(mosaic, height_ratios=heights)
    if "whole" in axes:
        _fill(axes["whole"], cut, _by_phase(cut, colours), edges=False)
        _frame(axes["whole"], (0.0, 0.0), extent.size, title)
        frame = Rectangle(window[0], *size, fill=False, edgecolor=ACCENT, clip_on=False)
        axes["whole"].add_patch(frame)
        title = f"the frame, closer; lattice spacing {extent.spacing:.3g} µm"
    _fill(axes["phase"], near, _by_phase(near, colours), edges=True)
    _frame(axes["phase"], *window, title)
    _fill(axes["quality"], near, mpl.colormaps[QUALITY_MAP](QUALITY(near.angle)), edges=True)
    _frame(axes["quality"], *window, "the same, by quality")
    bar = figure.colorbar(
        ScalarMappable(QUALITY, QUALITY_MAP),
        ax=list(axes.values()),
        orientation="horizontal",
        aspect=50,
        shrink=0.6,
        pad=0.02,
    )
    bar.set_label("smallest dihedral angle of the cell [°]")
    handles = [
        Patch(facecolor=colour, edgecolor=INK, linewidth=0.4, label=name)
        for name, colour in zip(phases, _mixed(colours), strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
    return figure


def _height(size: Corner, columns: int) -> float:
    """Height [inch] of a picture that is as wide as its column, or as tall as it may be."""
    return min(_TALLEST, 0.9 * WIDTH / columns * size[1] / size[0])


def _mixed(colours: Sequence[str]) -> Floats:
    """Colours light enough for edges of cells to show, shape ``(n, 3)``."""
    return np.stack([pale(colour, 0.3) for colour in colours]) / 255.0


def _by_phase(cut: PlaneCut, colours: Sequence[str]) -> Floats:
    return _mixed(colours)[cut.phase]


def _fill(axes: Axes, cut: PlaneCut, colours: Floats, edges: bool) -> None:
    axes.add_collection(
        PolyCollection(
            list(cut.polygons),
            facecolors=colours,
            edgecolors=INK if edges else colours,
            linewidths=0.2 if edges else 0.3,
            antialiased=edges,
            rasterized=True,
        ),
        autolim=False,
    )


def _frame(axes: Axes, low: Corner, high: Corner, title: str) -> None:
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_title(title, fontweight="normal")
    axes.set_xlabel("depth z [µm]")
    axes.set_ylabel("x [µm]")
