"""Vector operations on arrays of cells with ghosts; sums are returned per layer along z."""

import numpy as np
from numba import njit

from voxtrode.solvers.voxel_transport.kernels import Cells, Layers, Scalar


@njit(cache=True)
def product(a: Cells, b: Cells) -> Layers:
    """a·b per layer, added up in double precision."""
    nz, ny, nx = a.shape
    layers = np.zeros(nz - 2)
    for z in range(1, nz - 1):
        total = 0.0
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                total += np.float64(a[z, y, x]) * np.float64(b[z, y, x])
        layers[z - 1] = total
    return layers


@njit(cache=True)
def add_scaled(a: Cells, factor: Scalar, b: Cells) -> None:
    """A += factor b, ghosts left as they are."""
    nz, ny, nx = a.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                a[z, y, x] += factor * b[z, y, x]


@njit(cache=True)
def scale_add(a: Cells, factor: Scalar, b: Cells) -> None:
    """A = factor a + b, ghosts left as they are."""
    nz, ny, nx = a.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                a[z, y, x] = factor * a[z, y, x] + b[z, y, x]


@njit(cache=True)
def combine(a: Cells, alpha: Scalar, b: Cells, beta: Scalar, c: Cells) -> None:
    """A = alpha b + beta c, ghosts left as they are."""
    nz, ny, nx = a.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                a[z, y, x] = alpha * b[z, y, x] + beta * c[z, y, x]
