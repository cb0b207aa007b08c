"""How sizes, shapes and neighbours of the particles, and the widths of the phases, are spread."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.asked import Asked, asked_sizes
from voxtrode.pipeline.image_figures.colours import named_colours, strong
from voxtrode.pipeline.report.style import ACCENT, INK, UM, WIDTH, drawing, light_grid

_BY_VOLUME = "#1f5a8a"
_BINS = 30  # at most
_WIDE = 30.0  # largest over smallest size from which the axis is logarithmic
_NARROW = 0.02  # a class is at least this share of the mean size

type Able = Mapping[str, Mapping[str, bool]]
type Floats = NDArray[np.float64]
type Panel = Callable[[Axes], None]


def distributions_drawing(
    header: VolumeHeader, image: Mapping[str, Any], able: Able, table: pd.DataFrame | None
) -> Drawing | None:
    """Particle sizes by number and volume, local thickness of each phase, sphericity, contacts.

    Only whole particles count: those that are cut by the box have no size.

    Args:
        header: Of the volume.
        image: Its `image.json`; its `sizes` are drawn where it has them.
        able: What each phase can do.
        table: Its `particles.csv`, or None.

    Returns:
        The figure, or None where there is nothing to draw.
    """
    colours = dict(zip(header.phases, map(strong, named_colours(header.phases, able)), strict=True))
    panels: list[Panel] = []
    if table is not None and len(table):
        whole = table[~table["touches_box"].astype(bool)]
        asked = asked_sizes(image.get("evidence", {}).get("volume", {}))
        panels += _of_particles(whole, len(table), asked, colours)
    curves = {
        name: entry["curve"]
        for name, entry in image.get("sizes", {}).items()
        if entry.get("curve") and name in colours
    }
    if curves:
        panels.append(partial(_thickness, curves=curves, colours=colours))
    if not panels:
        return None
    rows = -(-len(panels) // 2)
    figure = drawing(2.65 * rows, WIDTH)
    grid = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        panel(axes)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def _of_particles(
    whole: pd.DataFrame, count: int, asked: Asked, colours: Mapping[str, Any]
) -> list[Panel]:
    if not len(whole):
        return [partial(_none, text=f"No whole particle: the box cuts all {count}.")]
    panels: list[Panel] = [
        partial(_histogram, whole=whole, count=count),
        partial(_cumulative, whole=whole, asked=asked, colours=colours),
    ]
    if (shapes := _numbers(whole, "sphericity")).size:
        panels.append(partial(_sphericity, values=shapes))
    if (contacts := _numbers(whole, "coordination")).size:
        panels.append(partial(_coordination, values=contacts))
    return panels


def _histogram(axes: Axes, whole: pd.DataFrame, count: int) -> None:
    diameter, volume = UM * _numbers(whole, "diameter_m"), _numbers(whole, "volume_m3")
    edges = _classes(diameter)
    for weights, colour, name, filled in (
        (volume, _BY_VOLUME, "by volume", True),
        (np.ones(len(diameter)), ACCENT, "by number", False),
    ):
        shares, _ = np.histogram(diameter, edges, weights=weights)
        percent = 100.0 * shares / shares.sum()
        axes.stairs(
            percent,
            edges,
            fill=filled,
            color=colour,
            alpha=0.45 if filled else 1.0,
            linewidth=1.3,
            label=name,
        )
    _diameters(axes, edges)
    axes.set_ylabel("share of a class [%]")
    axes.set_title(f"Particles: {len(whole)} whole of {count}", fontweight="normal")
    axes.set_ylim(0.0, 1.35 * axes.get_ylim()[1])
    axes.legend(loc="upper right", ncols=2, columnspacing=1.0)
    light_grid(axes)


def _cumulative(axes: Axes, whole: pd.DataFrame, asked: Asked, colours: Mapping[str, Any]) -> None:
    """Share of smaller particles; by volume for each phase where there are several."""
    diameter = UM * _numbers(whole, "diameter_m")
    edges = _classes(diameter)
    phases = list(dict.fromkeys(whole["phase"])) if "phase" in whole else []
    parts = [
        (f"{name}, by volume", whole[whole["phase"] == name], colours[name])
        for name in phases
        if name in colours
    ]
    if len(parts) < 2:
        parts = [("by volume", whole, _BY_VOLUME)]
    ends = (edges[0], edges[-1])
    for name, part, colour in parts:
        sizes, volume = UM * _numbers(part, "diameter_m"), _numbers(part, "volume_m3")
        _steps(axes, sizes, volume, ends, color=colour, label=name)
    _steps(
        axes, diameter, np.ones(len(diameter)), ends, color=ACCENT, linewidth=1.2, label="by number"
    )
    if (made := UM * _numbers(whole, "made_diameter_m")).size:
        _steps(axes, made, made**3, ends, color=INK, linewidth=0.9, linestyle="--", label="made")
    asked.draw(axes)
    _diameters(axes, edges)
    axes.set_ylim(0.0, 103.0)
    axes.set_ylabel("smaller [%]")
    axes.set_title("Particles, cumulated", fontweight="normal")
    axes.legend(loc="best", fontsize=7.5)
    light_grid(axes)


def _steps(
    axes: Axes, sizes: Floats, weights: Floats, ends: tuple[float, float], **how: Any
) -> None:
    order = np.argsort(sizes, kind="stable")
    below = 100.0 * np.cumsum(weights[order]) / weights.sum()
    places = np.concatenate([[ends[0]], sizes[order], [ends[1]]])
    axes.plot(places, np.concatenate([[0.0], below, [100.0]]), drawstyle="steps-post", **how)


def _thickness(axes: Axes, curves: Mapping[str, Any], colours: Mapping[str, Any]) -> None:
    largest = 0.0
    for name, curve in curves.items():
        diameter = UM * np.array(curve["diameter_m"])
        narrower = 100.0 * (1.0 - np.array(curve["share"]))
        largest = max(largest, float(diameter[-1]))
        axes.plot(
            np.concatenate([[0.0], diameter, diameter[-1:]]),
            np.concatenate([[0.0], narrower, [100.0]]),
            color=colours[name],
            label=name,
        )
    axes.set_xlim(0.0, 1.04 * largest)
    axes.set_ylim(0.0, 103.0)
    axes.set_xlabel("local thickness [µm]")
    axes.set_ylabel("narrower [% of the phase]")
    axes.set_title("Phases: continuous size distribution", fontweight="normal")
    axes.legend(loc="lower right")
    light_grid(axes)


def _sphericity(axes: Axes, values: Floats) -> None:
    edges = np.linspace(min(0.5, float(values.min())), max(1.0, float(values.max())), 26)
    shares, _ = np.histogram(values, edges)
    axes.stairs(100.0 * shares / shares.sum(), edges, fill=True, color=_BY_VOLUME, alpha=0.55)
    _mean(axes, float(values.mean()), "upper left")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel("sphericity")
    axes.set_ylabel("share of particles [%]")
    axes.set_title(f"Sphericity, {len(values)} whole particles", fontweight="normal")
    light_grid(axes)


def _coordination(axes: Axes, values: Floats) -> None:
    largest = int(values.max())
    edges = np.arange(largest + 2) - 0.5
    shares, _ = np.histogram(values, edges)
    axes.stairs(100.0 * shares / shares.sum(), edges, fill=True, color=_BY_VOLUME, alpha=0.55)
    _mean(axes, float(values.mean()), "upper right")
    axes.set_xlim(-0.5, largest + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("particles touched")
    axes.set_ylabel("share of particles [%]")
    axes.set_title(f"Coordination, {len(values)} whole particles", fontweight="normal")
    light_grid(axes)


def _mean(axes: Axes, value: float, place: Literal["upper left", "upper right"]) -> None:
    axes.axvline(value, color=INK, linewidth=1.0, linestyle="--", label=f"mean {value:.3g}")
    axes.set_ylim(0.0, 1.25 * axes.get_ylim()[1])
    axes.legend(loc=place)


def _none(axes: Axes, text: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")


def _numbers(table: pd.DataFrame, column: str) -> Floats:
    """The finite values of a column; none where it is missing."""
    if column not in table:
        return np.empty(0)
    values = table[column].to_numpy(np.float64)
    return values[np.isfinite(values)]


def _classes(diameter: Floats) -> Floats:
    """Limits of classes [µm]; logarithmic where sizes span much."""
    low, high = float(diameter.min()), float(diameter.max())
    if high > _WIDE * low:
        return np.geomspace(0.98 * low, 1.02 * high, _BINS + 1)
    middle = 0.5 * (low + high)
    count = int(np.clip(2.0 * np.sqrt(len(diameter)), 6, _BINS))
    half = max(0.5 * (high - low), 0.5 * count * _NARROW * middle) * 1.02
    return np.linspace(max(middle - half, 0.0), middle + half, count + 1)


def _diameters(axes: Axes, edges: Floats) -> None:
    """The axis of diameters over the classes, with a little room beside them."""
    if edges[0] > 0.0 and edges[-1] > _WIDE * edges[0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10.0, (1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(0.9 * edges[0], 1.1 * edges[-1])
    else:
        room = 0.05 * (edges[-1] - edges[0])
        axes.set_xlim(max(edges[0] - room, 0.0), edges[-1] + room)
    axes.set_xlabel("diameter of the ball of equal volume [µm]")
