"""Smooth phase fields of a labelled image: where phases meet is where two of them are equal.

The field of a phase is about the distance from its surface, inside positive. Near a surface, an
indicator smoothed by a Gaussian of width w is Φ(distance/w − w H/2) with H the sum of the principal
curvatures; Φ is undone, and two widths are extrapolated, so that a curvature has no effect to
first order. Distances, unlike indicators, also interpolate linearly.

Narrow Gaussians keep thin features and the steps of voxels, too: a surface so smoothed is 0.3 % too
large at any resolution. Wherever wider ones tell the same distance within the noise of voxels, they
are believed: smooth surfaces converge, and necks and films stay.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage
from scipy.special import ndtr, ndtri

from voxtrode.meshing.stuffing.sampling import Fields

Volume = npt.NDArray[np.float32]

WIDTHS = (0.7, 1.3, 2.2, 4.0)
"""Standard deviations of the Gaussians [voxels], finest first."""
_TRUNCATE = 4.0
"""Standard deviations after which a Gaussian is cut off."""
_AGREE = 0.2
"""Distances of two widths [voxels] that agree: the noise of voxels in a smooth surface."""
_BAND, _EDGE = 1.2, 0.3
"""Distance from a surface up to which wider Gaussians count, and how they cease [voxels]."""


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

    def shifted(self, shift: npt.NDArray[np.float64]) -> Fields:
        """The fields with a constant for each phase [voxels]."""
        return Fields(self.values, self.grid, shift)

    @property
    def grid(self) -> npt.NDArray[np.float64]:
        """Voxel edges [µm], first layer, last index along each axis, see :class:`Fields`."""
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
        for width in WIDTHS:
            once, twice = _smoothed(labels == 1, width)
            _take(fields[1], once, twice, width)
        np.negative(fields[1], out=fields[0])
        return fields
    for width in WIDTHS:
        # Indicators add up to one, and so they do when smoothed: the last one needs no filter.
        rest_once, rest_twice = (np.ones(labels.shape, dtype=np.float32) for _ in range(2))
        for phase in range(phases - 1):
            once, twice = _smoothed(labels == phase, width)
            rest_once -= once
            rest_twice -= twice
            _take(fields[phase], once, twice, width)
        _take(fields[-1], rest_once, rest_twice, width)
    return fields


def _smoothed(mask: npt.NDArray[np.bool_], width: float) -> tuple[Volume, Volume]:
    """The indicator of a mask, smoothed by a Gaussian once and twice."""
    indicator = mask.astype(np.float32)
    once = ndimage.gaussian_filter(indicator, width, mode="reflect", truncate=_TRUNCATE)
    twice = ndimage.gaussian_filter(
        once, width, mode="reflect", truncate=_TRUNCATE, output=indicator
    )
    return once, twice


def _take(field: Volume, once: Volume, twice: Volume, width: float) -> None:
    """Write the distances by the first width into a field, or follow those of wider ones."""
    _extrapolate(once, twice, width)
    if width == WIDTHS[0]:
        field[:] = once
    else:
        _follow(field, once)


_FARTHEST = 2.5
"""Distance over width beyond which a smoothed indicator tells nothing in single precision."""


def _inverse_profile() -> npt.NDArray[np.float32]:
    """Distance over width for evenly spaced values of the smoothed indicator of a half space."""
    even = np.linspace(ndtr(-_FARTHEST), ndtr(_FARTHEST), 8193)
    return ndtri(even).astype(np.float32)


_INVERSE = _inverse_profile()
_LOWEST = float(ndtr(-_FARTHEST))
_STEP = (1.0 - 2.0 * _LOWEST) / (len(_INVERSE) - 1)


@njit(cache=True)
def _undone(value: float, width: float) -> float:
    """Distance from a plane at which its smoothed indicator has this value [voxels]."""
    at = min(max((value - _LOWEST) / _STEP, 0.0), len(_INVERSE) - 1.001)
    i = int(at)
    return float(width * (_INVERSE[i] + (at - i) * (_INVERSE[i + 1] - _INVERSE[i])))


@njit(cache=True)
def _extrapolate(once: Volume, twice: Volume, width: float) -> None:
    """Write the distance into `once`: twice that by it, less that by `twice`.

    By two Gaussians, such that a curvature has no effect to first order.
    """
    a, b = once.ravel(), twice.ravel()
    for i in range(len(a)):
        a[i] = 2.0 * _undone(a[i], width) - _undone(b[i], np.sqrt(2.0) * width)


@njit(cache=True)
def _follow(field: Volume, wider: Volume) -> None:
    """Move distances to those of wider Gaussians where both agree near the surface."""
    fine, coarse = field.ravel(), wider.ravel()
    for i in range(len(fine)):
        near = (_BAND + _EDGE - abs(fine[i])) / _EDGE
        alike = 2.0 - abs(coarse[i] - fine[i]) / _AGREE
        if near > 0.0 and alike > 0.0:
            fine[i] += min(near, 1.0) * min(alike, 1.0) * (coarse[i] - fine[i])
