"""Lattice cells that phases cut become tetrahedra of one phase each.

Every edge, face and cell has one point: that of an edge is its cut, or an end where there is none;
that of a face is the junction of three phases where all its edges are cut, else one of its cuts;
that of a cell is one of these. A face is cut into the triangles (corner, edge point, face point), a
cell into the cones from its point over its faces; what is flat because points coincide is left
out (Bronson, Levine & Whitaker 2012, doi:10.1007/978-3-642-33573-0_12, with the points of what is
not cut on cuts themselves). Since the point of a face depends on the face alone, cells conform.
"""

from itertools import permutations

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing.cutting import ANY
from voxtrode.meshing.stuffing.fields import sample
from voxtrode.meshing.stuffing.table import find, find_or_add, pair_key

EDGES = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
"""Edges of a cell by its corners."""
FACES = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Faces of a cell, each opposite the corner of its row."""
_EDGE_OF = np.array([[-1, 0, 1, 2], [0, -1, 3, 4], [1, 3, -1, 5], [2, 4, 5, -1]])


def _odd_orders() -> npt.NDArray[np.bool_]:
    """Whether (i, j, k, f) with f the face's row is an odd permutation, by [f, i, j]."""
    odd = np.zeros((4, 4, 4), dtype=np.bool_)
    for f, i, j, k in permutations(range(4)):
        order = (i, j, k, f)
        swaps = sum(order[a] > order[b] for a in range(4) for b in range(a + 1, 4))
        odd[f, i, j] = swaps % 2 == 1
    return odd


_ODD = _odd_orders()
_NEAREST_SIDE = 0.15
"""Smallest barycentric coordinate of a junction in its face."""


@njit(cache=True)
def _write_cut(
    out: npt.NDArray[np.float64], x: npt.NDArray[np.float64], a: int, b: int, t: float
) -> None:
    for axis in range(3):
        out[axis] = x[a, axis] + t * (x[b, axis] - x[a, axis])


