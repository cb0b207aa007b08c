"""Particles that touch, told apart: each takes a colour that none of its neighbours has.

With a phase field per colour in place of one for the material, contacts between particles are
interfaces like any other, smooth and of the right area.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.errors import InputError

MOST = 60
"""Phases and colours together: bits of a set of them."""
_AROUND = 2
"""Particles this near, in voxels along an axis, count as touching: fields reach over a voxel."""


@dataclass(frozen=True, eq=False)
class Colours:
    """Labels that tell touching particles apart.

    Attributes:
        labels: Phase, or a label of its own for each further colour of an active phase [z, y, x].
        phase: Phase of each label.
    """

    labels: npt.NDArray[np.uint8]
    phase: npt.NDArray[np.uint8]


def coloured(
    labels: npt.NDArray[np.uint8],
    particles: npt.NDArray[np.int32],
    own: slice,
    phases: int,
    active: tuple[int, ...],
    comm: MPI.Intracomm,
) -> Colours:
    """Colour the particles of active phases; collective.

    Args:
        labels, particles: Own layers and halos of two layers or more [z, y, x].
        own: Own layers, as rows of these.
        phases: Number of phases.
        active: Phases whose particles are told apart.
        comm: Communicator of the slabs.

    Raises:
        InputError: Where there are more colours than fit.
    """
    pairs = _touching(labels, particles, own, active)
    together = np.unique(np.concatenate(comm.allgather(pairs)), axis=0)
    n = int(comm.allreduce(int(particles.max(initial=0)), op=MPI.MAX))
    colour = _greedy(together, n)
    out, phase = labels.copy(), list(range(phases))
    for value in active:
        inside = labels == value
        used = int(comm.allreduce(int(colour[particles[inside]].max(initial=0)), op=MPI.MAX))
        first = len(phase)
        more = inside & (colour[particles] > 0)
        out[more] = (first - 1 + colour[particles[more]]).astype(np.uint8)
        phase += [value] * used
    if len(phase) > MOST:
        raise InputError(
            f"mesh.contacts: {len(phase)} phases and colours of touching particles, at most {MOST} "
            "fit; set mesh.contacts to false"
        )
    return Colours(out, np.array(phase, dtype=np.uint8))


def _touching(
    labels: npt.NDArray[np.uint8],
    particles: npt.NDArray[np.int32],
    own: slice,
    active: tuple[int, ...],
) -> npt.NDArray[np.int32]:
    """Pairs of near particles of one phase, the smaller id first; each seen at its lower voxel."""
    ids = np.where(np.isin(labels, active), particles, 0)
    rows = slice(own.start, min(own.stop + _AROUND, len(ids)))
    ids, labels = ids[rows], labels[rows]
    found = [np.empty((0, 2), dtype=np.int32)]
    steps = [(k, j, i) for k in range(2) for j in (-1, 0, 1) for i in (-1, 0, 1)]
    steps += [(_AROUND, 0, 0), (0, _AROUND, 0), (0, 0, _AROUND)]
    for step in steps:
        here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, ids.shape, strict=True))
        there = tuple(
            slice(max(0, s), n - max(0, -s)) for s, n in zip(step, ids.shape, strict=True)
        )
        a, b = ids[here], ids[there]
        at = (a != b) & (a > 0) & (b > 0) & (labels[here] == labels[there])
        pair = np.stack([np.minimum(a[at], b[at]), np.maximum(a[at], b[at])], axis=1)
        found.append(np.unique(pair, axis=0))
    return np.unique(np.concatenate(found), axis=0)


def _greedy(pairs: npt.NDArray[np.int32], n: int) -> npt.NDArray[np.int64]:
    """The first colour free among neighbours with smaller ids, particle after particle."""
    colour = np.zeros(n + 1, dtype=np.int64)
    order = np.argsort(pairs[:, 1], kind="stable")
    first = np.searchsorted(pairs[order, 1], np.arange(n + 2))
    for particle in range(1, n + 1):
        taken = set(colour[pairs[order[first[particle] : first[particle + 1]], 0]].tolist())
        colour[particle] = next(k for k in range(len(taken) + 1) if k not in taken)
    return colour
