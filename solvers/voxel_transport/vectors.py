"""Vector operations of the K-cycle, on cells with ghosts; sums are returned per layer along z."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.kernels import Scalar
from voxtrode.solvers.voxel_transport.storage import Cells


@njit(cache=True, fastmath={"reassoc", "contract"})
def product(a: Cells, b: Cells) -> NDArray[np.float64]:
    """a·b per layer, added up in double precision."""
    nz, ny, _ = a.shape
    layers = np.zeros(nz - 2)
    for z in range(1, nz - 1):
        total = 0.0
        for y in range(1, ny - 1):
            left, right = a[z, y, 1:-1], b[z, y, 1:-1]
            for x in range(left.size):
                total += np.float64(left[x]) * np.float64(right[x])
        layers[z - 1] = total
    return layers


@njit(cache=True)
def add_scaled(a: Cells, factor: Scalar, b: Cells) -> None:
    """A += factor b."""
    to, given = a.reshape(-1), b.reshape(-1)
    for i in range(to.size):
        to[i] += factor * given[i]


@njit(cache=True)
def combine(a: Cells, alpha: Scalar, beta: Scalar, b: Cells) -> None:
    """A = alpha a + beta b."""
    to, given = a.reshape(-1), b.reshape(-1)
    for i in range(to.size):
        to[i] = alpha * to[i] + beta * given[i]
