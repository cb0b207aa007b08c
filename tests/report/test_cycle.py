"""Figures of a cycle: charged from half full, held, discharged to where it began."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_run import Run
from matplotlib.figure import Figure as Drawing
from synthetic import NOMINAL, PARTS, write_cell, write_fields, write_particles, write_run

from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.report import cell_figures
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.cell_figures import overpotential_figure, voltage_figure
from voxtrode.pipeline.report.results import Results, read_results
from voxtrode.pipeline.report.style import as_figure

PROTOCOL = [
    {"charge": "1C", "until": "4.1 V"},
    {"hold": "4.1 V", "until": "C/10"},
    {"discharge": "1C", "until": "50 % DoD"},
]
TIMES = (0.0, 720.0, 1440.0, 2160.0, 3060.0, 3780.0)
DODS = (0.5, 0.3, 0.1, 0.05, 0.3, 0.5)
CURRENT = 5.76  # A/m²


def write_cycle(folder: Path) -> Run:
    """A made-up run of the protocol."""
    made = write_run(folder, initial={"sol": 0.5}, protocol=PROTOCOL)
    simulate = folder / "simulate"
    ends = ((0.0, 1440.0, 0.5, 0.1), (1440.0, 2160.0, 0.1, 0.05), (2160.0, 3780.0, 0.05, 0.5))
    time, dod = (
        np.concatenate([np.linspace(end[k], end[k + 1], 13) for end in ends]) for k in (0, 2)
    )
    step = np.repeat([1, 2, 3], 13)
    current = np.where(step == 3, CURRENT, -CURRENT)
    current[step == 2] *= np.linspace(1.0, 0.1, 13)
    write_cell(simulate, time, step, current, dod, start=0.5)
    write_particles(simulate, TIMES, DODS)
    write_fields(simulate, Serial(), TIMES, DODS)
    return Run(folder, made)


@pytest.fixture
def cycle(tmp_path: Path) -> Run:
    """A run folder of one's own."""
    return write_cycle(tmp_path / "run")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """The drawings of the cell's figures, as they are made."""
    found: list[Drawing] = []

    def keep(figure: Drawing, caption: str, alt: str) -> Figure:
        found.append(figure)
        return as_figure(figure, caption, alt)

    monkeypatch.setattr(cell_figures, "as_figure", keep)
    return found


def results_of(run: Run) -> Results:
    return read_results(run.folder, run.study)


def keep_steps(run: Run, *steps: int) -> None:
    """Leaves only some steps in the cell's table."""
    path = run.folder / "simulate" / "cell.csv"
    table = pd.read_csv(path)
    table[table["Step"].isin(steps)].to_csv(path, index=False)


def test_losses_of_a_cycle_stand_over_time(cycle: Run, drawn: list[Drawing]) -> None:
    """The whole cycle is shown, though capacity ends where it began.

    Parts are ±PARTS throughout, so that each bar, ∫ η dQ / ∫ |dQ|, is PARTS to rounding.
    """
    assert overpotential_figure(results_of(cycle)) is not None
    axes, bars = drawn[0].axes
    assert axes.get_xlabel() == "time [h]"
    assert axes.get_xlim() == pytest.approx((0.0, 3780.0 / 3600.0))
    low, high = axes.get_ylim()
    assert low < -43.0 < 43.0 < high
    names = [text.get_text() for text in bars.get_yticklabels()]
    means = [bar.get_width() for bar in bars.patches]
    assert dict(zip(names, means, strict=True)) == pytest.approx(PARTS, rel=1e-9)


def test_losses_of_a_charge_stand_over_capacity(cycle: Run, drawn: list[Drawing]) -> None:
    """Capacity falls; its axis rises, and all of it is shown."""
    keep_steps(cycle, 1)
    assert overpotential_figure(results_of(cycle)) is not None
    assert drawn[0].axes[0].get_xlim() == pytest.approx((-0.4 * NOMINAL, 0.0))


@pytest.mark.parametrize("steps", [(1,), (1, 2), (1, 2, 3)])
def test_a_charge_stands_over_time_too(
    cycle: Run, drawn: list[Drawing], steps: tuple[int, ...]
) -> None:
    """Whatever is not a plain discharge has a second column."""
    keep_steps(cycle, *steps)
    assert voltage_figure(results_of(cycle)) is not None
    labels = [axes.get_xlabel() for axes in drawn[0].axes]
    assert "time [h]" in labels
    assert "areal capacity [mA h cm⁻²]" in labels


def test_a_plain_discharge_has_one_column(cycle: Run, drawn: list[Drawing]) -> None:
    """Time says nothing there that capacity does not."""
    keep_steps(cycle, 3)
    assert voltage_figure(results_of(cycle)) is not None
    assert "time [h]" not in [axes.get_xlabel() for axes in drawn[0].axes]


def test_dod_counts_from_the_charged_cell(cycle: Run, drawn: list[Drawing]) -> None:
    """Capacity starts at zero where DoD is one half: DoD = 1/2 + Q/Q_nominal."""
    assert voltage_figure(results_of(cycle)) is not None
    axes = drawn[0].axes[0]
    (top,) = axes.child_axes
    expected = [0.5 + capacity / NOMINAL for capacity in axes.get_xlim()]
    assert top.get_xlim() == pytest.approx(expected)


def test_instants_are_spread_over_a_cycle(cycle: Run) -> None:
    """Charge moved by then: 0.2, 0.4, 0.45, 0.7, 0.9; the nearest to 0.45 and 0.9."""
    results = results_of(cycle)
    assert results.chosen_instants(2) == [2160.0, 3780.0]
    assert results.chosen_instants(9) == list(TIMES[1:])


def test_instants_of_a_cell_at_one_dod_are_spread_over_time(cycle: Run) -> None:
    """Nothing moves: time decides."""
    path = cycle.folder / "simulate" / "cell.csv"
    pd.read_csv(path).assign(DoD=0.5).to_csv(path, index=False)
    assert results_of(cycle).chosen_instants(2) == [2160.0, 3780.0]


def test_charge_and_discharge_have_names_of_their_own(cycle: Run) -> None:
    """DoD 0.30 comes twice."""
    results = results_of(cycle)
    assert [results.instant_name(time) for time in TIMES[1:5]] == [
        "DoD 0.30, step 1, charging",
        "DoD 0.10, step 1, charging",
        "DoD 0.05, step 2, held",
        "DoD 0.30, step 3, discharging",
    ]


def test_names_of_a_plain_discharge_are_short(run: Run) -> None:
    """One step passes current: DoD tells its instants apart."""
    results = results_of(run)
    assert results.instant_name(900.0) == "DoD 0.25"
    assert results.instant_name(3300.0) == "DoD 0.75, at rest"
