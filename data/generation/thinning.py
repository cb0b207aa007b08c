"""Bodies taken out of a dense bed, evenly, so that all others stay connected to the collector."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CANDIDATES = 24  # looked at before the one goes that evens out depth and shares best
_WEIGHT_OF_SHARES = 4.0  # against the depth profile, whose deviations are larger


@dataclass(frozen=True, eq=False)
class Network:
    """Pieces of bodies and what they touch.

    Attributes:
        body: Of each piece, rising from 0 without gaps, int[m].
        start: Where the neighbours of each piece begin, int[m + 1].
        neighbours: Pieces, int[2 k].
        floor: Pieces at the collector, bool[m].
    """

    body: Indices
    start: Indices
    neighbours: Indices
    floor: Mask

    @property
    def bodies(self) -> int:
        """Number of bodies."""
        return int(self.body[-1]) + 1 if len(self.body) else 0

    def grounded(self) -> Mask:
        """Pieces with a path to the collector, bool[m]."""
        parent: Indices = _forest(self.start, self.neighbours, self.floor)
        reached: Mask = parent != _LOOSE
        return reached


@dataclass(frozen=True, eq=False)
class Contents:
    """What each body adds to the depth profile and to the shares.

    Attributes:
        volume: Of each body [voxels], float[n].
        begin: First voxel layer of each body, int[n].
        start: Where the layers of each body begin in `layers`, int[n + 1].
        layers: Volume in each layer from `begin` on [voxels], float[k].
        kind: Class of each body, int[n].
        wanted_layers: Volume to be left in each voxel layer of the window, float[nz].
        wanted_kinds: Volume to be left of each class, float[c].
    """

    volume: Floats
    begin: Indices
    start: Indices
    layers: Floats
    kind: Indices
    wanted_layers: Floats
    wanted_kinds: Floats


_LOOSE = -2
_FLOOR = -1


def network(body: Indices, pairs: Indices, floor: Mask) -> Network:
    """The network of pieces from pairs that touch.

    Args:
        body: Of each piece, rising, int[m].
        pairs: Indices of pieces, int[k, 2].
        floor: Pieces at the collector, bool[m].
    """
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    start = np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=len(body)))])
    return Network(body.astype(np.int64), start.astype(np.int64), ends[order, 1].copy(), floor)


def thin(net: Network, contents: Contents, excess: float, random: np.random.Generator) -> Mask:
    """The bodies that stay when an excess of volume is taken out.

    A few bodies are looked at in turn at random; the one goes that lies where the profile over the
    depth and the share of its class are fullest. A body stays if without it others would lose
    their path to the collector. At last the one goes whose volume comes closest to what is left.

    Args:
        net: Pieces, all with a path to the collector.
        contents: Of the bodies.
        excess: Volume to be taken out [voxels].
        random: Source of the order.

    Returns:
        bool[bodies].
    """
    order = random.permutation(net.bodies).astype(np.int64)
    kept: Mask = _thin(
        net.body,
        net.start,
        net.neighbours,
        net.floor,
        contents.volume,
        contents.begin,
        contents.start,
        contents.layers,
        contents.kind,
        contents.wanted_layers,
        contents.wanted_kinds,
        float(excess),
        order,
    )
    return kept


@njit(cache=True)
def _forest(start: Indices, neighbours: Indices, floor: Mask) -> Indices:
    """Parent of each piece in a forest that grows from the floor breadth first."""
    parent = np.full(len(floor), _LOOSE, np.int64)
    queue = np.empty(len(floor), np.int64)
    tail = 0
    for p in range(len(floor)):
        if floor[p]:
            parent[p] = _FLOOR
            queue[tail] = p
            tail += 1
    head = 0
    while head < tail:
        p = queue[head]
        head += 1
        for k in range(start[p], start[p + 1]):
            q = neighbours[k]
            if parent[q] == _LOOSE:
                parent[q] = p
                queue[tail] = q
                tail += 1
    return parent


@njit(cache=True)
def _rehung(
    first: int,
    last: int,
    start: Indices,
    neighbours: Indices,
    present: Mask,
    parent: Indices,
    mark: Mask,
    hung: Indices,
) -> bool:
    """Tries to hang what rests on the pieces first..last-1 elsewhere; True if all of it can be.

    `present` is false for these pieces already. On failure parents are as they were.
    """
    count = 0
    for p in range(first, last):
        hung[count] = p
        mark[p] = True
        count += 1
    head = 0
    while head < count:
        p = hung[head]
        head += 1
        for k in range(start[p], start[p + 1]):
            q = neighbours[k]
            if present[q] and not mark[q] and parent[q] == p:
                mark[q] = True
                hung[count] = q
                count += 1
    before = np.empty(count, np.int64)
    for k in range(count):
        before[k] = parent[hung[k]]
    own = last - first
    found = _hang(start, neighbours, present, parent, mark, hung[own:count])
    for k in range(count):
        mark[hung[k]] = False
    if found == count - own:
        return True
    for k in range(count):
        parent[hung[k]] = before[k]
    return False


@njit(cache=True)
def _hang(
    start: Indices, neighbours: Indices, present: Mask, parent: Indices, mark: Mask, loose: Indices
) -> int:
    """Hangs marked pieces on unmarked ones, breadth first, and unmarks them; how many."""
    queue = np.empty(len(loose), np.int64)
    tail = 0
    for p in loose:
        for e in range(start[p], start[p + 1]):
            q = neighbours[e]
            if present[q] and not mark[q]:
                parent[p] = q
                queue[tail] = p
                tail += 1
                break
    for k in range(tail):
        mark[queue[k]] = False
    head = 0
    while head < tail:
        p = queue[head]
        head += 1
        for e in range(start[p], start[p + 1]):
            q = neighbours[e]
            if present[q] and mark[q]:
                mark[q] = False
                parent[q] = p
                queue[tail] = q
                tail += 1
    return tail


@njit(cache=True)
def _add(
    b: int, sign: float, begin: Indices, start: Indices, layers: Floats, profile: Floats
) -> None:
    """Adds a body's volume in each layer to the profile over the depth."""
    for k in range(start[b], start[b + 1]):
        profile[begin[b] + k - start[b]] += sign * layers[k]


