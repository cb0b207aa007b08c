"""Lattice cells that phases cut become tetrahedra of one phase each.

A face is cut into the triangles (corner, edge point, face point), a cell into the cones from its
point over its faces; what is flat because points coincide is left out (Bronson, Levine & Whitaker
2012, doi:10.1007/978-3-642-33573-0_12, with the points of what is not cut on cuts themselves).
Since the point of a face depends on the face alone, cells conform.
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np
from numba import njit

from voxtrode.meshing.stuffing.cell_points import (
    EDGE_OF,
    FACES,
    Cell,
    Points,
    add_inside,
    new_cell,
    place_edges,
    place_faces,
    read_cuts,
)
from voxtrode.meshing.stuffing.cutting import (
    ANY,
    EDGES,
    Cells,
    Flags,
    Labels,
    Rows,
    is_single,
)
from voxtrode.meshing.stuffing.geometry import roundness
from voxtrode.meshing.stuffing.sampling import Fields, best_phase

_MOST_CONES = 24
"""Tetrahedra that a lattice cell becomes at most."""


def _cones() -> Rows:
    """Cones of a cell: face, its corner, edge from there, and whether their order is odd.

    The order is (corner, the edge's other end, the face's third corner, the one opposite), as a
    permutation of the cell's corners: the cone (corner, edge point, face point, cell point) is
    oriented as the cell where it is even.
    """
    odd = {}
    for i, j, k, f in permutations(range(4)):
        order = (i, j, k, f)
        swaps = sum(order[a] > order[b] for a in range(4) for b in range(a + 1, 4))
        odd[f, i, j] = swaps % 2
    pairs = [(f, int(i), int(j)) for f in range(4) for i in FACES[f] for j in FACES[f] if i != j]
    return np.array([(f, i, EDGE_OF[i, j], odd[f, i, j]) for f, i, j in pairs], dtype=np.int64)


_CONES = _cones()


class CutCells(NamedTuple):
    """Lattice cells.

    Attributes:
        tets: Rows of their corners, shape ``(cells, 4)``.
        active: Which of them have corners of different phases.
        edges: Edges between phases of each active cell in the order of ``EDGES``, −1 for others,
            shape ``(active cells, 6)``.
    """

    tets: Cells
    active: Flags
    edges: Cells


class Tetrahedra(NamedTuple):
    """Room for the tetrahedra.

    Attributes:
        cells: Rows of their points, oriented as the lattice cells are, shape ``(room, 4)``.
        phase: Phase of each, ``ANY`` outside the electrode.
        parent: Lattice cell of each.
    """

    cells: Cells
    phase: Labels
    parent: Cells


def room_for(lattice: CutCells) -> Tetrahedra:
    """Room for all tetrahedra of a lattice; pages that are never written take no memory."""
    room = len(lattice.tets) + (_MOST_CONES - 1) * len(lattice.edges)
    return Tetrahedra(
        np.empty((room, 4), dtype=np.int32),
        np.empty(room, dtype=np.uint8),
        np.empty(room, dtype=np.int32),
    )


@njit(cache=True)
def cleave(
    fields: Fields, lattice: CutCells, points: Points, table: Rows, used: int, out: Tetrahedra
) -> tuple[int, int]:
    """Cuts all lattice cells.

    Args:
        fields: The fields.
        lattice: Lattice cells.
        points: All points; `x` and `names` are written from row `used` on.
        table: Empty table for the junctions.
        used: Lattice points and cuts.
        out: Receives the tetrahedra.

    Returns:
        How many tetrahedra, and how many points there are.
    """
    count = 0
    row = -1
    cell = new_cell()
    options = np.empty(6, dtype=np.int64)
    for t in range(len(lattice.tets)):
        first = count
        for i in range(4):
            cell.corner[i] = lattice.tets[t, i]
        cut = False
        if lattice.active[t]:
            row += 1
            cut = read_cuts(cell, lattice.edges[row], points.cut)
        if cut:
            place_edges(cell, points)
            used = place_faces(fields, cell, points, table, used)
            found = _options(cell, options)
            if found == 0:
                add_inside(cell, points, used)
                options[0] = used
                used += 1
            apex = options[0] if found < 2 else _roundest(cell, points, options[:found])
            count = _write_cones(fields, cell, points, apex, out, count)
        else:
            for i in range(4):
                out.cells[count, i] = cell.corner[i]
            phase = _sure_phase(points.labels, points.sets, cell.corner)
            out.phase[count] = phase if phase >= 0 else _likely_phase(fields, points, cell.corner)
            count += 1
        for new in range(first, count):
            out.parent[new] = t
    return count, used


@njit(cache=True)
def _options(cell: Cell, options: Rows) -> int:
    """Points that can be the cell's, if there are any; how many.

    With junctions, each of these; without, cuts that are the points of both faces at their edge.
    None with four phases, nor with three cuts in a ring.
    """
    found = 0
    if cell.junction.all():
        return 0
    if cell.junction.any():
        for f in range(4):
            if cell.junction[f]:
                options[found] = cell.face[f]
                found += 1
        return found
    for e in range(6):
        # The faces at an edge are those opposite the corners that are not its ends, the ends of
        # edge 5 − e.
        i, j = EDGES[5 - e]
        if cell.cut[e] >= 0 and cell.face[i] == cell.cut[e] and cell.face[j] == cell.cut[e]:
            options[found] = cell.cut[e]
            found += 1
    return found


@njit(cache=True)
def _roundest(cell: Cell, points: Points, options: Rows) -> int:
    """The point from which the worst cone is roundest."""
    best, best_worst = options[0], -1.0
    for apex in options:
        worst = 1e30
        for n in range(_MOST_CONES):
            corner, edge, face = _cone(cell, n)
            if _distinct(corner, edge, face, apex):
                worst = min(worst, roundness(points.x, corner, edge, face, apex))
                if worst <= best_worst:
                    break
        if worst > best_worst:
            best, best_worst = apex, worst
    return int(best)


@njit(cache=True)
def _cone(cell: Cell, n: int) -> tuple[int, int, int]:
    """Corner, edge point and face point of a cone."""
    return cell.corner[_CONES[n, 1]], cell.edge[_CONES[n, 2]], cell.face[_CONES[n, 0]]


@njit(cache=True)
def _distinct(a: int, b: int, c: int, d: int) -> bool:
    return a not in (b, c, d) and b not in (c, d) and c != d


@njit(cache=True)
def _write_cones(
    fields: Fields, cell: Cell, points: Points, apex: int, out: Tetrahedra, count: int
) -> int:
    """Writes the cones from a cell's point over its faces; tetrahedra so far."""
    for n in range(_MOST_CONES):
        corner, edge, face = _cone(cell, n)
        if not _distinct(corner, edge, face, apex):
            continue
        cone = out.cells[count]
        cone[0], cone[1], cone[2], cone[3] = corner, edge, face, apex
        phase = _sure_phase(points.labels, points.sets, cone)
        out.phase[count] = phase if phase >= 0 else _likely_phase(fields, points, cone)
        if _CONES[n, 3]:
            cone[0], cone[1] = edge, corner
        count += 1
    return count


@njit(cache=True)
def _sure_phase(labels: Labels, sets: Rows, cell: Rows) -> int:
    """Phase of a lattice point that belongs to one phase only, or is outside; −1 without one."""
    found = -1
    for i in range(3, -1, -1):
        p = cell[i]
        if p < len(labels):
            if labels[p] == ANY:
                return ANY
            if is_single(labels, sets, p):
                found = int(labels[p])
    return found


@njit(cache=True)
def _likely_phase(fields: Fields, points: Points, cell: Rows) -> int:
    """Of the phases of the lattice points, the best one in the middle.

    Not only of those that they have in common: a cell that is given to its corners' one common
    phase against the fields is alone, a region of its own.
    """
    sets, x = points.sets, points.x
    present = np.int64(0)
    for p in cell:
        if p < len(sets):
            present |= sets[p]
    a, b, c, d = cell
    z = (x[a, 0] + x[b, 0] + x[c, 0] + x[d, 0]) / 4.0
    y = (x[a, 1] + x[b, 1] + x[c, 1] + x[d, 1]) / 4.0
    return best_phase(fields, z, y, (x[a, 2] + x[b, 2] + x[c, 2] + x[d, 2]) / 4.0, int(present))
