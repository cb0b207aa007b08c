"""Smooth phase fields of a labelled image: where phases meet is where two of them are equal.

The field of a phase is about the distance from its surface, inside positive, near the surface:
an indicator smoothed by (2G − G∗G) along a plane is P(distance / width), so P is undone. (The second
moment of that kernel vanishes: a curved surface does not move to first order in its curvature, as it
would under the Gaussian G alone.) Distances, unlike indicators, interpolate linearly.

A narrow G keeps thin features and the steps of voxels, too: a surface so smoothed is 0.3 % too large at
any resolution. Wherever a wider G tells the same distance within the noise of voxels, it is
believed: smooth surfaces converge, and necks and films stay.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage
from scipy.special import ndtr

WIDTHS = (1.0, 2.0, 3.0)
"""Standard deviations of the Gaussians [voxels], finest first."""
_TRUNCATE = 4.0
"""Standard deviations after which a Gaussian is cut off."""
_AGREE = 0.25
"""Distances of two widths [voxels] that agree: the noise of voxels in a smooth surface."""
_BAND, _EDGE = 1.2, 0.3
"""Distance from a surface up to which wider Gaussians count, and how gradually they cease [voxels]."""


@dataclass(frozen=True, eq=False)
class PhaseFields:
    """One field per phase at the voxel centres of a slab; the largest one tells the phase.

    Attributes:
        values: Shape ``(phases, layers, ny, nx)``; the slab's layers, halos included.
        first: Layer of the whole image that the slab begins with.
        layers: Layers of the whole image.
        voxel: Edge lengths of a voxel [µm] along z, y, x.
    """

    values: npt.NDArray[np.float32]
    first: int
    layers: int
    voxel: tuple[float, float, float]

    @property
    def grid(self) -> npt.NDArray[np.float64]:
        """What :func:`sample` needs: voxel edges, first layer, last index along each axis."""
        ny, nx = self.values.shape[2:]
        ends = (self.first, self.first + self.values.shape[1] - 1, ny - 1, nx - 1)
        return np.array([*self.voxel, *ends], dtype=np.float64)


def reach() -> int:
    """Voxels around a voxel that its field depends on."""
    return 2 * int(_TRUNCATE * WIDTHS[-1] + 0.5)


def phase_fields(labels: npt.NDArray[np.integer], phases: int) -> npt.NDArray[np.float32]:
    """Fields of all phases [voxels], mirrored at the ends of the array.

    Args:
        labels: Phase of each voxel [z, y, x].
        phases: Number of phases.

    Returns:
        Shape ``(phases, nz, ny, nx)``; about the distance within a voxel or so of a surface.
    """
    fields = np.empty((phases, *labels.shape), dtype=np.float32)
    if phases == 2:
        fields[1] = _distance(labels == 1)
        np.negative(fields[1], out=fields[0])
    else:
        for phase in range(phases):
            fields[phase] = _distance(labels == phase)
    return fields


def _distance(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    indicator = mask.astype(np.float32)
    field = _undone(_smoothed(indicator, WIDTHS[0]), WIDTHS[0])
    for width in WIDTHS[1:]:
        off = _undone(_smoothed(indicator, width), width)
        _follow(field, off)
    return field


def _smoothed(field: npt.NDArray[np.float32], width: float) -> npt.NDArray[np.float32]:
    once = ndimage.gaussian_filter(field, width, mode="reflect", truncate=_TRUNCATE)
    twice = ndimage.gaussian_filter(once, width, mode="reflect", truncate=_TRUNCATE)
    once *= np.float32(2.0)
    once -= twice
    result: npt.NDArray[np.float32] = once
    return result


_STEPS = np.linspace(-2.0, 2.0, 4001)
_PROFILE = 2.0 * ndtr(_STEPS) - ndtr(_STEPS / np.sqrt(2.0))


def _undone(field: npt.NDArray[np.float32], width: float) -> npt.NDArray[np.float32]:
    """Distance from a plane at which the smoothed indicator has these values [voxels]."""
    result: npt.NDArray[np.float32] = np.interp(field, _PROFILE, width * _STEPS).astype(np.float32)
    return result


@njit(cache=True)
def _follow(field: npt.NDArray[np.float32], wider: npt.NDArray[np.float32]) -> None:
    """Moves distances to those of a wider Gaussian where both agree near the surface."""
    fine, coarse = field.ravel(), wider.ravel()
    for i in range(len(fine)):
        near = (_BAND + _EDGE - abs(fine[i])) / _EDGE
        alike = 2.0 - abs(coarse[i] - fine[i]) / _AGREE
        if near > 0.0 and alike > 0.0:
            fine[i] += min(near, 1.0) * min(alike, 1.0) * (coarse[i] - fine[i])


@njit(cache=True)
def sample(
    values: npt.NDArray[np.float32],
    grid: npt.NDArray[np.float64],
    z: float,
    y: float,
    x: float,
    phase: int,
) -> float:
    """Trilinear value of one field at a point [µm]; constant beyond the outermost centres."""
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
    f = values[phase]
    low = (1.0 - fy) * ((1.0 - fx) * f[k, j, i] + fx * f[k, j, ii]) + fy * (
        (1.0 - fx) * f[k, jj, i] + fx * f[k, jj, ii]
    )
    high = (1.0 - fy) * ((1.0 - fx) * f[kk, j, i] + fx * f[kk, j, ii]) + fy * (
        (1.0 - fx) * f[kk, jj, i] + fx * f[kk, jj, ii]
    )
    return (1.0 - fz) * low + fz * high
