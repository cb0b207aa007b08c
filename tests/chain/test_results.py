"""What a run leaves behind: tables that agree with each other and with the fields, a summary."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista as pv
from runs import STUDY, summary, table

pytestmark = pytest.mark.slow

SUMMARY_KEYS = {
    "voltage_end_V",
    "areal_capacity_mAh_cm2",
    "dod_end",
    "stop_reason",
    "lithium_balance",
    "salt_balance",
    "charge_balance",
    "dofs",
    "steps",
    "rejected_steps",
    "newton_iterations",
    "krylov_mean",
    "krylov_max",
    "poisson_ratio",
    "wall_s",
    "peak_memory_GiB",
}
AREA = 1e-10  # 10 µm × 10 µm
ARRAYS = {
    "solid": {"SoL"},
    "electrons": {"phi_s [V]"},
    "electrolyte": {"c_e [mol.m-3]", "phi_e [V]"},
    "interface": {"J_ct [A.m-2]", "eta [V]"},
}


@pytest.fixture(params=[1, 2])
def run(run_on: Callable[[int], Path], request: pytest.FixtureRequest) -> Path:
    """The run of one rank and that of two (a piece of each field a rank)."""
    return run_on(request.param)


def test_the_summary_has_every_key(run: Path) -> None:
    """Keys that users rely on; the end of the run is that of the table, digit by digit."""
    found = summary(run)
    assert set(found) >= SUMMARY_KEYS
    assert set(found["wall_s"]) >= {"image", "mesh", "transport", "simulate"}
    last = table(run, "cell").iloc[-1]
    assert found["voltage_end_V"] == pytest.approx(last["Voltage [V]"], abs=1e-12)
    assert found["dod_end"] == pytest.approx(last["DoD"], rel=1e-12)
    capacity = last["Areal capacity [mA.h.cm-2]"]
    assert found["areal_capacity_mAh_cm2"] == pytest.approx(capacity, rel=1e-12)


def test_the_curve_is_whole(run: Path) -> None:
    """Instants rise, the discharge ends on its cut-off, and the rest moves no charge.

    The step is cut to within 1e-6 V of the cut-off; charges at rest differ by rounding, since they
    are advanced by the integrator's formula.
    """
    cell = table(run, "cell")
    discharge, rest = cell[cell["Step"] == 1], cell[cell["Step"] == 2]
    assert np.all(np.diff(discharge["Time [s]"]) > 0.0)
    assert np.all(np.diff(rest["Time [s]"]) > 0.0)
    assert discharge["Voltage [V]"].iloc[-1] == pytest.approx(3.0, abs=1e-6)
    assert np.ptp(rest["Areal capacity [mA.h.cm-2]"]) < 1e-12
    assert rest["Time [s]"].iloc[-1] - rest["Time [s]"].iloc[0] == pytest.approx(300.0, abs=1e-9)
    assert np.all(rest["Current density [A.m-2]"] == 0.0)
    assert not cell.drop(columns=[c for c in cell if "overpotential" in c]).isna().any().any()


def test_particles_add_up_to_the_cell(run: Path) -> None:
    """Σ J A is minus the current and the volume-weighted SoL that of the cell, within 1e-6.

    The integrator's residual leaves 1e-10 of the current; SoL of a particle is linear in its
    lithium. At rest the sum is compared with the current of 1C.
    """
    cell, particles = table(run, "cell"), table(run, "particles")
    one_c = summary(run)["one_c_A_m2"]
    instants = particles.groupby("Time [s]")
    assert len(instants) == 2 + 1 + len(STUDY["store"]["dod"])  # start, DoDs, both ends
    for time, rows in instants:
        alive = rows[~rows["Dead"]]
        at = cell[np.isclose(cell["Time [s]"], time, rtol=0.0, atol=1e-9)]
        passed = (alive["J_ct [A.m-2]"] * alive["Wetted area [m2]"]).sum()
        currents = at["Current density [A.m-2]"].to_numpy() * AREA
        assert np.abs(currents + passed).min() < 1e-6 * one_c * AREA
        weighted = (alive["SoL"] * alive["Volume [m3]"]).sum() / alive["Volume [m3]"].sum()
        assert weighted == pytest.approx(at["SoL"].iloc[0], abs=1e-6)


def test_parts_of_the_overpotential_add_up(run: Path) -> None:
    """U(θ̄) − V is their sum in the discrete equations: 1e-6 V is far above Newton's tolerance."""
    cell = table(run, "cell")
    cell = cell[cell["Current density [A.m-2]"] > 0.0]
    parts = [c for c in cell if c.endswith(" overpotential [V]") and not c.startswith("Total")]
    assert len(parts) == 9
    total = cell["Open-circuit voltage [V]"] - cell["Voltage [V]"]
    assert np.allclose(cell["Total overpotential [V]"], total, rtol=0.0, atol=1e-12)
    assert np.allclose(cell[parts].sum(axis=1), total, rtol=0.0, atol=1e-6)


