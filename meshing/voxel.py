"""The voxel-shaped mesh: six tetrahedra a lattice voxel, the baseline of the smooth mesher.

All voxels are cut along the same diagonal (Kuhn's subdivision), so the mesh conforms without
any exchange. A staircase overstates an interface by up to √3 locally and 1.5 on average at any
resolution; every interface facet therefore carries the weight |n·ĝ|, with n its normal and ĝ
the direction of the smoothed gradient of the active phase. For a staircase along a plane the
weighted area is that of the plane exactly, since Σ nᵢ² = 1.
"""

from itertools import permutations

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from scipy import ndimage

from voxtrode.data.connectivity import Flags
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC, MeshBlock
from voxtrode.meshing.lattice import Lattice, Slab

UM = 1e6
"""Micrometres in a metre; mesh coordinates are in µm."""

SMOOTHING = 1.5
"""Standard deviation [lattice voxels] of the Gaussian behind the facet normals (radius 3)."""


def kuhn_tetrahedra() -> npt.NDArray[np.int64]:
    """The six tetrahedra of a voxel as corner offsets (dz, dy, dx), shape ``(6, 4, 3)``.

    Each walks from corner 000 to corner 111, one axis after the other; even permutations and
    odd ones with two vertices exchanged are all positively oriented.
    """
    paths = []
    for order in permutations(range(3)):
        corner = np.zeros(3, dtype=np.int64)
        path = [corner.copy()]
        for axis in order:
            corner[axis] += 1
            path.append(corner.copy())
        edges = np.array([point - path[0] for point in path[1:]])[:, ::-1]
        if np.linalg.det(edges) < 0:
            path[1], path[2] = path[2], path[1]
        paths.append(path)
    return np.array(paths)


def smoothed_gradient(
    mask: npt.NDArray[np.bool_], spacing: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    """Gradient of the Gaussian-smoothed indicator, mirrored at the ends of the array.

    Args:
        mask: Shape ``(nz, ny, nx)``.
        spacing: Lattice spacing [m].

    Returns:
        Components (z, y, x) [1/m], shape ``(3, nz, ny, nx)``.
    """
    smooth = ndimage.gaussian_filter(
        mask.astype(np.float64), SMOOTHING, mode="reflect", truncate=2.0
    )
    return np.stack(
        [
            ndimage.correlate1d(smooth, [-0.5, 0.0, 0.5], axis=axis, mode="reflect") / spacing[axis]
            for axis in range(3)
        ]
    )


def facet_weight(
    here: npt.NDArray[np.float64], there: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float64]:
    """Weight |n·ĝ| of facets with normal along ``axis``; 1 where the gradient vanishes.

    Args:
        here, there: Gradients in the cells on both sides, components first.
        axis: Component that is along the facet's normal.
    """
    total = here + there
    length = np.sqrt(np.sum(total**2, axis=0))
    # Thin sheets have equal and opposite gradients: nothing to learn from rounding.
    both = np.sqrt(np.sum(here**2, axis=0)) + np.sqrt(np.sum(there**2, axis=0))
    clear = length > 1e-6 * both
    safe = np.where(clear, length, 1.0)
    return np.where(clear, np.abs(total[axis]) / safe, 1.0)


def voxel_block(
    slab: Slab, flags: Flags, gradient: npt.NDArray[np.float64], comm: MPI.Intracomm
) -> MeshBlock:
    """Cut this rank's lattice layers into tetrahedra.

    Args:
        slab: The slab.
        flags: Living cells of the own electrode layers.
        gradient: Smoothed gradient in the own electrode layers, components (z, y, x) first.
        comm: Communicator.
    """
    lattice = slab.lattice
    ny, nx = lattice.shape[1:]
    first, last = slab.electrode
    layers = slab.last - slab.first
    plane = (ny + 1) * (nx + 1)

    labels = np.full((layers, ny, nx), len(lattice.phases), dtype=np.int32)
    particles = np.zeros_like(labels)
    alive = np.full(labels.shape, IONIC, dtype=np.uint8)
    normal = np.zeros((*labels.shape, 3))
    own = slice(first - slab.low, last - slab.low)
    electrode = slice(0, last - first)
    labels[electrode] = slab.labels[own]
    particles[electrode] = slab.particles[own]
    alive[electrode] = (
        ELECTRONIC * flags.electronic.astype(np.uint8)
        + IONIC * flags.ionic.astype(np.uint8)
        + ACTIVE * flags.active.astype(np.uint8)
    )
    normal[electrode] = np.moveaxis(gradient, 0, -1)[..., ::-1]

    corner = (
        (slab.first + np.arange(layers)[:, None, None]) * plane
        + np.arange(ny)[None, :, None] * (nx + 1)
        + np.arange(nx)[None, None, :]
    ).reshape(-1, 1, 1)
    steps = kuhn_tetrahedra() @ np.array([plane, nx + 1, 1])
    cells = (corner + steps[None]).reshape(-1, 4)
    return MeshBlock(
        x=_vertices(slab, lattice, comm),
        cells=cells,
        phase=np.repeat(labels.ravel(), 6),
        particle=np.repeat(particles.ravel(), 6),
        alive=np.repeat(alive.ravel(), 6),
        normal=np.repeat(normal.reshape(-1, 3), 6, axis=0),
    )


def _vertices(slab: Slab, lattice: Lattice, comm: MPI.Intracomm) -> npt.NDArray[np.float64]:
    """Vertices of the planes below the own layers; the last rank adds the top plane."""
    top = slab.last + (1 if comm.rank == comm.size - 1 else 0)
    z = lattice.planes()[slab.first : top]
    y = lattice.spacing[1] * np.arange(lattice.shape[1] + 1)
    x = lattice.spacing[2] * np.arange(lattice.shape[2] + 1)
    grid = np.meshgrid(z, y, x, indexing="ij")
    return UM * np.stack([grid[2].ravel(), grid[1].ravel(), grid[0].ravel()], axis=1)
