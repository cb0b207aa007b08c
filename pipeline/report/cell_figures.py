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
    """Voltage and current against areal capacity; against time too unless it is discharged only."""
    table = results.cell
    if table is None or VOLTAGE not in table:
        return None
    over_time = bool((table[CURRENT] <= 0.0).any())
    figure = drawing(4.3)
    grid = figure.add_gridspec(2, 2 if over_time else 1, height_ratios=[3.6, 1.0])
    _voltage_column(
        figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0]), results, table, CAPACITY
    )
    if over_time:
        _voltage_column(
            figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1]), results, table, TIME
        )
    return as_figure(
        figure,
        "Cell voltage V (solid) and open-circuit voltage U(θ̄) of the mean lithiation (dashed)"
        " against the areal capacity passed"
        + (" and against time" if over_time else "")
        + "; the gap between them is the total overpotential."
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
    """A second scale on top: depth of discharge.

    DoD counts from the fully charged cell, capacity from the start: DoD is affine in capacity.
    """
    if "DoD" not in table:
        return
    capacity, depth = (table[name].to_numpy(np.float64) for name in (CAPACITY, "DoD"))
    low, high = int(np.argmin(capacity)), int(np.argmax(capacity))
    if depth[high] == depth[low] or capacity[high] == capacity[low]:
        return
    slope = float((depth[high] - depth[low]) / (capacity[high] - capacity[low]))
    start = float(depth[low] - slope * capacity[low])

    def to_dod(capacity: Any) -> Any:
        return start + slope * capacity

    def to_capacity(dod: Any) -> Any:
        return (dod - start) / slope

    top = axes.secondary_xaxis("top", functions=(to_dod, to_capacity))
    top.set_xlabel("depth of discharge DoD")


def _abscissa(table: pd.DataFrame, against: str) -> NDArray[np.float64]:
    scale = _HOUR if against == TIME else 1.0
    return np.asarray(table[against], dtype=np.float64) / scale


def _stored_rows(results: Results, table: pd.DataFrame) -> list[int]:
    times = table[TIME].to_numpy()
    return [int(np.argmin(np.abs(times - stored))) for stored in results.instants()[TIME]]


def overpotential_figure(results: Results) -> Figure | None:
    """Parts of the overpotential, stacked, against areal capacity; over time where it turns."""
    table = results.cell
    if table is None:
        return None
    parts = [name for name in PART_COLOURS if f"{name} overpotential [V]" in table]
    columns = [f"{name} overpotential [V]" for name in parts]
    driven = table.dropna(subset=columns)
    if not parts or len(driven) < 2:
        return None
    # Against capacity a cycle would lie on itself; over time the parts break where it rests.
    turns = bool((table[CURRENT] > 0.0).any() and (table[CURRENT] < 0.0).any())
    shown = table if turns else driven
    millivolts = 1e3 * shown[columns].to_numpy().T
    across = _abscissa(shown, TIME if turns else CAPACITY)
    figure = drawing(3.6)
    share_of_plot = [1.55, 1.0]
    axes, shares = figure.subplots(1, 2, width_ratios=share_of_plot)
    _stack(axes, across, millivolts, parts)
    if _TOTAL in shown:
        axes.plot(across, 1e3 * shown[_TOTAL], color=INK, linewidth=1.2, label="U(θ̄) − V")
    ups, downs = (np.nansum((s * millivolts).clip(min=0.0), axis=0) for s in (1.0, -1.0))
    top, bottom = _sensible_end(ups), -_sensible_end(downs)
    axes.set_ylim(bottom, top if top > bottom else 1.0)
    if np.ptp(across) > 0.0:
        axes.set_xlim(float(across.min()), float(across.max()))
    axes.set_xlabel("time [h]" if turns else "areal capacity [mA h cm⁻²]")
    axes.set_ylabel("overpotential [mV]")
    if not turns:
        _dod_axis(axes, shown)
    light_grid(axes)
    _mean_bars(shares, _losses(driven, columns), parts)
    hidden = float(ups.max()) > top or float(downs.max()) > -bottom
    return as_figure(
        figure,
        "Where the voltage is lost: power dissipated by each process over the current, stacked"
        " (below zero on charge); their sum is U(θ̄) − V (line)."
        + (
            f" The scale ends at {_ends(bottom, top)} mV; instants near a cut-off lie beyond it."
            if hidden
            else ""
        )
        + " Right: mean loss over all charge moved, discharged or charged; losses of either"
        " direction are positive.",
        "Stacked overpotential parts",
    )


def _ends(bottom: float, top: float) -> str:
    return " and ".join(f"{end:.0f}".replace("-", "−") for end in (bottom, top) if end)


def _losses(driven: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """∫ η dQ / ∫ |dQ| of each part [mV] over rows under current."""
    capacity = driven[CAPACITY].to_numpy(np.float64)
    losses = np.trapezoid(1e3 * driven[list(columns)].to_numpy().T, capacity, axis=1)
    moved = float(np.abs(np.diff(capacity)).sum()) or 1.0
    return np.asarray(losses / moved, dtype=np.float64)


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


def _sensible_end(heights: NDArray[Any]) -> float:
    """The scale's end, from heights of the stack: not that of the steep rise before a cut-off."""
    above = heights[heights > 0.0]
    if not len(above):
        return 0.0
    return 1.08 * min(float(above.max()), 3.0 * float(np.percentile(above, 75.0)))


def _mean_bars(axes: Axes, means: NDArray[np.float64], parts: Sequence[str]) -> None:
    places = np.arange(len(parts))[::-1]
    axes.barh(places, means, color=[PART_COLOURS[name] for name in parts], height=0.72)
    axes.set_yticks(places, parts)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean loss [mV]")
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
