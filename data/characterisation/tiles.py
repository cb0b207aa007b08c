"""Sums over tiles of a volume: voxels and interface of each phase."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.characterisation.surfaces import face_sizes
from voxtrode.data.interfaces import Triple

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def bins(length: int, parts: int) -> Ints:
    """Bin of each of `length` layers, cut into `parts` as equal as can be: 0..parts-1."""
    return np.arange(length, dtype=np.int64) * parts // length


def voxel_counts(labels: NDArray[np.integer[Any]], parts: tuple[int, int, int], count: int) -> Ints:
    """Voxels of each phase in each tile.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        parts: Number of tiles along (z, y, x), at most the number of voxels.
        count: Number of phases n.

    Returns:
        int[parts_z, parts_y, parts_x, n].
    """
    sums = np.zeros((*parts, count), dtype=np.int64)
    z, y, x = (bins(length, part) for length, part in zip(labels.shape, parts, strict=True))
    _count(labels, z, y, x, sums)
    return sums


def face_areas(
    labels: NDArray[np.integer[Any]], parts: tuple[int, int, int], count: int, voxel: Triple
) -> Floats:
    """Area of the voxel faces between each phase and all others in each tile [m²].

    A face belongs by halves to the tiles of its two voxels.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        parts: Number of tiles along (z, y, x), at most the number of voxels.
        count: Number of phases n.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        float[parts_z, parts_y, parts_x, n].
    """
    sums = np.zeros((3, *parts, count), dtype=np.int64)
    z, y, x = (bins(length, part) for length, part in zip(labels.shape, parts, strict=True))
    _count_faces(labels, z, y, x, sums)
    # Summed as integers: no order of summation can change the result.
    areas: Floats = np.tensordot(0.5 * np.asarray(face_sizes(voxel)), sums, axes=1)
    return areas


@njit(cache=True)
def _count(labels: NDArray[np.integer[Any]], z: Ints, y: Ints, x: Ints, sums: Ints) -> None:
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for k in range(labels.shape[2]):
                sums[z[i], y[j], x[k], labels[i, j, k]] += 1


@njit(cache=True)
def _count_faces(labels: NDArray[np.integer[Any]], z: Ints, y: Ints, x: Ints, sums: Ints) -> None:
    layers, rows, columns = labels.shape
    for i in range(layers):
        for j in range(rows):
            for k in range(columns):
                a = labels[i, j, k]
                if i + 1 < layers and labels[i + 1, j, k] != a:
                    b = labels[i + 1, j, k]
                    for phase in (a, b):
                        sums[0, z[i], y[j], x[k], phase] += 1
                        sums[0, z[i + 1], y[j], x[k], phase] += 1
                if j + 1 < rows and labels[i, j + 1, k] != a:
                    b = labels[i, j + 1, k]
                    for phase in (a, b):
                        sums[1, z[i], y[j], x[k], phase] += 1
                        sums[1, z[i], y[j + 1], x[k], phase] += 1
                if k + 1 < columns and labels[i, j, k + 1] != a:
                    b = labels[i, j, k + 1]
                    for phase in (a, b):
                        sums[2, z[i], y[j], x[k], phase] += 1
                        sums[2, z[i], y[j], x[k + 1], phase] += 1
