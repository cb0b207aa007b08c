"""The full state of a simulation in one file, readable on any number of ranks.

Values are kept by global vertex number, which does not depend on the partition; the file is
replaced atomically (see :mod:`voxtrode.meshing.blockfile`).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voxtrode.data.errors import InputError
from voxtrode.meshing.blockfile import read_blocks, read_header, write_blocks
from voxtrode.meshing.exchange import Exchange, block_offsets
from voxtrode.solvers.fields import Field
from voxtrode.solvers.history import History
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.simulation import Position, Simulation
from voxtrode.solvers.system import HalfCellSystem


def save(path: Path, simulation: Simulation, extra: dict[str, Any]) -> None:
    """Write a checkpoint; collective.

    Args:
        path: The file.
        simulation: Where its state, memory and position come from.
        extra: What the caller wants back from :func:`load` (JSON-able, rank 0's counts).

    Raises:
        OSError: On every rank, if the file could not be written; the old one then stays.
    """
    history = simulation.stepper.history
    blocks = {
        _name(age, field, sheet): exchange.put(state[field.name][dofs], np.nan)
        for field in simulation.system.blocks
        for sheet, dofs, exchange in _sheets(simulation.system, field, owned=True)
        for age, state in enumerate(history.states)
    }
    counters = simulation.stepper.counters
    header = {
        "time": history.time,
        "steps": history.steps,
        "charges": history.charges,
        "voltages": history.voltages,
        "suggestion": history.suggestion,
        "current": history.current,
        "held": history.held,
        "states": len(history.states),
        "reference": simulation.system.reference,
        "made_of": _made_of(simulation.system),
        "position": asdict(simulation.position),
        "inventories": simulation.quantities.inventories,
        "began": simulation.system.began,
        "at_start": list(simulation.quantities.at_start.items()),
        "counters": asdict(counters),
        "extra": extra,
    }
    write_blocks(path, simulation.system.comm, blocks, header)


def load(path: Path, simulation: Simulation) -> dict[str, Any]:
    """Put a freshly made simulation where a checkpoint stands; collective.

    Returns:
        What :func:`save` was given as ``extra``.
    """
    comm = simulation.system.comm
    header = comm.bcast(read_header(path) if comm.rank == 0 else None, root=0)
    blocks = read_blocks(path, comm)
    system = simulation.system
    states = [{f.name: f.values.copy() for f in system.blocks} for _ in range(header["states"])]
    for field in system.blocks:
        for sheet, dofs, exchange in _sheets(system, field, owned=False):
            for age, state in enumerate(states):
                state[field.name][dofs] = exchange.get(blocks[_name(age, field, sheet)])
    simulation.stepper.history = History(
        time=header["time"],
        steps=header["steps"],
        states=states,
        charges=header["charges"],
        voltages=header["voltages"],
        suggestion=header["suggestion"],
        current=header["current"],
        held=header["held"],
    )
    simulation.position = Position(**header["position"])
    simulation.system.reference = header["reference"]
    lithium, salt = header["inventories"]
    began, at_start = header["began"], dict(header["at_start"])
    simulation.quantities.start_from(tuple(lithium), salt, began, at_start)
    simulation.stepper.back()
    simulation.stepper.counters.restore(header["counters"])
    return dict(header["extra"])


@dataclass(frozen=True)
class AtEndOf:
    """The state in which another simulation on the same mesh ended, as an initial state.

    Fields are kept as θ, c_e/c_e0 and potentials, which mean another state in other materials.

    Attributes:
        checkpoint: Its checkpoint, of a simulation with the same phases, electrolyte and counter.
    """

    checkpoint: Path

    def put(self, quantities: Quantities) -> None:
        """See :class:`voxtrode.solvers.initial.InitialState`."""
        system = quantities.system
        comm = system.comm
        header = comm.bcast(read_header(self.checkpoint) if comm.rank == 0 else None, root=0)
        self._compare(header.get("made_of"), _made_of(system))
        blocks = read_blocks(self.checkpoint, comm)
        for field in system.blocks:
            for sheet, dofs, exchange in _sheets(system, field, owned=False):
                if _name(0, field, sheet) not in blocks:
                    raise InputError(
                        f"initial.run: {self.checkpoint} holds no {field.name}: it is of a study"
                        " with other phases or contacts; start from one with the same"
                    )
                found = np.asarray(exchange.get(blocks[_name(0, field, sheet)]))
                if comm.allreduce(int(np.isnan(found).any())):
                    raise InputError(
                        f"initial.run: {self.checkpoint} holds {field.name} on another part of the"
                        " mesh: it is of a study with other contacts; start from one with the same"
                    )
                field.values[dofs] = found
        system.reference = header["reference"]
        system.began = header["began"] + header["charges"][0]
        system.pass_charge(0.0)
        quantities.begin(dict(header["at_start"]))

    def _compare(self, theirs: dict[str, Any] | None, ours: dict[str, Any]) -> None:
        """Refuse a state of other matter."""
        if theirs is None:
            raise InputError(
                f"initial.run: {self.checkpoint} does not say what it is made of: it was written by"
                " other sources of voxtrode; run that study again with these"
            )
        for what in sorted(theirs.keys() | ours.keys()):
            if theirs.get(what) != ours.get(what):
                raise InputError(
                    f"initial.run: {what} is {theirs.get(what, 'none')} in {self.checkpoint} and"
                    f" {ours.get(what, 'none')} here; start from a run with the same phases,"
                    " electrolyte, counter electrode and voltage_window"
                )


def _made_of(system: HalfCellSystem) -> dict[str, Any]:
    """What the values of the fields refer to, by its name in messages (JSON-able)."""
    found: dict[str, Any] = {}
    for phase in system.cell.active().values():
        assert phase.active is not None
        found[f"the material of {phase.name}"] = phase.active.name
    found["the electrolyte"] = system.fields.electrolyte.name
    found["c_e0 [mol/m3]"] = system.fields.electrolyte.c_e0.value
    found["the counter electrode"] = system.opposite.name
    # The charge since the cell was full, which goes on, counts from the upper end.
    found["the voltage window [V]"] = [system.cell.lower, system.cell.upper]
    return found


def _name(age: int, field: Field, sheet: int) -> str:
    return f"{age}:{field.name}" + (f":sheet{sheet}" if sheet else "")


def _sheets(
    system: HalfCellSystem, field: Field, owned: bool
) -> Iterator[tuple[int, npt.NDArray[np.intp], Exchange]]:
    """Values of a field at vertices, one a vertex in each turn: number, local degrees of freedom.

    A field that is cut open along contacts has several values at their vertices.
    """
    region, mesh, comm = field.layout.region, system.mesh, system.comm
    count = region.n_owned if owned else region.n_local
    for sheet in range(region.sheets):
        dofs = np.flatnonzero(region.sheet[:count] == sheet)
        numbers: npt.NDArray[np.int64] = mesh.vertex_number[region.dof_vertex[dofs]]
        exchange = Exchange.create(comm, numbers, block_offsets(mesh.info.vertices, comm.size))
        yield sheet, dofs, exchange
