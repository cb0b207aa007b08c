"""Volumes of phases before any mesh is made: fields taken as linear in each lattice cell."""

from itertools import product

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing.cutting import ANY, Cells, Flags, Floats, Labels, label_points
from voxtrode.meshing.stuffing.geometry import volume
from voxtrode.meshing.stuffing.stuff import VOLUME_UNIT, Sampled

_PARTS = 3
"""Parts of each edge of a cell; the middles of all parts of the cell stand for it."""
_SPOTS: Floats = np.array(
    [
        [(i + 0.25) / _PARTS for i in (*some, _PARTS - 1 - sum(some))]
        for some in product(range(_PARTS), repeat=3)
        if sum(some) < _PARTS
    ]
)
"""Barycentric coordinates of these, shape ``(spots, 4)``."""


def estimated_volumes(start: Sampled, own: Flags, shift: Floats) -> npt.NDArray[np.int64]:
    """Volume of each phase in this rank's own lattice cells, about as a mesh will have it.

    Args:
        start: Lattice and fields.
        own: Lattice cells of this rank.
        shift: Constant added to the field of each phase [voxels], shape ``(phases,)``.

    Returns:
        Multiples of ``VOLUME_UNIT`` lattice cubes, shape ``(phases,)``.
    """
    labels = label_points(start.values, shift, start.outside)
    totals = np.zeros(len(shift), dtype=np.int64)
    scale = 1.0 / (start.box.cube * VOLUME_UNIT)
    _estimate(start.rest, start.lattice.tets, own, labels, start.values, shift, scale, totals)
    return totals


@njit(cache=True)
def _estimate(
    x: Floats,
    tets: Cells,
    own: Flags,
    labels: Labels,
    values: Floats,
    shift: Floats,
    scale: float,
    totals: npt.NDArray[np.int64],
) -> None:
    phases, spots = len(shift), len(_SPOTS)
    share = np.empty(phases, dtype=np.int64)
    for t in range(len(tets)):
        if not own[t]:
            continue
        a, b, c, d = tets[t]
        if ANY in (labels[a], labels[b], labels[c], labels[d]):
            continue
        size = abs(volume(x, a, b, c, d)) * scale
        if labels[a] == labels[b] and labels[a] == labels[c] and labels[a] == labels[d]:
            totals[labels[a]] += np.int64(np.rint(size))
            continue
        share[:] = 0
        for s in range(spots):
            p, q, r, w = _SPOTS[s]
            best, highest = 0, -1e30
            for k in range(phases):
                f = p * values[a, k] + q * values[b, k] + r * values[c, k] + w * values[d, k]
                if f + shift[k] > highest:
                    best, highest = k, f + shift[k]
            share[best] += 1
        for k in range(phases):
            totals[k] += np.int64(np.rint(size * share[k] / spots))
