"""Where the phases cut the edges of a lattice, and which lattice points move onto the cuts.

A lattice point belongs to the phase with the largest field. An edge between two phases is cut where
their fields are equal. A point with a cut too near moves there (it is *snapped*: it then belongs to
both phases), so that no cell is cut off thin (Labelle & Shewchuk 2007, doi:10.1145/1276377.1276448).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing.fields import sample
from voxtrode.meshing.stuffing.table import find_or_add, pair_key

ANY = 255
"""Label of points outside the electrode: they belong to every phase and cut nothing."""
ALPHA_LONG, ALPHA_SHORT, ALPHA_PLANE = 0.24999, 0.41189, 0.3
"""Nearest cut [edge lengths] along long and short edges (the paper's table), and along those
that exist only in a plane of the box."""
_EVERY = np.int64(-1)
_ROOT_STEPS = 8
_ROOT_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Cuts:
    """The lattice after cutting and snapping.

    Attributes:
        labels: Phase of each lattice point, ``ANY`` outside the electrode.
        sets: Bits of the phases that each lattice point belongs to.
        x: Lattice points [µm], snapped ones moved; shape ``(points, 3)``, order (z, y, x).
        active: Cells with points of different phases.
        ends: Lattice points of each cut edge, smaller row first, shape ``(edges, 2)``.
        place: Cut on each edge [edge lengths from the first end]; negative where none is left.
        table: Row of each edge by the pair of its ends.
    """

    labels: npt.NDArray[np.uint8]
    sets: npt.NDArray[np.int64]
    x: npt.NDArray[np.float64]
    active: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.int64]
    place: npt.NDArray[np.float64]
    table: npt.NDArray[np.int64]


@njit(cache=True)
def sample_points(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    outside: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Fields at points [µm], shape ``(points, phases)``; zero where they are outside."""
    out = np.zeros((len(x), values.shape[0]))
    for p in range(len(x)):
        if not outside[p]:
            for k in range(values.shape[0]):
                out[p, k] = sample(values, grid, x[p, 0], x[p, 1], x[p, 2], k)
    return out


@njit(cache=True)
def label_points(
    sampled: npt.NDArray[np.float64], shift: npt.NDArray[np.float64], outside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Phase with the largest field, its constant added."""
    labels = np.empty(len(sampled), dtype=np.uint8)
    for p in range(len(sampled)):
        best = 0
        for k in range(1, sampled.shape[1]):
            if sampled[p, k] + shift[k] > sampled[p, best] + shift[best]:
                best = k
        labels[p] = ANY if outside[p] else best
    return labels


@njit(cache=True)
def mixed_cells(
    tets: npt.NDArray[np.int32], labels: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Cells with points of different phases."""
    out = np.zeros(len(tets), dtype=np.bool_)
    for t in range(len(tets)):
        seen = ANY
        for i in range(4):
            label = labels[tets[t, i]]
            if label != ANY:
                if seen != ANY and label != seen:
                    out[t] = True
                seen = label
    return out


@njit(cache=True)
def mixed_edges(
    tets: npt.NDArray[np.int32],
    active: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.uint8],
    table: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> int:
    """Lists the edges between phases in order of appearance; how many."""
    count = 0
    for t in range(len(tets)):
        if not active[t]:
            continue
        for i in range(3):
            a = tets[t, i]
            for j in range(i + 1, 4):
                b = tets[t, j]
                if labels[a] == labels[b] or labels[a] == ANY or labels[b] == ANY:
                    continue
                if find_or_add(table, pair_key(a, b), count) == count:
                    ends[count, 0] = min(a, b)
                    ends[count, 1] = max(a, b)
                    count += 1
    return count


@njit(cache=True)
def _highest(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    z: float,
    y: float,
    x: float,
    phases: int,
) -> float:
    best = -1e30
    for k in range(values.shape[0]):
        if (phases >> k) & 1:
            best = max(best, sample(values, grid, z, y, x, k) + shift[k])
    return best


@njit(cache=True)
def _difference(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    t: float,
    here: int,
    there: int,
) -> float:
    """Largest field of `here` less that of `there` at p + t (q − p)."""
    z, y, x = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
    first = _highest(values, grid, shift, z, y, x, here)
    return first - _highest(values, grid, shift, z, y, x, there)


@njit(cache=True)
def root(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    here: int,
    there: int,
) -> float:
    """Where the fields of two sets of phases are equal on the way from p to q, in [0, 1].

    Regula falsi (Illinois). 0 where `there` already wins at p, 1 where `here` still does at q.
    """
    a, b = 0.0, 1.0
    fa = _difference(values, grid, shift, p, q, a, here, there)
    if fa <= 0.0:
        return 0.0
    fb = _difference(values, grid, shift, p, q, b, here, there)
    if fb >= 0.0:
        return 1.0
    t = 0.5
    side = 0
    for _ in range(_ROOT_STEPS):
        t = (a * fb - b * fa) / (fb - fa)
        f = _difference(values, grid, shift, p, q, t, here, there)
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
    return t


@njit(cache=True)
def place_cuts(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    labels: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
    place: npt.NDArray[np.float64],
) -> None:
    """Finds the cut on every edge between phases."""
    for e in range(len(ends)):
        a, b = ends[e]
        here, there = 1 << np.int64(labels[a]), 1 << np.int64(labels[b])
        t = root(values, grid, shift, x[a], x[b], here, there)
        place[e] = min(max(t, 1e-6), 1.0 - 1e-6)


@njit(cache=True)
def edge_alpha(p: npt.NDArray[np.int32], q: npt.NDArray[np.int32]) -> float:
    """Nearest cut allowed on an edge, by its direction in half units."""
    steps = 0
    odd = 0
    for axis in range(3):
        step = abs(p[axis] - q[axis])
        steps += step != 0
        odd += step % 2
    if steps == 1 and odd == 0:
        return ALPHA_LONG
    if steps == 3:
        return ALPHA_SHORT
    return ALPHA_PLANE


@njit(cache=True)
def snap_points(
    turn: int,
    points: npt.NDArray[np.int32],
    fixed: npt.NDArray[np.bool_],
    rest: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    place: npt.NDArray[np.float64],
) -> None:
    """Moves the points of one turn onto cuts that are too near, and takes those cuts away.

    Cut points of each other phase count once, by the nearest; where more than one phase is too
    near, the point goes to the middle of theirs. What is fixed keeps its coordinate.

    Args:
        turn: Number of odd coordinates of the points that move: 0 for corners, 3 for centres, …
        points: Lattice points in half units.
        fixed: Coordinates that stay, shape ``(points, 3)``.
        rest: Lattice points before any moved [µm].
        x: Lattice points [µm], changed in place.
        labels, sets, ends, place: See :class:`Cuts`; the last three are changed in place.
    """
    phases = 0
    for p in range(len(labels)):
        if labels[p] != ANY:
            phases = max(phases, int(labels[p]) + 1)
    slot = np.full(len(x), -1, dtype=np.int32)
    count = 0
    for e in range(len(ends)):
        if place[e] < 0.0:
            continue
        alpha = edge_alpha(points[ends[e, 0]], points[ends[e, 1]])
        for side in range(2):
            v = ends[e, side]
            near = place[e] if side == 0 else 1.0 - place[e]
            if near < alpha and slot[v] < 0 and _turn(points[v]) == turn:
                slot[v] = count
                count += 1
    nearest = np.full((count, phases), np.inf)
    target = np.zeros((count, phases, 3))
    cut = np.zeros(3)
    for e in range(len(ends)):
        if place[e] < 0.0:
            continue
        alpha = edge_alpha(points[ends[e, 0]], points[ends[e, 1]])
        for side in range(2):
            v, w = ends[e, side], ends[e, 1 - side]
            near = place[e] if side == 0 else 1.0 - place[e]
            if slot[v] < 0 or near >= alpha:
                continue
            long = 0.0
            for axis in range(3):
                long += (rest[w, axis] - rest[v, axis]) ** 2
            away = near * near * long
            s, k = slot[v], labels[w]
            for axis in range(3):
                cut[axis] = rest[v, axis] + near * (rest[w, axis] - rest[v, axis])
            if away < nearest[s, k] or (away == nearest[s, k] and _before(cut, target[s, k])):
                nearest[s, k] = away
                target[s, k] = cut
    for v in range(len(x)):
        s = slot[v]
        if s < 0:
            continue
        others = 0
        mean = np.zeros(3)
        for k in range(phases):
            if nearest[s, k] < np.inf:
                others += 1
                sets[v] |= np.int64(1) << k
                for axis in range(3):
                    mean[axis] += target[s, k, axis]
        for axis in range(3):
            if not fixed[v, axis]:
                x[v, axis] = mean[axis] / others
    for e in range(len(ends)):
        if sets[ends[e, 0]] & sets[ends[e, 1]]:
            place[e] = -1.0


@njit(cache=True)
def _turn(point: npt.NDArray[np.int32]) -> int:
    return point[0] % 2 + point[1] % 2 + point[2] % 2


@njit(cache=True)
def _before(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> bool:
    for axis in range(3):
        if p[axis] != q[axis]:
            return p[axis] < q[axis]
    return False


@njit(cache=True)
def recut(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    points: npt.NDArray[np.int32],
    x: npt.NDArray[np.float64],
    labels: npt.NDArray[np.uint8],
    sets: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    place: npt.NDArray[np.float64],
) -> None:
    """Cuts that are left at snapped points: found anew, or the point belongs to that phase, too.

    They are kept away from the ends, so that junctions of phases stay clear of slivers.
    """
    more = np.zeros(len(sets), dtype=np.int64)
    for e in range(len(ends)):
        if place[e] < 0.0:
            continue
        a, b = ends[e]
        alpha = edge_alpha(points[a], points[b])
        own_a, own_b = sets[a] == 1 << np.int64(labels[a]), sets[b] == 1 << np.int64(labels[b])
        if own_a and own_b:
            continue
        t = root(values, grid, shift, x[a], x[b], sets[a], sets[b])
        if t < alpha and not own_a:
            more[a] |= np.int64(1) << np.int64(labels[b])
        elif t > 1.0 - alpha and not own_b:
            more[b] |= np.int64(1) << np.int64(labels[a])
        place[e] = min(max(t, alpha), 1.0 - alpha)
    for v in range(len(sets)):
        sets[v] |= more[v]
    for e in range(len(ends)):
        if place[e] >= 0.0 and sets[ends[e, 0]] & sets[ends[e, 1]]:
            place[e] = -1.0
