"""Sums over the voxels of every particle: size, place, extent, ellipsoid of equal moments."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.interfaces import Triple
from voxtrode.data.volume import Particles

_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of the particles 0..n-1, of ids 1..n; where an id has no voxels its entries are 0.

    Attributes:
        voxels: Number of voxels, int[n].
        centroid: (z, y, x) from the box's corner at the collector [m], float[n, 3].
        axes: Full lengths a >= b >= c of the ellipsoid of the same second moments [m], float[n, 3].
        direction: Unit vector (z, y, x) along a, its largest component positive, float[n, 3].
        extent: Edge lengths of the bounding box along (z, y, x) [voxels], int[n, 3].
        touches: Whether it has a voxel at either side of the box across (z, y, x), bool[n, 3].
    """

    voxels: NDArray[np.int64]
    centroid: NDArray[np.float64]
    axes: NDArray[np.float64]
    direction: NDArray[np.float64]
    extent: NDArray[np.int64]
    touches: NDArray[np.bool_]


def particle_moments(particles: Particles, voxel: Triple) -> Moments:
    """Moments of every particle, in one pass.

    The second moments include those of a voxel itself: those of a body of voxels are exact, and
    of a smooth body of semi-axis s in voxels of edge h the axes come out 5/24 (h/s)² too long. An
    ellipsoid has the variance s²/5 along a semi-axis s.

    Args:
        particles: Particle id of each voxel [z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
    """
    count = int(particles.max())
    voxels = np.zeros(count + 1, dtype=np.int64)
    first = np.zeros((count + 1, 3), dtype=np.int64)
    second = np.zeros((count + 1, 6), dtype=np.int64)
    shape = np.array(particles.shape)
    low = np.tile(shape, (count + 1, 1))
    high = np.full((count + 1, 3), -1)
    _add_up(particles, voxels, first, second, low, high)
    edges = np.array(voxel)
    size = np.maximum(voxels[1:], 1).astype(np.float64)
    middle = first[1:] / size[:, None]
    covariance = np.empty((count, 3, 3))
    for column, (i, j) in enumerate(_PAIRS):
        central = second[1:, column] / size - middle[:, i] * middle[:, j]
        covariance[:, i, j] = covariance[:, j, i] = central * edges[i] * edges[j]
    covariance += np.diag(edges**2 / 12.0)
    variances, vectors = np.linalg.eigh(covariance)
    direction = vectors[:, :, -1]
    largest = np.take_along_axis(direction, np.abs(direction).argmax(axis=1)[:, None], axis=1)
    there = (voxels[1:] > 0)[:, None]
    low, high = low[1:], high[1:]
    return Moments(
        voxels[1:],
        np.where(there, (middle + 0.5) * edges, 0.0),
        np.where(there, 2.0 * np.sqrt(5.0 * np.maximum(variances[:, ::-1], 0.0)), 0.0),
        np.where(there, direction * np.sign(largest), 0.0),
        np.where(there, high - low + 1, 0),
        (low == 0) | (high == shape - 1),
    )


@njit(cache=True)
def _add_up(
    particles: NDArray[np.int32],
    voxels: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> None:
    """Sums of 1, of the indices i, and of zz, yy, xx, zy, zx, yx; least and largest indices.

    Whole numbers, so exact.
    """
    nz, ny, nx = particles.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                p = particles[z, y, x]
                if p == 0:
                    continue
                voxels[p] += 1
                first[p, 0] += z
                first[p, 1] += y
                first[p, 2] += x
                second[p, 0] += z * z
                second[p, 1] += y * y
                second[p, 2] += x * x
                second[p, 3] += z * y
                second[p, 4] += z * x
                second[p, 5] += y * x
                low[p, 0] = min(low[p, 0], z)
                low[p, 1] = min(low[p, 1], y)
                low[p, 2] = min(low[p, 2], x)
                high[p, 0] = max(high[p, 0], z)
                high[p, 1] = max(high[p, 1], y)
                high[p, 2] = max(high[p, 2], x)
