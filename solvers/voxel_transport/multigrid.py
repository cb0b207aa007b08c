"""A preconditioner in single precision: aggregation multigrid with a K-cycle.

Aggregates of 2 × 2 × 2 cells with one value each, as in Y. Notay, *An aggregation-based algebraic
multigrid method*, Electron. Trans. Numer. Anal. 37 (2010), and its K-cycle (Y. Notay, P. S.
Vassilevski, *Recursive Krylov-based multigrid cycles*, Numer. Linear Algebra Appl. 15 (2008)): on
the upper coarse levels two steps of flexible conjugate gradients, below them a V-cycle. A value per
aggregate makes the summed conductances too stiff (twice, for a linear field), hence `SCALE`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport import kernels
from voxtrode.solvers.voxel_transport.kernels import Shape
from voxtrode.solvers.voxel_transport.problem import Problem
from voxtrode.solvers.voxel_transport.slab import Slab
from voxtrode.solvers.voxel_transport.storage import Cells, Even, Faces, Operator, Table
from voxtrode.solvers.voxel_transport.vectors import add_scaled, combine, product

SCALE = 0.6
"""Of the summed faces across an axis that is coarsened: 0.5 is right for a linear field in the
bulk, 1 for a channel of one voxel."""

DIRECT = 300
"""Cells up to which a level is solved directly."""

REPEATED = 30_000
"""Cells up to which every rank holds and solves a level: messages would cost more."""

K_LEVELS = 4
"""Coarse levels, from the top, that are solved by the K-cycle."""

LOWEST = 0.3
"""Lower end of the interval on which two sweeps smooth; D⁻¹A of a graph Laplacian ends at 2."""

WHOLE = slice(None)

WEIGHTS = tuple(
    np.float32(1.0 / ((2.0 + LOWEST) / 2.0 + (2.0 - LOWEST) / 2.0 * np.cos(np.pi * at)))
    for at in (0.25, 0.75)
)
"""Weights of two Jacobi sweeps: inverse roots of the Chebyshev polynomial on [LOWEST, 2]."""


@dataclass(frozen=True, eq=False)
class Level:
    """A level and its work space; every array has ghosts.

    Attributes:
        op: The operator of the layers at hand.
        slab: Where they lie.
        half: 1 along the axes z, y, x with two cells per aggregate of the next level, else 0.
        b: Right-hand side; of no use on the finest level.
        u, v: The two arrays that sweeps go between.
        steps: Two more for the K-cycle; none elsewhere.
    """

    op: Operator
    slab: Slab
    half: Shape
    b: Cells
    u: Cells
    v: Cells
    steps: tuple[Cells, ...]


@dataclass(frozen=True, eq=False)
class Bottom:
    """The coarsest level, whole on every rank.

    Attributes:
        inverse: Of its operator, float32[cells, cells].
        b, u: Right-hand side and solution, with ghosts.
    """

    inverse: NDArray[np.float32]
    b: Cells
    u: Cells


class Multigrid:
    """One cycle is an approximate inverse of the operator, symmetric but for the K-cycle.

    A level is spread over the slabs as long as each of them holds whole aggregates; from there on
    every rank holds, and solves, all of the level, which is small by then.
    """

    def __init__(self, problem: Problem, voxel: tuple[float, float, float]) -> None:
        """Coarsen down to a level that is solved directly; collective.

        Args:
            problem: The problem; its operator is the finest level.
            voxel: Edge lengths of a voxel along z, y, x: axes along which voxels are more than 1.5
                times longer couple weakly, and are coarsened later.
        """
        self._levels: list[Level] = []
        slab, edges = problem.slab, np.asarray(voxel)
        finest: Table | Faces = problem.table
        op = _single(problem)
        if isinstance(op, Faces):
            finest = op
        shape = _shape(problem.table.phase.shape)
        while _cells(shape, slab) > DIRECT or not _alone(slab):
            half = _halved(shape, slab, edges)
            self._levels.append(_level(op, slab, half, shape, len(self._levels)))
            edges = edges * (1 + np.array(half))
            op, slab, shape = _coarser(finest, slab, half, shape)
            finest = op
        zeros = np.zeros(shape, np.float32)
        self._bottom = Bottom(_inverse(op, shape, slab), zeros, zeros.copy())

    def apply(self, b: Cells) -> Cells:
        """The finest level's answer to b; lives until the next call. Its ghosts are of no use."""
        return self._cycle(0, b)

    def _cycle(self, depth: int, b: Cells) -> Cells:
        if depth == len(self._levels):
            return self._direct(b)
        level = self._levels[depth]
        fill = level.slab.fill
        kernels.first_sweep(level.op, b, WEIGHTS[0], level.u)
        fill(level.u)
        kernels.sweep(level.op, b, WEIGHTS[1], level.u, level.v)
        fill(level.v)
        below, mine = self._rhs(depth + 1)
        kernels.restrict(level.op, b, level.v, level.half, below[mine])
        if mine != WHOLE:
            own = below[mine][1:-1]
            level.slab.halved(level.half[0]).line.spread(own, below[1:-1])
        kernels.prolong(level.op, self._solve(depth + 1, below)[mine], level.half, level.v)
        fill(level.v)
        kernels.sweep(level.op, b, WEIGHTS[0], level.v, level.u)
        fill(level.u)
        kernels.sweep(level.op, b, WEIGHTS[1], level.u, level.v)
        return level.v

    def _rhs(self, depth: int) -> tuple[Cells, slice]:
        """A level's right-hand side, and the layers in it of the slab at hand one level above."""
        above = self._levels[depth - 1].slab
        if depth < len(self._levels):
            b, slab = self._levels[depth].b, self._levels[depth].slab
        else:
            b, slab = self._bottom.b, above.whole()
        if _alone(slab) and not _alone(above):
            starts = above.halved(self._levels[depth - 1].half[0]).line.starts
            rank = above.line.rank
            return b, slice(starts[rank], starts[rank + 1] + 2)
        return b, WHOLE

    def _solve(self, depth: int, b: Cells) -> Cells:
        """A coarse problem: two steps of flexible conjugate gradients, or one cycle."""
        if depth == len(self._levels) or not self._levels[depth].steps:
            return self._cycle(depth, b)
        level = self._levels[depth]
        total, fill = level.slab.total, level.slab.fill
        c, a_c = level.steps
        c[:] = self._cycle(depth, b)
        fill(c)
        rho = float(total(kernels.apply(level.op, c, a_c)))
        if rho <= 0.0:  # b = 0, and c with it
            return c
        step = float(total(product(c, b))) / rho
        add_scaled(b, np.float32(-step), a_c)
        d = self._cycle(depth, b)
        fill(d)
        gamma = float(total(product(d, a_c)))
        beta = float(total(kernels.apply(level.op, d, level.u)))
        left = beta - gamma * gamma / rho
        second = float(total(product(d, b))) / left if left > 0.0 else 0.0
        combine(c, np.float32(step - gamma * second / rho), np.float32(second), d)
        return c

    def _direct(self, b: Cells) -> Cells:
        result = self._bottom.u
        inner = (slice(1, -1),) * 3
        result[inner] = (self._bottom.inverse @ b[inner].ravel()).reshape(result[inner].shape)
        return result


