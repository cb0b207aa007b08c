"""Which parts of a volume reach from face to face, on slabs: only names at seams are exchanged."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from voxtrode.data.connectivity import Ids, Labeller, Mask, scipy_label
from voxtrode.solvers.voxel_transport.slab import Slab

Names = NDArray[np.int64]


BOTH = (True, True)


def spanning(
    mask: Mask,
    direction: int,
    slab: Slab,
    ends: tuple[bool, bool] = BOTH,
    label: Labeller = scipy_label,
) -> Mask:
    """The parts of a mask, connected by faces, that touch the end faces along an axis.

    Args:
        mask: bool[z, y, x], the layers at hand.
        direction: The axis.
        slab: The slabs; parts hang together across periodic sides too.
        ends: Which of the two end faces must be touched.
        label: Labels the face-connected components of a mask.
    """
    ids, count = label(mask)
    names = _joined(_across_sides(ids, slab.periodic), count + 1)
    touches = _touching(ids, names, direction, slab)
    bottom, top = _outer(ids, names)
    seam = np.union1d(bottom, top)
    seam = seam[seam != names[0]]
    sizes = slab.line.collect(len(seam))
    first = 1 + sum(sizes[: slab.line.rank])  # 0 is what lies outside
    pairs = slab.line.collect(_across_slabs(bottom, top, seam, first, names[0], slab))
    merged = _joined(np.concatenate(pairs), 1 + sum(sizes))
    flags = np.concatenate(slab.line.collect(touches[:, seam]), axis=1)
    reached = np.zeros((2, 1 + sum(sizes)), dtype=bool)
    for end in (0, 1):
        reached[end, merged[1:][flags[end]]] = True
    touches[:, seam] |= reached[:, merged[first : first + len(seam)]]
    touches[[not end for end in ends]] = True
    touches[:, names[0]] = False
    return np.asarray(touches.all(axis=0)[names][ids])


def _touching(ids: Ids, names: Names, direction: int, slab: Slab) -> NDArray[np.bool_]:
    """By name, whether it touches the first and the last layer; bool[2, names]."""
    touches = np.zeros((2, len(names)), dtype=bool)
    here = slab.ends(direction)
    for end, layer in enumerate((0, -1)):
        if here[end]:
            touches[end, names[np.take(ids, layer, axis=direction)]] = True
    return touches


def _outer(ids: Ids, names: Names) -> tuple[Names, Names]:
    """Names in the first and the last layer along z, int64[y, x]."""
    return names[ids[0]], names[ids[-1]]


def _across_slabs(
    bottom: Names, top: Names, seam: Names, first: int, outside: int, slab: Slab
) -> Names:
    """Pairs of seam names, counted through over all slabs, on both sides of the seam below."""
    layers = np.zeros((4, *bottom.shape), dtype=np.int64)  # ghost, bottom, top, ghost
    for at, layer in ((1, bottom), (2, top)):
        layers[at] = np.where(layer == outside, 0, np.searchsorted(seam, layer) + first)
    slab.line.exchange(layers, slab.periodic[0])
    pair = np.stack([layers[0].ravel(), layers[1].ravel()], axis=1)
    return np.unique(pair[(pair != 0).all(axis=1)], axis=0)


def _across_sides(ids: Ids, periodic: tuple[bool, bool, bool]) -> Names:
    """Pairs of components on both sides of the periodic sides normal to y and x."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for axis in (1, 2):
        if periodic[axis]:
            pair = np.stack([np.take(ids, layer, axis=axis).ravel() for layer in (0, -1)], axis=1)
            pairs.append(pair[(pair != 0).all(axis=1)])
    return np.concatenate(pairs)


def _joined(pairs: Names, count: int) -> Names:
    """One name for all that hangs together, by component 0 … count − 1."""
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = sparse.coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1]).astype(np.int64)
