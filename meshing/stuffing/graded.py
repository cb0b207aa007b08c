"""Background lattice of isosurface stuffing: body-centred cubic tetrahedra, graded by an octree.

Labelle & Shewchuk, "Isosurface stuffing: fast tetrahedral meshes with good dihedral angles",
SIGGRAPH 2007, section 3. Points are the leaves' corners and centres and, on the box's boundary,
the centres of their faces. Everything is integer: a finest cube has an edge of two half units.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from voxtrode.meshing.stuffing.lattice_points import (
    Ints,
    flat_centre,
    flat_strides,
    mark_points,
    number_points,
)
from voxtrode.meshing.stuffing.octree import (
    OUTSIDE,
    UNKNOWN,
    Levels,
    Mask,
    Shape,
    across,
    is_origin,
    leaf_levels,
)


@dataclass(frozen=True, eq=False)
class Background:
    """A conforming lattice of tetrahedra.

    Attributes:
        points: Half units (z, y, x) of the whole box, sorted by z, y, x, int32[n, 3].
        tets: Rows of `points`, sorted by leaf, int32[m, 4]; det[p1 − p0, p2 − p0, p3 − p0] > 0 in
            (x, y, z).
    """

    points: Ints
    tets: Ints


@njit(cache=True)
def _put(tets: Ints, row: int, a: int, b: int, c: int, d: int) -> int:
    """Write a tetrahedron if there is room, that is, if not only counting; the next row."""
    if row < len(tets):
        tets[row, 0] = a
        tets[row, 1] = b
        tets[row, 2] = c
        tets[row, 3] = d
    return row + 1


@njit(cache=True)
def _fan(
    tets: Ints, row: int, number: Ints, below: int, above: int, face: int, p: int, q: int
) -> int:
    """Four tetrahedra around the axis from `below` to `above`, one for each edge of a face.

    An edge whose midpoint is the corner of a smaller leaf gives two.

    Args:
        tets, row: Where to write.
        number: Rows of points by flat position.
        below, above: Flat positions of the ends of the axis, which pierces the face at its centre.
        face: Flat position of that centre.
        p, q: From there to the midpoints of two edges; axis, p and q are right-handed.

    Returns:
        The next row.
    """
    a, b = number[below], number[above]
    for _ in range(4):
        start, middle, end = number[face + p - q], number[face + p], number[face + p + q]
        if middle < 0:
            row = _put(tets, row, a, b, start, end)
        else:
            row = _put(tets, row, a, b, start, middle)
            row = _put(tets, row, a, b, middle, end)
        p, q = q, -p
    return row


@njit(cache=True)
def _transition(
    tets: Ints, row: int, number: Ints, centre: int, normal: int, p: int, q: int
) -> int:
    """Sixteen tetrahedra between a leaf and the four smaller ones behind its face.

    Each small face is cut along the diagonal from the centre of the large face. The large leaf's
    centre is straight above that point, so this way its two tetrahedra are equal. The edges of the
    small faces are never cut: a leaf that did so would touch the large one against the balance.

    Args:
        tets, row: Where to write.
        number: Rows of points by flat position.
        centre: Flat position of the large leaf's centre.
        normal: From there to half way to the face.
        p, q: Half of the way from the face's centre to midpoints of its edges; normal, p and q are
            right-handed.

    Returns:
        The next row.
    """
    face = centre + 2 * normal
    large, middle = number[centre], number[face]
    for _ in range(4):
        small = number[face + normal + p + q]
        right, corner, left = number[face + 2 * p], number[face + 2 * (p + q)], number[face + 2 * q]
        row = _put(tets, row, large, middle, right, corner)
        row = _put(tets, row, large, middle, corner, left)
        row = _put(tets, row, small, middle, corner, right)
        row = _put(tets, row, small, middle, left, corner)
        p, q = q, -p
    return row


@njit(cache=True)
def _leaf(
    level: Levels,
    shape: Shape,
    first: int,
    origin: Shape,
    number: Ints,
    strides: Shape,
    tets: Ints,
    row: int,
) -> int:
    """Tetrahedra of one leaf: with its upper equals, its smaller neighbours and the boundary."""
    k, j, i = origin
    own = level[k - first, j, i]
    edge = 1 << own
    centre = flat_centre(strides, k - first, j, i, edge)
    for axis in range(3):
        for upper in (False, True):
            # x, y, z are axes 2, 1, 0: right-handed backwards, and forwards about a lower face.
            turn = -1 if upper else 1
            normal = -turn * strides[axis]
            p, q = strides[(axis + turn) % 3], strides[(axis + 2 * turn) % 3]
            other = across(level, shape, first, origin, edge, axis, upper)
            if other == OUTSIDE or (other == own and upper):
                face = centre + edge * normal
                end = face if other == OUTSIDE else face + edge * normal
                row = _fan(tets, row, number, centre, end, face, edge * p, edge * q)
            elif other != UNKNOWN and other < own:
                half = edge // 2
                row = _transition(tets, row, number, centre, half * normal, half * p, half * q)
    return row


@njit(cache=True)
def _fill(level: Levels, shape: Shape, first: int, number: Ints, tets: Ints) -> int:
    """Write the tetrahedra, leaf by leaf; returns how many there are, also where none fits."""
    strides = flat_strides(number)
    flat = number.ravel()
    row = 0
    for k in range(level.shape[0]):
        for j in range(level.shape[1]):
            for i in range(level.shape[2]):
                if is_origin(level[k, j, i], first + k, j, i):
                    origin = (first + k, j, i)
                    row = _leaf(level, shape, first, origin, flat, strides, tets, row)
    return row


def graded_lattice(shape: Shape, window: tuple[int, int], fine: Mask, levels: int) -> Background:
    """The lattice in some layers of a box.

    Two leaves of one size that share a face have four tetrahedra about the line of their centres,
    cut in half where a smaller leaf touches their edge; a leaf and four smaller ones have sixteen;
    at the boundary of the box a leaf's own half is closed by the face. With `levels` = 0 every
    tetrahedron is a regular one of the body-centred cubic lattice, or at the boundary half of one,
    and so is each that touches a fine cube. Nothing is written that needs a leaf which the window
    does not hold; `octree.halo(levels)` layers inside, the lattice is that of the whole box.

    Args:
        shape: Finest cubes of the whole box along (z, y, x), of any number.
        window: First layer of cubes held and the one after the last.
        fine: Cubes that stay at the finest level, bool[layers held, ny, nx].
        levels: Coarsest level; 0 is the uniform lattice.

    Returns:
        Points and tetrahedra of the window.

    Raises:
        ValueError: `fine` is not of the window's shape.
    """
    level = leaf_levels(shape, window, fine, levels)
    first = window[0]
    layers, ny, nx = level.shape
    number = np.zeros((2 * layers + 1, 2 * ny + 1, 2 * nx + 1), np.int32)
    mark_points(level, shape, first, number)
    points = number_points(number, first)
    count = _fill(level, shape, first, number, np.empty((0, 4), np.int32))
    tets = np.empty((count, 4), np.int32)
    _fill(level, shape, first, number, tets)
    return Background(points, tets)
