"""True measure of digital surfaces and lines: staircase elements projected on their mean direction.

A smooth surface becomes a staircase of voxel faces, a smooth line one of voxel edges. The staircase
is too large by a factor that depends on the orientation (up to √3, 3/2 on average), at every
resolution. But its elements, taken as vectors (area times normal, length times tangent), add up to
the right vector: steps to and fro cancel. So each element counts by its projection on the direction
of the vector sum of its surroundings, weighted by a Gaussian. For a flat surface or a straight line
of any orientation that is Σ d (e·t) = t·Σ d e, its true measure.

Only elements of the same group (pair or triple of phases) enter the sum, so that the end of a
surface does not bend its normals, and nothing is rounded off. The Gaussian widens as the square
root of the size of the structure in voxels: then both the noise of the steps and the bend under the
Gaussian vanish with refinement.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Part = tuple[NDArray[np.int64], int, NDArray[np.float32], NDArray[np.int64]]

SIGMAS: Floats = np.array([1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0])
"""Standard deviations of the Gaussian to choose from [voxels of each axis]."""
CUT = 2.5  # reach of the Gaussian [standard deviations]


@dataclass(frozen=True, eq=False)
class Elements:
    """Oriented faces or edges of voxels.

    Attributes:
        voxel: Flat index of the voxel at the lower side of the face or edge, int[m].
        axis: Normal of a face, direction of an edge, 0..2 for z, y, x, int[m].
        sign: +1 along the axis, -1 against it, 0 for none; halves where two share an element.
        group: What belongs to one surface or line, 0..n-1, int[m].
    """

    voxel: NDArray[np.int64]
    axis: NDArray[np.int8]
    sign: NDArray[np.float32]
    group: NDArray[np.int32]


def grouped(parts: Sequence[Part]) -> tuple[Elements, NDArray[np.int64]]:
    """Elements from voxels, axis, signs and keys; those of equal key are one group.

    Args:
        parts: Some elements of one axis each: voxels, axis, signs, and keys.

    Returns:
        The elements, ordered by voxel, and the key of each group, ascending.
    """
    keys, group = np.unique(np.concatenate([part[3] for part in parts]), return_inverse=True)
    voxel = np.concatenate([part[0] for part in parts])
    order = np.argsort(voxel, kind="stable")
    axis = np.repeat(np.array([part[1] for part in parts], np.int8), [len(p[0]) for p in parts])
    sign = np.concatenate([part[2] for part in parts])
    return Elements(voxel[order], axis[order], sign[order], group[order].astype(np.int32)), keys


def smoothing_level(radius: Floats, per_root: float) -> NDArray[np.int64]:
    """Index into `SIGMAS`, rounded down, for structures of some size.

    Args:
        radius: Their radius of curvature [voxels].
        per_root: Standard deviation over the root of that radius [voxels^(1/2)].
    """
    wanted = per_root * np.sqrt(np.minimum(radius, 1e6))
    return np.searchsorted(SIGMAS[1:], wanted, side="right")


def smooth_measure(
    elements: Elements,
    offsets: NDArray[np.int64],
    shape: tuple[int, ...],
    sizes: Sequence[float],
    levels: NDArray[np.int64],
) -> Floats:
    """Area or length of each group without the staircase.

    Args:
        elements: The elements, ordered by voxel.
        offsets: Centre of an element relative to its voxel's, by its axis, in half voxels,
            int[3, 3].
        shape: Number of voxels along (z, y, x).
        sizes: Area of a face or length of an edge by its axis [m² or m].
        levels: Index into `SIGMAS` for each group, int[n].

    Returns:
        float[n] [m² or m].
    """
    if len(elements.voxel) == 0:
        return np.zeros(len(levels))
    reaches = np.ceil(CUT * SIGMAS).astype(np.int64)
    steps = np.arange(-2 * reaches[-1] - 1, 2 * reaches[-1] + 2) / 2.0
    counts = np.bincount(elements.voxel, minlength=math.prod(shape))
    start = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=start[1:])
    del counts
    total: Floats = _projected(
        elements.voxel,
        start,
        elements.axis,
        elements.sign,
        elements.group,
        offsets,
        np.array(shape, dtype=np.int64),
        np.array(sizes, dtype=np.float64),
        levels,
        reaches,
        np.exp(-0.5 * (steps[None, :] / SIGMAS[:, None]) ** 2),
    )
    return total


@njit(cache=True)
def _projected(
    voxel: NDArray[np.int64],
    start: NDArray[np.int32],
    axis: NDArray[np.int8],
    sign: NDArray[np.float32],
    group: NDArray[np.int32],
    offsets: NDArray[np.int64],
    shape: NDArray[np.int64],
    sizes: Floats,
    levels: NDArray[np.int64],
    reaches: NDArray[np.int64],
    tables: Floats,
) -> Floats:
    """Sum over each group's elements of size times projection on the local direction."""
    totals = np.zeros(len(levels))
    middle = tables.shape[1] // 2
    vector = np.zeros(3)
    for k in range(len(voxel)):
        if sign[k] == 0.0:
            continue
        level = levels[group[k]]
        reach = reaches[level]
        table = tables[level]
        own = axis[k]
        z, rest = divmod(voxel[k], shape[1] * shape[2])
        y, x = divmod(rest, shape[2])
        left, right = max(x - reach, 0), min(x + reach, shape[2] - 1)
        vector[:] = 0.0
        for zz in range(max(z - reach, 0), min(z + reach + 1, shape[0])):
            for yy in range(max(y - reach, 0), min(y + reach + 1, shape[1])):
                row = (zz * shape[1] + yy) * shape[2]
                for j in range(start[row + left], start[row + right + 1]):
                    if group[j] == group[k]:
                        a = axis[j]
                        # Distances in half voxels.
                        dz = 2 * (zz - z) + offsets[a, 0] - offsets[own, 0]
                        dy = 2 * (yy - y) + offsets[a, 1] - offsets[own, 1]
                        dx = 2 * (voxel[j] - row - x) + offsets[a, 2] - offsets[own, 2]
                        weight = table[middle + dz] * table[middle + dy] * table[middle + dx]
                        vector[a] += weight * sign[j] * sizes[a]
        length = math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
        if length > 0.0:
            totals[group[k]] += sizes[own] * sign[k] * vector[own] / length
    return totals
