"""The page of a comparison: what differs, voltage curves, capacity and energy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import voxtrode
from voxtrode.pipeline.analysis.delivered import Delivered, first_discharge
from voxtrode.pipeline.report.blocks import Block, Figure, Missing, Page, Section, Table
from voxtrode.pipeline.report.cautions import cautions
from voxtrode.pipeline.report.numbers import number, percent
from voxtrode.pipeline.report.results import CAPACITY, VOLTAGE, Results
from voxtrode.pipeline.report.style import as_figure, drawing, instant_colours, light_grid, style

_LEGEND = 12


@dataclass(frozen=True, eq=False)
class Compared:
    """A run among others.

    Attributes:
        name: Short and its own.
        results: Of the run.
        differs: Keys of the study that differ between the runs, and its values.
        delivered: In its first discharge; None without one.
    """

    name: str
    results: Results
    differs: Mapping[str, Any]
    delivered: Delivered | None


def comparison(runs: Sequence[Compared]) -> Page:
    """The page of some runs."""
    idle = [one.name for one in runs if one.delivered is None]
    warnings = [f"{name} has no discharge to compare." for name in idle]
    warnings += [f"{one.name}: {text}" for one in runs for text in cautions(one.results)]
    with style():
        sections = [
            _differences(runs),
            _curves(runs),
            _capacities(runs),
            _limits(runs),
            _transport(runs),
        ]
    title = f"{len(runs)} runs"
    verdict = f"{', '.join(one.name for one in runs)}, side by side."
    footer = f"voxtrode {voxtrode.__version__}"
    return Page(title, verdict, [], list(dict.fromkeys(warnings)), sections, footer, "Comparison")


def _differences(runs: Sequence[Compared]) -> Section:
    keys = list(runs[0].differs)
    if not keys:
        return Section("differences", "What differs", [Missing("The studies are the same.")])
    rows = [[key, *(_plain(one.differs[key]) for one in runs)] for key in keys]
    table = Table(
        ["Key", *(one.name for one in runs)], rows, "Keys of the studies that differ, SI units."
    )
    return Section("differences", "What differs", [table])


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _curves(runs: Sequence[Compared]) -> Section:
    driven = [(one, rows) for one in runs if (rows := first_discharge(one.results)) is not None]
    if not driven:
        return Section("curves", "Discharge", [Missing("No run here has a discharge.")])
    figure = drawing(3.6)
    axes = figure.subplots()
    for (one, rows), colour in zip(driven, instant_colours(len(driven)), strict=True):
        passed = rows[CAPACITY] - rows[CAPACITY].iloc[0]
        axes.plot(passed, rows[VOLTAGE], color=colour, label=one.name)
    axes.set_xlabel("areal capacity [mA h cm⁻²]")
    axes.set_ylabel("voltage [V]")
    light_grid(axes, "both")
    if len(driven) <= _LEGEND:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0.0)
    caption = "Cell voltage in the first discharge of each run against the charge it passed."
    return Section("curves", "Discharge", [as_figure(figure, caption, "Voltage curves")])


def _capacities(runs: Sequence[Compared]) -> Section:
    done = [(one, one.delivered) for one in runs if one.delivered is not None]
    blocks: list[Block] = []
    if picture := _rate_figure([found for _, found in done]):
        blocks.append(picture)
    rows = [
        [
            one.name,
            number(found.c_rate),
            number(found.current_A_m2),
            number(found.areal_mAh_cm2, 4),
            percent(found.share),
            number(found.volumetric_mAh_cm3),
            number(found.active_mAh_g),
            number(found.mean_V, 4),
            number(found.energy_Wh_m2),
            number(found.power_W_m2),
        ]
        for one, found in done
    ]
    head = ["Run", "C-rate", "I [A m⁻²]", "Capacity [mA h cm⁻²]", "of nominal"]
    head += ["[mA h cm⁻³]", "[mA h g⁻¹]", "mean V [V]", "Energy [W h m⁻²]", "Power [W m⁻²]"]
    caption = (
        "What the first discharge delivered: by area, by volume of the electrode, by mass of its"
        " active material."
    )
    blocks.append(Table(head, rows, caption) if rows else Missing("No run here has a discharge."))
    return Section("capacity", "Capacity, energy and power", blocks)


def _rate_figure(done: Sequence[Delivered]) -> Figure | None:
    """Capacity against C-rate and current, energy against power; none for one current alone."""
    if len({round(found.current_A_m2, 9) for found in done}) < 2:
        return None
    figure = drawing(2.9)
    by_rate, by_current, ragone = figure.subplots(1, 3)
    rated = sorted((f.c_rate, f.areal_mAh_cm2) for f in done if f.c_rate is not None)
    by_rate.plot(*zip(*rated, strict=True), "o", markersize=4.5)
    by_rate.set_xlabel("C-rate")
    by_rate.set_ylabel("capacity [mA h cm⁻²]")
    by_current.plot(
        [f.current_A_m2 for f in done], [f.areal_mAh_cm2 for f in done], "o", markersize=4.5
    )
    by_current.set_xlabel("current density [A m⁻²]")
    ragone.loglog([f.power_W_m2 for f in done], [f.energy_Wh_m2 for f in done], "o", markersize=4.5)
    ragone.set_xlabel("power [W m⁻²]")
    ragone.set_ylabel("energy [W h m⁻²]")
    for axes in (by_rate, by_current, ragone):
        light_grid(axes, "both")
    for axes in (by_rate, by_current):
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(left=0.0)
    caption = "Capacity of the first discharge against C-rate and current; energy against power."
    return as_figure(figure, caption, "Rate capability")


def _limits(runs: Sequence[Compared]) -> Section:
    rows = [
        [
            one.name,
            entry["electrode"] or "–",
            number(entry["dod"]),
            *(percent(share) for share in entry["sst_limited_depth"].values()),
            percent(entry["saturated_share"]),
            percent(entry["lowest_salt"]),
            number(entry["idle_particles"]),
            entry["largest_loss"] or "–",
        ]
        for one in runs
        for entry in one.results.summary.get("limits", [])
    ]
    if not rows:
        return Section("limits", "What limits", [Missing("No run here has a report that says.")])
    head = ["Run", "Electrode", "DoD", "SST-limited depth, 5 %", "10 %", "20 %", "Saturated volume"]
    head += ["Lowest cₑ/cₑ⁰", "Idle particles", "Largest loss"]
    caption = (
        "At the end of the first step: share of the thickness in which lithium is spread inside"
        " particles as in free balls (solid-state transport limits), at three tolerances; volume"
        " near the highest SoL; lowest salt; particles that moved less than half of the mean."
    )
    return Section("limits", "What limits", [Table(head, rows, caption, left=(0, 1, 9))])


def _transport(runs: Sequence[Compared]) -> Section:
    rows = [
        [
            one.name,
            str(row["phase"]),
            str(row["axis"]),
            str(row["method"]),
            number(row["fraction"], 4),
            number(row["tortuosity_factor"], 4),
            number(row["effective_ratio"], 4),
        ]
        for one in runs
        for row in one.results.transport.get("rows", [])
        if row.get("axis") == "z"
    ]
    if not rows:
        return Section("transport", "Transport", [Missing("No run here has transport numbers.")])
    head = ["Run", "Phase", "Axis", "Method", "Fraction", "τ", "D_eff/D₀"]
    table = Table(head, rows, "Along the thickness.", left=(0, 1, 2, 3))
    return Section("transport", "Transport", [table])
