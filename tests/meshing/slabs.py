"""Labelled volumes cut into slabs, one a rank, without files."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Flags, Roles, judge
from voxtrode.meshing.cells import MeshBlock, MeshInfo
from voxtrode.meshing.components import SlabLabeller
from voxtrode.meshing.exchange import block_offsets
from voxtrode.meshing.interfaces import pair_areas
from voxtrode.meshing.lattice import HALO, SEPARATOR, Lattice, Slab
from voxtrode.meshing.voxel import smoothed_gradient, voxel_block

PHASES = ("nsd", "active")
ROLES = Roles(active=(1,), electronic=(0, 1), ionic=(0,))

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pieces:
    """What a rank makes of its slab."""

    slab: Slab
    flags: Flags
    gradient: npt.NDArray[np.float64]
    block: MeshBlock
    info: MeshInfo


def cut(
    labels: Labels,
    comm: MPI.Comm,
    spacing: tuple[float, float, float] = (1e-6, 1e-6, 1e-6),
    separator: tuple[float, ...] = (1e-6,),
    phases: tuple[str, ...] = PHASES,
) -> Slab:
    """This rank's slab of a whole array; a voxel's particle id is its label."""
    lattice = Lattice(phases, (1, 1, 1), labels.shape, spacing, (0, 0, 0), separator)
    offsets = block_offsets(labels.shape[0], comm.size)
    first, last = int(offsets[comm.rank]), int(offsets[comm.rank + 1])
    low, high = max(first - HALO, 0), min(last + HALO, labels.shape[0])
    top = lattice.layers if comm.rank == comm.size - 1 else last
    held = labels[low:high]
    return Slab(lattice, first, top, low, high, held, held.astype(np.int32))


def own_layers(slab: Slab, start: int) -> slice:
    """The slab's own electrode layers in an array whose first layer is layer ``start``."""
    first, last = slab.electrode
    return slice(first - start, last - start)


def judged(slab: Slab, roles: Roles, comm: MPI.Comm) -> Flags:
    """Living voxels of the own layers."""
    window, labeller = slab.window(1), SlabLabeller(comm)
    found = judge(
        slab.labels[window],
        roles,
        labeller.label,
        labeller.any_of,
        not labeller.below,
        not labeller.above,
    )
    own = own_layers(slab, slab.low + window.start)
    return Flags(found.electronic[own], found.ionic[own], found.active[own])


def mesh_pieces(slab: Slab, comm: MPI.Comm, roles: Roles = ROLES) -> Pieces:
    """The slab's part of the voxel mesh and what went into it; collective."""
    flags = judged(slab, roles, comm)
    gradient = smoothed_gradient(np.isin(slab.labels, roles.active), slab.lattice.spacing)
    block = voxel_block(slab, flags, gradient[:, own_layers(slab, slab.low)], comm)
    lattice = slab.lattice
    info = MeshInfo(
        (*lattice.phases, SEPARATOR),
        comm.allreduce(len(block.x)),
        comm.allreduce(len(block.cells)),
        lattice.thickness,
        float(lattice.planes()[-1]),
        lattice.area,
        {},
    )
    return Pieces(slab, flags, gradient, block, info)


def areas(labels: Labels, comm: MPI.Comm) -> tuple[dict[str, float], dict[str, float]]:
    """Voxel faces and weighted faces [voxel faces] of every pair of phases; collective."""
    slab = cut(labels, comm)
    gradient = smoothed_gradient(slab.labels == 1, slab.lattice.spacing)
    faces, weighted = pair_areas(slab, ROLES.active, gradient[:, slab.window(1)], comm)
    return (
        {pair: area / 1e-12 for pair, area in faces.items()},
        {pair: area / 1e-12 for pair, area in weighted.items()},
    )


def centres(
    shape: tuple[int, int, int], origin: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    """Voxel centres (z, y, x) [voxels] from a point, shape ``(3, nz, ny, nx)``."""
    return np.indices(shape) + 0.5 - np.array(origin)[:, None, None, None]


def ball(n: int, radius: float) -> Labels:
    """A ball in the middle of a cube of n³ voxels."""
    place = centres((n, n, n), (0.5 * n, 0.5 * n, 0.5 * n))
    return (np.sqrt((place**2).sum(axis=0)) < radius).astype(np.uint8)
