"""Four ways to store the graph Laplacian of a masked grid, and its action on a row of cells.

Every array of cells has one ghost layer on each side, so that no loop knows of a boundary: end
faces, insulating and periodic sides and, between slabs, the neighbour are all values in ghosts.

`Mask` and `Table` are exact, for the equations themselves: nothing is assembled, the phases on both
sides of a face say its conductance. `Even` and `Faces` are assembled in single precision, for the
preconditioner, whose ghosts at the end faces are zero. `Mask` and `Even` hold where all that
conducts does so equally well. Loops run over one row of cells, in parts with few arrays each, so
that the compiler makes them vector instructions.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

Cells = NDArray[Any]


class Mask(NamedTuple):
    """One conductivity.

    Attributes:
        phase: uint8[z, y, x]: 0 insulates, 1 conducts, 2 (in ghosts) is an electrode, which is half
            a voxel away and so twice as well connected.
        weights: Conductance of a face between conducting cells, float64[3], by axis.
    """

    phase: NDArray[np.uint8]
    weights: NDArray[np.float64]


class Table(NamedTuple):
    """Several conductivities.

    Attributes:
        phase: uint8[z, y, x] with 0 for what insulates.
        values: Conductance of a face, float64[3, P, P], by axis and the phases beside it.
    """

    phase: NDArray[np.uint8]
    values: NDArray[np.float64]


class Even(NamedTuple):
    """One conductivity, for fields that are zero in what insulates and at the end faces.

    Attributes:
        diagonal: Sum of a cell's conductances, float32[z, y, x]; 0 in what insulates.
        weights: Conductance of a face between conducting cells, float32[3], by axis.
    """

    diagonal: NDArray[np.float32]
    weights: NDArray[np.float32]


class Faces(NamedTuple):
    """Any conductances.

    Attributes:
        values: Of each cell to the one before it along an axis, float32[3, z, y, x].
    """

    values: NDArray[np.float32]


Exact = Mask | Table
Operator = Even | Faces


def outflow(op: Exact | Operator, u: Cells, z: int, y: int, row: Cells) -> None:
    """Row = A u in the cells (z, y) without ghosts; to be called in compiled code only."""
    raise TypeError("for compiled code")


def diagonal(op: Operator, z: int, y: int, row: Cells) -> None:
    """Row = the diagonal of A in the cells (z, y); to be called in compiled code only."""
    raise TypeError("for compiled code")


@overload(outflow)
def _outflow(op: Any, u: Any, z: Any, y: Any, row: Any) -> Any:
    return by_storage(op, {Mask: _of_mask, Table: _of_table, Even: _of_even, Faces: _of_faces})


@overload(diagonal)
def _diagonal(op: Any, z: Any, y: Any, row: Any) -> Any:
    return by_storage(op, {Even: _even_diagonal, Faces: _face_diagonal})


def by_storage(op: Any, implementations: dict[type, Any]) -> Any:
    """What compiles an operation for an operator's type, None where it is not among them."""
    known = isinstance(op, types.BaseNamedTuple)
    return implementations.get(op.instance_class) if known else None


def _of_mask(op: Any, u: Any, z: Any, y: Any, row: Any) -> Any:
    phase, w = op.phase, op.weights
    here, at = phase[z, y, 1:-1], u[z, y, 1:-1]
    low, high = phase[z - 1, y, 1:-1], phase[z + 1, y, 1:-1]
    below, above = u[z - 1, y, 1:-1], u[z + 1, y, 1:-1]
    for x in range(row.size):
        row[x] = w[0] * (low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x]))
    low, high = phase[z, y - 1, 1:-1], phase[z, y + 1, 1:-1]
    below, above = u[z, y - 1, 1:-1], u[z, y + 1, 1:-1]
    for x in range(row.size):
        row[x] += w[1] * (low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x]))
    low, high = phase[z, y, :-2], phase[z, y, 2:]
    below, above = u[z, y, :-2], u[z, y, 2:]
    for x in range(row.size):
        here_flow = w[2] * (low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x]))
        row[x] = here[x] * (row[x] + here_flow)


def _of_table(op: Any, u: Any, z: Any, y: Any, row: Any) -> Any:
    phase, c = op.phase, op.values
    for x in range(1, row.size + 1):
        p, at = phase[z, y, x], u[z, y, x]
        flow = 0.0
        if p != 0:
            flow += c[0, p, phase[z - 1, y, x]] * (at - u[z - 1, y, x])
            flow += c[0, p, phase[z + 1, y, x]] * (at - u[z + 1, y, x])
            flow += c[1, p, phase[z, y - 1, x]] * (at - u[z, y - 1, x])
            flow += c[1, p, phase[z, y + 1, x]] * (at - u[z, y + 1, x])
            flow += c[2, p, phase[z, y, x - 1]] * (at - u[z, y, x - 1])
            flow += c[2, p, phase[z, y, x + 1]] * (at - u[z, y, x + 1])
        row[x - 1] = flow


def _of_even(op: Any, u: Any, z: Any, y: Any, row: Any) -> Any:
    d, w = op.diagonal[z, y, 1:-1], op.weights
    at, before, after = u[z, y, 1:-1], u[z, y, :-2], u[z, y, 2:]
    for x in range(row.size):
        row[x] = d[x] * at[x] - w[2] * (before[x] + after[x])
    below, above = u[z - 1, y, 1:-1], u[z + 1, y, 1:-1]
    front, back = u[z, y - 1, 1:-1], u[z, y + 1, 1:-1]
    for x in range(row.size):
        row[x] -= w[0] * (below[x] + above[x]) + w[1] * (front[x] + back[x])


def _of_faces(op: Any, u: Any, z: Any, y: Any, row: Any) -> Any:
    c, at = op.values, u[z, y, 1:-1]
    low, high = c[0, z, y, 1:-1], c[0, z + 1, y, 1:-1]
    below, above = u[z - 1, y, 1:-1], u[z + 1, y, 1:-1]
    for x in range(row.size):
        row[x] = low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x])
    low, high = c[1, z, y, 1:-1], c[1, z, y + 1, 1:-1]
    below, above = u[z, y - 1, 1:-1], u[z, y + 1, 1:-1]
    for x in range(row.size):
        row[x] += low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x])
    low, high = c[2, z, y, 1:-1], c[2, z, y, 2:]
    below, above = u[z, y, :-2], u[z, y, 2:]
    for x in range(row.size):
        row[x] += low[x] * (at[x] - below[x]) + high[x] * (at[x] - above[x])


def _even_diagonal(op: Any, z: Any, y: Any, row: Any) -> Any:
    d = op.diagonal[z, y, 1:-1]
    for x in range(row.size):
        row[x] = d[x]


def _face_diagonal(op: Any, z: Any, y: Any, row: Any) -> Any:
    c = op.values
    below, above = c[0, z, y, 1:-1], c[0, z + 1, y, 1:-1]
    front, back = c[1, z, y, 1:-1], c[1, z, y + 1, 1:-1]
    before, after = c[2, z, y, 1:-1], c[2, z, y, 2:]
    for x in range(row.size):
        row[x] = below[x] + above[x] + before[x] + after[x]
    for x in range(row.size):
        row[x] += front[x] + back[x]
