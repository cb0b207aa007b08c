"""Loops over the cells of a masked grid: one seven-point stencil in two kinds of storage.

Every array of cells has one ghost layer on each side, so that no loop knows of a boundary: end
faces, insulating and periodic sides and, between slabs, the neighbour are all values in ghosts.

An operator is the graph Laplacian of conductances between face neighbours. It is stored as

* ``(phase, table)``: conductances follow from the phases uint8[z, y, x] on either side of a face by
  ``table[axis, here, there]``; nothing is assembled;
* ``(faces,)``: float[3, z, y, x], the conductance of each cell to the one before it along an axis.

Sums over cells are returned per layer along z. Whoever adds the layers up in their order gets the
same bits, however the layers are distributed.
"""

from typing import Any

import numpy as np
from numba import njit
from numba.extending import overload, register_jitable
from numpy.typing import NDArray

Cells = NDArray[Any]
Layers = NDArray[np.float64]
Scalar = float | np.floating[Any]
Shape = tuple[int, int, int]
Operator = tuple[NDArray[Any], NDArray[Any]] | tuple[NDArray[Any]]


def face(op: Operator, axis: int, z: int, y: int, x: int) -> float:
    """Conductance of a cell to the one before it along an axis; compiled by the kind of storage."""
    if len(op) == 1:
        return float(op[0][axis, z, y, x])
    phase, table = op
    there = phase[z - (axis == 0), y - (axis == 1), x - (axis == 2)]
    return float(table[axis, phase[z, y, x], there])


@overload(face)
def _face(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
    if len(op) == 2:

        def from_table(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
            phase, table = op
            there = phase[z - (axis == 0), y - (axis == 1), x - (axis == 2)]
            return table[axis, phase[z, y, x], there]

        return from_table

    def from_faces(op: Any, axis: Any, z: Any, y: Any, x: Any) -> Any:
        return op[0][axis, z, y, x]

    return from_faces


def conducts(op: Operator, z: int, y: int, x: int) -> bool:
    """Whether a cell may have a conductance at all; compiled by the kind of storage."""
    return len(op) == 1 or bool(op[0][z, y, x] != 0)


@overload(conducts)
def _conducts(op: Any, z: Any, y: Any, x: Any) -> Any:
    if len(op) == 2:

        def by_phase(op: Any, z: Any, y: Any, x: Any) -> Any:
            return op[0][z, y, x] != 0

        return by_phase

    def perhaps(op: Any, z: Any, y: Any, x: Any) -> Any:
        return True

    return perhaps


@register_jitable
def _six(op: Any, z: Any, y: Any, x: Any) -> Any:
    return (
        face(op, 0, z, y, x),
        face(op, 0, z + 1, y, x),
        face(op, 1, z, y, x),
        face(op, 1, z, y + 1, x),
        face(op, 2, z, y, x),
        face(op, 2, z, y, x + 1),
    )


@register_jitable
def _outflow(six: Any, u: Any, z: Any, y: Any, x: Any) -> Any:
    here = u[z, y, x]
    return (
        six[0] * (here - u[z - 1, y, x])
        + six[1] * (here - u[z + 1, y, x])
        + six[2] * (here - u[z, y - 1, x])
        + six[3] * (here - u[z, y + 1, x])
        + six[4] * (here - u[z, y, x - 1])
        + six[5] * (here - u[z, y, x + 1])
    )


@njit(cache=True, error_model="numpy")
def apply(op: Operator, u: Cells, result: Cells) -> Layers:
    """Result = A u; returns u·A u per layer."""
    nz, ny, nx = u.shape
    layers = np.zeros(nz - 2)
    for z in range(1, nz - 1):
        total = 0.0
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    flow = _outflow(_six(op, z, y, x), u, z, y, x)
                    result[z, y, x] = flow
                    total += np.float64(flow) * np.float64(u[z, y, x])
        layers[z - 1] = total
    return layers


@njit(cache=True, error_model="numpy")
def residual(op: Operator, u: Cells, result: Cells) -> Layers:
    """Result = −A u with the values in the ghosts of u; returns its square per layer."""
    nz, ny, nx = u.shape
    layers = np.zeros(nz - 2)
    for z in range(1, nz - 1):
        total = 0.0
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    flow = _outflow(_six(op, z, y, x), u, z, y, x)
                    result[z, y, x] = -flow
                    total += flow * flow
        layers[z - 1] = total
    return layers


@njit(cache=True, error_model="numpy")
def first_sweep(op: Operator, b: Cells, weight: Scalar, result: Cells) -> None:
    """A Jacobi sweep from zero: result = weight D⁻¹ b."""
    nz, ny, nx = b.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    six = _six(op, z, y, x)
                    diagonal = six[0] + six[1] + six[2] + six[3] + six[4] + six[5]
                    if diagonal > 0:
                        result[z, y, x] = weight * b[z, y, x] / diagonal


@njit(cache=True, error_model="numpy")
def sweep(op: Operator, b: Cells, weight: Scalar, u: Cells, result: Cells) -> None:
    """A Jacobi sweep: result = u + weight D⁻¹ (b − A u)."""
    nz, ny, nx = b.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    six = _six(op, z, y, x)
                    diagonal = six[0] + six[1] + six[2] + six[3] + six[4] + six[5]
                    if diagonal > 0:
                        left = b[z, y, x] - _outflow(six, u, z, y, x)
                        result[z, y, x] = u[z, y, x] + weight * left / diagonal


@njit(cache=True, error_model="numpy")
def restrict(op: Operator, b: Cells, u: Cells, half: Shape, coarse: Cells) -> None:
    """Sum what b − A u leaves over each aggregate; half as in `coarsen`."""
    nz, ny, nx = b.shape
    coarse[:] = 0
    for z in range(1, nz - 1):
        zc = ((z - 1) >> half[0]) + 1
        for y in range(1, ny - 1):
            yc = ((y - 1) >> half[1]) + 1
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    left = b[z, y, x] - _outflow(_six(op, z, y, x), u, z, y, x)
                    coarse[zc, yc, ((x - 1) >> half[2]) + 1] += left


@njit(cache=True, error_model="numpy")
def prolong(op: Operator, coarse: Cells, half: Shape, u: Cells) -> None:
    """Add the value of its aggregate to each cell of u; half as in `coarsen`."""
    nz, ny, nx = u.shape
    for z in range(1, nz - 1):
        zc = ((z - 1) >> half[0]) + 1
        for y in range(1, ny - 1):
            yc = ((y - 1) >> half[1]) + 1
            for x in range(1, nx - 1):
                if conducts(op, z, y, x):
                    u[z, y, x] += coarse[zc, yc, ((x - 1) >> half[2]) + 1]


@njit(cache=True, error_model="numpy")
def coarsen(
    op: Operator,
    half: Shape,
    scale: tuple[Scalar, Scalar, Scalar],
    wrapped: tuple[bool, bool, bool],
    shape: Shape,
    coarse: NDArray[np.float32],
) -> None:
    """Sum the faces between aggregates, times a scale per axis.

    Args:
        op: The finer operator.
        half: 1 along the axes z, y, x with two cells per aggregate, 0 along those with one.
        scale: What the sums are multiplied by, per axis.
        wrapped: Which axes are periodic: a single aggregate there has no face to itself.
        shape: Cells of the finer level with its ghosts.
        coarse: The coarser faces, zero on entry.
    """
    for axis in range(3):
        if wrapped[axis] and coarse.shape[axis + 1] == 3:
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
