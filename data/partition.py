"""Particles of an imaged phase: watershed of its distance map, basins merged while flooding."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.flooding import flood
from voxtrode.data.partitioning import DEFAULT, Partitioning
from voxtrode.data.volume import Particles

_LEVELS = 1024
"""Levels of the distance map per largest voxel edge: whole numbers sort alike on every machine."""


def partition(
    labels: NDArray[np.integer[Any]],
    active: Sequence[int],
    voxel: tuple[float, float, float],
    partitioning: Partitioning = DEFAULT,
) -> tuple[Particles, Mapping[str, Any]]:
    """Split active phases into particles, each phase by itself.

    The distance to the phase's boundary [m] (sides of the box are none: a cut particle goes on
    behind them) is smoothed slightly, as in SNOW (Gostick, Phys. Rev. E 96, 023307, 2017), and
    flooded from its maxima down, face by face. Where two basins first meet is the neck of the two;
    there they are merged if the neck is hardly narrower than the lesser maximum, or if their maxima
    are nearer to each other than to the boundary (SNOW's trimming of nearby peaks). Every
    face-connected component of the phase has at least one particle, every particle is
    face-connected.

    Args:
        labels: Phase of each voxel [z, y, x].
        active: Labels whose phases are split.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        partitioning: When maxima are merged.

    Returns:
        Particle ids 1..n, 0 in other phases, int32[z, y, x], in the order of `active` and then of
        mean depth; and the method with its parameters and the counts before and after merging.
    """
    particles = np.zeros(labels.shape, dtype=np.int32)
    count, maxima = 0, 0
    for value in active:
        mask = labels == value
        basins, found, flooded = _basins(mask, voxel, partitioning)
        particles[mask] = _by_depth(mask, basins, found) + count
        count += found
        maxima += flooded
    return particles, {
        "method": "watershed of the smoothed distance map, basins merged by contrast and nearness",
        "source": "SNOW, Gostick, Phys. Rev. E 96, 023307 (2017); merging while flooding",
        "parameters": asdict(partitioning),
        "maxima": maxima,
        "particles": count,
    }


def _basins(
    mask: NDArray[np.bool_], voxel: tuple[float, float, float], partitioning: Partitioning
) -> tuple[NDArray[np.int64], int, int]:
    """Basin 0..n-1 of each voxel of the mask, in its order; n; and the number before merging."""
    if not mask.any():
        return np.zeros(0, dtype=np.int64), 0, 0
    if mask.all():  # there is no boundary to measure from
        return np.zeros(mask.size, dtype=np.int64), 1, 1
    edges = np.array(voxel) / max(voxel)
    height = _levels(mask, edges, partitioning.smoothing)
    # The rim of zeros is dry: no index has to be checked.
    height = np.pad(height, 1)
    strides = np.array([height.shape[1] * height.shape[2], height.shape[2], 1], dtype=np.int64)
    height = height.ravel()
    wet = np.flatnonzero(height)
    order = wet[np.argsort(-height[wet], kind="stable")]
    basin = np.full(height.size, -1, dtype=np.int64)
    maxima = flood(
        order,
        height,
        strides,
        edges,
        partitioning.contrast,
        partitioning.least_contrast * _LEVELS,
        partitioning.nearness / _LEVELS,
        basin,
    )
    names, numbered = np.unique(basin[wet], return_inverse=True)
    return numbered.ravel(), len(names), int(maxima)


def _levels(
    mask: NDArray[np.bool_], edges: NDArray[np.float64], smoothing: float
) -> NDArray[np.int32]:
    """Smoothed distance to the boundary in whole levels: at least 1 in the mask, 0 outside."""
    distance = ndimage.distance_transform_edt(mask, sampling=edges)
    smooth = ndimage.gaussian_filter(distance, smoothing / edges, mode="nearest")
    return np.where(mask, np.maximum(np.rint(smooth * _LEVELS), 1.0), 0.0).astype(np.int32)


def _by_depth(mask: NDArray[np.bool_], basins: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    """Ids 1..n of the voxels of a mask, ordered by their basins' mean layer."""
    layers = np.repeat(np.arange(len(mask)), np.count_nonzero(mask, axis=(1, 2)))
    sums = np.bincount(basins, weights=layers, minlength=count)
    depth = sums / np.bincount(basins, minlength=count)
    ids = np.empty(count, dtype=np.int32)
    ids[np.argsort(depth, kind="stable")] = np.arange(1, count + 1)
    return ids[basins]
