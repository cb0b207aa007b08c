"""Points of the background lattice, numbered over a dense array of half-unit positions."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.meshing.stuffing.octree import OUTSIDE, Levels, Shape, across, is_origin

Ints = NDArray[np.int32]


@njit(cache=True)
def flat_strides(number: Ints) -> Shape:
    """Flat steps of one half unit along each axis."""
    return number.shape[1] * number.shape[2], number.shape[2], 1


@njit(cache=True)
def flat_centre(strides: Shape, k: int, j: int, i: int, edge: int) -> int:
    """Flat position of the centre of a leaf whose lowest cube is (k, j, i) of the window."""
    return (2 * k + edge) * strides[0] + (2 * j + edge) * strides[1] + (2 * i + edge) * strides[2]


@njit(cache=True)
def mark_points(level: Levels, shape: Shape, first: int, number: Ints) -> None:
    """Mark the points of every leaf: centre, corners, centres of faces on the box's boundary."""
    strides = flat_strides(number)
    flat = number.ravel()
    for k in range(level.shape[0]):
        for j in range(level.shape[1]):
            for i in range(level.shape[2]):
                if not is_origin(level[k, j, i], first + k, j, i):
                    continue
                edge = 1 << level[k, j, i]
                number[2 * k + edge, 2 * j + edge, 2 * i + edge] = 1
                for dz in (0, 2 * edge):
                    for dy in (0, 2 * edge):
                        for dx in (0, 2 * edge):
                            number[2 * k + dz, 2 * j + dy, 2 * i + dx] = 1
                centre = flat_centre(strides, k, j, i, edge)
                for axis in range(3):
                    for sign in (-1, 1):
                        origin = (first + k, j, i)
                        if across(level, shape, first, origin, edge, axis, sign > 0) == OUTSIDE:
                            flat[centre + sign * edge * strides[axis]] = 1


@njit(cache=True)
def number_points(number: Ints, first: int) -> Ints:
    """The marked positions in order; each mark becomes the row of its point, no mark −1."""
    points = np.empty((number.sum(), 3), np.int32)
    row = 0
    for z in range(number.shape[0]):
        for y in range(number.shape[1]):
            for x in range(number.shape[2]):
                if number[z, y, x] == 0:
                    number[z, y, x] = -1
                    continue
                points[row, 0] = z + 2 * first
                points[row, 1] = y
                points[row, 2] = x
                number[z, y, x] = row
                row += 1
    return points
