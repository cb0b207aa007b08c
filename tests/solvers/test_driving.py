"""What drives a cell: constant current either way, held voltages, initial states."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from half_cells import active_material, ball_labels, electrolyte, half_cell, metal, voxel_mesh
from scipy.interpolate import CubicSpline

from voxtrode.data.errors import InputError, NumericalError
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers import checkpoint, ends
from voxtrode.solvers.cell import Cell, LumpedElectrode, Step
from voxtrode.solvers.checkpoint import AtEndOf
from voxtrode.solvers.initial import AtLithiation, AtVoltage, InitialState
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.simulation import Instant, Settings, Simulation
from voxtrode.solvers.stepper import StepSettings

OXIDE = active_material(D_s="2e-14*(1 - 0.5*theta)", U="4.3 - theta**2", film=1e-3)
OTHER = active_material("other", D_s="1e-14", U="4.4 - 1.3*theta", i0="1 + theta")
CARBON = active_material("carbon", U="0.9 - 0.8*theta", D_s="1e-14", c_max=3e4, film=1e-3)
FLUID = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e")
BLEND = half_cell({1: OXIDE, 2: OTHER}, FLUID)
LUMPED = LumpedElectrode(CARBON, charged=0.15, discharged=0.85, ratio=1.1, area=8.0)
FULL = replace(BLEND, counter=LUMPED, upper=4.0, lower=2.6)
CELLS = {"lithium": BLEND, "carbon": FULL}
CYCLE = (
    (1.5, {"voltage": 3.3}),
    (0.0, {"duration": 100.0}),
    (-1.0, {"voltage": 3.8}),
    (0.0, {"held": 3.8, "least": 0.05}),
    (0.0, {"held": 3.7, "least": 0.02, "duration": 120.0}),
)
"""CC, rest, CC-CV charge and a potentiostatic step, as C-rates and ends (least as C-rate, too)."""


def two_halves() -> TaggedMesh:
    """A ball of two materials in a liquid that conducts electrons."""
    labels = ball_labels((6, 4, 4), (2.5, 2.0, 2.0), 1.9)
    labels[:, :, 2:][labels[:, :, 2:] == 1] = 2
    return voxel_mesh(labels, separator=(1e-6, 1e-6))


def slab() -> TaggedMesh:
    """One column: three active voxels under one of pore."""
    return voxel_mesh(np.array([1, 1, 1, 0]).reshape(4, 1, 1), separator=(1e-6,), electronic=(1,))


def simulation(
    mesh: TaggedMesh,
    cell: Cell,
    steps: Sequence[tuple[float, dict[str, float]]],
    initial: InitialState | None = None,
    **settings,
) -> Simulation:
    """A simulation of steps given by C-rate and conditions; ``least`` is a C-rate as well."""

    def protocol(one_c: float) -> list[Step]:
        return [
            Step(rate * one_c, **{k: v * one_c if k == "least" else v for k, v in given.items()})
            for rate, given in steps
        ]

    return Simulation(mesh, cell, protocol, Settings(**settings), initial)


def curve(run: Simulation) -> list[tuple[Instant, float]]:
    """All instants with their voltages."""
    return [(instant, run.system.voltage()) for instant in run.run()]


@pytest.mark.mpi
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_balances_and_overpotentials_however_the_cell_is_driven(cell: Cell) -> None:
    """Balances to 1e-9 and the parts' sum to 1e-4 V at every instant, the model's own demands.

    The split is exact in the discrete system up to the charge balance times volts; asked of it is
    1e-8 V over the share that the current is of 1C, which divides what Newton's method leaves.
    """
    run = simulation(two_halves(), cell, CYCLE)
    kinds = set()
    for instant in run.run():
        balances = asdict(run.quantities.balances(instant.current, instant.charge))
        assert max(balances.values()) < 1e-9, (instant, balances)
        row = run.quantities.cell(instant.current)
        parts = sum(row[f"{name} overpotential [V]"] for name in PARTS)
        if instant.current != 0.0:
            share = min(abs(instant.current) / run.quantities.one_c, 1.0)
            off = parts - row["Total overpotential [V]"]
            assert abs(off) < min(1e-8 / share, 1e-4), instant
        kinds.add((instant.step, float(np.sign(instant.current))))
    assert {(0, 1.0), (1, 0.0), (2, -1.0), (3, -1.0), (4, 1.0)} <= kinds


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_charge_goes_over_into_a_hold(cell: Cell) -> None:
    """The cut-off is met within 1e-4 V from below, then held; the current has no jump there.

    The hold begins within 1e-6 V of where the charge ended; over the cell's resistance of at least
    1e-3 Ω m² that is 1e-3 A/m², here some 1e-4 of the current.
    """
    run = simulation(two_halves(), cell, CYCLE)
    instants = curve(run)
    last = [(i, v) for i, v in instants if i.step == 2][-1]
    held = [(i, v) for i, v in instants if i.step == 3]
    assert last[1] == pytest.approx(3.8, abs=1e-6)
    assert all(v < 3.8 + 1e-4 for i, v in instants if i.step == 2)
    assert [v for _, v in held] == pytest.approx([3.8] * len(held), abs=1e-9)
    assert held[0][0].current == pytest.approx(last[0].current, rel=1e-3)
    currents = -np.array([i.current for i, _ in held])
    assert np.all(np.diff(currents) < 0.0)
    least = 0.05 * run.quantities.one_c
    assert currents[-1] == pytest.approx(least, rel=ends.CURRENT_TOLERANCE)
    assert held[-1][0].ended.startswith("current")


@pytest.mark.slow
def test_a_hold_is_the_same_as_its_current_replayed() -> None:
    """The charge of a hold driven as a current gives back the held voltage.

    The curve I(t) of a hold, taken apart into 400 pieces of constant current with the charge of
    each, is a discharge with 400 jumps. At the pieces' ends its voltage differs from the held one
    by what half a piece's change of current drops over the cell's resistance, and by both runs'
    time error: below 2 mV here, of some 200 mV that the hold relaxes. Half the pieces, twice that.
    """
    cell = half_cell({1: OXIDE}, FLUID)
    run = simulation(
        slab(),
        cell,
        [(0.0, {"held": 4.0, "duration": 400.0})],
        step=StepSettings(rtol=1e-4, largest=5.0),
    )
    instants = [i for i in run.run() if i.time > 0.0]
    charge = CubicSpline([i.time for i in instants], [i.charge for i in instants])
    off = []
    for pieces in (50, 100):
        times = np.linspace(20.0, 400.0, pieces + 1)
        passed = charge(times)
        first = (passed[0] / 20.0, {"duration": 20.0})
        rates = np.diff(passed) / np.diff(times)
        steps = [first, *((rate, {"duration": 380.0 / pieces}) for rate in rates)]
        replay = Simulation(
            slab(),
            cell,
            lambda _, steps=steps: [Step(current, **end) for current, end in steps],
            Settings(step=StepSettings(rtol=1e-4, first=0.5)),
        )
        ended = [v for i, v in curve(replay) if i.ended][pieces // 2 :]
        assert replay.dod == pytest.approx(run.dod, rel=1e-9)
        off.append(np.max(np.abs(np.array(ended) - 4.0)))
    assert off[1] < 2e-3
    assert off[1] < 0.7 * off[0]


@pytest.mark.parametrize(
    ("end", "expected"),
    [({"dod": 0.21}, 0.21), ({"capacity": 100.0}, None), ({"duration": 77.0}, None)],
)
def test_other_ends_of_a_hold(end: dict[str, float], expected: float | None) -> None:
    """Charges are located within their stated tolerance, times exactly."""
    run = simulation(slab(), half_cell({1: OXIDE}, FLUID), [(0.0, {"held": 3.9, **end})])
    *_, last = run.run()
    if expected is not None:
        assert run.dod == pytest.approx(expected, abs=2 * ends.CHARGE_TOLERANCE)
    if "capacity" in end:
        assert last.charge == pytest.approx(
            100.0, abs=2 * ends.CHARGE_TOLERANCE * run.quantities.nominal
        )
    if "duration" in end:
        assert last.time == 77.0


def test_stored_depths_of_discharge_on_charge_and_in_a_hold() -> None:
    """Discharge to 0.6 passes three of them, the charge and the hold pass them again."""
    asked = (0.15, 0.3, 0.45)
    run = simulation(
        slab(),
        half_cell({1: OXIDE}, FLUID),
        [
            (1.0, {"dod": 0.6}),
            (-1.0, {"dod": 0.35}),
            (0.0, {"held": 4.15, "least": 0.02}),
        ],
        dods=asked,
        keep_start=False,
        keep_ends=False,
    )
    kept = [(i.step, i.charge / run.quantities.nominal) for i in run.run() if i.kept]
    found = [dod for _, dod in kept]
    assert found == pytest.approx([0.15, 0.3, 0.45, 0.45, 0.3, 0.15], abs=1e-8)
    assert [step for step, _ in kept] == [0, 0, 0, 1, 2, 2]


def test_a_pulse_train() -> None:
    """GITT: each pulse and each rest has its own first and last instant, and the charge adds up."""
    pulses = [(1.0, {"duration": 60.0}), (0.0, {"duration": 120.0})] * 4
    run = simulation(slab(), half_cell({1: OXIDE}, FLUID), pulses)
    done = [i for i in run.run() if i.ended]
    assert [i.step for i in done] == list(range(8))
    assert done[-1].time == pytest.approx(4 * 180.0)
    assert run.dod == pytest.approx(4 * 60.0 / 3600.0, rel=1e-9)


@pytest.mark.slow
@pytest.mark.mpi
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("step", [2, 3])
def test_a_checkpoint_resumes_in_a_charge_and_in_a_hold(
    cell: Cell, step: int, shared_path: Path
) -> None:
    """As in a discharge: the same instants to 1e-9, the same voltages and currents."""
    expected = curve(simulation(two_halves(), cell, CYCLE))
    first = simulation(two_halves(), cell, CYCLE)
    path = shared_path / f"{step}.h5"
    for count, instant in enumerate(first.run()):
        if instant.step == step and count > 2 and expected[count - 3][0].step == step:
            checkpoint.save(path, first, {})
            break
    second = simulation(two_halves(), cell, CYCLE)
    checkpoint.load(path, second)
    resumed = curve(second)
    assert len(resumed) == len(expected) - count - 1
    for (ours, voltage), (theirs, other) in zip(resumed, expected[count + 1 :], strict=True):
        assert ours.time == pytest.approx(theirs.time, rel=1e-8)
        assert voltage == pytest.approx(other, abs=1e-8)
        assert ours.current == pytest.approx(theirs.current, rel=1e-6, abs=1e-9)
        assert (ours.step, ours.kept, ours.ended) == (theirs.step, theirs.kept, theirs.ended)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_initial_states(cell: Cell) -> None:
    """Voltage and DoD are those asked for, and a blend starts in equilibrium.

    No current flows between its materials (1e-6 A/m² of some 1 A/m² at 1C). SoL 0 is the upper
    cut-off; SoL 1 is the lower one only of an electrode of the very capacity of the other.
    """
    mesh = two_halves()
    for sol, voltage in ((0.0, cell.upper), (1.0, None), (0.4, None)):
        run = simulation(mesh, cell, [(0.0, {"duration": 1.0})], AtLithiation(sol))
        row = run.quantities.cell(0.0)
        assert run.dod == pytest.approx(sol * run.quantities.capacity / run.quantities.nominal)
        assert row["Voltage [V]"] == pytest.approx(row["Open-circuit voltage [V]"], abs=1e-9)
        if voltage is not None:
            assert row["Voltage [V]"] == pytest.approx(voltage, abs=1e-9)
        flux = [np.abs(run.system.flux(s).J).max(initial=0.0) for s in run.system.active]
        assert max(flux) < 1e-6
    run = simulation(mesh, cell, [(0.0, {"duration": 1.0})], AtVoltage(3.5))
    assert run.system.voltage() == pytest.approx(3.5, abs=1e-9)
    for instant in run.run():
        assert run.system.voltage() == pytest.approx(3.5, abs=1e-7), instant


def test_a_voltage_that_the_cell_never_rests_at() -> None:
    """Refused, with the range."""
    with pytest.raises(InputError, match=r"initial\.voltage.*between"):
        simulation(slab(), half_cell({1: OXIDE}, FLUID), [(0.0, {"duration": 1.0})], AtVoltage(9.0))


@pytest.mark.mpi
def test_a_run_goes_on_where_another_ended(shared_path: Path) -> None:
    """Two runs in a row are one with both protocols: voltages to 1e-9 V, DoD goes on."""
    steps = [(1.0, {"dod": 0.3}), (0.0, {"duration": 50.0}), (-1.0, {"dod": 0.2})]
    whole = curve(simulation(two_halves(), FULL, steps))
    first = simulation(two_halves(), FULL, steps[:2])
    curve(first)
    checkpoint.save(shared_path / "end.h5", first, {})
    second = simulation(two_halves(), FULL, steps[2:], AtEndOf(shared_path / "end.h5"))
    assert second.dod == pytest.approx(0.3, abs=1e-9)
    found = curve(second)
    expected = [(i, v) for i, v in whole if i.step == 2]
    assert [v for _, v in found] == pytest.approx([v for _, v in expected], abs=1e-8)
    balances = second.quantities.balances(0.0, second.stepper.history.charges[0])
    assert balances.lithium < 1e-9


FIRST = half_cell({1: OXIDE}, FLUID)
OTHERS = {
    "material": (half_cell({1: OTHER}, FLUID), "the material of .* is oxide in .* and other here"),
    "electrolyte": (
        half_cell({1: OXIDE}, replace(FLUID, name="water")),
        "the electrolyte is .* and water here",
    ),
    "salt": (
        half_cell({1: OXIDE}, replace(FLUID, c_e0=replace(FLUID.c_e0, value=800.0))),
        r"c_e0 .* is 1000\.0 in .* and 800\.0 here",
    ),
    "counter": (
        replace(FIRST, counter=LUMPED, upper=4.0, lower=2.6),
        "the counter electrode is .* and balanced carbon here",
    ),
}


@pytest.mark.parametrize(("cell", "said"), OTHERS.values(), ids=list(OTHERS))
def test_a_run_of_other_matter_is_no_start(cell: Cell, said: str, tmp_path: Path) -> None:
    """θ and c_e/c_e0 would mean another state; refused with what differs."""
    rest = [(0.0, {"duration": 1.0})]
    checkpoint.save(tmp_path / "end.h5", simulation(slab(), FIRST, rest), {})
    with pytest.raises(InputError, match=rf"initial\.run: {said}"):
        simulation(slab(), cell, rest, AtEndOf(tmp_path / "end.h5"))


def test_a_run_that_does_not_say_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of other sources of voxtrode is refused, with what to do."""
    rest = [(0.0, {"duration": 1.0})]
    monkeypatch.setattr(checkpoint, "_made_of", lambda system: None)
    checkpoint.save(tmp_path / "end.h5", simulation(slab(), FIRST, rest), {})
    with pytest.raises(InputError, match="other sources of voxtrode; run that study again"):
        simulation(slab(), FIRST, rest, AtEndOf(tmp_path / "end.h5"))