@njit(cache=True)
def cut_points(
    x: npt.NDArray[np.float64], ends: npt.NDArray[np.int64], place: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Numbers of the cuts that are left (−1 for the others) and their coordinates [µm]."""
    number = np.full(len(ends), -1, dtype=np.int64)
    count = 0
    for e in range(len(ends)):
        if place[e] >= 0.0:
            number[e] = count
            count += 1
    out = np.empty((count, 3))
    for e in range(len(ends)):
        if number[e] >= 0:
            _write_cut(out[number[e]], x, ends[e, 0], ends[e, 1], place[e])
    return number, out


@njit(cache=True)
def _best_of(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    phases: int,
) -> int:
    """The phase of a set with the largest field at a point."""
    best, highest = -1, -1e30
    for k in range(values.shape[0]):
        if (phases >> k) & 1:
            value = sample(values, grid, p[0], p[1], p[2], k) + shift[k]
            if value > highest:
                best, highest = k, value
    return best


@njit(cache=True)
def _junction(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    sets: npt.NDArray[np.int64],
    corners: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """Where three phases meet in a face, their fields taken as linear, kept off its sides."""
    phase = np.empty(3, dtype=np.int64)
    for i in range(3):
        phase[i] = _best_of(values, grid, shift, x[corners[i]], sets[corners[i]])
    g = np.empty((3, 3))
    for i in range(3):
        p = x[corners[i]]
        for k in range(3):
            g[k, i] = sample(values, grid, p[0], p[1], p[2], phase[k]) + shift[phase[k]]
    a, b = g[0] - g[1], g[0] - g[2]
    weight = np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )
    total = weight[0] + weight[1] + weight[2]
    if abs(total) > 1e-12:
        weight /= total
    else:
        weight[:] = 1.0 / 3.0
    for i in range(3):
        weight[i] = min(max(weight[i], _NEAREST_SIDE), 1.0 - 2.0 * _NEAREST_SIDE)
    weight /= weight[0] + weight[1] + weight[2]
    for axis in range(3):
        out[axis] = 0.0
        for i in range(3):
            out[axis] += weight[i] * x[corners[i], axis]


@njit(cache=True)
def _distance(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    return (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2


@njit(cache=True)
def _volume(
    p: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    r: npt.NDArray[np.float64],
    s: npt.NDArray[np.float64],
) -> float:
    """Signed volume of (p, q, r, s) given as (z, y, x); positive where right-handed in (x, y, z)."""
    a0, a1, a2 = q[2] - p[2], q[1] - p[1], q[0] - p[0]
    b0, b1, b2 = r[2] - p[2], r[1] - p[1], r[0] - p[0]
    c0, c1, c2 = s[2] - p[2], s[1] - p[1], s[0] - p[0]
    return (a0 * (b1 * c2 - b2 * c1) - a1 * (b0 * c2 - b2 * c0) + a2 * (b0 * c1 - b1 * c0)) / 6.0


@njit(cache=True)
def _roundness(
    p: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    r: npt.NDArray[np.float64],
    s: npt.NDArray[np.float64],
) -> float:
    """Volume over the cube of the root mean square edge, up to a factor; larger is better."""
    edges = (
        _distance(p, q)
        + _distance(p, r)
        + _distance(p, s)
        + _distance(q, r)
        + _distance(q, s)
        + _distance(r, s)
    )
    return abs(_volume(p, q, r, s)) / edges**1.5


@njit(cache=True)
def _face_point(
    c: npt.NDArray[np.int64],
    cut: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
) -> int:
    """Point of a face that is not a junction: the cut that makes the shorter diagonal.

    Args:
        c: Corners, ascending.
        cut: Cuts on the edges opposite each corner, −1 for none.
        x: All points.
    """
    count = 0
    only = -1
    for i in range(3):
        if cut[i] >= 0:
            count += 1
            only = i
    if count == 0:
        return c[0]
    if count == 1:
        return cut[only]
    whole = 0
    for i in range(3):
        if cut[i] < 0:
            whole = i
    # The edge opposite `whole` is not cut: its ends u, v; the cuts lie on (u, whole), (v, whole).
    u, v = (whole + 1) % 3, (whole + 2) % 3
    if u > v:
        u, v = v, u
    on_u, on_v = cut[v], cut[u]
    if _distance(x[on_u], x[c[v]]) <= _distance(x[on_v], x[c[u]]):
        return on_u
    return on_v


@njit(cache=True)
def cleave(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    tets: npt.NDArray[np.int32],
    active: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
    n_lattice: int,
    number: npt.NDArray[np.int64],
    table: npt.NDArray[np.int64],
    faces: npt.NDArray[np.int64],
    used: int,
    cells: npt.NDArray[np.int32],
    phase: npt.NDArray[np.uint8],
    parent: npt.NDArray[np.int32],
    names: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Writes the cells; how many, and how many points there are now.

    Args:
        values, grid, shift: Fields and the constants of the phases.
        tets: Lattice cells.
        active: Which of them have points of different phases.
        labels, sets: Of the lattice points, see `Cuts`.
        x: Coordinates (z, y, x) [µm] of lattice points, then cuts, then room for more points.
        n_lattice: Number of lattice points.
        number: Of the cut of each edge of `table`, −1 for none.
        table: Edges by their ends.
        faces: Empty table for the junctions.
        used: Points used so far.
        cells, phase, parent: Room for the cells' points, phase, and lattice cell.
        names: Room for the lattice points of each point beyond the lattice, −1 where fewer
            than four, shape ``(points, 4)``; rows from `used` on are written.
    """
    count = 0
    c = np.empty(4, dtype=np.int64)
    edge = np.empty(6, dtype=np.int64)
    cut = np.empty(3, dtype=np.int64)
    corners = np.empty(3, dtype=np.int64)
    face = np.empty(4, dtype=np.int64)
    true = np.zeros(4, dtype=np.bool_)
    choice = np.empty(8, dtype=np.int64)
    for t in range(len(tets)):
        for i in range(4):
            c[i] = tets[t, i]
        if not active[t]:
            _emit_whole(values, grid, shift, c, labels, sets, x, cells, phase, count)
            parent[count] = t
            count += 1
            continue
        any_cut = False
        for e in range(6):
            a, b = c[EDGES[e, 0]], c[EDGES[e, 1]]
            edge[e] = -1
            if labels[a] != labels[b] and labels[a] != ANY and labels[b] != ANY:
                row = number[find(table, pair_key(a, b))]
                if row >= 0:
                    edge[e] = n_lattice + row
                    any_cut = True
        if not any_cut:
            _emit_whole(values, grid, shift, c, labels, sets, x, cells, phase, count)
            parent[count] = t
            count += 1
            continue
        junctions = 0
        for f in range(4):
            i, j, k = FACES[f]
            a, b, d = _sorted_three(c, i, j, k)
            corners[0], corners[1], corners[2] = c[a], c[b], c[d]
            cut[0] = edge[_EDGE_OF[b, d]]
            cut[1] = edge[_EDGE_OF[a, d]]
            cut[2] = edge[_EDGE_OF[a, b]]
            true[f] = cut[0] >= 0 and cut[1] >= 0 and cut[2] >= 0
            if true[f]:
                low = min(cut[0], cut[1], cut[2])
                high = max(cut[0], cut[1], cut[2])
                face[f] = find_or_add(faces, pair_key(low, high), used)
                if face[f] == used:
                    _junction(values, grid, shift, x, sets, corners, x[used])
                    for i in range(3):
                        names[used, i] = corners[i]
                    names[used, 3] = -1
                    used += 1
                junctions += 1
            else:
                face[f] = _face_point(corners, cut, x)
        options = 0
        for f in range(4):
            if true[f] and junctions < 4:
                choice[options] = face[f]
                options += 1
        if junctions == 0:
            for e in range(6):
                if edge[e] >= 0:
                    both = True
                    for f in range(4):
                        if f != EDGES[e, 0] and f != EDGES[e, 1] and face[f] != edge[e]:
                            both = False
                    if both:
                        choice[options] = edge[e]
                        options += 1
        if options == 0:
            # Four phases, or three cuts in a ring: a point inside.
            total = 0
            x[used, :] = 0.0
            for i in range(4):
                if junctions == 4:
                    x[used] += x[face[i]]
                    total += 1
            if junctions < 4:
                for e in range(6):
                    if edge[e] >= 0:
                        x[used] += x[edge[e]]
                        total += 1
                for i in range(4):
                    x[used] += x[c[i]]
                    total += 1
            x[used] /= total
            for i in range(4):
                names[used, i] = c[i]
            choice[0] = used
            options = 1
            used += 1
        best = choice[0]
        if options > 1:
            best_worst = -1.0
            for o in range(options):
                _, worst = _emit(
                    values,
                    grid,
                    shift,
                    c,
                    edge,
                    face,
                    choice[o],
                    labels,
                    sets,
                    x,
                    cells,
                    phase,
                    parent,
                    t,
                    count,
                    n_lattice,
                    False,
                )
                if worst > best_worst:
                    best, best_worst = choice[o], worst
        count, _ = _emit(
            values,
            grid,
            shift,
            c,
            edge,
            face,
            best,
            labels,
            sets,
            x,
            cells,
            phase,
            parent,
            t,
            count,
            n_lattice,
            True,
        )
    return count, used


@njit(cache=True)
def _sorted_three(c: npt.NDArray[np.int64], i: int, j: int, k: int) -> tuple[int, int, int]:
    if c[i] > c[j]:
        i, j = j, i
    if c[j] > c[k]:
        j, k = k, j
    if c[i] > c[j]:
        i, j = j, i
    return i, j, k


@njit(cache=True)
def _own_phase(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    points: npt.NDArray[np.int64],
    owner: int,
    n_lattice: int,
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
) -> int:
    """Phase of a cell: that of a point that belongs to one phase only, else the best in the middle."""
    common = np.int64(-1)
    for i in range(4):
        if points[i] < n_lattice and labels[points[i]] == ANY:
            return ANY
    for i in range(4):
        p = points[i]
        if p >= n_lattice:
            continue
        if sets[p] == np.int64(1) << np.int64(labels[p]):
            return int(labels[p])
        if common & sets[p]:
            common &= sets[p]
    if common == -1:
        common = sets[owner]
    middle = (x[points[0]] + x[points[1]] + x[points[2]] + x[points[3]]) / 4.0
    return _best_of(values, grid, shift, middle, common)


@njit(cache=True)
def _emit_whole(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    c: npt.NDArray[np.int64],
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
    cells: npt.NDArray[np.int32],
    phase: npt.NDArray[np.uint8],
    at: int,
) -> None:
    for i in range(4):
        cells[at, i] = c[i]
    phase[at] = _own_phase(values, grid, shift, c, c[0], len(labels), labels, sets, x)


@njit(cache=True)
def _emit(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    c: npt.NDArray[np.int64],
    edge: npt.NDArray[np.int64],
    face: npt.NDArray[np.int64],
    apex: int,
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    x: npt.NDArray[np.float64],
    cells: npt.NDArray[np.int32],
    phase: npt.NDArray[np.uint8],
    parent: npt.NDArray[np.int32],
    t: int,
    count: int,
    n_lattice: int,
    write: bool,
) -> tuple[int, float]:
    """The cones from a cell's point over its faces; cells so far, and the worst roundness."""
    worst = 1e30
    points = np.empty(4, dtype=np.int64)
    for f in range(4):
        if face[f] == apex:
            continue
        for a in range(3):
            i = FACES[f, a]
            for b in range(3):
                if a == b:
                    continue
                j = FACES[f, b]
                e = edge[_EDGE_OF[i, j]]
                if e < 0:
                    e = _end(c[i], c[j], labels, sets)
                points[0], points[1], points[2], points[3] = c[i], e, face[f], apex
                if e == c[i] or face[f] == c[i] or e == face[f] or apex == c[i] or apex == e:
                    continue
                if not write:
                    worst = min(worst, _roundness(x[c[i]], x[e], x[face[f]], x[apex]))
                    continue
                own = _own_phase(values, grid, shift, points, c[i], n_lattice, labels, sets, x)
                # A cone is oriented as its lattice cell is, (i, j, the third corner, the one opposite).
                if _ODD[f, i, j]:
                    points[0], points[1] = points[1], points[0]
                for k in range(4):
                    cells[count, k] = points[k]
                phase[count] = own
                parent[count] = t
                count += 1
    return count, worst


@njit(cache=True)
def _end(a: int, b: int, labels: npt.NDArray[np.uint8], sets: npt.NDArray[np.int64]) -> int:
    """The end that stands for an edge that is not cut: a snapped one, else the first row."""
    own_a = labels[a] == ANY or sets[a] == np.int64(1) << np.int64(labels[a])
    own_b = labels[b] == ANY or sets[b] == np.int64(1) << np.int64(labels[b])
    if own_a != own_b:
        return b if own_a else a
    return min(a, b)
