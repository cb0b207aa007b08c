"""A preconditioner in single precision: aggregation multigrid with a K-cycle.

Aggregates of 2 × 2 × 2 cells with one value each, as in Y. Notay, *An aggregation-based algebraic
multigrid method*, Electron. Trans. Numer. Anal. 37 (2010), and its K-cycle (Y. Notay, P. S.
Vassilevski, *Recursive Krylov-based multigrid cycles*, Numer. Linear Algebra Appl. 15 (2008)): on
the upper coarse levels two steps of flexible conjugate gradients, below them a V-cycle. A value per
aggregate makes the summed conductances too stiff (twice, for a linear field), hence `SCALE`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport import kernels
from voxtrode.solvers.voxel_transport.kernels import Cells, Operator, Shape
from voxtrode.solvers.voxel_transport.slab import Slab
from voxtrode.solvers.voxel_transport.vectors import add_scaled, combine, product

SCALE = 0.6
"""Of the summed faces across an axis that is coarsened: 0.5 is right for a linear field in the
bulk, 1 for a channel of one voxel."""

DIRECT = 300
"""Cells up to which a level is solved directly."""

K_LEVELS = 2
"""Coarse levels, from the top, that are solved by the K-cycle."""

LOWEST = 0.3
"""Lower end of the interval on which two sweeps smooth; D⁻¹A of a graph Laplacian ends at 2."""

WEIGHTS = tuple(
    np.float32(1.0 / ((2.0 + LOWEST) / 2.0 + (2.0 - LOWEST) / 2.0 * np.cos(np.pi * at)))
    for at in (0.25, 0.75)
)
"""Weights of two Jacobi sweeps: inverse roots of the Chebyshev polynomial on [LOWEST, 2]."""


@dataclass(frozen=True, eq=False)
class Level:
    """A level and its work space; every array has ghosts.

    Attributes:
        op: The operator, single precision.
        half: 1 along the axes z, y, x with two cells per aggregate of the next level, else 0.
        b: Right-hand side; of no use on the finest level.
        u, v: The two arrays that sweeps go between.
        steps: Two more for the K-cycle; none elsewhere.
    """

    op: Operator
    half: Shape
    b: Cells
    u: Cells
    v: Cells
    steps: tuple[Cells, ...]


class Multigrid:
    """One cycle is an approximate inverse of the operator, symmetric but for the K-cycle."""

    def __init__(self, op: Operator, edges: NDArray[np.float64], slab: Slab) -> None:
        """Coarsen down to a level that is solved directly.

        Args:
            op: The finest operator, single precision.
            edges: Edge lengths of a voxel along z, y, x: axes along which voxels are more than 1.5
                times longer couple weakly, and are coarsened later.
            slab: Ghosts and sums.
        """
        self._slab = slab
        self._levels: list[Level] = []
        shape = _shape(op[0].shape[-3:])
        while np.prod(np.array(shape) - 2) > DIRECT:
            half = _halved(shape, edges)
            self._levels.append(_level(op, half, shape, len(self._levels)))
            edges = edges * (1 + np.array(half))
            op, shape = _coarser(op, half, shape, slab)
        self._inverse = _inverse(op, shape, slab)
        self._bottom = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def apply(self, b: Cells) -> Cells:
        """The finest level's answer to b; lives until the next call. Its ghosts are of no use."""
        return self._cycle(0, b)

    def _cycle(self, depth: int, b: Cells) -> Cells:
        if depth == len(self._levels):
            return self._direct(b)
        level, fill = self._levels[depth], self._slab.fill
        kernels.first_sweep(level.op, b, WEIGHTS[0], level.u)
        fill(level.u)
        kernels.sweep(level.op, b, WEIGHTS[1], level.u, level.v)
        fill(level.v)
        below = self._rhs(depth + 1)
        kernels.restrict(level.op, b, level.v, level.half, below)
        kernels.prolong(level.op, self._solve(depth + 1, below), level.half, level.v)
        fill(level.v)
        kernels.sweep(level.op, b, WEIGHTS[0], level.v, level.u)
        fill(level.u)
        kernels.sweep(level.op, b, WEIGHTS[1], level.u, level.v)
        return level.v

    def _rhs(self, depth: int) -> Cells:
        return self._levels[depth].b if depth < len(self._levels) else self._bottom[0]

    def _solve(self, depth: int, b: Cells) -> Cells:
        """A coarse problem: two steps of flexible conjugate gradients, or one cycle."""
        if depth == len(self._levels) or not self._levels[depth].steps:
            return self._cycle(depth, b)
        level, total, fill = self._levels[depth], self._slab.total, self._slab.fill
        c, a_c = level.steps
        c[:] = self._cycle(depth, b)
        fill(c)
        rho = total(kernels.apply(level.op, c, a_c))
        if rho <= 0.0:  # b = 0, and c with it
            return c
        step = total(product(c, b)) / rho
        add_scaled(b, np.float32(-step), a_c)
        d = self._cycle(depth, b)
        fill(d)
        gamma = total(product(d, a_c))
        beta = total(kernels.apply(level.op, d, level.u))
        left = beta - gamma * gamma / rho
        second = total(product(d, b)) / left if left > 0.0 else 0.0
        combine(c, np.float32(step - gamma * second / rho), c, np.float32(second), d)
        return c

    def _direct(self, b: Cells) -> Cells:
        result = self._bottom[1]
        inner = (slice(1, -1),) * 3
        result[inner] = (self._inverse @ b[inner].ravel()).reshape(result[inner].shape)
        return result


