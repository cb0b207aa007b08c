"""The full state of a simulation in one file, readable on any number of ranks.

Values are kept by global vertex number, which does not depend on the partition; the file is
replaced atomically (see :mod:`voxtrode.meshing.blockfile`).
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from voxtrode.meshing.blockfile import read_blocks, read_header, write_blocks
from voxtrode.meshing.exchange import Exchange, block_offsets
from voxtrode.solvers.fields import Field
from voxtrode.solvers.simulation import Position, Simulation
from voxtrode.solvers.stepper import History


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
        _name(age, field): _exchange(simulation, field, owned=True).put(
            state[field.name][: field.layout.region.n_owned], np.nan
        )
        for age, state in enumerate(history.states)
        for field in simulation.system.blocks
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
        "position": asdict(simulation.position),
        "inventories": simulation.quantities.inventories,
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
    states = [
        {
            field.name: np.asarray(
                _exchange(simulation, field, owned=False).get(blocks[_name(age, field)])
            )
            for field in simulation.system.blocks
        }
        for age in range(header["states"])
    ]
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
    simulation.stepper.back()
    simulation.quantities.start_from(*header["inventories"])
    simulation.stepper.counters.restore(header["counters"])
    return dict(header["extra"])


def _name(age: int, field: Field) -> str:
    return f"{age}:{field.name}"


def _exchange(simulation: Simulation, field: Field, owned: bool) -> Exchange:
    region = field.layout.region
    vertices = region.dof_vertex[: region.n_owned] if owned else region.dof_vertex
    mesh = simulation.system.mesh
    numbers: npt.NDArray[np.int64] = mesh.vertex_number[vertices]
    comm = simulation.system.comm
    return Exchange.create(comm, numbers, block_offsets(mesh.info.vertices, comm.size))
