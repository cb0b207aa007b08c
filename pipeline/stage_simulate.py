"""The simulate stage: the protocol on the mesh, its tables, fields, checkpoint and summary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from voxtrode.data.errors import InputError, NumericalError, StorageError
from voxtrode.data.materials import MetalElectrode
from voxtrode.meshing.tagged import MESH_FILE, TaggedMesh, read_mesh
from voxtrode.pipeline.build import build_counter, build_phases, build_separator
from voxtrode.pipeline.build_interfaces import build_contacts, build_junctions, build_reactions
from voxtrode.pipeline.evidence import summary
from voxtrode.pipeline.grain_axes import c_axes
from voxtrode.pipeline.keys import file_hash
from voxtrode.pipeline.likely_cause import likely_cause
from voxtrode.pipeline.ranges import out_of_range
from voxtrode.pipeline.recorder import CHECKPOINT, MAH_PER_CM2, Recorder
from voxtrode.pipeline.records import read_json, update_summary
from voxtrode.pipeline.single_particle import particle_summary
from voxtrode.pipeline.stages import StageContext, StageInterruptedError
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_counter import CounterMaterial
from voxtrode.pipeline.study_protocol import OneStep
from voxtrode.pipeline.study_stops import Stop, StopKind
from voxtrode.solvers.cell import Cell, LumpedElectrode, NegativeElectrode, Step, require_paths
from voxtrode.solvers.checkpoint import AtEndOf
from voxtrode.solvers.initial import AtLithiation, AtVoltage, InitialState
from voxtrode.solvers.newton import NewtonSettings
from voxtrode.solvers.reach import reached
from voxtrode.solvers.separated import separated
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stepper import StepSettings
from voxtrode.solvers.stirred import StirredSystem, require_bath
from voxtrode.solvers.system import HalfCellSystem


def run(context: StageContext) -> None:
    """Write `simulate/` and `summary.json`; collective.

    Raises:
        InputError: Where the mesh offers no path that the simulation needs.
        NumericalError: Where the time stepping fails; the state is saved.
        StorageError: Where results cannot be written, as on a full disk.
        StageInterruptedError: Where a stop was asked for; the state is saved.
    """
    study, comm = context.study, context.comm
    folder = context.staging / "simulate"
    mesh = read_mesh(context.run_dir / "mesh", comm)
    cell = cell_of(study, mesh)
    cell = replace(cell, c_axes=c_axes(context, mesh, cell))
    mesh, cell = _apart(context, mesh, cell)
    driving = _driving(study)
    driving.require(mesh, cell)
    # A resumed run has its state in its own checkpoint, and needs no other.
    resumed = comm.bcast(context.resume and (folder / CHECKPOINT).exists())
    initial = None if resumed else _initial(context)
    simulation = Simulation(
        mesh,
        cell,
        lambda one_c: protocol(study, one_c),
        _settings(study),
        initial,
        driving.assemble,
    )
    _warn_of_capacity(context, simulation)
    recorder = Recorder(context, simulation, folder)
    try:
        _carry_out(context, simulation, recorder)
    except OSError as error:
        raise StorageError(
            f"results could not be written after t = {simulation.stepper.history.time:.6g} s: "
            f"{error}; make room and run the same command again, it goes on from the last "
            "checkpoint"
        ) from error
    values = summary(simulation, recorder.progress.balances, recorder.progress.ends)
    values["extremes"] = recorder.progress.extremes
    values["out_of_range"] = out_of_range(cell, recorder.progress.extremes)
    image = read_json(context.run_dir / "image" / "image.json") if comm.rank == 0 else {}
    values |= particle_summary(study, simulation, recorder.progress.ends, image)
    if comm.rank == 0:
        update_summary(context.staging / "summary.json", values)
    context.log.info(
        f"simulate: {values['voltage_end_V']:.4f} V after "
        f"{values['areal_capacity_mAh_cm2']:.4g} mAh/cm2 ({values['stop_reason']}); "
        f"{values['steps']} steps, Krylov mean {values['krylov_mean']:.1f}, "
        f"poisson_ratio {values['poisson_ratio']:.2f}"
    )


def _carry_out(context: StageContext, simulation: Simulation, recorder: Recorder) -> None:
    """The protocol, from where the recorder's files stand to its end; collective."""
    recorder.open()
    with context.log.task("simulate", total=1.0) as task:
        try:
            for instant in simulation.run():
                recorder.take(instant)
                task.update(recorder.share(instant), recorder.note())
                # Between two steps of the protocol there is no place to go on from.
                if not instant.ended and context.stop_requested():
                    recorder.save()
                    raise StageInterruptedError(
                        f"stopped at t = {instant.time:.6g} s; the state is saved, "
                        "run the same command again to go on"
                    )
        except NumericalError as error:
            recorder.save()
            raise NumericalError(f"{error}; {likely_cause(simulation)}") from error
    recorder.save()


@dataclass(frozen=True)
class Driving:
    """What surrounds the electrode.

    Attributes:
        require: Refuses a mesh that lacks a path.
        assemble: Makes the equations.
    """

    require: Callable[[TaggedMesh, Cell], None]
    assemble: Callable[[TaggedMesh, Cell], HalfCellSystem]


def _driving(study: Study) -> Driving:
    if study.surroundings is None:
        return Driving(require_paths, HalfCellSystem)
    everywhere = study.surroundings.stirred.everywhere
    return Driving(require_bath, partial(StirredSystem, everywhere=everywhere))


def protocol(study: Study, one_c: float) -> tuple[Step, ...]:
    """The study's steps as currents and ends, given the current density of 1C [A/m²]."""
    return tuple(_step(placed.step, one_c) for placed in study.steps)


