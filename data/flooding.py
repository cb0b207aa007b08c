"""Flooding of a landscape on voxels, basins merged where they first meet."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def _root(basin: NDArray[np.int64], voxel: int) -> int:
    """The maximum that a voxel drains to; shortens the path to it."""
    while basin[voxel] != voxel:
        basin[voxel] = basin[basin[voxel]]
        voxel = basin[voxel]
    return voxel


@njit(cache=True)
def _squared_distance(
    one: int, other: int, strides: NDArray[np.int64], edges: NDArray[np.float64]
) -> float:
    square = 0.0
    for axis in range(3):
        steps = one // strides[axis] - other // strides[axis]
        one, other = one % strides[axis], other % strides[axis]
        square += (steps * edges[axis]) ** 2
    return square


@njit(cache=True)
def flood(
    order: NDArray[np.int64],
    height: NDArray[np.int32],
    strides: NDArray[np.int64],
    edges: NDArray[np.float64],
    contrast: float,
    least: float,
    nearness: float,
    basin: NDArray[np.int64],
) -> int:
    """Flood a landscape from its maxima down, by faces, and merge basins where they first meet.

    Basins are a forest over the voxels: `basin` of a maximum is the maximum itself.

    Args:
        order: Flat indices of the wet voxels, highest first.
        height: Level of each voxel, flat.
        strides: Of the three axes.
        edges: Of a voxel.
        contrast, least: Depth of a neck below the lesser maximum up to which basins are merged:
            relative, and in levels.
        nearness: Distance between maxima up to which they are merged, per level of the lesser.
        basin: -1 everywhere; filled with the maximum of each wet voxel.

    Returns:
        The number of maxima before merging.
    """
    maxima = 0
    for voxel in order:
        uphill = -1
        for stride in strides:
            for beside in (voxel - stride, voxel + stride):
                if basin[beside] >= 0 and (uphill < 0 or height[beside] > height[uphill]):
                    uphill = beside
        if uphill < 0:
            basin[voxel] = voxel
            maxima += 1
            continue
        basin[voxel] = _root(basin, uphill)
        for stride in strides:
            for beside in (voxel - stride, voxel + stride):
                if basin[beside] < 0:
                    continue
                one, other = _root(basin, voxel), _root(basin, beside)
                if one == other:
                    continue
                higher, lesser = one, other
                if height[one] < height[other] or (height[one] == height[other] and one > other):
                    higher, lesser = other, one
                top = height[lesser]
                merged = top - height[voxel] <= max(contrast * top, least)
                if merged or _squared_distance(one, other, strides, edges) <= (nearness * top) ** 2:
                    basin[lesser] = higher
    for voxel in order:
        basin[voxel] = _root(basin, voxel)
    return maxima
