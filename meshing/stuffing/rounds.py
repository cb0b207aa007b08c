"""One round of moves: who may move, the moves, and what is known of them afterwards."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing.patch import Patch, with_neighbours
from voxtrode.meshing.stuffing.search import improve_vertex, squared_sine

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]
Cells = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@njit(cache=True)
def _lot(key: int, turn: int) -> np.uint64:
    """A number drawn for a key in a round; different keys have different ones.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195), which is
    one to one.
    """
    z = np.uint64(key) + np.uint64(turn + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def _goes_first(
    vertex: int,
    star: Rows,
    cells: Cells,
    waiting: Flags,
    reach: Floats,
    keys: Keys,
    turn: int,
) -> bool:
    """Whether a vertex comes before all that wait around it: the freest one, then by lot."""
    lot = _lot(keys[vertex], turn)
    for t in star:
        for k in range(4):
            other = cells[t, k]
            if other == vertex or not waiting[other] or reach[other] < reach[vertex]:
                continue
            if reach[other] > reach[vertex] or _lot(keys[other], turn) > lot:
                return False
    return True


@njit(cache=True)
def _first_ones(
    asked: Rows,
    waiting: Flags,
    reach: Floats,
    keys: Keys,
    turn: int,
    row: npt.NDArray[np.int32],
    offsets: Rows,
    listed: Rows,
    cells: Cells,
) -> Rows:
    """Those of the points asked for that come first: no two of them share a cell."""
    first = np.zeros(asked.size, dtype=np.bool_)
    for i in range(asked.size):
        r = row[asked[i]]
        star = listed[offsets[r] : offsets[r + 1]]
        first[i] = _goes_first(asked[i], star, cells, waiting, reach, keys, turn)
    return asked[first]


@njit(cache=True)
def _try_all(
    tried: Rows,
    points: Floats,
    start: Floats,
    frozen: Flags,
    reach: Floats,
    goal: float,
    row: npt.NDArray[np.int32],
    offsets: Rows,
    listed: Rows,
    cells: Cells,
    quality: Floats,
) -> None:
    for v in tried:
        star = listed[offsets[row[v]] : offsets[row[v] + 1]]
        improve_vertex(v, star, points, start[v], frozen[v], reach[v], cells, quality, goal)


@njit(cache=True)
def _renew(
    moved: Rows,
    x: Floats,
    row: npt.NDArray[np.int32],
    offsets: Rows,
    listed: Rows,
    cells: Cells,
    quality: Floats,
    settled: Flags,
) -> None:
    """Judge the cells around moved points anew; all their points may be tried again."""
    for v in moved:
        for t in listed[offsets[row[v]] : offsets[row[v] + 1]]:
            a, b, c, d = cells[t]
            quality[t] = squared_sine(x, a, b, c, d)
            settled[a] = settled[b] = settled[c] = settled[d] = False


@njit(cache=True)
def _judge(x: Floats, cells: Cells) -> Floats:
    quality = np.empty(cells.shape[0])
    for t in range(cells.shape[0]):
        quality[t] = squared_sine(x, cells[t, 0], cells[t, 1], cells[t, 2], cells[t, 3])
    return quality


@dataclass(frozen=True)
class Body:
    """The mesh and what its points may do; arguments of ``improve``.

    Attributes:
        points: Shape ``(points, 3)``; changed by the moves.
        tets: Vertices of the cells, shape ``(cells, 4)``.
        keys: Key of each point.
        frozen: Components that must not change, shape ``(points, 3)``.
        reach: Largest distance of each point from where it started.
    """

    points: Floats
    tets: Cells
    keys: Keys
    frozen: Flags
    reach: Floats


class Rounds:
    """A mesh in the course of its moves.

    A point that was tried in vain is settled: it waits again only once a cell around it has
    changed, since the search is deterministic.

    Args:
        body: The mesh; its points are changed.
        goal: Squared sine of the dihedral angles that is good enough.
        bad: Rows of all cells that may fall short of it.
    """

    def __init__(self, body: Body, goal: float, bad: Rows) -> None:
        self.body = body
        self.start = body.points.copy()
        self._goal = goal
        self._movable = (body.reach > 0.0) & ~np.all(body.frozen, axis=1)
        self._settled = np.zeros(len(body.points), dtype=bool)
        self._covered = self._settled.copy()
        self._cover(body.tets[bad].ravel())

    def waiting(self) -> Flags:
        """Points of bad cells that may be worth a try."""
        flags = np.zeros(len(self._settled), dtype=bool)
        flags[self._patch.cells[self._quality < self._goal].ravel()] = True
        flags &= self._movable & ~self._settled
        if np.any(flags & ~self._covered):
            self._cover(np.flatnonzero(flags))
        return flags

    def advance(self, owned: Flags, turn: int) -> tuple[Rows, Flags]:
        """Try the own points that come first in a round.

        Args:
            owned: The own points.
            turn: Number of the round.

        Returns:
            Rows of the points that were tried, and which of them have moved.
        """
        waiting = self.waiting()
        body, patch = self.body, self._patch
        around = (patch.row, patch.offsets, patch.listed, patch.cells)
        asked = np.flatnonzero(waiting & owned)
        tried = _first_ones(asked, waiting, body.reach, body.keys, turn, *around)
        held = body.points[tried]
        still = (body.points, self.start, body.frozen, body.reach, self._goal)
        _try_all(tried, *still, *around, self._quality)
        return tried, np.any(body.points[tried] != held, axis=1)

    def put(self, rows: Rows, positions: Floats) -> Flags:
        """Take over positions that other ranks have found, and say which of them are new."""
        moved: Flags = np.any(self.body.points[rows] != positions, axis=1)
        self.body.points[rows] = positions
        return moved

    def note(self, tried: Rows, moved: Flags) -> None:
        """Learn from the tries of a round, on whichever rank they were made."""
        self._settled[tried[~moved]] = True
        changed = tried[moved]
        if not np.all(self._covered[changed]):
            self._cover(changed)
        patch = self._patch
        around = (patch.row, patch.offsets, patch.listed, patch.cells)
        _renew(changed, self.body.points, *around, self._quality, self._settled)

    def _cover(self, rows: npt.NDArray[np.signedinteger]) -> None:
        """Gather the cells around points and around their neighbours."""
        marked = np.zeros(len(self._settled), dtype=bool)
        marked[rows] = True
        self._covered |= with_neighbours(self.body.tets, marked)
        self._patch = Patch.around(self.body.tets, self.body.keys, self._covered)
        self._quality = _judge(self.body.points, self._patch.cells)
