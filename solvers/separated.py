"""Particles of one phase that do not share lithium or electrons freely: their phase is split.

Fields are continuous inside a phase. So that touching particles have values of their own, the
particles of a phase are coloured (no two that touch alike), and each colour becomes a phase with
the same name and properties, whose contacts with the other colours are closed or have a resistance.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from voxtrode.meshing.tagged import ACTIVE, TaggedMesh
from voxtrode.solvers.cell import Cell, NegativeElectrode

Contacts = dict[tuple[int, int], float]
Pairs = npt.NDArray[np.int64]


def separated(
    mesh: TaggedMesh,
    cell: Cell,
    lithium: Mapping[int, float],
    electrons: Mapping[int, float] | None = None,
) -> tuple[TaggedMesh, Cell]:
    """The mesh and the cell with some phases split; collective.

    Args:
        mesh: The mesh.
        cell: The cell.
        lithium: Resistance for lithium [Ω m²] between the particles of an active phase, by its
            label; inf: closed.
        electrons: The same for electrons.
    """
    electrons = electrons or {}
    if not lithium and not electrons:
        return mesh, cell
    colour = {label: _colours(mesh, label) for label in {**lithium, **electrons}}
    count = {label: int(colours.max(initial=0)) + 1 for label, colours in colour.items()}
    # New labels keep the order of the old ones, so that pairs of phases keep their order, too.
    first, total = {}, 0
    for label in range(len(mesh.info.phases)):
        first[label] = total
        total += count.get(label, 1)
    phase = np.array([first[label] for label in range(len(first))], dtype=np.int32)[mesh.phase]
    for label, colours in colour.items():
        here = mesh.phase == label
        phase[here] += colours[mesh.particle[here]].astype(np.int32)
    new = {label: [first[label] + k for k in range(count.get(label, 1))] for label in first}
    names = tuple(mesh.info.phases[label] for label in first for _ in new[label])

    def every[T](pairs: Mapping[tuple[int, int], T]) -> dict[tuple[int, int], T]:
        return {(i, j): value for (a, b), value in pairs.items() for i in new[a] for j in new[b]}

    def also(given: Mapping[tuple[int, int], float], inside: Mapping[int, float]) -> Contacts:
        pairs = every(given)
        for label, resistance in inside.items():
            pairs |= dict.fromkeys(combinations(new[label], 2), resistance)
        return pairs

    counter = cell.counter
    if isinstance(counter, NegativeElectrode):
        counter = replace(counter, labels=tuple(k for one in counter.labels for k in new[one]))
    split = replace(
        cell,
        phases={k: cell.phases[label] for label in cell.phases for k in new[label]},
        counter=counter,
        reactions=every(cell.reactions),
        contacts=also(cell.contacts, lithium),
        junctions=also(cell.junctions, electrons),
    )
    return replace(mesh, phase=phase, info=replace(mesh.info, phases=names)), split


def _colours(mesh: TaggedMesh, label: int) -> npt.NDArray[np.int64]:
    """Colour of each particle id, 0 for all that are alone or dead; the same on every rank."""
    pairs = _touching(mesh, label)
    neighbours: dict[int, set[int]] = {}
    for one, two in pairs.tolist():
        neighbours.setdefault(one, set()).add(two)
        neighbours.setdefault(two, set()).add(one)
    colours = np.zeros(mesh.n_particles + 1, dtype=np.int64)
    done: set[int] = set()
    for particle in sorted(neighbours):
        taken = {int(colours[other]) for other in neighbours[particle] if other in done}
        colours[particle] = next(k for k in range(len(taken) + 1) if k not in taken)
        done.add(particle)
    return colours


def _touching(mesh: TaggedMesh, label: int) -> Pairs:
    """Pairs of living particles of a phase with a common vertex, each once, on every rank.

    A vertex has an owner; whoever knows a cell at it tells the owner which particle it belongs to.
    """
    comm, topology = mesh.mesh.comm, mesh.mesh.topology
    topology.create_connectivity(3, 0)
    index_map = topology.index_map(0)
    owned_cells = topology.index_map(3).size_local
    mine = ((mesh.alive & ACTIVE) > 0) & (mesh.phase == label)
    mine[owned_cells:] = False
    cells = np.flatnonzero(mine)
    links = topology.connectivity(3, 0)
    vertex = links.array[links.offsets[cells][:, None] + np.arange(4)].ravel()
    particle = np.repeat(mesh.particle[cells].astype(np.int64), 4)
    known = np.unique(np.stack([vertex.astype(np.int64), particle], axis=1), axis=0)
    own = known[:, 0] < index_map.size_local
    numbers = index_map.local_to_global(known[:, 0].astype(np.int32)).astype(np.int64)
    owner = np.full(len(known), comm.rank)
    owner[~own] = index_map.owners[known[~own, 0] - index_map.size_local]
    rows = np.stack([numbers, known[:, 1]], axis=1)
    told = comm.alltoall([rows[owner == rank] for rank in range(comm.size)])
    here = np.unique(np.concatenate(told), axis=0)
    found = [np.zeros((0, 2), dtype=np.int64)]
    for step in range(1, len(here)):  # rows of one vertex stand together
        same = here[step:, 0] == here[:-step, 0]
        if not same.any():
            break
        found.append(np.stack([here[:-step][same, 1], here[step:][same, 1]], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    return np.unique(np.concatenate(comm.allgather(pairs)), axis=0)