def _level(op: Operator, half: Shape, shape: Shape, depth: int) -> Level:
    def arrays(count: int) -> list[Cells]:
        return [np.zeros(shape, np.float32) for _ in range(count)]

    b = arrays(1)[0] if depth > 0 else np.zeros((0, 0, 0), np.float32)
    u, v = arrays(2)
    return Level(op, half, b, u, v, tuple(arrays(2 if 0 < depth <= K_LEVELS else 0)))


def _shape(cells: Iterable[int]) -> Shape:
    nz, ny, nx = cells
    return nz, ny, nx


def _halved(shape: Shape, edges: NDArray[np.float64]) -> Shape:
    """1 along the axes that couple strongly, where there is more than one cell; else 0."""
    cells = np.array(shape) - 2
    limit = 1.5 * edges[cells > 1].min()
    z, y, x = (int(n > 1 and edge <= limit) for n, edge in zip(cells, edges, strict=True))
    return z, y, x


def _coarser(op: Operator, half: Shape, shape: Shape, slab: Slab) -> tuple[Operator, Shape]:
    coarse = _shape((n - 2 + h) // (1 + h) + 2 for n, h in zip(shape, half, strict=True))
    faces = np.zeros((3, *coarse), np.float32)
    z, y, x = (np.float32(SCALE if h else 1.0) for h in half)
    kernels.coarsen(op, half, (z, y, x), slab.periodic, shape, faces)
    return (faces,), coarse


def _inverse(op: Operator, shape: Shape, slab: Slab) -> NDArray[np.float32]:
    """Inverse of the coarsest operator, column by column; cells without faces get zero."""
    cells = int(np.prod(np.array(shape) - 2))
    inner = (slice(1, -1),) * 3
    matrix = np.zeros((cells, cells))
    unit, column = np.zeros(shape), np.zeros(shape)
    for i in range(cells):
        unit[:] = 0.0
        unit[inner].flat[i] = 1.0
        slab.fill(unit)
        column[:] = 0.0
        kernels.apply(op, unit, column)
        matrix[:, i] = column[inner].ravel()
    used = np.flatnonzero(np.diag(matrix) > 0.0)
    result = np.zeros((cells, cells), np.float32)
    result[np.ix_(used, used)] = np.linalg.inv(matrix[np.ix_(used, used)])
    return result
