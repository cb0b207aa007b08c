"""Where the phases cut the edges of a lattice.

A lattice point belongs to the phase with the largest field. An edge between two phases is cut where
their fields are equal.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing.sampling import Fields, difference, sample
from voxtrode.meshing.stuffing.table import find_or_add, new_table, pair_key

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Cells = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
"""Edges of a cell by its corners."""
ANY = 255
"""Label of points outside the electrode: they belong to every phase and cut nothing."""
_SECANTS = 8
_ROOT_TOLERANCE = 1e-3
"""Difference of two fields at a cut [voxels]."""
_INSIDE = 1e-6
"""Distance of a cut from the ends of its edge [edge lengths], at least."""


class Corners(NamedTuple):
    """Lattice points.

    Attributes:
        points: Half units (z, y, x), shape ``(n, 3)``.
        fixed: Coordinates that stay, shape ``(n, 3)``.
        rest: Where the points are before any is snapped [µm], shape ``(n, 3)``.
        x: Where they are now.
        labels: Their phases, ``ANY`` outside the electrode.
        sets: Bits of the phases that they belong to; all bits outside the electrode.
    """

    points: Cells
    fixed: Flags
    rest: Floats
    x: Floats
    labels: Labels
    sets: Rows


class CutEdges(NamedTuple):
    """Edges between two phases.

    Attributes:
        ends: Rows of their lattice points, the smaller one first, shape ``(m, 2)``.
        nearest: How near to an end a cut may be [edge lengths].
        place: Where the cut is [edge lengths from the first end]; negative where none is left.
    """

    ends: Rows
    nearest: Floats
    place: Floats


@njit(cache=True)
def sample_points(
    values: npt.NDArray[np.float32], grid: Floats, x: Floats, outside: Flags
) -> Floats:
    """Fields at points [µm], shape ``(points, phases)``; zero where they are outside."""
    out = np.zeros((len(x), values.shape[0]))
    for p in range(len(x)):
        if not outside[p]:
            sample(values, grid, x[p], out[p])
    return out


@njit(cache=True)
def label_points(sampled: Floats, shift: Floats, outside: Flags) -> Labels:
    """Phase with the largest field, its constant added; the first one of equals."""
    labels = np.empty(len(sampled), dtype=np.uint8)
    for p in range(len(sampled)):
        best = 0
        for k in range(1, sampled.shape[1]):
            if sampled[p, k] + shift[k] > sampled[p, best] + shift[best]:
                best = k
        labels[p] = ANY if outside[p] else best
    return labels


def sets_of(labels: Labels) -> Rows:
    """Bits of the phases that points belong to before any is snapped."""
    own = np.left_shift(1, np.minimum(labels, 62).astype(np.int64))
    return np.where(labels == ANY, np.int64(-1), own)


@njit(cache=True)
def is_single(labels: Labels, sets: Rows, point: int) -> bool:
    """Whether a point of the electrode belongs to no phase but that of its label."""
    return bool(sets[point] == np.int64(1) << np.int64(labels[point]))


@njit(cache=True)
def mixed_cells(tets: Cells, labels: Labels) -> Flags:
    """Cells with points of different phases."""
    out = np.zeros(len(tets), dtype=np.bool_)
    for t in range(len(tets)):
        lowest, highest = ANY, -1
        for i in range(4):
            label = int(labels[tets[t, i]])
            if label != ANY:
                lowest, highest = min(lowest, label), max(highest, label)
        out[t] = lowest < highest
    return out


def mixed_edges(tets: Cells, active: Flags, labels: Labels) -> tuple[Rows, Cells]:
    """Edges between phases, in order of appearance, and those of each cell.

    Args:
        tets: Rows of the corners of the lattice cells, shape ``(cells, 4)``.
        active: Cells with points of different phases.
        labels: Phases of the lattice points.

    Returns:
        Ends of each edge, the smaller row first, shape ``(edges, 2)``; rows of these for the edges
        of each active cell in the order of ``EDGES``, −1 within a phase, ``(active cells, 6)``.
    """
    n = int(np.count_nonzero(active))
    of_cell = np.empty((n, 6), dtype=np.int32)
    # As a rule there are fewer of them than cells; there cannot be more than six a cell.
    room, count = n + 6, -1
    while count < 0:
        ends = np.empty((room, 2), dtype=np.int64)
        count = _list_edges(tets, active, labels, new_table(room), ends, of_cell)
        room *= 2
    return ends[:count], of_cell


@njit(cache=True)
def _list_edges(
    tets: Cells, active: Flags, labels: Labels, table: Rows, ends: Rows, of_cell: Cells
) -> int:
    """Number of edges written to `ends`; −1 where it has too few rows."""
    count = 0
    row = 0
    for t in range(len(tets)):
        if not active[t]:
            continue
        for e in range(6):
            a, b = tets[t, EDGES[e, 0]], tets[t, EDGES[e, 1]]
            of_cell[row, e] = -1
            if labels[a] == labels[b] or labels[a] == ANY or labels[b] == ANY:
                continue
            found = find_or_add(table, pair_key(a, b), count)
            of_cell[row, e] = found
            if found == count:
                if count == len(ends):
                    return -1
                ends[count, 0] = min(a, b)
                ends[count, 1] = max(a, b)
                count += 1
        row += 1
    return count


@njit(cache=True)
def root(
    fields: Fields, p: Floats, q: Floats, here: int, there: int, fa: float, fb: float
) -> float:
    """Where the fields of two sets of phases are equal on the way from p to q, in [0, 1].

    Args:
        fields: The fields.
        p, q: Points (z, y, x) [µm].
        here, there: Bits of the phases.
        fa, fb: Differences of the fields at p and q, see :func:`difference`.

    Returns:
        By regula falsi (Illinois); 0 where `there` already wins at p, 1 where `here` still does
        at q.
    """
    if fa <= 0.0:
        return 0.0
    if fb >= 0.0:
        return 1.0
    a, b = 0.0, 1.0
    side = 0
    t = fa / (fa - fb)
    for _ in range(_SECANTS - 1):
        f = difference(fields, p, q, t, here, there)
        if abs(f) < _ROOT_TOLERANCE:
            break
        if f > 0.0:
            a, fa = t, f
            if side == 1:
                fb *= 0.5
            side = 1
        else:
            b, fb = t, f
            if side == -1:
                fa *= 0.5
            side = -1
        t = (a * fb - b * fa) / (fb - fa)
    return t


@njit(cache=True)
def place_cuts(fields: Fields, corners: Corners, sampled: Floats, edges: CutEdges) -> None:
    """Finds the cut on every edge between phases.

    Args:
        fields: The fields.
        corners: Lattice points, none moved.
        sampled: Fields at these [voxels], shape ``(points, phases)``.
        edges: Edges; `place` is written.
    """
    shift, x = fields.shift, corners.x
    for e in range(len(edges.ends)):
        a, b = edges.ends[e, 0], edges.ends[e, 1]
        i, j = int(corners.labels[a]), int(corners.labels[b])
        fa = sampled[a, i] + shift[i] - (sampled[a, j] + shift[j])
        fb = sampled[b, i] + shift[i] - (sampled[b, j] + shift[j])
        t = root(fields, x[a], x[b], 1 << i, 1 << j, fa, fb)
        edges.place[e] = min(max(t, _INSIDE), 1.0 - _INSIDE)
