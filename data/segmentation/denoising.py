"""Denoising of grey values, each way a small object; and the noise in a volume."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.restoration import denoise_nl_means

from voxtrode.data.errors import InputError

Grey = NDArray[np.float32]

_BLOCK = 128
"""Voxels along an edge of the blocks that are denoised one by one: it bounds the memory, and the
sums of squares that scikit-image keeps in single precision."""


class Denoising(Protocol):
    """A way to remove noise."""

    def apply(self, grey: Grey, noise: float) -> Grey:
        """The grey values [z, y, x] without noise, whose standard deviation is given."""
        ...

    def described(self) -> dict[str, Any]:
        """Name and parameters (JSON-able)."""
        ...


@dataclass(frozen=True)
class NonLocalMeans:
    """Non-local means: a voxel becomes the mean of those whose surroundings look like its own.

    Buades, Coll, Morel, Proc. CVPR 2005, 60-65, doi:10.1109/CVPR.2005.38; the fast variant of
    Darbon et al., Proc. ISBI 2008, 1331-1334, doi:10.1109/ISBI.2008.4541250, as scikit-image has
    it. Noise is removed along edges but not across them.

    The defaults gave the fewest wrong voxels among strengths of 0.3 to 0.8 and patches of 3 to 7
    voxels on blurred three-phase volumes with steps of 3 and 6 times the noise.

    Attributes:
        strength: How different surroundings may look, in standard deviations of the noise.
        patch: Edge of the surroundings that are compared [voxels], odd.
        distance: How far voxels are looked for [voxels].
    """

    strength: float = 0.4
    patch: int = 5
    distance: int = 3

    def __post_init__(self) -> None:
        if not 0.0 < self.strength < 100.0:
            raise InputError(
                f"nlm strength is {self.strength}: expected a multiple of the noise, e.g. 0.4"
            )
        if self.patch < 1 or self.patch % 2 == 0 or self.distance < 1:
            raise InputError(
                f"nlm patch {self.patch}, distance {self.distance}: expected an odd number and a "
                "number of voxels from 1, e.g. 5 and 3"
            )

    def apply(self, grey: Grey, noise: float) -> Grey:
        """Denoise block by block; the blocks overlap by all that a voxel depends on."""
        if noise == 0.0:
            return grey.copy()
        out = np.empty_like(grey)
        for inner, outer, within in _blocks(grey.shape, self.distance + self.patch // 2):
            # A plane is denoised as a plane: along an axis of one voxel there is nothing to see.
            flat = tuple(axis for axis, count in enumerate(grey.shape) if count == 1)[:1]
            piece = np.squeeze(grey[outer], axis=flat)
            done = denoise_nl_means(
                piece,
                patch_size=self.patch,
                patch_distance=self.distance,
                h=self.strength * noise,
                sigma=noise,
                fast_mode=True,
            )
            out[inner] = np.expand_dims(done, flat)[within]
        return out

    def described(self) -> dict[str, Any]:
        """Name and parameters (JSON-able)."""
        return {
            "method": "non-local means",
            "strength": self.strength,
            "patch_voxels": self.patch,
            "distance_voxels": self.distance,
        }


@dataclass(frozen=True)
class Median:
    """The median over a cube of 2 radius + 1 voxels.

    Attributes:
        radius: Half the edge of the cube [voxels].
    """

    radius: int = 1

    def __post_init__(self) -> None:
        if self.radius < 1:
            raise InputError(f"median radius is {self.radius}: expected voxels from 1")

    def apply(self, grey: Grey, noise: float) -> Grey:
        """Denoise; the noise is not needed."""
        del noise
        out: Grey = ndimage.median_filter(grey, size=2 * self.radius + 1, mode="reflect")
        return out

    def described(self) -> dict[str, Any]:
        """Name and parameters (JSON-able)."""
        return {"method": "median", "radius_voxels": self.radius}


@dataclass(frozen=True)
class NoDenoise:
    """Leaves the grey values as they are."""

    def apply(self, grey: Grey, noise: float) -> Grey:
        """A copy."""
        del noise
        return grey.copy()

    def described(self) -> dict[str, Any]:
        """Name and parameters (JSON-able)."""
        return {"method": "none"}


def noise_level(grey: Grey) -> float:
    """Standard deviation of white noise in a volume.

    From the median absolute value of the product of second differences along all axes, which
    leaves noise and next to nothing of smooth structure (Immerkaer, Comput. Vis. Image Underst. 64
    (1996) 300, doi:10.1006/cviu.1996.0060, with a median in place of the mean, so that edges do not
    count). Noise that is correlated between voxels is underestimated.

    Args:
        grey: [z, y, x]; axes of less than three voxels are passed over.
    """
    axes = [axis for axis, count in enumerate(grey.shape) if count >= 3]
    if not axes:
        return 0.0
    left = grey
    for axis in axes:
        left = np.diff(left, n=2, axis=axis)
    # Coefficients 1, -2, 1 have the sum of squares 6; 0.6745: quartile of the normal distribution.
    spread = float(np.median(np.abs(left))) / 0.6745
    return spread / math.sqrt(6.0 ** len(axes))


type Slices = tuple[slice, ...]


def _blocks(shape: tuple[int, ...], halo: int) -> Iterator[tuple[Slices, Slices, Slices]]:
    """Blocks that cover an array: where each lies, with its halo, and the first in the second."""
    starts = (range(0, count, _BLOCK) for count in shape)
    for corner in product(*starts):
        last = [min(c + _BLOCK, count) for c, count in zip(corner, shape, strict=True)]
        first = [max(c - halo, 0) for c in corner]
        beyond = [min(end + halo, count) for end, count in zip(last, shape, strict=True)]
        yield (
            tuple(map(slice, corner, last)),
            tuple(map(slice, first, beyond)),
            tuple(slice(c - f, e - f) for c, e, f in zip(corner, last, first, strict=True)),
        )
