"""Interfaces as oriented voxel faces: between phases and between touching particles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.staircase import (
    Elements,
    Floats,
    Part,
    grouped,
    smooth_measure,
    smoothing_level,
)
from voxtrode.data.connectivity import neighbours
from voxtrode.data.interfaces import Triple

FACE_OFFSETS = np.eye(3, dtype=np.int64)  # a face lies half a voxel up its own normal
PER_ROOT = 0.6  # of the Gaussian's width; balls are 1 % off from 5 voxels radius on

Ids = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Contacts:
    """Contacts between particles, one entry each.

    Attributes:
        pairs: The two particles, the smaller id first, int[k, 2].
        area: Smooth area [m²], float[k].
        faces: Area of the voxel faces [m²], float[k]; a staircase.
    """

    pairs: NDArray[np.int64]
    area: Floats
    faces: Floats


def face_sizes(voxel: Triple) -> tuple[float, float, float]:
    """Area of the voxel faces across z, y and x [m²]."""
    dz, dy, dx = voxel
    return dy * dx, dz * dx, dz * dy


def phase_radii(labels: Ids, count: int) -> Floats:
    """Radius of each phase, 3 V / S, as of a ball [voxels]; infinite without an interface.

    S is taken as 2/3 of the voxel faces.
    """
    volumes = np.bincount(labels.ravel(), minlength=count)
    faces = np.zeros(count, dtype=np.int64)
    for here, there in neighbours():
        differ = labels[here] != labels[there]
        faces += np.bincount(labels[here][differ], minlength=count)
        faces += np.bincount(labels[there][differ], minlength=count)
    radii = np.full(count, np.inf)
    np.divide(4.5 * volumes, faces, out=radii, where=faces > 0)
    return radii


def phase_areas(labels: Ids, count: int, voxel: Triple) -> Floats:
    """Area of the interface of each two phases from projected voxel faces.

    Unlike areas by marching cubes of an indicator smoothed over a fixed number of voxels, they
    converge with the resolution, and are not rounded at lines where three phases meet.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        count: Number of phases n.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Symmetric float[n, n] [m²].
    """
    faces, keys = _faces_between(labels, 0)
    small, large = np.divmod(keys, int(labels.max()) + 1)
    radii = phase_radii(labels, count)
    levels = smoothing_level(np.minimum(radii[small], radii[large]), PER_ROOT)
    areas = np.zeros((count, count))
    areas[small, large] = smooth_measure(
        faces, FACE_OFFSETS, labels.shape, face_sizes(voxel), levels
    )
    return areas + areas.T


def contacts(particles: Ids, voxel: Triple) -> Contacts:
    """Contacts of particles: where voxels of two particles share faces.

    Areas of necks of a few voxels are far too large, for the voxels themselves close the gap beside
    a neck: on balls of 15 to 25 voxels radius 65 to 95 % at a neck of 3 voxels radius, 20 to 40 %
    at 5, 5 to 10 % at 9, more in voxels longer than wide. No weighting of faces can mend this;
    finer voxels do.

    Args:
        particles: Particle of each voxel [z, y, x]; 0 where there is none.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
    """
    faces, keys = _faces_between(particles, 1)
    sizes = face_sizes(voxel)
    counts = np.bincount(faces.group, minlength=len(keys))
    # As of a disc; its faces are 3/2 of it on average.
    levels = smoothing_level(np.sqrt(counts / (1.5 * np.pi)), PER_ROOT)
    return Contacts(
        pairs=np.stack(np.divmod(keys, int(particles.max()) + 1), axis=1),
        area=smooth_measure(faces, FACE_OFFSETS, particles.shape, sizes, levels),
        faces=np.bincount(faces.group, np.asarray(sizes)[faces.axis], minlength=len(keys)),
    )


def _faces_between(ids: Ids, lowest: int) -> tuple[Elements, NDArray[np.int64]]:
    """Faces between different ids that are at least `lowest`, oriented from the smaller id.

    Returns:
        The faces, grouped by pair, and the key of each pair: smaller id · (largest + 1) + larger.
    """
    base = int(ids.max()) + 1
    parts: list[Part] = []
    for axis, (here, there) in enumerate(neighbours()):
        low, high = ids[here], ids[there]
        where = np.nonzero((low != high) & (np.minimum(low, high) >= lowest))
        first, second = low[where].astype(np.int64), high[where].astype(np.int64)
        key = np.minimum(first, second) * base + np.maximum(first, second)
        sign = np.where(first < second, np.float32(1.0), np.float32(-1.0))
        cell = np.asarray(np.ravel_multi_index(where, ids.shape), dtype=np.int64)
        parts.append((cell, axis, sign, key))
    return grouped(parts)