def _single(problem: Problem) -> Operator:
    """The finest operator in single precision."""
    phase, values = problem.table
    if len(problem.conductivity) > 1:
        return Faces(kernels.faces_of_table(problem.table))
    weights = values[:, 1, 1].astype(np.float32)
    return Even(kernels.even(phase, weights), weights)


def _alone(slab: Slab) -> bool:
    return len(slab.line.starts) == 2


def _cells(shape: Shape, slab: Slab) -> int:
    """Cells of a level over all slabs."""
    return slab.line.starts[-1] * (shape[1] - 2) * (shape[2] - 2)


def _level(op: Operator, slab: Slab, half: Shape, shape: Shape, depth: int) -> Level:
    def arrays(count: int) -> list[Cells]:
        return [np.zeros(shape, np.float32) for _ in range(count)]

    b = arrays(1)[0] if depth > 0 else np.zeros((0, 0, 0), np.float32)
    u, v = arrays(2)
    return Level(op, slab, half, b, u, v, tuple(arrays(2 if 0 < depth <= K_LEVELS else 0)))


def _shape(cells: tuple[int, ...]) -> Shape:
    nz, ny, nx = cells
    return nz, ny, nx


def _halved(shape: Shape, slab: Slab, edges: NDArray[np.float64]) -> Shape:
    """1 along the axes that couple strongly, where there is more than one cell; else 0."""
    cells = np.array([slab.line.starts[-1], shape[1] - 2, shape[2] - 2])
    strong = edges[cells > 1]
    limit = 1.5 * strong.min() if len(strong) else 0.0
    z, y, x = (int(n > 1 and edge <= limit) for n, edge in zip(cells, edges, strict=True))
    return z if slab.lasting else 0, y, x


def _coarser(op: Table | Faces, slab: Slab, half: Shape, shape: Shape) -> tuple[Faces, Slab, Shape]:
    """The next level; whole on every rank where slabs no longer hold whole aggregates of it."""
    z, y, x = (np.float32(SCALE if h else 1.0) for h in half)
    coarse = _shape(tuple((n - 2 + h) // (1 + h) + 2 for n, h in zip(shape, half, strict=True)))
    below = slab.halved(half[0])
    single = [n == 1 for n in (below.line.starts[-1], coarse[1] - 2, coarse[2] - 2)]
    own = [wraps and one for wraps, one in zip(slab.periodic, single, strict=True)]
    faces = np.zeros((3, *coarse), np.float32)
    kernels.coarsen(op, half, (z, y, x), (own[0], own[1], own[2]), shape, faces)
    if _alone(below) or (below.lasting and _cells(coarse, below) > REPEATED):
        return Faces(faces), below, coarse
    total = _shape((below.line.starts[-1] + 2, coarse[1], coarse[2]))
    whole = np.zeros((3, *total), np.float32)
    for axis in range(3):
        below.line.spread(faces[axis, 1:-1], whole[axis, 1:-1])
    # The plane behind the last layer belongs to nobody's layers.
    whole[0, -1] = below.line.collect(faces[0, -1])[-1]
    return Faces(whole), below.whole(), total


def _inverse(op: Operator, shape: Shape, slab: Slab) -> NDArray[np.float32]:
    """Inverse of the coarsest operator, column by column; cells without faces get zero."""
    cells = int(np.prod(np.array(shape) - 2))
    inner = (slice(1, -1),) * 3
    matrix = np.zeros((cells, cells))
    unit, column = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
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
