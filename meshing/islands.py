"""Regions of a few voxels, given to the phase around them before a mesh is made."""

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import neighbours
from voxtrode.meshing.components import SlabLabeller
from voxtrode.meshing.exchange import Exchange

Labels = npt.NDArray[np.uint8]


def without_islands(
    labels: Labels, own: slice, phases: int, smallest: int, comm: MPI.Intracomm
) -> tuple[Labels, npt.NDArray[np.int64]]:
    """Gives small face-connected regions to the phase they share most faces with; collective.

    Phase after phase in the order of their labels, so that an island in an island goes with it.

    Args:
        labels: Own layers and, where a rank lies below or above, one layer of its [z, y, x].
        own: Own layers, as rows of `labels`.
        phases: Number of phases.
        smallest: Voxels of the smallest region that stays.
        comm: Communicator of the slabs.

    Returns:
        The own layers, changed, and the number of voxels that each phase lost in the whole volume.
    """
    labeller = SlabLabeller(comm)
    below, above = int(labeller.below), int(labeller.above)
    held = labels[own.start - below : own.stop + above].copy()
    inner = slice(below, below + own.stop - own.start)
    lost = np.zeros(phases, dtype=np.int64)
    for phase in range(phases):
        ids, count = labeller.label(held == phase)
        size = _summed(np.bincount(ids[inner].ravel(), minlength=count + 1), comm)
        small = size < smallest
        small[0] = False
        if not small.any():
            continue
        heir = _heirs(held, ids, inner, count, phases, comm)
        # A region that fills the whole volume has no neighbours and stays.
        small &= heir >= 0
        lost[phase] = size[small].sum()
        taken = small[ids]
        held[taken] = heir[ids[taken]].astype(np.uint8)
    return held[inner], lost


def _heirs(
    held: Labels,
    ids: npt.NDArray[np.int64],
    inner: slice,
    count: int,
    phases: int,
    comm: MPI.Intracomm,
) -> npt.NDArray[np.int64]:
    """The phase with most faces on each region, the first of equals; −1 where there is none."""
    own = np.zeros(held.shape, dtype=bool)
    own[inner] = True
    faces = np.zeros((count + 1) * phases, dtype=np.int64)
    for here, there in neighbours():
        for one, other in ((here, there), (there, here)):
            at = own[one] & (ids[one] > 0) & (held[one] != held[other])
            code = ids[one][at] * phases + held[other][at]
            faces += np.bincount(code, minlength=len(faces))
    table = _summed(faces, comm).reshape(count + 1, phases)
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)


def with_halo(
    block: npt.NDArray[np.generic],
    offsets: npt.NDArray[np.int64],
    low: int,
    high: int,
    comm: MPI.Intracomm,
) -> npt.NDArray[np.generic]:
    """Layers `low` to `high` of a volume whose layers lie in blocks across ranks; collective.

    Args:
        block: This rank's own layers.
        offsets: First layer of every rank's own ones, and the number of layers at the end.
        low, high: First layer wanted and one past the last.
        comm: Communicator of the slabs.
    """
    return Exchange.create(comm, np.arange(low, high), offsets).get(block)


def _summed(counts: npt.NDArray[np.integer], comm: MPI.Intracomm) -> npt.NDArray[np.int64]:
    total = np.empty(counts.shape, dtype=np.int64)
    comm.Allreduce(counts.astype(np.int64), total)
    return total
