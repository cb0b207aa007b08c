"""Lattice points move onto cuts that are too near, so that no cell is cut off thin.

A snapped point belongs to the phases on both sides of the cuts that it moved onto (Labelle &
Shewchuk 2007, doi:10.1145/1276377.1276448).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from voxtrode.meshing.stuffing.cutting import (
    Cells,
    Corners,
    CutEdges,
    Floats,
    Rows,
    is_single,
    root,
)
from voxtrode.meshing.stuffing.sampling import Fields, difference

ALPHA_LONG, ALPHA_SHORT, ALPHA_PLANE = 0.24999, 0.41189, 0.3
"""Nearest cut [edge lengths] along long and short edges (the paper's table), and along those
that exist only in a plane of the box."""


class _Nearest(NamedTuple):
    """Points that move, and the nearest cut to each other phase.

    Attributes:
        slot: Row of each lattice point here, −1 where it stays.
        squared: Squares of the distances of the cuts [µm²], infinite without one, shape
            ``(rows, phases)``.
        cut: The cuts [µm], shape ``(rows, phases, 3)``.
    """

    slot: Cells
    squared: Floats
    cut: Floats


@njit(cache=True)
def nearest_places(points: Cells, ends: Rows) -> Floats:
    """How near to an end a cut may be [edge lengths], by the direction of each edge.

    Args:
        points: Lattice points in half units.
        ends: Rows of these for each edge, shape ``(edges, 2)``.
    """
    out = np.empty(len(ends))
    for e in range(len(ends)):
        steps = 0
        odd = 0
        for axis in range(3):
            step = abs(points[ends[e, 0], axis] - points[ends[e, 1], axis])
            steps += step != 0
            odd += step % 2
        if steps == 1 and odd == 0:
            out[e] = ALPHA_LONG
        elif steps == 3:
            out[e] = ALPHA_SHORT
        else:
            out[e] = ALPHA_PLANE
    return out


@njit(cache=True)
def snap_points(turn: int, corners: Corners, edges: CutEdges, phases: int) -> None:
    """Moves the points of one turn onto cuts that are too near, and takes those cuts away.

    Cut points of each other phase count once, by the nearest; where more than one phase is too
    near, the point goes to the middle of theirs. What is fixed keeps its coordinate.

    Args:
        turn: Number of odd coordinates of the points that move: 0 for corners, 3 for centres, …
        corners: Lattice points; `x` and `sets` are changed.
        edges: Edges between phases; `place` is changed.
        phases: Number of phases.
    """
    slot = np.full(len(corners.x), -1, dtype=np.int32)
    count = _choose(turn, corners, edges, slot)
    nearest = _Nearest(
        slot, np.full((count, phases), np.inf), np.zeros((count, phases, 3), dtype=np.float64)
    )
    _find_nearest(corners, edges, nearest)
    _move(corners, nearest)
    drop_cuts(corners, edges)


@njit(cache=True)
def _from(edges: CutEdges, e: int, side: int) -> float:
    """Distance of a cut from an end of its edge [edge lengths]."""
    return float(edges.place[e] if side == 0 else 1.0 - edges.place[e])


@njit(cache=True)
def _choose(turn: int, corners: Corners, edges: CutEdges, slot: Cells) -> int:
    """Gives rows to the points of a turn that have too near a cut; how many."""
    count = 0
    for e in range(len(edges.ends)):
        if edges.place[e] < 0.0:
            continue
        for side in range(2):
            v = edges.ends[e, side]
            if slot[v] < 0 and _from(edges, e, side) < edges.nearest[e]:
                odd = 0
                for axis in range(3):
                    odd += corners.points[v, axis] % 2
                if odd == turn:
                    slot[v] = count
                    count += 1
    return count


@njit(cache=True)
def _find_nearest(corners: Corners, edges: CutEdges, nearest: _Nearest) -> None:
    """Finds the nearest of the cuts that are too near, for each point and other phase."""
    rest = corners.rest
    cut = np.empty(3)
    for e in range(len(edges.ends)):
        if edges.place[e] < 0.0:
            continue
        for side in range(2):
            v, w = edges.ends[e, side], edges.ends[e, 1 - side]
            near = _from(edges, e, side)
            if nearest.slot[v] < 0 or near >= edges.nearest[e]:
                continue
            length = 0.0
            for axis in range(3):
                length += (rest[w, axis] - rest[v, axis]) ** 2
                cut[axis] = rest[v, axis] + near * (rest[w, axis] - rest[v, axis])
            squared = near * near * length
            s, k = nearest.slot[v], corners.labels[w]
            best = nearest.squared[s, k]
            # Of cuts equally near, the first by coordinates: on every rank the same.
            if squared < best or (squared == best and _before(cut, nearest.cut[s, k])):
                nearest.squared[s, k] = squared
                nearest.cut[s, k] = cut


@njit(cache=True)
def _before(p: Floats, q: Floats) -> bool:
    for axis in range(3):
        if p[axis] != q[axis]:
            return bool(p[axis] < q[axis])
    return False


@njit(cache=True)
def _move(corners: Corners, nearest: _Nearest) -> None:
    """Moves the points to the middle of their cuts; they belong to the phases beyond, too."""
    middle = np.empty(3)
    for v in range(len(corners.x)):
        s = nearest.slot[v]
        if s < 0:
            continue
        others = 0
        middle[:] = 0.0
        for k in range(nearest.squared.shape[1]):
            if nearest.squared[s, k] < np.inf:
                others += 1
                corners.sets[v] |= np.int64(1) << k
                for axis in range(3):
                    middle[axis] += nearest.cut[s, k, axis]
        for axis in range(3):
            if not corners.fixed[v, axis]:
                corners.x[v, axis] = middle[axis] / others


@njit(cache=True)
def drop_cuts(corners: Corners, edges: CutEdges) -> None:
    """Takes the cuts away between points that have a phase in common."""
    for e in range(len(edges.ends)):
        if corners.sets[edges.ends[e, 0]] & corners.sets[edges.ends[e, 1]]:
            edges.place[e] = -1.0


@njit(cache=True)
def recut(fields: Fields, corners: Corners, edges: CutEdges) -> None:
    """Cuts that are left at snapped points: found anew, or the point belongs to that phase, too.

    They are kept away from the ends, so that junctions of phases stay clear of slivers.

    Args:
        fields: The fields.
        corners: Lattice points; `sets` is changed.
        edges: Edges between phases; `place` is changed.
    """
    x, labels, sets = corners.x, corners.labels, corners.sets
    more = np.zeros(len(sets), dtype=np.int64)
    for e in range(len(edges.ends)):
        if edges.place[e] < 0.0:
            continue
        a, b = edges.ends[e, 0], edges.ends[e, 1]
        near = edges.nearest[e]
        own_a, own_b = is_single(labels, sets, a), is_single(labels, sets, b)
        if own_a and own_b:
            continue
        fa = difference(fields, x[a], x[b], 0.0, sets[a], sets[b])
        fb = difference(fields, x[a], x[b], 1.0, sets[a], sets[b])
        t = root(fields, x[a], x[b], sets[a], sets[b], fa, fb)
        if t < near and not own_a:
            more[a] |= np.int64(1) << np.int64(labels[b])
        elif t > 1.0 - near and not own_b:
            more[b] |= np.int64(1) << np.int64(labels[a])
        edges.place[e] = min(max(t, near), 1.0 - near)
    for v in range(len(sets)):
        sets[v] |= more[v]
    drop_cuts(corners, edges)
