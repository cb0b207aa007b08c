"""The loops of conjugate gradients: directions in single precision, sums and residuals in double.

The potential alone is kept in double precision. Its residual is evaluated anew in each iteration,
so that no error gathers in it; differences of neighbours are taken before anything is multiplied.
Sums are returned per layer along z: whoever adds the layers up in their order gets the same bits,
however the layers are distributed.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.storage import Cells, Exact, outflow

Sums = NDArray[np.float64]


@njit(cache=True, fastmath={"reassoc", "contract"})
def products(a: Cells, b: Cells, c: Cells) -> Sums:
    """a·b and a·c per layer, float64[2, layers]."""
    nz, ny, _ = a.shape
    result = np.zeros((2, nz - 2))
    for z in range(1, nz - 1):
        first, second = 0.0, 0.0
        for y in range(1, ny - 1):
            at, left, right = a[z, y, 1:-1], b[z, y, 1:-1], c[z, y, 1:-1]
            for x in range(at.size):
                first += np.float64(at[x]) * np.float64(left[x])
                second += np.float64(at[x]) * np.float64(right[x])
        result[0, z - 1], result[1, z - 1] = first, second
    return result


@njit(cache=True)
def _turn(z: int, beta: np.float32, new: Cells, p: Cells) -> None:
    flat, given = p[z].reshape(-1), new[z].reshape(-1)
    for i in range(flat.size):
        flat[i] = beta * flat[i] + given[i]


@njit(cache=True, fastmath={"reassoc", "contract"})
def advance(op: Exact, beta: np.float32, new: Cells, p: Cells, a_p: Cells) -> Sums:
    """P = beta p + new, ghosts included, and a_p = A p; returns p·A p per layer."""
    nz, ny, nx = p.shape
    layers = np.zeros(nz - 2)
    row = np.empty(nx - 2)
    if nz > 2:
        _turn(0, beta, new, p)
        _turn(1, beta, new, p)
    for z in range(1, nz - 1):
        _turn(z + 1, beta, new, p)
        total = 0.0
        for y in range(1, ny - 1):
            outflow(op, p, z, y, row)
            at, to = p[z, y, 1:-1], a_p[z, y, 1:-1]
            for x in range(row.size):
                to[x] = row[x]
                total += row[x] * at[x]
        layers[z - 1] = total
    return layers


@njit(cache=True)
def _step(z: int, alpha: float, p: Cells, u: Cells) -> None:
    flat, given = u[z].reshape(-1), p[z].reshape(-1)
    for i in range(flat.size):
        flat[i] += alpha * given[i]


@njit(cache=True, fastmath={"reassoc", "contract"})
def update(op: Exact, alpha: float, p: Cells, u: Cells, r: Cells, axis: int, planes: Sums) -> Sums:
    """U += alpha p, ghosts included, and r = −A u.

    Args:
        op: The operator.
        alpha: Length of the step.
        p: The direction.
        u: The potential, float64.
        r: The residual, float32.
        axis: 0, 1, 2 for z, y, x.
        planes: Of the cells at hand, the sum of the residual over each layer along the axis.

    Returns:
        r·r and u·A u per layer along z, float64[2, layers].
    """
    nz, ny, nx = u.shape
    result = np.zeros((2, nz - 2))
    row = np.empty(nx - 2)
    planes[:] = 0.0
    if nz > 2:
        _step(0, alpha, p, u)
        _step(1, alpha, p, u)
    for z in range(1, nz - 1):
        _step(z + 1, alpha, p, u)
        square, energy, layer = 0.0, 0.0, 0.0
        for y in range(1, ny - 1):
            outflow(op, u, z, y, row)
            at, to = u[z, y, 1:-1], r[z, y, 1:-1]
            total = 0.0
            for x in range(row.size):
                to[x] = -row[x]
                square += row[x] * row[x]
                energy += row[x] * at[x]
                total -= row[x]
            layer += total
            if axis == 1:
                planes[y - 1] += total
            if axis == 2:
                for x in range(row.size):
                    planes[x] -= row[x]
        if axis == 0:
            planes[z - 1] = layer
        result[0, z - 1], result[1, z - 1] = square, energy
    return result


@njit(cache=True, fastmath={"reassoc", "contract"})
def update_charged(op: Exact, alpha: float, p: Cells, u: Cells, source: Cells, r: Cells) -> Sums:
    """U += alpha p, ghosts included, and r = source − A u; returns r·r and u·source per layer."""
    nz, ny, nx = u.shape
    result = np.zeros((2, nz - 2))
    row = np.empty(nx - 2)
    if nz > 2:
        _step(0, alpha, p, u)
        _step(1, alpha, p, u)
    for z in range(1, nz - 1):
        _step(z + 1, alpha, p, u)
        square, work = 0.0, 0.0
        for y in range(1, ny - 1):
            outflow(op, u, z, y, row)
            at, to, given = u[z, y, 1:-1], r[z, y, 1:-1], source[z, y, 1:-1]
            for x in range(row.size):
                left = given[x] - row[x]
                to[x] = left
                square += left * left
                work += at[x] * given[x]
        result[0, z - 1], result[1, z - 1] = square, work
    return result
