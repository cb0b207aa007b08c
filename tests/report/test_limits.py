"""What limits: particles made to spread as free balls do, or less, in known layers of depth."""

import numpy as np
import pandas as pd
import pytest
from made_run import Run
from synthetic import DODS, EDGE, NOMINAL, TIMES, UM, write_run

from voxtrode.data.law import FARADAY, stoichiometry_at
from voxtrode.data.materials import active_material
from voxtrode.pipeline.analysis.delivered import delivered
from voxtrode.pipeline.analysis.idle import idle_particles
from voxtrode.pipeline.analysis.limits import limits
from voxtrode.pipeline.analysis.saturation import Lithiation
from voxtrode.pipeline.analysis.solid_transport import SolidTransport
from voxtrode.pipeline.report.limits_words import limits_text
from voxtrode.pipeline.report.results import TIME, Results, read_results
from voxtrode.pipeline.study import load_study

RADIUS = 2e-6
ROWS = 40
PHASES = {
    "active": {"material": "nmc622"},
    "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
}
D_S = 1e-14
CURRENT = 5.76  # that of the made-up cell's table [A/m²]


def particles(spread_over_ball: np.ndarray) -> pd.DataFrame:
    """Equal balls in a row over the depth whose spread is a multiple of a free ball's."""
    volume = 4.0 / 3.0 * np.pi * RADIUS**3
    per_volume = CURRENT * (EDGE * UM) ** 2 / (ROWS * volume)
    material = active_material("nmc622")
    assert {float(material.D_s(theta=theta)) for theta in (0.3, 0.6, 0.9)} == {D_S}
    empty, full = (stoichiometry_at(material.U, volts) for volts in (4.2, 2.8))
    theta = empty + (full - empty) * np.array(DODS)
    rate = per_volume / (FARADAY * material.c_max.value)
    driven = np.array([0.0 < time <= 2700.0 for time in TIMES])
    # Quasi-steady after R²/D = 400 s: θ − θ̄ = rate/(6 D) (r² − 3R²/5).
    std = driven * rate * RADIUS**2 / (6.0 * D_S) * np.sqrt(12.0 / 175.0) / abs(full - empty)
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


def results(run: Run, table: pd.DataFrame, cell: pd.DataFrame | None = None) -> Results:
    """The made-up run with other particles, of a material whose D_s is constant."""
    write_run(run.folder, phases=PHASES)
    if cell is not None:
        cell.to_csv(run.folder / "simulate" / "cell.csv", index=False)
    table.to_csv(run.folder / "simulate" / "particles.csv", index=False)
    return read_results(run.folder, load_study(run.folder / "study.yaml"))


@pytest.mark.parametrize("within", [0.97, 0.92, 0.85, 0.7])
def test_the_limited_depth_is_where_particles_spread_as_balls(run: Run, within: float) -> None:
    """The deeper half spreads by 0.4 of a ball, the other by `within`."""
    deep = np.arange(ROWS) >= ROWS // 2
    found, reasons = limits(results(run, particles(np.where(deep, 0.4, within))))
    (one,) = found
    assert not reasons
    # Fifty volumes in the radius, LSODA at 1e-6, interpolation over a hundred states.
    assert one.last.std / one.last.reference == pytest.approx([within, within, 0.4, 0.4], rel=1e-3)
    for tolerance in (0.05, 0.1, 0.2):
        counts = within >= 1.0 - tolerance
        assert one.last.share(tolerance) == pytest.approx(0.5 if counts else 0.0)
        assert one.last.ranges(tolerance) == ([(0.0, pytest.approx(8e-6))] if counts else [])


def test_a_layer_that_takes_nothing_is_not_limited() -> None:
    """Neither spread nor a ball's spread: 0 ≥ 0 says nothing."""
    edges = np.array([0.0, 1e-6, 2e-6])
    still = np.array([0.1, 0.0])
    found = SolidTransport(1.0, 0.1, edges, np.array([0.1, 0.0]), still, still)
    assert found.share() == pytest.approx(0.5)


def test_a_run_that_cannot_be_compared_says_why(run: Run) -> None:
    table = particles(np.ones(ROWS))
    table["Dead"] = True
    found, reasons = limits(results(run, table))
    assert not found
    assert reasons == ["this run: no living particles"]
    only = particles(np.ones(ROWS))
    found, reasons = limits(results(run, only[only[TIME] == 0.0]))
    assert not found
    assert reasons == ["this run: no instant of the first step is stored"]


def test_words_follow_from_the_numbers(run: Run) -> None:
    """The same table with salt left and with salt gone."""
    made = results(run, particles(np.full(ROWS, 0.5)))
    (one,) = limits(made)[0]
    text = limits_text(one, EDGE * UM)
    assert "not limited by diffusion in its particles" in text
    assert "largest loss of voltage is kinetic: 20 mV" in text
    cell = pd.read_csv(run.folder / "simulate" / "cell.csv")
    cell["Min c_e [mol.m-3]"] = 10.0
    (one,) = limits(results(run, particles(np.full(ROWS, 0.5)), cell))[0]
    assert "run out of salt" in limits_text(one, EDGE * UM)


def test_saturated_volume() -> None:
    """A tenth of the volume at SoL 0.93 in the deepest layer, the rest spread below 0.6."""
    sol, depth = np.linspace(0.0, 1.0, 51), np.array([0.0, 1e-6, 2e-6])
    volume = np.zeros((50, 2))
    volume[:30, 0] = 0.9 / 30
    volume[46, 1] = 0.1
    found = Lithiation(sol, depth, volume)
    assert found.furthest == pytest.approx(0.94, abs=1e-3)
    assert found.share == pytest.approx(0.1)
    assert found.centre == pytest.approx(1.5e-6)
    emptied = Lithiation(sol, depth, volume[::-1], fills=False)
    assert emptied.furthest == pytest.approx(0.06, abs=1e-3)
    assert emptied.share == pytest.approx(0.1)
    assert emptied.centre == pytest.approx(1.5e-6)
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
