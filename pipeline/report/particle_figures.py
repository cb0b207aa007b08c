"""Figures of the particles: lithiation and its spread against depth, at the stored instants."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.electrodes import depth_ends, from_electrode_mean
from voxtrode.pipeline.report.results import TIME, Results
from voxtrode.pipeline.report.style import (
    FAINT,
    INK,
    UM,
    as_figure,
    drawing,
    instant_colours,
    light_grid,
)

_INSTANTS = 6
_SIZES = (12.0, 70.0)  # areas of symbols [pt²]: smallest and largest diameter
DEVIATION = "SoL minus that of the electrode"


def sol_figure(results: Results) -> Figure | None:
    """SoL of each particle, its distance from its electrode's, and its spread, against depth."""
    whole = "cell" if results.study.negative is None else "electrode"
    return _by_depth(
        results,
        (
            ("SoL", "mean SoL of\na particle"),
            (DEVIATION, f"its distance from\nthe {whole}'s SoL"),
            ("SoL std", "standard deviation\nof SoL inside it"),
        ),
        "State of lithiation of each particle against the depth of its centroid: volume mean (top),"
        f" its distance from that of the {whole} (middle), and standard deviation inside the"
        " particle (bottom).",
        "State of lithiation of particles against depth",
    )


def rate_figure(results: Results) -> Figure | None:
    """C-rate of each particle against its depth."""
    return _by_depth(
        results,
        (("C_p*", "C$_p^*$ of a particle [1/h]"),),
        "What each particle is asked for: its own C-rate Cₚ*, current over capacity, against the"
        " depth of its centroid.",
        "C-rate of particles against depth",
    )


def _by_depth(
    results: Results, columns: tuple[tuple[str, str], ...], caption: str, alt: str
) -> Figure | None:
    table = results.particles
    times = results.chosen_instants(_INSTANTS, rests=False)
    if table is None or not times or any(n not in table for n, _ in columns if n != DEVIATION):
        return None
    colours = instant_colours(len(times))
    figure = drawing(1.85 * len(columns) + 0.55 + (0.5 if len(columns) == 1 else 0.0))
    panels = figure.subplots(len(columns), 1, sharex=True, squeeze=False)[:, 0]
    scale = _Scale(table)
    for time, colour in zip(times, colours, strict=True):
        rows = table[np.isclose(table[TIME], time) & ~table["Dead"]]
        rows = rows.assign(**{DEVIATION: from_electrode_mean(results, rows, time)})
        for axes, (column, label) in zip(panels, columns, strict=True):
            _symbols(axes, rows, column, colour, scale)
            axes.set_ylabel(label)
            axes.margins(y=0.08)
            light_grid(axes)
    if results.thickness:
        panels[-1].set_xlim(0.0, results.thickness * UM)
    ends = depth_ends(results, "separator")
    panels[-1].set_xlabel(f"depth z of the centroid [µm]{ends}")
    figure.align_ylabels(panels)
    names = [results.instant_name(time) for time in times]
    _legend(panels[0], names, colours, scale)
    return as_figure(
        figure,
        caption
        + " Symbol size: diameter. Hollow: particles that are cut by the box."
        + (" Dead particles are not shown." if bool(table["Dead"].any()) else ""),
        alt,
    )


class _Scale:
    """Areas of symbols by diameter."""

    def __init__(self, table: pd.DataFrame) -> None:
        diameters = table["Diameter [m]"].to_numpy()
        self.low, self.high = float(diameters.min()), float(diameters.max())

    def __call__(self, diameters: pd.Series) -> np.ndarray:
        if self.high - self.low < 0.05 * self.high:
            return np.full(len(diameters), 34.0)
        share = diameters.to_numpy() ** 2 / self.high**2
        return np.maximum(_SIZES[1] * share, _SIZES[0] * 0.4)


def _symbols(axes: Axes, rows: pd.DataFrame, column: str, colour: Any, scale: _Scale) -> None:
    for touching in (True, False):
        part = rows[rows["Touches box"] == touching]
        axes.scatter(
            part["Depth [m]"] * UM,
            part[column],
            s=scale(part["Diameter [m]"]),
            facecolors="none" if touching else [colour],
            edgecolors=[colour] if touching else "white",
            linewidths=0.9 if touching else 0.4,
            rasterized=True,
            zorder=2.0 if touching else 3.0,
        )


def _legend(axes: Axes, names: list[str], colours: list[Any], scale: _Scale) -> None:
    def mark(colour: Any, hollow: bool, area: float = 34.0) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=area**0.5,
            markerfacecolor="none" if hollow else colour,
            markeredgecolor=colour if hollow else "white",
        )

    handles = [mark(colour, hollow=False) for colour in colours]
    handles += [mark(INK, hollow=True)]
    texts = [*names, "touches the box"]
    for diameter in _round_diameters(scale):
        handles.append(mark(FAINT, hollow=False, area=float(scale(pd.Series([diameter]))[0])))
        texts.append(f"{diameter * UM:.2g} µm")
    axes.legend(
        handles,
        texts,
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        borderaxespad=0.0,
        handletextpad=0.3,
        labelspacing=0.55,
    )


def _round_diameters(scale: _Scale) -> list[float]:
    if scale.high - scale.low < 0.05 * scale.high:
        return []
    return [scale.high, 0.5 * scale.high]
