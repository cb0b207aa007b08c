"""Fractions against depth, and whether the halves of the volume say the same as the whole."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.colours import named_colours, strong
from voxtrode.pipeline.report.style import FAINT, UM, WIDTH, drawing, light_grid

TOLERANCE = 5.0  # % that a half may differ from the whole
_AXES = "zyx"
_LEAST = 12.0  # % that the axis of deviations shows, at least
_MOST = 60.0  # % beyond which a deviation is drawn at the edge

type Able = Mapping[str, Mapping[str, bool]]
type Colours = Mapping[str, tuple[float, float, float]]


def profiles_drawing(
    header: VolumeHeader,
    image: Mapping[str, Any],
    able: Able,
    collectors: tuple[str, str] = ("collector", ""),
) -> Drawing | None:
    """Fraction of each phase against depth, with its spread in the plane; halves beside it.

    Args:
        header: Of the volume.
        image: Its `image.json` with `profiles` and, if there, `representativity`.
        able: What each phase can do.
        collectors: What those at z = 0 and at z = L are called; empty: none is there.

    Returns:
        The figure, or None where `image.json` has no profiles.
    """
    profile = image.get("profiles", {}).get("z")
    if not profile:
        return None
    names = [name for name in header.phases if name in profile["fraction"]]
    known = dict(zip(header.phases, named_colours(header.phases, able), strict=True))
    colours = {name: strong(known[name]) for name in names}
    halves = image.get("representativity", {})
    axes_cut = [axis for axis, count in zip(_AXES, header.shape, strict=True) if count > 1]
    figure = drawing(3.1, WIDTH)
    if halves.get("fraction") and axes_cut:
        depth, deviation = figure.subplots(1, 2, width_ratios=[1.7, 1.0])
        _halves(depth, halves["fraction"], axes_cut, header.size[0] * UM, colours)
        _deviations(deviation, halves, axes_cut, colours)
    else:
        depth = figure.add_subplot()
    near, far = collectors
    ends = f"  ({near} → {far or 'separator'})" if near else ""
    _depth(depth, profile, header.size[0] * UM, colours, ends)
    handles = [Line2D([], [], color=colours[name], label=name) for name in names]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(names), 5))
    return figure


def _depth(
    axes: Axes, profile: Mapping[str, Any], depth: float, colours: Colours, ends: str
) -> None:
    position = UM * np.array(profile["position_m"])
    alone = len(position) == 1
    for name, colour in colours.items():
        fraction = np.array(profile["fraction"][name])
        axes.plot(position, fraction, color=colour, marker="_" if alone else "")
        spread = profile.get("std", {}).get(name)
        if spread is None:
            continue
        low, high = fraction - np.array(spread), fraction + np.array(spread)
        if alone:
            axes.errorbar(position, fraction, np.array(spread), color=colour, capsize=3.0)
        else:
            axes.fill_between(position, low, high, color=colour, alpha=0.16, linewidth=0.0)
    axes.set_xlim(0.0, depth)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel(f"depth z [µm]{ends}")
    axes.set_ylabel("fraction")
    columns = profile.get("columns", 1)
    title = f"Fraction; band: ± std of {columns} columns" if columns > 1 else "Fraction"
    axes.set_title(title, fontweight="normal")
    light_grid(axes)


def _halves(
    axes: Axes,
    fractions: Mapping[str, Any],
    axes_cut: Sequence[str],
    depth: float,
    colours: Colours,
) -> None:
    """The means of the halves across z, as lines with a mark."""
    if "z" not in axes_cut:
        return
    for name, colour in colours.items():
        entry = fractions.get(name)
        if entry:
            for k, half in enumerate(entry["halves"][:2]):
                axes.plot(
                    depth * (0.25 + 0.5 * k),
                    half,
                    marker="D",
                    markersize=5.0,
                    color=colour,
                    markeredgecolor="white",
                    zorder=4.0,
                )


def _deviations(
    axes: Axes, found: Mapping[str, Any], axes_cut: Sequence[str], colours: Colours
) -> None:
    """How far each half is from the whole: fractions filled, specific areas hollow."""
    ends = [f"{axis}{sign}" for axis in axes_cut for sign in "−+"]
    place = np.arange(len(ends))
    largest = 0.0
    axes.axhspan(-TOLERANCE, TOLERANCE, color="#e9f2ec", zorder=0.0)
    axes.axhline(0.0, color=FAINT, linewidth=0.8)
    step = 0.5 / max(len(colours) - 1, 1)
    for key, fill, shape in (("fraction", True, "D"), ("specific_area_m-1", False, "o")):
        for k, (name, colour) in enumerate(colours.items()):
            entry = found.get(key, {}).get(name)
            if not entry or len(entry["halves"]) != len(ends) or not entry["whole"]:
                continue
            percent = 100.0 * (np.array(entry["halves"]) / entry["whole"] - 1.0)
            largest = max(largest, float(np.abs(percent).max()))
            _marks(axes, place + step * k - 0.25, percent, shape, colour, fill)
    limit = min(max(1.15 * largest, _LEAST), _MOST)
    axes.set_ylim(-limit, limit)
    axes.set_xlim(-0.6, len(ends) - 0.4)
    axes.set_xticks(place, ends)
    axes.set_ylabel("half over whole − 1 [%]")
    axes.set_title("Halves: ◆ fraction, ○ area", fontweight="normal")
    light_grid(axes)


def _marks(
    axes: Axes,
    place: NDArray[np.floating[Any]],
    percent: NDArray[np.floating[Any]],
    shape: str,
    colour: tuple[float, float, float],
    fill: bool,
) -> None:
    axes.plot(
        place,
        np.clip(percent, -_MOST, _MOST),
        linestyle="none",
        marker=shape,
        markersize=4.5,
        markerfacecolor=colour if fill else "none",
        markeredgecolor=colour,
        markeredgewidth=0.9,
        clip_on=False,
    )
