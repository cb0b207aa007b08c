"""Sweeps and transfers of the preconditioner, one row of cells at a time, in single precision."""

from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.storage import (
    Cells,
    Faces,
    Operator,
    Table,
    by_storage,
    diagonal,
    outflow,
)

Scalar = float | np.floating[Any]
Shape = tuple[int, int, int]


@njit(cache=True, error_model="numpy")
def first_sweep(op: Operator, b: Cells, weight: Scalar, result: Cells) -> None:
    """A Jacobi sweep from zero: result = weight D⁻¹ b."""
    nz, ny, nx = b.shape
    d = np.empty(nx - 2, np.float32)
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            diagonal(op, z, y, d)
            given, to = b[z, y, 1:-1], result[z, y, 1:-1]
            for x in range(d.size):
                to[x] = weight * given[x] / d[x] if d[x] > 0 else np.float32(0.0)


@njit(cache=True, error_model="numpy")
def sweep(op: Operator, b: Cells, weight: Scalar, u: Cells, result: Cells) -> None:
    """A Jacobi sweep: result = u + weight D⁻¹ (b − A u)."""
    nz, ny, nx = b.shape
    d, flow = np.empty(nx - 2, np.float32), np.empty(nx - 2, np.float32)
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            diagonal(op, z, y, d)
            outflow(op, u, z, y, flow)
            given, at, to = b[z, y, 1:-1], u[z, y, 1:-1], result[z, y, 1:-1]
            for x in range(d.size):
                change = weight * (given[x] - flow[x]) / d[x] if d[x] > 0 else np.float32(0.0)
                to[x] = at[x] + change


