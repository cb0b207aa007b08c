"""Lines along which three phases meet: their length from oriented voxel edges.

Around a voxel edge lie four voxels. Where they hold three phases, a line passes along the edge, in
the direction about which the phases a < b < c follow each other right-handedly. That orientation
does not change along a line, so that the edges of its staircase add up as vectors, and
`staircase.smooth_measure` gives the length of the line. Counted plainly, the edges of a line of
direction t have |t_z| + |t_y| + |t_x| times its length (up to √3, 3/2 on average), and more where
the tip of a phase is broken up by the voxels.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.staircase import (
    Floats,
    Part,
    grouped,
    smooth_measure,
    smoothing_level,
)
from voxtrode.data.characterisation.surfaces import phase_radii
from voxtrode.data.interfaces import Triple

EDGE_OFFSETS = np.int64(1) - np.eye(3, dtype=np.int64)  # half a voxel up both other axes
PER_ROOT = 1.0  # wider than for surfaces: fewer steps lie under the Gaussian

Ints = NDArray[np.int64]


def line_lengths(
    labels: NDArray[np.integer[Any]], count: int, voxel: Triple
) -> tuple[Ints, Floats, Floats]:
    """Length of the lines of each three phases that meet inside the box.

    Where four phases meet at an edge, each of their four triples has half of it. Where two phases
    meet only across the edge, between the sides of a third (a b a c), it counts as an edge but
    not as length: two lines of opposite direction meet there.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        count: Number of phases n.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        The triples, ascending, int[k, 3]; their smooth length [m], float[k]; and the length of
        their voxel edges [m], float[k].
    """
    parts = [part for axis in range(3) for part in _edges(labels, axis, count)]
    edges, keys = grouped(parts)
    triples = np.stack(np.unravel_index(keys, (count,) * 3), axis=1).astype(np.int64)
    radii = phase_radii(labels, count)
    levels = smoothing_level(radii[triples].min(axis=1, initial=np.inf), PER_ROOT)
    lengths = smooth_measure(edges, EDGE_OFFSETS, labels.shape, voxel, levels)
    share = np.where(edges.sign == 0.0, 1.0, np.abs(edges.sign))
    raw = np.bincount(edges.group, share * np.asarray(voxel)[edges.axis], minlength=len(keys))
    return triples, lengths, raw


def _edges(labels: NDArray[np.integer[Any]], axis: int, count: int) -> Iterator[Part]:
    """The edges along one axis at which three or four phases meet."""
    second, third = (axis + 1) % 3, (axis + 2) % 3  # right-handed about the axis

    def shifted(up: int, over: int) -> NDArray[np.integer[Any]]:
        index = [slice(None)] * 3
        index[second] = slice(1, None) if up else slice(None, -1)
        index[third] = slice(1, None) if over else slice(None, -1)
        return labels[tuple(index)]

    around = [shifted(0, 0), shifted(1, 0), shifted(1, 1), shifted(0, 1)]
    changes = np.zeros(around[0].shape, dtype=np.int8)
    for here, there in zip(around, around[1:] + around[:1], strict=True):
        changes += here != there
    where = np.nonzero(changes > 2)
    ring = np.stack([corner[where] for corner in around], axis=1).astype(np.int64)
    cell = np.ravel_multi_index(where, labels.shape)
    changes = changes[where]

    # Three phases: one occurs at two neighbouring corners. Turn the ring so that these come last.
    twice = np.argmax(ring == np.roll(ring, -1, axis=1), axis=1)
    turned = np.take_along_axis(ring, (twice[:, None] + np.arange(1, 5)) % 4, axis=1)
    chosen = changes == 3
    yield _part(cell[chosen], axis, turned[chosen, :3], count, 1.0)

    across = (ring[:, 0] == ring[:, 2]) | (ring[:, 1] == ring[:, 3])
    four = (changes == 4) & ~across
    for corners in combinations(range(4), 3):
        yield _part(cell[four], axis, ring[four][:, corners], count, 0.5)

    # a b a c: turn the ring so that the repeated phase comes first and third.
    two = (ring[:, 0] == ring[:, 2]) & (ring[:, 1] == ring[:, 3])
    pinch = (changes == 4) & across & ~two
    turned = np.where((ring[:, 0] == ring[:, 2])[:, None], ring, np.roll(ring, -1, axis=1))
    yield _part(cell[pinch], axis, turned[pinch][:, [0, 1, 3]], count, 0.0)


def _part(cell: Ints, axis: int, ring: Ints, count: int, weight: float) -> Part:
    """Elements whose three phases follow each other right-handedly in this order."""
    a, b, c = ring.T
    # +1 for even permutations of an ascending order.
    sign = np.sign((b - a) * (c - b) * (c - a)).astype(np.float32) * np.float32(weight)
    small, middle, large = np.sort(ring, axis=1).T
    return cell, axis, sign, (small * count + middle) * count + large
