"""The simulate stage: the protocol on the mesh, its tables, fields, checkpoint and summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from voxtrode.data.errors import NumericalError
from voxtrode.meshing.tagged import TaggedMesh, read_mesh
from voxtrode.pipeline.build import build_counter, build_phases, build_separator
from voxtrode.pipeline.evidence import summary
from voxtrode.pipeline.records import update_summary
from voxtrode.pipeline.stages import StageContext, StageInterruptedError
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_protocol import Stop, StopKind
from voxtrode.pipeline.tables import Table
from voxtrode.pipeline.vtk import write_part, write_pvd
from voxtrode.solvers import checkpoint
from voxtrode.solvers.cell import Cell, Step, require_paths
from voxtrode.solvers.newton import NewtonSettings
from voxtrode.solvers.output import parts
from voxtrode.solvers.quantities import PARTS
from voxtrode.solvers.simulation import Instant, Settings, Simulation
from voxtrode.solvers.stepper import StepSettings

CHECKPOINT = "checkpoint.h5"
CHECKPOINT_SECONDS = 60.0
"""Wall time between two checkpoints within a step of the protocol."""
MAH_PER_CM2 = 36000.0
"""A s/m² in 1 mAh/cm²."""

CELL_COLUMNS = (
    "Time [s]",
    "Step",
    "Current density [A.m-2]",
    "Voltage [V]",
    "Areal capacity [mA.h.cm-2]",
    "DoD",
    "SoL",
    "Mean c_e [mol.m-3]",
    "Min c_e [mol.m-3]",
    "Max c_e [mol.m-3]",
    *(f"{name} overpotential [V]" for name in PARTS),
    "Total overpotential [V]",
    "Open-circuit voltage [V]",
)
PARTICLE_COLUMNS = (
    "Particle",
    "Phase",
    "Time [s]",
    "DoD",
    "Volume [m3]",
    "Wetted area [m2]",
    "Diameter [m]",
    "Depth [m]",
    "SoL",
    "SoL raw",
    "SoL std",
    "SoL range",
    "J_ct [A.m-2]",
    "Overpotential [V]",
    "C_p",
    "C_p*",
    "C_t",
    "C_diff",
    "C_diff*",
    "Touches box",
    "Dead",
)


@dataclass
class Progress:
    """What the files hold so far; goes into the checkpoint.

    Attributes:
        cell_rows, particle_rows: Rows of the two tables.
        kept: Time, DoD and voltage of each stored instant, in order.
        balances: Largest lithium, salt and charge imbalance of the stored instants.
        stop_reason: Why the last ended step ended.
        ended: Steps that have ended.
    """

    cell_rows: int = 0
    particle_rows: int = 0
    kept: list[tuple[float, float, float]] = field(default_factory=list)
    balances: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    stop_reason: str = ""
    ended: int = 0


def run(context: StageContext) -> None:
    """Write `simulate/` and `summary.json`; collective.

    Raises:
        InputError: Where the mesh offers no path that the simulation needs.
        NumericalError: Where the time stepping fails; the state is saved.
        StageInterruptedError: Where a stop was asked for; the state is saved.
    """
    study, comm = context.study, context.comm
    folder = context.staging / "simulate"
    mesh = read_mesh(context.run_dir / "mesh", comm)
    cell = _cell(study, mesh)
    require_paths(mesh, cell)
    simulation = Simulation(mesh, cell, lambda one_c: protocol(study, one_c), _settings(study))
    _warn_of_capacity(context, simulation)
    recorder = Recorder(context, simulation, folder)
    recorder.open()
    with context.log.task("simulate", total=1.0) as task:
        try:
            for instant in simulation.run():
                recorder.take(instant)
                task.update(recorder.share(instant), recorder.note())
                if context.stop_requested():
                    recorder.save()
                    raise StageInterruptedError(
                        f"stopped at t = {instant.time:.6g} s; the state is saved, "
                        "run the same command again to go on"
                    )
        except NumericalError as error:
            recorder.save()
            raise NumericalError(f"{error}; {_likely_cause(simulation)}") from error
    recorder.save()
    values = summary(simulation, recorder.progress.balances, recorder.progress.stop_reason)
    if comm.rank == 0:
        update_summary(context.staging / "summary.json", values)
    context.log.info(
        f"simulate: {values['voltage_end_V']:.4f} V after "
        f"{values['areal_capacity_mAh_cm2']:.4g} mAh/cm2 ({values['stop_reason']}); "
        f"{values['steps']} steps, Krylov mean {values['krylov_mean']:.1f}, "
        f"poisson_ratio {values['poisson_ratio']:.2f}"
    )


class Recorder:
    """Keeps a simulation's results as they come.

    Attributes:
        progress: What the files hold.
    """

    def __init__(self, context: StageContext, simulation: Simulation, folder: Path):
        """Take note of where to; nothing is written yet."""
        self._context = context
        self._simulation = simulation
        self._folder = folder
        self.progress = Progress()
        self._tables: tuple[Table, Table] | None = None
        self._saved = monotonic()
        self._row: dict[str, float] = {}

    @property
    def _root(self) -> bool:
        return self._context.comm.rank == 0

    def open(self) -> None:
        """Begin the files, or go on where a checkpoint stands; collective."""
        comm, path = self._context.comm, self._folder / CHECKPOINT
        if self._root:
            self._folder.mkdir(parents=True, exist_ok=True)
        if comm.bcast(self._context.resume and path.exists()):
            saved = checkpoint.load(path, self._simulation)
            self.progress = Progress(**saved)
            self._context.log.info(
                f"simulate: resumed at t = {self._simulation.stepper.history.time:.6g} s"
            )
        if self._root:
            self._tables = (
                Table(self._folder / "cell.csv", CELL_COLUMNS, self.progress.cell_rows),
                Table(
                    self._folder / "particles.csv", PARTICLE_COLUMNS, self.progress.particle_rows
                ),
            )
        comm.barrier()

    def take(self, instant: Instant) -> None:
        """Record an instant, and a checkpoint when one is due; collective."""
        simulation = self._simulation
        row = self._cell_row(instant)
        self._row = row
        if self._tables is not None:
            self._tables[0].add([row])
        self.progress.cell_rows += 1
        if instant.ended:
            self.progress.stop_reason = instant.ended
            self.progress.ended += 1
        if instant.kept:
            self._keep(instant, row)
        due = self._root and monotonic() - self._saved > CHECKPOINT_SECONDS
        # A state between two steps of the protocol has no place to go on from: the next instant.
        if not instant.ended and simulation.system.comm.bcast(due or instant.kept):
            self.save()

    def share(self, instant: Instant) -> float:
        """Share of the protocol that is done, for the progress bar."""
        steps = self._simulation.protocol
        within = min(self._simulation.dod, 1.0) if instant.current > 0.0 else 0.5
        return min((instant.step + (1.0 if instant.ended else within)) / len(steps), 1.0)

    def note(self) -> str:
        """A line on the present state."""
        return f"t = {self._row['Time [s]']:.0f} s, {self._row['Voltage [V]']:.3f} V"

    def save(self) -> None:
        """Write a checkpoint; collective."""
        checkpoint.save(self._folder / CHECKPOINT, self._simulation, dict(vars(self.progress)))
        self._saved = monotonic()

    def _cell_row(self, instant: Instant) -> dict[str, float]:
        return {
            "Time [s]": instant.time,
            "Step": instant.step + 1,
            "Current density [A.m-2]": instant.current,
            "Areal capacity [mA.h.cm-2]": instant.charge / MAH_PER_CM2,
            "DoD": instant.charge / self._simulation.quantities.nominal,
            **self._simulation.quantities.cell(instant.current),
        }

    def _keep(self, instant: Instant, row: Mapping[str, float]) -> None:
        quantities, progress = self._simulation.quantities, self.progress
        found = quantities.balances(instant.current, instant.charge)
        now = (found.lithium, found.salt, found.charge)
        progress.balances = [max(a, b) for a, b in zip(progress.balances, now, strict=True)]
        columns = quantities.particles(instant.current)
        rows = _as_rows(columns, {"Time [s]": instant.time, "DoD": row["DoD"]})
        if self._tables is not None:
            self._tables[1].add(rows)
        progress.particle_rows += len(rows)
        self._write_fields(len(progress.kept))
        progress.kept.append((instant.time, row["DoD"], row["Voltage [V]"]))
        if self._root:
            self._write_collection()

    def _write_fields(self, number: int) -> None:
        for part in parts(self._simulation.system, self._simulation.quantities):
            write_part(
                self._context.comm,
                self._folder / "fields",
                f"{part.name}_{number:04d}",
                part.points,
                part.cells,
                part.point_data,
                part.cell_data,
            )

    def _write_collection(self) -> None:
        suffix = "vtu" if self._context.comm.size == 1 else "pvtu"
        names = ("solid", "electrons", "electrolyte", "interface")
        entries = [
            (time, k, name, _field_file(self._folder / "fields", name, number, suffix))
            for number, (time, _, _) in enumerate(self.progress.kept)
            for k, name in enumerate(names)
        ]
        write_pvd(self._folder / "fields.pvd", entries)


def protocol(study: Study, one_c: float) -> tuple[Step, ...]:
    """The study's steps as currents and ends, given the current density of 1C [A/m²]."""
    return tuple(
        Step(
            current=step.current_density(one_c),
            voltage=_first(step.stops, StopKind.VOLTAGE, highest=True),
            duration=_first(step.stops, StopKind.TIME),
            capacity=_first(step.stops, StopKind.CAPACITY),
            dod=_first(step.stops, StopKind.DOD),
        )
        for step in study.protocol
    )


