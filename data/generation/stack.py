"""Two electrodes in one volume: one stands on z = 0, the other hangs from z = L."""

import numpy as np

from voxtrode.data.volume import Grains, Volume

FIRST, LAST, BETWEEN = "first-", "last-", "between"
"""What the phases of the electrodes are called by, and the phase between them."""


def stacked(first: Volume, last: Volume, layers: int) -> Volume:
    """Two volumes in one, with a layer between them.

    Each was made on a collector at z = 0; the last one is turned over, mirrored across z.

    Args:
        first, last: The electrodes, of the same voxel and extent in plane.
        layers: Voxels between them along z.

    Returns:
        The volume: the phases of the first, the phase between, those of the last. Particles of the
        last follow those of the first.
    """
    _, height, width = first.labels.shape
    before = len(first.phases)
    gap = np.full((layers, height, width), before, dtype=np.uint8)
    beyond = last.labels[::-1] + np.uint8(before + 1)
    shift = int(first.particles.max(initial=0))
    far = last.particles[::-1]
    far = np.where(far > 0, far + shift, 0).astype(np.int32)
    diameters = None
    if first.made_diameters is not None and last.made_diameters is not None:
        diameters = np.concatenate([first.made_diameters[:shift], last.made_diameters])
    return Volume(
        np.concatenate([first.labels, gap, beyond]),
        (*(FIRST + name for name in first.phases), BETWEEN, *(LAST + n for n in last.phases)),
        first.voxel,
        np.concatenate([first.particles, np.zeros_like(gap, dtype=np.int32), far]),
        {"first": first.evidence, "last": last.evidence, "between_voxels": layers},
        _grains(first, last, layers, shift),
        diameters,
    )


def _grains(first: Volume, last: Volume, layers: int, shift: int) -> Grains | None:
    """The crystals of both; a mirror across z turns the other two components of a rotation."""
    if first.grains is None and last.grains is None:
        return None
    near, far = (
        volume.grains
        or Grains(
            np.zeros(volume.labels.shape, dtype=np.int32),
            np.zeros(0, dtype=np.int32),
            np.zeros((0, 4)),
        )
        for volume in (first, last)
    )
    count = len(near.particle)
    gap = np.zeros((layers, *near.ids.shape[1:]), dtype=np.int32)
    ids = far.ids[::-1]
    return Grains(
        np.concatenate([near.ids, gap, np.where(ids > 0, ids + count, 0).astype(np.int32)]),
        np.concatenate([near.particle, far.particle + np.int32(shift)]),
        np.concatenate([near.quaternions, far.quaternions * np.array([1.0, 1.0, -1.0, -1.0])]),
    )
