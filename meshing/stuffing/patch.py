"""The part of a mesh that is worked on: cells around some points, found by point."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Cells = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@njit(cache=True)
def cells_at(tets: Cells, marked: Flags) -> Flags:
    """Cells with a marked point, as flags."""
    found = np.zeros(tets.shape[0], dtype=np.bool_)
    for t in range(tets.shape[0]):
        found[t] = (
            marked[tets[t, 0]] or marked[tets[t, 1]] or marked[tets[t, 2]] or marked[tets[t, 3]]
        )
    return found


@njit(cache=True)
def _in_order_of_keys(cells: Cells, keys: npt.NDArray[np.int64]) -> None:
    """Sort the vertices of each cell by key, but for an exchange of the last two for its sign."""
    for t in range(cells.shape[0]):
        odd = False
        for i in range(1, 4):
            for j in range(i, 0, -1):
                if keys[cells[t, j]] < keys[cells[t, j - 1]]:
                    cells[t, j], cells[t, j - 1] = cells[t, j - 1], cells[t, j]
                    odd = not odd
        if odd:
            cells[t, 2], cells[t, 3] = cells[t, 3], cells[t, 2]


@njit(cache=True)
def _incidence(
    cells: Cells, row: npt.NDArray[np.int32], rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cells of each row, as offsets and one list; points without a row are left out."""
    offsets = np.zeros(rows + 1, dtype=np.int64)
    for t in range(cells.shape[0]):
        for k in range(4):
            if row[cells[t, k]] >= 0:
                offsets[row[cells[t, k]] + 1] += 1
    offsets = np.cumsum(offsets)
    free = offsets[:-1].copy()
    listed = np.empty(offsets[-1], dtype=np.int64)
    for t in range(cells.shape[0]):
        for k in range(4):
            r = row[cells[t, k]]
            if r >= 0:
                listed[free[r]] = t
                free[r] += 1
    return offsets, listed


@dataclass(frozen=True)
class Patch:
    """All cells around the covered points.

    Attributes:
        cells: Vertices as rows of the mesh's points, shape ``(cells, 4)``, in an order that
            depends on their keys alone, so that every rank rounds alike.
        row: Row of each point of the mesh in ``offsets``; -1 where it is not covered.
        offsets: Where the cells of each covered point begin in ``listed``, and its length.
        listed: Rows of ``cells``.
    """

    cells: Cells
    row: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    listed: npt.NDArray[np.int64]

    @classmethod
    def around(cls, tets: Cells, keys: npt.NDArray[np.int64], covered: Flags) -> "Patch":
        """Gather the cells.

        Args:
            tets: Vertices of all cells, shape ``(cells, 4)``.
            keys: Key of each point.
            covered: Flags of the points whose cells are wanted.
        """
        cells = tets[cells_at(tets, covered)]
        _in_order_of_keys(cells, keys)
        row = np.where(covered, np.cumsum(covered, dtype=np.int32) - 1, -1).astype(np.int32)
        offsets, listed = _incidence(cells, row, int(np.count_nonzero(covered)))
        return cls(cells, row, offsets, listed)


def with_neighbours(tets: Cells, marked: Flags) -> Flags:
    """The marked points and all that share a cell with one, as flags."""
    grown = marked.copy()
    grown[tets[cells_at(tets, marked)].ravel()] = True
    return grown