@njit(cache=True)
def _surplus(
    b: int, begin: Indices, start: Indices, layers: Floats, profile: Floats, wanted: Floats
) -> float:
    """Sum over a body's volume of how much too full its layers are."""
    surplus = 0.0
    for k in range(start[b], start[b + 1]):
        z = begin[b] + k - start[b]
        surplus += layers[k] * (profile[z] / wanted[z] - 1.0)
    return surplus


@njit(cache=True)
def _thin(
    body: Indices,
    start: Indices,
    neighbours: Indices,
    floor: Mask,
    volume: Floats,
    begin: Indices,
    layer_start: Indices,
    layers: Floats,
    kind: Indices,
    wanted_layers: Floats,
    wanted_kinds: Floats,
    excess: float,
    order: Indices,
) -> Mask:
    n = len(volume)
    first = np.searchsorted(body, np.arange(n + 1)).astype(np.int64)
    parent = _forest(start, neighbours, floor)
    present, mark = np.ones(len(body), np.bool_), np.zeros(len(body), np.bool_)
    hung = np.empty(len(body), np.int64)
    profile = np.zeros(len(wanted_layers))
    kinds = np.zeros(len(wanted_kinds))
    for b in range(n):
        kinds[kind[b]] += volume[b]
        _add(b, 1.0, begin, layer_start, layers, profile)
    kept = np.ones(n, np.bool_)
    left = n  # the last one stays
    ring = order.copy()
    count, place = n, 0
    while count > 0 and left > 1:
        best, best_score = -1, -1e300
        looked = 0
        # A ring of bodies that may still go; refused ones and too large ones leave it.
        while looked < min(_CANDIDATES, count):
            if place >= count:
                place = 0
            b = ring[place]
            if volume[b] > excess:
                count -= 1
                ring[place] = ring[count]
                best = place if best == count else best
                continue
            share = kinds[kind[b]] / max(wanted_kinds[kind[b]], 1e-300) - 1.0
            depth = _surplus(b, begin, layer_start, layers, profile, wanted_layers) / volume[b]
            if depth + _WEIGHT_OF_SHARES * share > best_score:
                best_score = depth + _WEIGHT_OF_SHARES * share
                best = place
            looked += 1
            place += 1
        if best < 0:
            break
        b = ring[best]
        count -= 1
        ring[best] = ring[count]
        if _take_out(b, first, start, neighbours, present, parent, mark, hung):
            kept[b] = False
            left -= 1
            excess -= volume[b]
            kinds[kind[b]] -= volume[b]
            _add(b, -1.0, begin, layer_start, layers, profile)
    # The smallest that is too large, if taking too much comes closer.
    for b in np.argsort(volume, kind="mergesort"):
        if left == 1 or volume[b] >= 2.0 * excess:
            break
        if (
            kept[b]
            and volume[b] > excess
            and _take_out(b, first, start, neighbours, present, parent, mark, hung)
        ):
            kept[b] = False
            break
    return kept


@njit(cache=True)
def _take_out(
    b: int,
    first: Indices,
    start: Indices,
    neighbours: Indices,
    present: Mask,
    parent: Indices,
    mark: Mask,
    hung: Indices,
) -> bool:
    for p in range(first[b], first[b + 1]):
        present[p] = False
    if _rehung(first[b], first[b + 1], start, neighbours, present, parent, mark, hung):
        return True
    for p in range(first[b], first[b + 1]):
        present[p] = True
    return False
