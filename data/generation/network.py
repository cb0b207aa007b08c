"""Which pieces of bodies touch, and whether they have a path to the collector."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LOOSE = -2
_FLOOR = -1


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
        parent: Indices = forest(self.start, self.neighbours, self.floor)
        reached: Mask = parent != _LOOSE
        return reached


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


@njit(cache=True)
def forest(start: Indices, neighbours: Indices, floor: Mask) -> Indices:
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
def rehung(
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
