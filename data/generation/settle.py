"""Bodies that hang on nothing are moved to the nearest one that does not."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.neighbours import close_pairs, distance_squared, wrapped

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


@njit(cache=True)
def settle(
    box: Floats,
    centres: Floats,
    balls: Floats,
    radii: Floats,
    start: Indices,
    body: Indices,
    slack: float,
) -> None:
    """Moves bodies without a path of contacts to the collector straight until they have one.

    In turn the one with the smallest gap to a body that has, or to the collector, is moved by this
    gap. As it is the smallest, a ball that moves so overlaps no other.

    Args:
        box: Edge lengths (z, y, x), float[3]; y and x are periodic.
        centres: Of the bodies, changed in place, float[n, 3].
        balls: Centres of their balls, changed in place, float[m, 3].
        radii: Of the balls' cores, float[m].
        start: Where the balls of each body begin, int[n + 1].
        body: Of each ball, int[m].
        slack: Gap over the sum of radii at which balls count as touching.
    """
    first, second = close_pairs(balls, radii, body, box, 2.0 * radii.mean())
    begin, near = _lists(len(balls), first, second)
    grounded = np.zeros(len(centres), np.bool_)
    queue = np.empty(len(centres), np.int64)
    tail = 0
    for b in range(len(centres)):
        for k in range(start[b], start[b + 1]):
            if not grounded[b] and balls[k, 0] - radii[k] <= slack * radii[k]:
                grounded[b] = True
                queue[tail] = b
                tail += 1
    head = 0
    move = np.zeros(3)
    while True:
        tail = _spread(
            box, balls, radii, start, body, slack, begin, near, grounded, queue, head, tail
        )
        head = tail
        b = _closest(box, balls, radii, start, body, begin, near, grounded, move)
        if b < 0:
            break
        centres[b] += move
        for k in range(start[b], start[b + 1]):
            balls[k] += move
        grounded[b] = True
        queue[tail] = b
        tail += 1


@njit(cache=True)
def _lists(count: int, first: Indices, second: Indices) -> tuple[Indices, Indices]:
    """Where the neighbours of each ball begin, and the neighbours."""
    begin = np.zeros(count + 1, np.int64)
    for p in range(len(first)):
        begin[first[p] + 1] += 1
        begin[second[p] + 1] += 1
    begin = np.cumsum(begin)
    fill = begin[:-1].copy()
    near = np.empty(2 * len(first), np.int64)
    for p in range(len(first)):
        near[fill[first[p]]] = second[p]
        fill[first[p]] += 1
        near[fill[second[p]]] = first[p]
        fill[second[p]] += 1
    return begin, near


@njit(cache=True)
def _spread(
    box: Floats,
    balls: Floats,
    radii: Floats,
    start: Indices,
    body: Indices,
    slack: float,
    begin: Indices,
    near: Indices,
    grounded: Mask,
    queue: Indices,
    head: int,
    tail: int,
) -> int:
    """Grounds all that touch the grounded bodies queue[head:tail]; the queue's new end."""
    while head < tail:
        b = queue[head]
        head += 1
        for k in range(start[b], start[b + 1]):
            for place in range(begin[k], begin[k + 1]):
                j = near[place]
                limit = (1.0 + slack) * (radii[k] + radii[j])
                if grounded[body[j]]:
                    continue
                if distance_squared(balls[k], balls[j], box) <= limit * limit:
                    grounded[body[j]] = True
                    queue[tail] = body[j]
                    tail += 1
    return tail


@njit(cache=True)
def _closest(
    box: Floats,
    balls: Floats,
    radii: Floats,
    start: Indices,
    body: Indices,
    begin: Indices,
    near: Indices,
    grounded: Mask,
    move: Floats,
) -> int:
    """The loose body with the smallest gap to a grounded one, or -1; sets the way to it."""
    chosen = -1
    least = 2.0 * radii.max()
    for b in range(len(grounded)):
        if grounded[b]:
            continue
        for k in range(start[b], start[b + 1]):
            gap = balls[k, 0] - radii[k]
            if gap < least:
                least = gap
                chosen = b
                move[:] = 0.0
                move[0] = -gap
            for place in range(begin[k], begin[k + 1]):
                j = near[place]
                distance = np.sqrt(distance_squared(balls[k], balls[j], box))
                gap = distance - radii[k] - radii[j]
                if gap < least and grounded[body[j]]:
                    least = gap
                    chosen = b
                    move[0] = gap * (balls[j, 0] - balls[k, 0]) / distance
                    move[1] = gap * wrapped(balls[j, 1] - balls[k, 1], box[1]) / distance
                    move[2] = gap * wrapped(balls[j, 2] - balls[k, 2], box[2]) / distance
    return chosen
