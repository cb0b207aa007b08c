"""Leaves of the octree that grades a lattice: maximal, 2:1 balanced, the same in every window."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Shape = tuple[int, int, int]
Levels = NDArray[np.int8]
Mask = NDArray[np.bool_]

OUTSIDE = -1
"""What stands for a level beyond the box."""

UNKNOWN = -2
"""What stands for a level in the box that this window does not hold."""

_FINE = -1  # while leaves are merged: what stays at level 0


def halo(levels: int) -> int:
    """Layers from an artificial end of a window inside which lattice and whole box may differ.

    The level of a cube depends on cubes up to 2 (2^levels − 1) layers away: its block, and around
    it rings of 2^(levels−1), ..., 2, 1 cubes. Midpoints of edges ask for one layer more.
    """
    return 2 ** (levels + 1) - 1 if levels else 0


@njit(cache=True)
def _merges(level: Levels, shape: Shape, first: int, corner: Shape, half: int, below: int) -> bool:
    """Whether a block may become one leaf: all of its children and of the ring around are merged.

    A block of the ring that reaches out of the box is not merged, and holds its own lower corner.
    The finest cubes have no ring: beside them, leaves of the first level are balanced.
    """
    ring = half if half > 1 else 0
    far = 2 * half + ring
    for k in range(corner[0] - ring, corner[0] + far, half):
        for j in range(corner[1] - ring, corner[1] + far, half):
            for i in range(corner[2] - ring, corner[2] + far, half):
                in_plane = 0 <= j < shape[1] and 0 <= i < shape[2]
                if not in_plane or k < 0 or k >= shape[0]:
                    continue
                if k < first or k >= first + level.shape[0] or level[k - first, j, i] < below:
                    return False
    return True


@njit(cache=True)
def _merge(level: Levels, shape: Shape, first: int, target: int) -> None:
    """Merge leaves of one level into leaves of the next, in place."""
    half = 1 << (target - 1)
    edge = 2 * half
    last = first + level.shape[0]
    for k in range(-(-first // edge) * edge, last - edge + 1, edge):
        for j in range(0, shape[1] - edge + 1, edge):
            for i in range(0, shape[2] - edge + 1, edge):
                if _merges(level, shape, first, (k, j, i), half, target - 1):
                    level[k - first : k - first + edge, j : j + edge, i : i + edge] = target


def leaf_levels(shape: Shape, window: tuple[int, int], fine: Mask, levels: int) -> Levels:
    """The level of the leaf that each finest cube is part of.

    Eight leaves of level l − 1 become one of level l where that keeps the 2:1 balance over faces,
    edges and corners, and none of the cubes is fine. Levels
    only grow, so the largest such octree is unique and found from the finest level upwards. What
    the window does not hold counts as fine, what is outside the box as absent.

    Args:
        shape: Finest cubes of the whole box along (z, y, x).
        window: First layer held and the one after the last.
        fine: Cubes that stay at the finest level, bool[layers held, ny, nx].
        levels: Coarsest level; an edge of level l is 2^l cubes.

    Returns:
        int8[layers held, ny, nx]; a leaf of level l begins at multiples of 2^l of the box.

    Raises:
        ValueError: `fine` is not of the window's shape.
    """
    if fine.shape != (window[1] - window[0], *shape[1:]):
        raise ValueError(f"fine has shape {fine.shape}, the window {window} of a box {shape}")
    level = np.where(fine, np.int8(_FINE), np.int8(0))
    for target in range(1, levels + 1):
        _merge(level, shape, window[0], target)
    return np.maximum(level, np.int8(0))


@njit(cache=True)
def is_origin(level: int, k: int, j: int, i: int) -> bool:
    """Whether a cube is the lowest of its leaf."""
    return ((k | j | i) & ((1 << level) - 1)) == 0


@njit(cache=True)
def across(
    level: Levels, shape: Shape, first: int, origin: Shape, edge: int, axis: int, upper: bool
) -> int:
    """The level of what is behind a face of a leaf, by balance the same all over the face."""
    k, j, i = origin
    step = edge if upper else -1
    k += step * (axis == 0)
    j += step * (axis == 1)
    i += step * (axis == 2)
    if min(k, j, i) < 0 or k >= shape[0] or j >= shape[1] or i >= shape[2]:
        return OUTSIDE
    if k < first or k >= first + level.shape[0]:
        return UNKNOWN
    return int(level[k - first, j, i])
