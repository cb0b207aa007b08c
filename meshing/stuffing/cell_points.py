"""Points in the edges, faces and inside of a lattice cell that phases cut.

Every edge, face and cell has one point: that of an edge is its cut, or an end where there is none;
that of a face is the junction of three phases where all its edges are cut, else one of its cuts.
That of a cell is one of these (:mod:`voxtrode.meshing.stuffing.cleaving` chooses) or a new one. The
point of a face depends on the face alone.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from voxtrode.meshing.stuffing.cutting import (
    ANY,
    EDGES,
    Cells,
    Corners,
    CutEdges,
    Flags,
    Floats,
    Labels,
    Rows,
    is_single,
)
from voxtrode.meshing.stuffing.geometry import squared_distance
from voxtrode.meshing.stuffing.sampling import Fields, best_phase, sample
from voxtrode.meshing.stuffing.table import find_or_add, pair_key

FACES = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Faces of a cell, each opposite the corner of its row."""
EDGE_OF = np.array([[-1, 0, 1, 2], [0, -1, 3, 4], [1, 3, -1, 5], [2, 4, 5, -1]])
"""Edge of a cell between two corners."""
_NEAREST_SIDE = 0.15
"""Smallest barycentric coordinate of a junction in its face."""


class Points(NamedTuple):
    """Lattice points, then cuts, then points in faces and cells.

    Attributes:
        x: Coordinates (z, y, x) [µm], shape ``(room, 3)``.
        names: Lattice points that each point beyond the lattice lies between, −1 where fewer than
            four, shape ``(room, 4)``.
        labels: Phases of the lattice points only, ``ANY`` outside the electrode.
        sets: Bits of the phases that these belong to.
        cut: Row of the cut of each edge between phases, −1 where none is left.
    """

    x: Floats
    names: Cells
    labels: Labels
    sets: Rows
    cut: Rows


class Cell(NamedTuple):
    """Rows of the points of one lattice cell.

    Attributes:
        corner: Its corners, shape ``(4,)``.
        cut: Cuts of its edges in the order of ``EDGES``, −1 for none, shape ``(6,)``.
        edge: Points of its edges, shape ``(6,)``.
        face: Points of its faces in the order of ``FACES``, shape ``(4,)``.
        junction: Which of these are junctions of three phases, shape ``(4,)``.
    """

    corner: Rows
    cut: Rows
    edge: Rows
    face: Rows
    junction: Flags


@njit(cache=True)
def new_cell() -> Cell:
    """Room for the points of a cell."""
    return Cell(
        np.empty(4, dtype=np.int64),
        np.empty(6, dtype=np.int64),
        np.empty(6, dtype=np.int64),
        np.empty(4, dtype=np.int64),
        np.empty(4, dtype=np.bool_),
    )


def with_cuts(corners: Corners, edges: CutEdges, of_cell: Cells) -> tuple[Points, int]:
    """Lattice points and cuts, with room for all junctions and a point inside each active cell.

    Args:
        corners: Lattice points.
        edges: Edges between phases.
        of_cell: Rows of these for each active cell, see :func:`mixed_edges`.

    Returns:
        The points, and how many there are without those that have only room.
    """
    cut, added = _cut_points(corners.x, edges)
    n, used = len(corners.x), len(corners.x) + len(added)
    room = used + _count_junctions(of_cell, cut) + len(of_cell)
    x = np.empty((room, 3))
    x[:n], x[n:used] = corners.x, added
    names = np.empty((room, 4), dtype=np.int32)
    names[n:used, :2] = edges.ends[cut >= 0]
    names[n:used, 2:] = -1
    return Points(x, names, corners.labels, corners.sets, cut), used


@njit(cache=True)
def _cut_points(x: Floats, edges: CutEdges) -> tuple[Rows, Floats]:
    """Row of each edge's cut among all points, −1 without one; coordinates of cuts [µm]."""
    ends, place = edges.ends, edges.place
    row = np.full(len(ends), -1, dtype=np.int64)
    count = 0
    for e in range(len(ends)):
        if place[e] >= 0.0:
            row[e] = len(x) + count
            count += 1
    out = np.empty((count, 3))
    at = 0
    for e in range(len(ends)):
        if row[e] >= 0:
            a, b = ends[e, 0], ends[e, 1]
            for axis in range(3):
                out[at, axis] = x[a, axis] + place[e] * (x[b, axis] - x[a, axis])
            at += 1
    return row, out


@njit(cache=True)
def read_cuts(cell: Cell, edges: Cells, cut: Rows) -> bool:
    """Looks up the cuts of a cell's edges; whether there are any.

    Args:
        cell: The cell; `cut` is written.
        edges: Its edges between phases, −1 for others, shape ``(6,)``.
        cut: See :class:`Points`.
    """
    found = False
    for e in range(6):
        cell.cut[e] = cut[edges[e]] if edges[e] >= 0 else -1
        found |= cell.cut[e] >= 0
    return found


@njit(cache=True)
def _has_junction(cell: Cell, face: int) -> bool:
    """Whether all three edges of a face are cut."""
    i, j, k = FACES[face]
    a, b, c = EDGE_OF[i, j], EDGE_OF[i, k], EDGE_OF[j, k]
    return bool(cell.cut[a] >= 0 and cell.cut[b] >= 0 and cell.cut[c] >= 0)


@njit(cache=True)
def _count_junctions(of_cell: Cells, cut: Rows) -> int:
    """Faces with a junction, those between two cells twice."""
    count = 0
    cell = new_cell()
    for row in range(len(of_cell)):
        if read_cuts(cell, of_cell[row], cut):
            for f in range(4):
                count += _has_junction(cell, f)
    return count