def read(run: Path) -> Any:
    """The fields of a run, as a user opens them."""
    return pv.get_reader(run / "simulate" / "fields.pvd")


def part_names(reader: Any) -> list[str]:
    """Names of the parts at the active instant; PyVista tells their files only."""
    return [Path(dataset.path).stem.rsplit("_", 1)[0] for dataset in reader.active_datasets]


def test_fields_open_in_pyvista(run: Path) -> None:
    """Times of the stored instants; four parts with named arrays and ids; values in range.

    SoL of a node may leave 0 to 1 by what P1 elements overshoot; 0.05 is generous.
    """
    reader, particles = read(run), table(run, "particles")
    times = sorted(set(particles["Time [s]"]))
    assert reader.time_values == pytest.approx(times, rel=1e-12)
    for number, time in enumerate(reader.time_values):
        reader.set_active_time_value(time)
        blocks = reader.read()
        assert len(blocks) == len(ARRAYS)
        names = part_names(reader)
        for name, block in zip(names, blocks, strict=True):
            assert ARRAYS[name] <= set(block.point_data.keys())
            assert {"Phase", "Particle"} <= set(block.cell_data.keys())
            for array in ARRAYS[name]:
                assert np.all(np.isfinite(block.point_data[array]))
        parts = dict(zip(names, blocks, strict=True))
        sol = parts["solid"].point_data["SoL"]
        assert -0.05 < sol.min() <= sol.max() < 1.05
        assert parts["electrolyte"].bounds[5] == pytest.approx(21e-6, rel=1e-6)
        ids = set(parts["solid"].cell_data["Particle"])
        rows = particles[particles["Time [s]"] == times[number]]
        assert ids == set(rows[~rows["Dead"]]["Particle"])


def test_fields_agree_with_the_tables(run: Path) -> None:
    """Volumes and mean SoL of every particle from the written mesh are those of particles.csv.

    P1 fields are integrated exactly by the mean of a cell's corners; files hold full doubles, and
    ids of fragments one voxel across are no exception. 1e-9 leaves room for sums in another order.
    """
    reader, particles = read(run), table(run, "particles")
    last = reader.time_values[-1]
    reader.set_active_time_value(last)
    names = part_names(reader)
    solid = reader.read()[names.index("solid")]
    cells = solid.cells.reshape(-1, 5)[:, 1:]
    corners = solid.points[cells].astype(np.float64)
    edges = corners[:, 1:] - corners[:, :1]
    volumes = np.abs(np.linalg.det(edges)) / 6.0
    sol = np.asarray(solid.point_data["SoL"])[cells].mean(axis=1)
    ids = np.asarray(solid.cell_data["Particle"])
    rows = particles[np.isclose(particles["Time [s]"], last) & ~particles["Dead"]]
    for _, row in rows.iterrows():
        mine = ids == row["Particle"]
        assert volumes[mine].sum() == pytest.approx(row["Volume [m3]"], rel=1e-9)
        mean = (volumes * sol)[mine].sum() / volumes[mine].sum()
        assert mean == pytest.approx(row["SoL"], abs=1e-9)