def _first(stops: Sequence[Stop], kind: StopKind, highest: bool = False) -> float | None:
    """The condition of a kind that a discharge meets first."""
    values = [stop.value for stop in stops if stop.kind is kind]
    if not values:
        return None
    return max(values) if highest else min(values)


def _cell(study: Study, mesh: TaggedMesh) -> Cell:
    phases = build_phases(study)
    labels = {label: phases[name] for label, name in enumerate(mesh.info.phases[:-1])}
    labels[len(labels)] = build_separator(study)
    lower, upper = study.voltage_window
    return Cell(
        phases=labels,
        counter=build_counter(study),
        temperature=study.temperature,
        upper=upper,
        lower=lower,
        nominal_capacity=study.nominal_capacity,
    )


def _settings(study: Study) -> Settings:
    solver = study.solver
    return Settings(
        step=StepSettings(
            rtol=solver.rtol,
            first=solver.first_dt,
            smallest=solver.min_dt,
            largest=solver.max_dt,
        ),
        newton=NewtonSettings(
            norm=100.0 * solver.newton_tolerance,
            balance=solver.newton_tolerance,
            max_iterations=solver.max_newton,
            linear=solver.krylov_rtol,
            max_krylov=solver.max_krylov,
        ),
        dods=study.store.instants(2.0),
        keep_start=study.store.start,
        keep_ends=study.store.step_ends,
    )


