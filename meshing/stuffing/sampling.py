"""Phase fields between voxel centres, for compiled loops."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

_LOWEST = -1e30
"""Less than any field."""


class Fields(NamedTuple):
    """Fields and the constants of an attempt.

    Attributes:
        values: Fields at the voxel centres [voxels], shape ``(phases, layers, ny, nx)``.
        grid: Voxel edges [µm] along z, y, x; first layer; last index along z, y, x; shape ``(7,)``.
        shift: Constant added to each field [voxels], shape ``(phases,)``.
    """

    values: npt.NDArray[np.float32]
    grid: npt.NDArray[np.float64]
    shift: npt.NDArray[np.float64]


class _Spot(NamedTuple):
    """The eight voxel centres around a point, and how far it is from the lower to the upper ones.

    Attributes:
        k, j, i: Lower rows of the fields along z, y, x.
        kk, jj, ii: Upper ones.
        fz, fy, fx: In [0, 1).
    """

    k: int
    j: int
    i: int
    kk: int
    jj: int
    ii: int
    fz: float
    fy: float
    fx: float


@njit(cache=True)
def _spot(
    values: npt.NDArray[np.float32], grid: npt.NDArray[np.float64], z: float, y: float, x: float
) -> _Spot:
    """Where a point [µm] is; beyond the outermost centres it is on them."""
    v = max(grid[3], min(z / grid[0] - 0.5, grid[4]))
    k = int(v)
    fz = v - k
    k -= int(grid[3])
    v = max(0.0, min(y / grid[1] - 0.5, grid[5]))
    j = int(v)
    fy = v - j
    v = max(0.0, min(x / grid[2] - 0.5, grid[6]))
    i = int(v)
    fx = v - i
    kk = min(k + 1, values.shape[1] - 1)
    jj = min(j + 1, values.shape[2] - 1)
    ii = min(i + 1, values.shape[3] - 1)
    return _Spot(k, j, i, kk, jj, ii, fz, fy, fx)


@njit(cache=True)
def _trilinear(f: npt.NDArray[np.float32], at: _Spot) -> float:
    low = (1.0 - at.fy) * ((1.0 - at.fx) * f[at.k, at.j, at.i] + at.fx * f[at.k, at.j, at.ii])
    low += at.fy * ((1.0 - at.fx) * f[at.k, at.jj, at.i] + at.fx * f[at.k, at.jj, at.ii])
    high = (1.0 - at.fy) * ((1.0 - at.fx) * f[at.kk, at.j, at.i] + at.fx * f[at.kk, at.j, at.ii])
    high += at.fy * ((1.0 - at.fx) * f[at.kk, at.jj, at.i] + at.fx * f[at.kk, at.jj, at.ii])
    return float((1.0 - at.fz) * low + at.fz * high)


@njit(cache=True)
def sample(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    point: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """Trilinear values of all fields at a point; constant beyond the outermost centres.

    Args:
        values, grid: See :class:`Fields`.
        point: Its coordinates (z, y, x) [µm].
        out: Receives the values [voxels], shape ``(phases,)``.
    """
    at = _spot(values, grid, point[0], point[1], point[2])
    for k in range(values.shape[0]):
        out[k] = _trilinear(values[k], at)


@njit(cache=True)
def best_phase(fields: Fields, z: float, y: float, x: float, phases: int) -> int:
    """The phase with the largest field at a point [µm] among those of a set, given as bits."""
    at = _spot(fields.values, fields.grid, z, y, x)
    best, highest = -1, _LOWEST
    for k in range(fields.values.shape[0]):
        if (phases >> k) & 1:
            value = _trilinear(fields.values[k], at) + fields.shift[k]
            if value > highest:
                best, highest = k, value
    return best


@njit(cache=True)
def difference(
    fields: Fields,
    p: npt.NDArray[np.float64],
    q: npt.NDArray[np.float64],
    t: float,
    here: int,
    there: int,
) -> float:
    """Largest field of one set of phases less that of another on the way from p to q.

    Args:
        fields: The fields.
        p, q: Points (z, y, x) [µm].
        t: How far from p to q, in [0, 1].
        here, there: Bits of the phases.

    Returns:
        Difference [voxels]; positive where `here` wins.
    """
    z, y, x = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
    at = _spot(fields.values, fields.grid, z, y, x)
    ours, theirs = _LOWEST, _LOWEST
    for k in range(fields.values.shape[0]):
        if ((here | there) >> k) & 1:
            value = _trilinear(fields.values[k], at) + fields.shift[k]
            if (here >> k) & 1:
                ours = max(ours, value)
            if (there >> k) & 1:
                theirs = max(theirs, value)
    return ours - theirs
