"""Fraction of each phase along each axis of the box."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.tiles import bins, voxel_counts
from voxtrode.data.connectivity import AXES
from voxtrode.data.interfaces import Triple

BINS = 100  # at most, along an axis
TILES = 4  # at most, along each of the two axes across


def depth_profiles(
    labels: NDArray[np.integer[Any]], phases: Sequence[str], voxel: Triple
) -> dict[str, Any]:
    """Fraction of each phase per layer along z, y and x.

    Layers are put together to at most 100 bins. Each bin is cut into 4 x 4 columns across the axis
    (fewer where there are fewer voxels); the standard deviation of the fraction over these columns
    tells how even a layer is.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Per axis: `position_m` (centre of each bin from the box's corner), `fraction` and `std` by
        phase (a list over the bins; `std` is null where there is one column), and the number of
        `columns`.
    """
    profiles = {}
    for axis, name in enumerate(AXES):
        parts = [min(TILES, length) for length in labels.shape]
        parts[axis] = min(BINS, labels.shape[axis])
        counts = voxel_counts(labels, (parts[0], parts[1], parts[2]), len(phases))
        columns = np.moveaxis(counts, axis, 0).reshape(parts[axis], -1, len(phases))
        layers = bins(labels.shape[axis], parts[axis])
        position = (np.arange(len(layers)) + 0.5) * voxel[axis]
        fraction = columns.sum(axis=1) / columns.sum(axis=(1, 2))[:, None]
        number = columns.shape[1]
        std: dict[str, Any] = dict.fromkeys(phases)
        if number > 1:
            spread = (columns / columns.sum(axis=2, keepdims=True)).std(axis=1, ddof=1)
            std = {phase: spread[:, value].tolist() for value, phase in enumerate(phases)}
        profiles[name] = {
            "position_m": (np.bincount(layers, position) / np.bincount(layers)).tolist(),
            "fraction": {phase: fraction[:, v].tolist() for v, phase in enumerate(phases)},
            "std": std,
            "columns": number,
        }
    return profiles