def _as_rows(
    columns: Mapping[str, np.ndarray[Any, Any]], constants: Mapping[str, float]
) -> list[dict[str, Any]]:
    plain = {name: values.tolist() for name, values in columns.items()}
    names = list(plain)
    return [
        {**dict(zip(names, row, strict=True)), **constants}
        for row in zip(*plain.values(), strict=True)
    ]


def _field_file(folder: Path, name: str, number: int, suffix: str) -> Path:
    """The file of a part; a resumed run may have changed its number of ranks."""
    wanted = folder / f"{name}_{number:04d}.{suffix}"
    other = wanted.with_suffix(".pvtu" if suffix == "vtu" else ".vtu")
    return wanted if wanted.exists() or not other.exists() else other


def _warn_of_capacity(context: StageContext, simulation: Simulation) -> None:
    quantities = simulation.quantities
    share = quantities.nominal / quantities.capacity
    if not 0.8 < share < 1.25:
        context.log.warning(
            f"the nominal capacity is {share:.2f} times that of the connected active material "
            f"({quantities.capacity / MAH_PER_CM2:.3g} mAh/cm2); DoD and C-rates refer to the former"
        )


def _likely_cause(simulation: Simulation) -> str:
    """What the last good state suggests."""
    row = simulation.quantities.cell(simulation.stepper.history.current)
    state = (
        f"last state: {row['Voltage [V]']:.3f} V, c_e {row['Min c_e [mol.m-3]']:.3g} to "
        f"{row['Max c_e [mol.m-3]']:.3g} mol/m3"
    )
    if row["Min c_e [mol.m-3]"] < 10.0:
        return f"the electrolyte is depleted ({state}); try a lower rate or a thinner electrode"
    sol_high = max(
        float(s.sol(simulation.system.fields.theta[label].values).max(initial=0.0))
        for label, s in simulation.quantities.windows.items()
    )
    highest = max(simulation.system.comm.allgather(sol_high))
    if highest > 0.99:
        return f"particle surfaces are saturated ({state}); try a lower rate or a finer mesh"
    return f"{state}; try a smaller solver.first_dt, a finer mesh or a lower rate"
