"""Figures of the whole cell: voltage and current, and where the voltage is lost."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.results import CAPACITY, CURRENT, OCV, TIME, VOLTAGE, Results
from voxtrode.pipeline.report.style import (
    ACCENT,
    FAINT,
    INK,
    PART_COLOURS,
    as_figure,
    drawing,
    light_grid,
)

_HOUR = 3600.0
_TOTAL = "Total overpotential [V]"


def voltage_figure(results: Results) -> Figure | None:
    """Voltage and current against areal capacity; against time too where the cell rests."""
    table = results.cell
    if table is None or VOLTAGE not in table:
        return None
    rests = bool((table[CURRENT] == 0.0).any())
    figure = drawing(4.3)
    grid = figure.add_gridspec(2, 2 if rests else 1, height_ratios=[3.6, 1.0])
    _voltage_column(
        figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0]), results, table, CAPACITY
    )
    if rests:
        _voltage_column(
            figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1]), results, table, TIME
        )
    return as_figure(
        figure,
        "Cell voltage V (solid) and open-circuit voltage U(θ̄) of the mean lithiation (dashed)"
        " against the areal capacity passed; the gap between them is the total overpotential."
        " Circles: instants at which fields and particles are stored. Below: the current density,"
        " positive on discharge.",
        "Voltage curve and current density",
    )


def _voltage_column(
    upper: Axes, lower: Axes, results: Results, table: pd.DataFrame, against: str
) -> None:
    lower.sharex(upper)
    across = _abscissa(table, against)
    if OCV in table:
        upper.plot(across, table[OCV], "--", color=FAINT, linewidth=1.2, label="U(θ̄)")
    upper.plot(across, table[VOLTAGE], color=INK, label="V")
    rows = _stored_rows(results, table)
    upper.plot(
        across[rows],
        table[VOLTAGE].to_numpy()[rows],
        "o",
        markersize=4.5,
        markerfacecolor="white",
        markeredgecolor=ACCENT,
        markeredgewidth=1.1,
        label="stored",
        linestyle="none",
    )
    lower.plot(across, table[CURRENT], color=INK, linewidth=1.2)
    lower.fill_between(across, 0.0, table[CURRENT], color=INK, alpha=0.08, linewidth=0)
    lower.set_ylim(bottom=min(0.0, 1.15 * float(table[CURRENT].min())))
    upper.tick_params(labelbottom=False)
    upper.set_ylabel("voltage [V]")
    lower.set_ylabel("I [A m⁻²]")
    light_grid(upper, "both")
    if against == CAPACITY:
        lower.set_xlabel("areal capacity [mA h cm⁻²]")
        _dod_axis(upper, table)
        upper.legend(loc="lower left")
    else:
        lower.set_xlabel("time [h]")


def _dod_axis(axes: Axes, table: pd.DataFrame) -> None:
    """A second scale on top: depth of discharge, in proportion to the capacity."""
    if "DoD" not in table or float(table["DoD"].abs().max()) == 0.0:
        return
    ratio = float(table[CAPACITY].abs().max() / table["DoD"].abs().max())

    def to_dod(capacity: Any) -> Any:
        return capacity / ratio

    def to_capacity(dod: Any) -> Any:
        return dod * ratio

    top = axes.secondary_xaxis("top", functions=(to_dod, to_capacity))
    top.set_xlabel("depth of discharge DoD")


def _abscissa(table: pd.DataFrame, against: str) -> NDArray[np.float64]:
    scale = _HOUR if against == TIME else 1.0
    return np.asarray(table[against], dtype=np.float64) / scale


def _stored_rows(results: Results, table: pd.DataFrame) -> list[int]:
    times = table[TIME].to_numpy()
    return [int(np.argmin(np.abs(times - stored))) for stored in results.instants()[TIME]]


def overpotential_figure(results: Results) -> Figure | None:
    """Parts of the overpotential, stacked, against areal capacity."""
    table = results.cell
    if table is None:
        return None
    parts = [name for name in PART_COLOURS if f"{name} overpotential [V]" in table]
    table = table.dropna(subset=[f"{name} overpotential [V]" for name in parts])
    if not parts or len(table) < 2:
        return None
    millivolts = 1e3 * np.stack([table[f"{name} overpotential [V]"] for name in parts])
    across = _abscissa(table, CAPACITY)
    figure = drawing(3.6)
    share_of_plot = [1.55, 1.0]
    axes, shares = figure.subplots(1, 2, width_ratios=share_of_plot)
    _stack(axes, across, millivolts, parts)
    if _TOTAL in table:
        axes.plot(across, 1e3 * table[_TOTAL], color=INK, linewidth=1.2, label="U(θ̄) − V")
    top = _sensible_top(millivolts)
    axes.set_ylim(min(0.0, 1.1 * float(millivolts.clip(max=0.0).sum(axis=0).min())), top)
    axes.set_xlim(across[0], across[-1])
    axes.set_xlabel("areal capacity [mA h cm⁻²]")
    axes.set_ylabel("overpotential [mV]")
    _dod_axis(axes, table)
    light_grid(axes)
    _mean_bars(shares, across, millivolts, parts)
    return as_figure(
        figure,
        "Where the voltage is lost: power dissipated by each process over the current, stacked;"
        " their sum is U(θ̄) − V (line)."
        + (
            f" The scale ends at {top:.0f} mV; the last instants before the cut-off rise above it."
            if float(millivolts.sum(axis=0).max()) > top
            else ""
        )
        + " Right: mean over the capacity passed.",
        "Stacked overpotential parts",
    )


def _stack(
    axes: Axes, across: NDArray[Any], millivolts: NDArray[Any], parts: Sequence[str]
) -> None:
    """Positive parts upwards, negative ones downwards."""
    for sign in (1.0, -1.0):
        base = np.zeros_like(across)
        for values, name in zip(millivolts, parts, strict=True):
            share = np.maximum(sign * values, 0.0) * sign
            axes.fill_between(
                across, base, base + share, color=PART_COLOURS[name], linewidth=0, label="_"
            )
            base = base + share


def _sensible_top(millivolts: NDArray[Any]) -> float:
    """The scale's end: not that of the steep fall just before the cut-off."""
    total = millivolts.clip(min=0.0).sum(axis=0)
    usual = float(np.percentile(total, 75.0))
    return 1.08 * min(float(total.max()), 3.0 * usual)


def _mean_bars(
    axes: Axes, across: NDArray[Any], millivolts: NDArray[Any], parts: Sequence[str]
) -> None:
    span = float(across[-1] - across[0]) or 1.0
    means = np.trapezoid(millivolts, across, axis=1) / span
    places = np.arange(len(parts))[::-1]
    axes.barh(places, means, color=[PART_COLOURS[name] for name in parts], height=0.72)
    axes.set_yticks(places, parts)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean overpotential [mV]")
    axes.axvline(0.0, color=INK, linewidth=0.7)
    axes.spines["left"].set_visible(False)
    widest = float(np.max(np.abs(means))) or 1.0
    for place, mean in zip(places, means, strict=True):
        axes.annotate(
            f"{mean:.2f}" if abs(mean) < 1 else f"{mean:.1f}",
            (max(mean, 0.0), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.0,
        )
    axes.set_xlim(min(0.0, 1.1 * float(means.min())), 1.22 * widest)
