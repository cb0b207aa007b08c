"""What limits: particles made to spread as free balls do, or less, in known layers of depth."""

import numpy as np
import pandas as pd
import pytest
from conftest import Run
from synthetic import DODS, EDGE, NOMINAL, TIMES, UM

from voxtrode.data.materials import active_material
from voxtrode.data.radial import Radial
from voxtrode.pipeline.analysis.delivered import delivered
from voxtrode.pipeline.analysis.idle import idle_particles
from voxtrode.pipeline.analysis.limits import limits
from voxtrode.pipeline.analysis.saturation import Lithiation
from voxtrode.pipeline.report.limits_words import limits_text
from voxtrode.pipeline.report.results import TIME, Results, read_results
from voxtrode.pipeline.study import load_study
from voxtrode.solvers.electrodes import Window

RADIUS = 2e-6
ROWS = 40
WINDOW = (4.2, 2.8)
CURRENT = 5.76  # that of the made-up cell's table [A/m²]


def particles(spread_over_ball: np.ndarray) -> pd.DataFrame:
    """Equal balls in a row over the depth whose spread is a multiple of a free ball's."""
    volume = 4.0 / 3.0 * np.pi * RADIUS**3
    per_volume = CURRENT * (EDGE * UM) ** 2 / (ROWS * volume)
    material = active_material("nmc811")
    window = Window.of(material, *WINDOW)
    width = window.full - window.empty
    ball = Radial(material, RADIUS, 3, window.empty)
    theta = window.empty + width * np.array(DODS)
    moving = [k for k, time in enumerate(TIMES) if 0.0 < time <= 2700.0]
    std = np.zeros(len(TIMES))
    std[moving] = ball.spread(-per_volume * RADIUS / 3.0, theta[moving]) / width
    depth = (np.arange(ROWS) + 0.5) / ROWS * EDGE * UM
    frames = [
        pd.DataFrame(
            {
                "Particle": np.arange(1, ROWS + 1),
                "Phase": "active",
                "Time [s]": time,
                "DoD": DODS[k],
                "Volume [m3]": volume,
                "Wetted area [m2]": 3.0 * volume / RADIUS,
                "Diameter [m]": 2.0 * RADIUS,
                "Depth [m]": depth,
                "SoL": DODS[k],
                "SoL raw": theta[k],
                "SoL std": std[k] * spread_over_ball,
                "Diffusion radius [m]": RADIUS,
                "C_p*": 1.0,
                "Touches box": False,
                "Dead": False,
            }
        )
        for k, time in enumerate(TIMES)
    ]
    return pd.concat(frames)


def results(run: Run, table: pd.DataFrame) -> Results:
    """The made-up run with other particles."""
    table.to_csv(run.folder / "simulate" / "particles.csv", index=False)
    return read_results(run.folder, load_study(run.folder / "study.yaml"))


@pytest.mark.parametrize("within", [0.97, 0.92, 0.85, 0.7])
def test_the_limited_depth_is_where_particles_spread_as_balls(run: Run, within: float) -> None:
    """The deeper half spreads by 0.4 of a ball, the other by `within`."""
    deep = np.arange(ROWS) >= ROWS // 2
    found, reasons = limits(results(run, particles(np.where(deep, 0.4, within))))
    (one,) = found
    assert not reasons
    # LSODA at 1e-6, and two interpolations over a hundred states.
    assert one.last.std / one.last.reference == pytest.approx([within, within, 0.4, 0.4], rel=1e-3)
    for tolerance in (0.05, 0.1, 0.2):
        counts = within >= 1.0 - tolerance
        assert one.last.share(tolerance) == pytest.approx(0.5 if counts else 0.0)
        assert one.last.ranges(tolerance) == ([(0.0, pytest.approx(8e-6))] if counts else [])


def test_a_run_that_cannot_be_compared_says_why(run: Run) -> None:
    table = particles(np.ones(ROWS))
    table["Dead"] = True
    found, reasons = limits(results(run, table))
    assert not found
    assert reasons == ["this run: no living particles"]


def test_words_follow_from_the_numbers(run: Run) -> None:
    """The same table with salt left and with salt gone."""
    made = results(run, particles(np.full(ROWS, 0.5)))
    (one,) = limits(made)[0]
    text = limits_text(one, EDGE * UM)
    assert "not limited by diffusion in its particles" in text
    assert "largest loss of voltage is kinetic: 20 mV" in text
    cell = pd.read_csv(run.folder / "simulate" / "cell.csv")
    cell["Min c_e [mol.m-3]"] = 10.0
    cell.to_csv(run.folder / "simulate" / "cell.csv", index=False)
    (one,) = limits(results(run, particles(np.full(ROWS, 0.5))))[0]
    assert "run out of salt" in limits_text(one, EDGE * UM)


def test_saturated_volume() -> None:
    """A tenth of the volume at SoL 0.93 in the deepest layer, the rest spread below 0.6."""
    sol, depth = np.linspace(0.0, 1.0, 51), np.array([0.0, 1e-6, 2e-6])
    volume = np.zeros((50, 2))
    volume[:30, 0] = 0.9 / 30
    volume[46, 1] = 0.1
    found = Lithiation(sol, depth, volume)
    assert found.highest == pytest.approx(0.94, abs=1e-3)
    assert found.share == pytest.approx(0.1)
    assert found.centre == pytest.approx(1.5e-6)
    even = Lithiation(sol, depth, np.ones((50, 2)))
    assert not even.peaks


def test_idle_particles_are_those_that_moved_less_than_half_of_the_mean() -> None:
    rows = pd.DataFrame(
        {
            TIME: [0.0] * 4 + [1.0] * 4,
            "Particle": [1, 2, 3, 4] * 2,
            "SoL": [0.1, 0.1, 0.1, 0.5, 0.8, 0.7, 0.3, 0.5],
            "Volume [m3]": 1.0,
            "Dead": [False, False, False, True] * 2,
        }
    )
    assert idle_particles(rows)["Particle"].tolist() == [3]
    rows["SoL"] = 1.0 - rows["SoL"]
    assert idle_particles(rows, fills=False)["Particle"].tolist() == [3]


def test_what_a_discharge_delivered(run: Run) -> None:
    """V = 4.2 − 0.9 DoD − 43 mV over 0.75 of 0.576 mAh/cm² in 2700 s, 16 µm thick."""
    found = delivered(read_results(run.folder, load_study(run.folder / "study.yaml")))
    assert found is not None
    passed, volts = 0.75 * NOMINAL, 4.2 - 0.9 * 0.375 - 0.0426
    assert found.areal_mAh_cm2 == pytest.approx(passed)
    assert found.current_A_m2 == pytest.approx(CURRENT)
    assert found.share == pytest.approx(0.75)
    assert found.mean_V == pytest.approx(volts)
    assert found.energy_Wh_m2 == pytest.approx(10.0 * passed * volts)
    assert found.power_W_m2 == pytest.approx(CURRENT * volts)
    assert found.volumetric_mAh_cm3 == pytest.approx(passed / 16e-4)
    assert found.active_mAh_g == pytest.approx(passed / (0.21 * 16e-4 * 4.95), rel=0.05)