@njit(cache=True, error_model="numpy")
def restrict(op: Operator, b: Cells, u: Cells, half: Shape, coarse: Cells) -> None:
    """Sum what b − A u leaves over each aggregate; half as in `coarsen`."""
    nz, ny, nx = b.shape
    n = nx - 2
    d, flow = np.empty(n, np.float32), np.empty(n, np.float32)
    coarse[:] = 0
    for z in range(1, nz - 1):
        zc = ((z - 1) >> half[0]) + 1
        for y in range(1, ny - 1):
            outflow(op, u, z, y, flow)
            diagonal(op, z, y, d)
            given, to = b[z, y, 1:-1], coarse[zc, ((y - 1) >> half[1]) + 1, 1:-1]
            for x in range(n):
                flow[x] = given[x] - flow[x] if d[x] > 0 else np.float32(0.0)
            if half[2]:
                for x in range(n // 2):
                    to[x] += flow[2 * x] + flow[2 * x + 1]
                if n % 2:
                    to[n // 2] += flow[n - 1]
            else:
                for x in range(n):
                    to[x] += flow[x]


@njit(cache=True, error_model="numpy")
def prolong(op: Operator, coarse: Cells, half: Shape, u: Cells) -> None:
    """Add the value of its aggregate to each cell of u; half as in `coarsen`."""
    nz, ny, nx = u.shape
    n = nx - 2
    d, value = np.empty(n, np.float32), np.empty(n + 1, np.float32)
    for z in range(1, nz - 1):
        zc = ((z - 1) >> half[0]) + 1
        for y in range(1, ny - 1):
            diagonal(op, z, y, d)
            given, to = coarse[zc, ((y - 1) >> half[1]) + 1, 1:-1], u[z, y, 1:-1]
            if half[2]:
                for x in range((n + 1) // 2):
                    value[2 * x] = given[x]
                    value[2 * x + 1] = given[x]
            else:
                for x in range(n):
                    value[x] = given[x]
            for x in range(n):
                to[x] += value[x] if d[x] > 0 else np.float32(0.0)


@njit(cache=True)
def even(phase: NDArray[np.uint8], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The diagonal of `Even` where the phase is 1; its neighbours count by their phase."""
    nz, ny, _ = phase.shape
    result = np.zeros(phase.shape, np.float32)
    wz, wy, wx = weights
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            at, to = phase[z, y, 1:-1], result[z, y, 1:-1]
            below, above = phase[z - 1, y, 1:-1], phase[z + 1, y, 1:-1]
            front, back = phase[z, y - 1, 1:-1], phase[z, y + 1, 1:-1]
            before, after = phase[z, y, :-2], phase[z, y, 2:]
            for x in range(to.size):
                to[x] = wz * np.float32(below[x] + above[x]) + wx * np.float32(before[x] + after[x])
            for x in range(to.size):
                total = to[x] + wy * np.float32(front[x] + back[x])
                to[x] = total if at[x] == 1 else np.float32(0.0)
    return result


@njit(cache=True)
def faces_of_table(op: Table) -> NDArray[np.float32]:
    """All conductances of a table, in single precision, for `Faces`."""
    phase, c = op.phase, op.values
    nz, ny, nx = phase.shape
    result = np.zeros((3, nz, ny, nx), np.float32)
    for z in range(1, nz):
        for y in range(1, ny):
            for x in range(1, nx):
                p = phase[z, y, x]
                result[0, z, y, x] = c[0, p, phase[z - 1, y, x]]
                result[1, z, y, x] = c[1, p, phase[z, y - 1, x]]
                result[2, z, y, x] = c[2, p, phase[z, y, x - 1]]
    return result


@njit(cache=True, error_model="numpy")
def apply(op: Operator, u: Cells, result: Cells) -> NDArray[np.float64]:
    """Result = A u; returns u·A u per layer."""
    nz, ny, _ = u.shape
    layers = np.zeros(nz - 2)
    for z in range(1, nz - 1):
        total = 0.0
        for y in range(1, ny - 1):
            to, at = result[z, y, 1:-1], u[z, y, 1:-1]
            outflow(op, u, z, y, to)
            for x in range(to.size):
                total += np.float64(to[x]) * np.float64(at[x])
        layers[z - 1] = total
    return layers


def face(op: Table | Faces, axis: int, z: int, y: int, x: int) -> float:
    """Conductance of a cell to the one before it; to be called in compiled code only."""
    raise TypeError("for compiled code")


@overload(face)
def _face(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
    return by_storage(op, {Table: _face_of_table, Faces: _face_of_faces})


def _face_of_table(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
    there = op.phase[z - (axis == 0), y - (axis == 1), x - (axis == 2)]
    return op.values[axis, op.phase[z, y, x], there]


def _face_of_faces(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
    return op.values[axis, z, y, x]


@njit(cache=True, error_model="numpy")
def coarsen(
    op: Table | Faces,
    half: Shape,
    scale: tuple[Scalar, Scalar, Scalar],
    own: tuple[bool, bool, bool],
    shape: Shape,
    coarse: NDArray[np.float32],
) -> None:
    """Sum the faces between aggregates, times a scale per axis.

    Args:
        op: The finer operator.
        half: 1 along the axes z, y, x with two cells per aggregate, 0 along those with one.
        scale: What the sums are multiplied by, per axis.
        own: Along which axes an aggregate is its own neighbour, and has no face: the periodic ones
            with a single aggregate.
        shape: Cells of the finer level with its ghosts.
        coarse: The coarser faces, zero on entry.
    """
    for axis in range(3):
        if own[axis]:
            continue
        last = shape[axis] - 1
        up = (axis == 0, axis == 1, axis == 2)
        for z in range(1, shape[0] - 1 + up[0]):
            for y in range(1, shape[1] - 1 + up[1]):
                for x in range(1, shape[2] - 1 + up[2]):
                    at = (z, y, x)[axis]
                    if at < last and (at - 1) & half[axis]:
                        continue
                    zc, yc, xc = (
                        ((z - 1) >> half[0]) + 1,
                        ((y - 1) >> half[1]) + 1,
                        ((x - 1) >> half[2]) + 1,
                    )
                    if at == last:
                        zc = coarse.shape[1] - 1 if axis == 0 else zc
                        yc = coarse.shape[2] - 1 if axis == 1 else yc
                        xc = coarse.shape[3] - 1 if axis == 2 else xc
                    coarse[axis, zc, yc, xc] += scale[axis] * face(op, axis, z, y, x)