@pytest.mark.parametrize("potential", [0.0, 0.62])
def test_a_metal_shifts_the_voltage_by_its_potential(potential: float) -> None:
    """Against lithium-indium the same electrode runs the same way, 0.62 V lower (1e-8 V)."""
    counter = metal()
    counter = replace(counter, potential=replace(counter.potential, value=potential))
    cell = half_cell({1: OXIDE}, FLUID, counter=counter, cutoffs=(4.2 - potential, 3.4 - potential))
    run = simulation(slab(), cell, [(1.0, {"dod": 0.2})])
    *_, last = curve(run)
    plain = simulation(slab(), half_cell({1: OXIDE}, FLUID), [(1.0, {"dod": 0.2})])
    *_, expected = curve(plain)
    assert last[1] + potential == pytest.approx(expected[1], abs=1e-8)
    row = run.quantities.cell(last[0].current)
    parts = sum(row[f"{name} overpotential [V]"] for name in PARTS)
    assert parts == pytest.approx(row["Total overpotential [V]"], abs=1e-8)


def test_a_balanced_counter_electrode_adds_its_potential() -> None:
    """With fast kinetics at the counter face: V = V(against lithium) − U_n(θ_n) + a known η.

    Same electrode, same current, lithium against carbon with i₀ of the same form: the difference
    of the two voltages is U_n at the stoichiometry that the charge leaves, up to the difference of
    the counters' overpotentials, which both runs report. Exact in the discrete system: 1e-8 V.
    """
    windows = {"cutoffs": (4.2, 3.4)}
    fast = replace(CARBON, film_resistance=None)
    lumped = LumpedElectrode(fast, charged=0.2, discharged=0.8, ratio=1.25, area=5.0)
    cell = half_cell({1: OXIDE}, FLUID, **windows)
    full = replace(cell, counter=lumped, upper=4.0, lower=2.6)
    rows, runs = [], []
    for one in (cell, full):
        # Same potentials of the electrode in the volume at both ends, hence the same 1C; and steps
        # that do not look at the voltage, hence the same ones.
        settings = StepSettings(swing=100.0)
        run = simulation(slab(), one, [(1.0, {"dod": 0.25})], step=settings)
        *_, last = run.run()
        rows.append(run.quantities.cell(last.current))
        runs.append(run)
    assert runs[0].quantities.nominal == pytest.approx(runs[1].quantities.nominal, rel=1e-12)
    # The counter holds 1.25 times the capacity between 0.2 V and 0.8 V, on a straight line.
    U_n = 0.2 + 0.6 * 0.25 / 1.25
    eta = [row["Counter overpotential [V]"] for row in rows]
    expected = rows[0]["Voltage [V]"] + eta[0] - U_n - eta[1]
    assert rows[1]["Voltage [V]"] == pytest.approx(expected, abs=1e-6)
    assert rows[1]["Open-circuit voltage [V]"] == pytest.approx(
        rows[0]["Open-circuit voltage [V]"] - U_n, abs=1e-9
    )


def test_a_counter_electrode_that_runs_empty_is_named() -> None:
    """A discharge beyond its lithium ends as a numerical failure with the cause, not in silence."""
    small = LumpedElectrode(CARBON, charged=0.15, discharged=0.85, ratio=0.5, area=8.0)
    cell = replace(half_cell({1: OXIDE}, FLUID), counter=small, upper=4.0, lower=2.6)
    run = simulation(slab(), cell, [(1.0, {"voltage": 0.5})])
    with pytest.raises(NumericalError, match=r"counter electrode \(carbon\) is empty"):
        curve(run)