@njit(cache=True)
def place_edges(cell: Cell, points: Points) -> None:
    """Finds the point of each edge: its cut, else a snapped end, else the first row."""
    for e in range(6):
        if cell.cut[e] >= 0:
            cell.edge[e] = cell.cut[e]
            continue
        a, b = cell.corner[EDGES[e, 0]], cell.corner[EDGES[e, 1]]
        own_a, own_b = _is_whole(points, a), _is_whole(points, b)
        if own_a == own_b:
            cell.edge[e] = min(a, b)
        else:
            cell.edge[e] = b if own_a else a


@njit(cache=True)
def _is_whole(points: Points, a: int) -> bool:
    return bool(points.labels[a] == ANY or is_single(points.labels, points.sets, a))


@njit(cache=True)
def place_faces(fields: Fields, cell: Cell, points: Points, table: Rows, used: int) -> int:
    """Finds the point of each face, and adds junctions.

    Args:
        fields: The fields.
        cell: The cell; `face` and `junction` are written.
        points: All points; `x` and `names` are written from row `used` on.
        table: Junctions so far, by their cuts.
        used: Points so far.

    Returns:
        Points that there are now.
    """
    corner = np.empty(3, dtype=np.int64)
    cut = np.empty(3, dtype=np.int64)
    for f in range(4):
        i, j, k = _sorted_three(cell.corner, FACES[f])
        corner[0], corner[1], corner[2] = cell.corner[i], cell.corner[j], cell.corner[k]
        cut[0] = cell.cut[EDGE_OF[j, k]]
        cut[1] = cell.cut[EDGE_OF[i, k]]
        cut[2] = cell.cut[EDGE_OF[i, j]]
        cell.junction[f] = _has_junction(cell, f)
        if not cell.junction[f]:
            cell.face[f] = _face_point(points.x, corner, cut)
            continue
        pair = pair_key(min(cut[0], cut[1], cut[2]), max(cut[0], cut[1], cut[2]))
        cell.face[f] = find_or_add(table, pair, used)
        if cell.face[f] == used:
            _add_junction(fields, points, corner, used)
            used += 1
    return used


@njit(cache=True)
def _sorted_three(corner: Rows, face: Rows) -> tuple[int, int, int]:
    """The corners of a face in the order of their rows, so that both of its cells see the same."""
    i, j, k = face[0], face[1], face[2]
    if corner[i] > corner[j]:
        i, j = j, i
    if corner[j] > corner[k]:
        j, k = k, j
    if corner[i] > corner[j]:
        i, j = j, i
    return i, j, k


@njit(cache=True)
def _face_point(x: Floats, corner: Rows, cut: Rows) -> int:
    """Point of a face that is not a junction: the cut that makes the shorter diagonal.

    Args:
        x: All points [µm].
        corner: The corners, ascending.
        cut: Cuts of the edges opposite each corner, −1 for none.
    """
    cuts = 0
    whole = 0
    last = corner[0]
    for i in range(3):
        if cut[i] >= 0:
            cuts += 1
            last = cut[i]
        else:
            whole = i
    if cuts < 2:
        return int(last)
    # The edge opposite `whole` is not cut: its ends are u and v; the cuts lie between these and it.
    u, v = (1 if whole == 0 else 0), (1 if whole == 2 else 2)
    on_u, on_v = cut[v], cut[u]
    if squared_distance(x, on_u, corner[v]) <= squared_distance(x, on_v, corner[u]):
        return int(on_u)
    return int(on_v)


@njit(cache=True)
def _add_junction(fields: Fields, points: Points, corner: Rows, used: int) -> None:
    """Where three phases meet in a face, their fields taken as linear, kept off its sides."""
    weight = _meeting(fields, points, corner)
    for i in range(3):
        weight[i] = min(max(weight[i], _NEAREST_SIDE), 1.0 - 2.0 * _NEAREST_SIDE)
    weight /= weight[0] + weight[1] + weight[2]
    for axis in range(3):
        points.x[used, axis] = 0.0
        for i in range(3):
            points.x[used, axis] += weight[i] * points.x[corner[i], axis]
    for i in range(3):
        points.names[used, i] = corner[i]
    points.names[used, 3] = -1


@njit(cache=True)
def _meeting(fields: Fields, points: Points, corner: Rows) -> Floats:
    """Barycentric coordinates of where the best phases of three corners have equal fields."""
    x = points.x
    values = np.empty((3, fields.values.shape[0]))
    phase = np.empty(3, dtype=np.int64)
    for i in range(3):
        p = x[corner[i]]
        phase[i] = best_phase(fields, p[0], p[1], p[2], points.sets[corner[i]])
        sample(fields.values, fields.grid, p, values[i])
        values[i] += fields.shift
    a, b = np.empty(3), np.empty(3)
    for i in range(3):
        a[i] = values[i, phase[0]] - values[i, phase[1]]
        b[i] = values[i, phase[0]] - values[i, phase[2]]
    weight = np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )
    total = weight[0] + weight[1] + weight[2]
    if abs(total) > 1e-12:
        weight /= total
    else:
        weight[:] = 1.0 / 3.0
    return weight


@njit(cache=True)
def add_inside(cell: Cell, points: Points, used: int) -> None:
    """Writes a point inside a cell: the middle of its four junctions, else of cuts and corners."""
    x = points.x
    four = cell.junction.all()
    x[used] = 0.0
    total = 0
    if four:
        for f in range(4):
            x[used] += x[cell.face[f]]
            total += 1
    else:
        for e in range(6):
            if cell.cut[e] >= 0:
                x[used] += x[cell.cut[e]]
                total += 1
        for i in range(4):
            x[used] += x[cell.corner[i]]
            total += 1
    x[used] /= total
    for i in range(4):
        points.names[used, i] = cell.corner[i]
