"""Particles of an imaged phase: watershed of its distance map."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

from voxtrode.data.volume import Particles

CONTRAST = 0.10
"""Two maxima are one particle where the neck between them is above 90 % of the lesser."""
LEAST_CONTRAST = 0.75
"""Least depth of a neck below the lesser maximum [voxels, of the largest edge]."""
SMOOTHING = 0.5
"""Standard deviation of the Gaussian over the distance map [voxels]: removes voxel plateaus."""


def partition(
    labels: NDArray[np.integer[Any]],
    active: Sequence[int],
    voxel: tuple[float, float, float],
) -> tuple[Particles, Mapping[str, Any]]:
    """Split active phases into particles, each phase by itself.

    The distance to the phase's boundary (sides of the box are none: a cut particle goes on behind
    them) is smoothed slightly; its maxima are taken together where the neck between them is hardly
    narrower than they are; a watershed grows the rest. Every component of the phase has at least
    one particle, and no particle spans two components.

    Args:
        labels: Phase of each voxel [z, y, x].
        active: Labels whose phases are split.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Particle ids 1..n, 0 in other phases, int32[z, y, x], in the order of `active` and then of
        depth; and the method with its parameters.
    """
    particles = np.zeros(labels.shape, dtype=np.int32)
    count = 0
    for value in active:
        mask = labels == value
        basins = _basins(mask, voxel)
        ids = _by_depth(basins)
        particles[mask] = ids[basins[mask]] + count
        count += len(ids) - 1
    return particles, {
        "method": "watershed of the distance map from h-maxima",
        "contrast": CONTRAST,
        "least_contrast_voxels": LEAST_CONTRAST,
        "smoothing_voxels": SMOOTHING,
        "particles": count,
    }


def _basins(mask: NDArray[np.bool_], voxel: tuple[float, float, float]) -> NDArray[np.int32]:
    spacing = np.array(voxel) / max(voxel)
    if mask.all():
        return np.ones(mask.shape, dtype=np.int32)
    distance = ndimage.distance_transform_edt(mask, sampling=spacing)
    smooth = np.where(mask, ndimage.gaussian_filter(distance, SMOOTHING, mode="nearest"), 0.0)
    # Anything positive inside keeps isolated voxels above the background.
    smooth = smooth.astype(np.float32)
    lowered = smooth - np.maximum(CONTRAST * smooth, LEAST_CONTRAST)
    seeds = np.where(mask, np.maximum(lowered, np.float32(1e-3)), np.float32(0.0))
    seeds = np.minimum(seeds, smooth)
    levelled = reconstruction(seeds, smooth, method="dilation")  # type: ignore[no-untyped-call]
    maxima = local_maxima(levelled)  # type: ignore[no-untyped-call]
    markers, count = ndimage.label(maxima & mask, np.ones((3, 3, 3)))
    basins = watershed(-smooth, markers, mask=mask)  # type: ignore[no-untyped-call]
    # A plateau of maxima may reach over an edge into another component: number pairs of both.
    components, _ = ndimage.label(mask)
    pairs = components.astype(np.int64) * (count + 1) + basins
    _, numbered = np.unique(pairs[mask], return_inverse=True)
    split = np.zeros(mask.shape, dtype=np.int32)
    split[mask] = numbered.ravel() + 1
    return split


def _by_depth(basins: NDArray[np.int32]) -> NDArray[np.int32]:
    """New id of each basin (0 stays 0), ordered by the mean layer."""
    count = int(basins.max())
    layers = np.arange(basins.shape[0])
    sizes = np.bincount(basins.ravel(), minlength=count + 1)
    weights = np.zeros(count + 1)
    for layer in layers:
        weights += layer * np.bincount(basins[layer].ravel(), minlength=count + 1)
    order = np.argsort(weights[1:] / np.maximum(sizes[1:], 1), kind="stable")
    ids = np.zeros(count + 1, dtype=np.int32)
    ids[order + 1] = np.arange(1, count + 1)
    return ids
