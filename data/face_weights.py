"""Weight of a voxel face in the smooth surface that it is a stair of."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

REACH = 3.5
"""Half-width of the window that estimates a normal [largest voxel edges]."""
RIDGE = 1e-9
"""Added to the variances of places [squared half-widths]: one layer of voxels has none across."""


def face_window(
    edges: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Voxels about a face across an axis.

    Args:
        edges: Of a voxel along (z, y, x).
        axis: The face's normal.

    Returns:
        Offsets of the voxels from the one before the face, int[m, 3]; and, for the fit of a plane,
        the weight w of each, w r (3) and w r r (zz, yy, xx, zy, zx, yx), with r the place from the
        face's centre, float[m, 10].
    """
    width = REACH * edges.max()
    reach = np.floor(width / edges).astype(int)
    ranges = [np.arange(-half, half + 1) for half in reach]
    ranges[axis] = np.arange(-reach[axis], reach[axis] + 2)
    offsets = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    places = offsets.astype(np.float64)
    places[:, axis] -= 0.5
    places *= edges / width
    # Fades out: a window with a sharp rim prefers some directions, and errs by 4 % of the area.
    # A product over the axes: what is flat along one axis says nothing about the others.
    weights = (np.maximum(1.0 - places**2, 0.0) ** 2).prod(axis=1)
    near = weights > 0.0
    z, y, x = places[near].T
    terms = np.stack([np.ones(len(z)), z, y, x, z * z, y * y, x * x, z * y, z * x, y * x], axis=1)
    return offsets[near].astype(np.int64), weights[near, None] * terms


@njit(cache=True)
def weigh_face(
    ids: NDArray[np.integer[Any]],
    z: int,
    y: int,
    x: int,
    axis: int,
    offsets: NDArray[np.int64],
    terms: NDArray[np.float64],
) -> float:
    """Component |n·e| of the normal between two ids along that of a face; 1 where there is none.

    n is the slope of the plane fitted to an indicator that is -1 in the one id and +1 in the other;
    voxels of third ids and what lies outside the box are no part of the fit.

    Args:
        ids: Of each voxel [z, y, x].
        z, y, x: The voxel before the face.
        axis: The face's normal.
        offsets, terms: As of `face_window`.
    """
    nz, ny, nx = ids.shape
    here = ids[z, y, x]
    there = ids[z + int(axis == 0), y + int(axis == 1), x + int(axis == 2)]
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = s9 = 0.0
    f0 = f1 = f2 = f3 = 0.0
    for k in range(len(offsets)):
        i, j, m = z + offsets[k, 0], y + offsets[k, 1], x + offsets[k, 2]
        if i < 0 or j < 0 or m < 0 or i >= nz or j >= ny or m >= nx:
            continue
        found = ids[i, j, m]
        if found == here:
            side = -1.0
        elif found == there:
            side = 1.0
        else:
            continue
        s0 += terms[k, 0]
        s1 += terms[k, 1]
        s2 += terms[k, 2]
        s3 += terms[k, 3]
        s4 += terms[k, 4]
        s5 += terms[k, 5]
        s6 += terms[k, 6]
        s7 += terms[k, 7]
        s8 += terms[k, 8]
        s9 += terms[k, 9]
        f0 += side * terms[k, 0]
        f1 += side * terms[k, 1]
        f2 += side * terms[k, 2]
        f3 += side * terms[k, 3]
    mean, mz, my, mx = f0 / s0, s1 / s0, s2 / s0, s3 / s0
    gz, gy, gx = f1 / s0 - mean * mz, f2 / s0 - mean * my, f3 / s0 - mean * mx
    a, b, c = s4 / s0 - mz * mz + RIDGE, s5 / s0 - my * my + RIDGE, s6 / s0 - mx * mx + RIDGE
    d, e, f = s7 / s0 - mz * my, s8 / s0 - mz * mx, s9 / s0 - my * mx
    # The normal is the adjugate of the covariance matrix times the slope; its length drops out.
    n = (
        (b * c - f * f) * gz + (e * f - c * d) * gy + (d * f - b * e) * gx,
        (e * f - c * d) * gz + (a * c - e * e) * gy + (d * e - a * f) * gx,
        (d * f - b * e) * gz + (d * e - a * f) * gy + (a * b - d * d) * gx,
    )
    length = np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2)
    return abs(n[axis]) / length if length > 0.0 else 1.0