def _step(step: OneStep, one_c: float) -> Step:
    """A step; of several conditions of one kind the one that it meets first."""
    rising = step.direction < 0
    currents = [
        stop.value * one_c if stop.is_c_rate else stop.value
        for stop in step.stops
        if stop.kind is StopKind.CURRENT
    ]
    return Step(
        current=step.current_density(one_c),
        voltage=_first(step.stops, StopKind.VOLTAGE, highest=not rising),
        duration=_first(step.stops, StopKind.TIME),
        capacity=_first(step.stops, StopKind.CAPACITY),
        dod=_first(step.stops, StopKind.DOD, highest=rising),
        held=step.held,
        least=max(currents, default=None),
    )


def _first(stops: Sequence[Stop], kind: StopKind, highest: bool = False) -> float | None:
    """The highest or the lowest condition of a kind."""
    values = [stop.value for stop in stops if stop.kind is kind]
    if not values:
        return None
    return max(values) if highest else min(values)


def cell_of(study: Study, mesh: TaggedMesh) -> Cell:
    """The cell of a study on its mesh."""
    phases = build_phases(study)
    labels = {label: phases[name] for label, name in enumerate(mesh.info.phases[:-1])}
    separator = build_separator(study)
    if separator is not None:
        labels[len(labels)] = separator
    label_of = {phase.name: label for label, phase in labels.items()}
    reactions = {
        (label_of[active], label_of[ionic]): reaction
        for (active, ionic), reaction in build_reactions(study).items()
    }
    lithium, electrons = _contacts(study, label_of)
    lower, upper = study.voltage_window
    return Cell(
        phases=labels,
        counter=_counter(study, mesh),
        temperature=study.temperature,
        upper=upper,
        lower=lower,
        nominal_capacity=study.nominal_capacity,
        reactions=reactions,
        contacts={pair: value for pair, value in lithium.items() if pair[0] != pair[1]},
        junctions={pair: value for pair, value in electrons.items() if pair[0] != pair[1]},
    )


type _Pairs = dict[tuple[int, int], float]


def _contacts(study: Study, label_of: Mapping[str, int]) -> tuple[_Pairs, _Pairs]:
    """Resistances for lithium and for electrons by labels, the smaller one first.

    A label twice is a contact inside a phase.
    """

    def labelled(given: Mapping[tuple[str, str], float]) -> _Pairs:
        found = {}
        for names, resistance in given.items():
            one, two = sorted(label_of[name] for name in names)
            found[one, two] = resistance
        return found

    return labelled(build_contacts(study)), labelled(build_junctions(study))


def _apart(context: StageContext, mesh: TaggedMesh, cell: Cell) -> tuple[TaggedMesh, Cell]:
    """Mesh and cell with the particles of phases told apart, and with what is cut off dead."""
    label_of = {name: label for label, name in enumerate(mesh.info.phases)}
    lithium, electrons = (
        {a: value for (a, b), value in pairs.items() if a == b and value > 0.0}
        for pairs in _contacts(context.study, label_of)
    )
    if (lithium or electrons) and not context.study.mesh.smooth_contacts:
        context.log.warning(
            "contacts inside a phase are staircases, whose area is too large by up to two and a"
            " half times; the smooth mesher with mesh.contacts: true makes them smooth surfaces"
        )
    mesh, cell = separated(mesh, cell, lithium, electrons)
    return reached(mesh, cell), cell


def _counter(
    study: Study, mesh: TaggedMesh
) -> MetalElectrode | LumpedElectrode | NegativeElectrode:
    found, given, inside = build_counter(study), study.counter, study.negative
    if inside is not None:
        labels = tuple(mesh.info.phases.index(name) for name in inside.phases)
        return NegativeElectrode(labels, *inside.potentials, inside.collector == "first")
    if isinstance(found, MetalElectrode):
        return found
    assert found is not None
    assert isinstance(given, CounterMaterial)
    charged, discharged = given.potentials
    return LumpedElectrode(found, charged, discharged, given.capacity_ratio, given.area_factor)


def _initial(context: StageContext) -> InitialState:
    """Where the study wants to start.

    Raises:
        InputError: Where it is the end of a run on another mesh.
    """
    given = context.study.initial
    if given.sol is not None:
        return AtLithiation(given.sol)
    if given.voltage is not None:
        return AtVoltage(given.voltage)
    assert given.run is not None
    assert given.checkpoint is not None
    if context.comm.bcast(_mesh_differs(context.run_dir, given.run, context.comm.rank)):
        raise InputError(
            f"initial.run: {given.run} was made on another mesh; start from a run with the same"
            " volume and mesh, or give initial: {sol: …} or {voltage: …}"
        )
    return AtEndOf(given.checkpoint)


def _mesh_differs(ours: Path, theirs: Path, rank: int) -> bool:
    if rank != 0:
        return False
    files = [folder / "mesh" / MESH_FILE for folder in (ours, theirs)]
    return not files[1].is_file() or file_hash(files[0]) != file_hash(files[1])


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
            norm=1e3 * solver.newton_tolerance,
            balance=solver.newton_tolerance,
            max_iterations=solver.max_newton,
            linear=solver.krylov_rtol,
            max_krylov=solver.max_krylov,
        ),
        dods=study.store.instants(2.0),
        keep_start=study.store.start,
        keep_ends=study.store.step_ends,
    )


def _warn_of_capacity(context: StageContext, simulation: Simulation) -> None:
    quantities = simulation.quantities
    share = quantities.nominal / quantities.capacity
    if not 0.8 < share < 1.25:
        context.log.warning(
            f"the nominal capacity is {share:.2f} times that of the connected active material "
            f"({quantities.capacity / MAH_PER_CM2:.3g} mAh/cm2); 1C and DoD follow the former"
        )
