"""Pairs of balls that are close to each other, in a box that is periodic along y and x."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@njit(cache=True)
def wrapped(distance: float, edge: float) -> float:
    """The shortest image of a distance along a periodic axis."""
    image: float = distance - edge * np.floor(distance / edge + 0.5)
    return image


@njit(cache=True)
def _sorted(
    balls: Floats, radii: Floats, box: Floats
) -> tuple[Indices, Floats, Indices, Indices, Indices]:
    """Balls by the cells of a grid.

    Returns:
        Cells along each axis, their widths, the cell of each ball along each axis, where the balls
        of each cell begin, and these balls.
    """
    count = len(radii)
    edge = max(2.0 * radii.mean(), 1e-3 * box.max())
    cells = np.empty(3, np.int64)
    widths = np.empty(3)
    for axis in range(3):
        cells[axis] = min(max(int(box[axis] / edge), 1), 256)
        widths[axis] = box[axis] / cells[axis]
    place = np.empty((count, 3), np.int64)
    start = np.zeros(cells[0] * cells[1] * cells[2] + 1, np.int64)
    number = np.empty(count, np.int64)
    for i in range(count):
        for axis in range(3):
            x = balls[i, axis]
            if axis > 0:
                x -= box[axis] * np.floor(x / box[axis])
            place[i, axis] = min(max(int(x / widths[axis]), 0), cells[axis] - 1)
        number[i] = (place[i, 0] * cells[1] + place[i, 1]) * cells[2] + place[i, 2]
        start[number[i] + 1] += 1
    start = np.cumsum(start)
    fill = start[:-1].copy()
    content = np.empty(count, np.int64)
    for i in range(count):
        content[fill[number[i]]] = i
        fill[number[i]] += 1
    return cells, widths, place, start, content


@njit(cache=True)
def _window(
    place: Indices, reach: float, cells: Indices, widths: Floats, low: Indices, high: Indices
) -> None:
    """First and last cells within reach of a cell; each once, however few there are."""
    for axis in range(3):
        span = int(np.ceil(reach / widths[axis]))
        low[axis] = place[axis] - span
        high[axis] = place[axis] + span + 1
        if axis == 0:
            low[axis] = max(low[axis], 0)
            high[axis] = min(high[axis], cells[axis])
        elif high[axis] - low[axis] > cells[axis]:
            low[axis] = 0
            high[axis] = cells[axis]


@njit(cache=True)
def distance_squared(a: Floats, b: Floats, box: Floats) -> float:
    """Squared distance of two points by the shortest image."""
    dz = a[0] - b[0]
    dy = wrapped(a[1] - b[1], box[1])
    dx = wrapped(a[2] - b[2], box[2])
    squared: float = dz * dz + dy * dy + dx * dx
    return squared


@njit(cache=True)
def close_pairs(
    balls: Floats, radii: Floats, body: Indices, box: Floats, skin: float
) -> tuple[Indices, Indices]:
    """Pairs of balls of different bodies whose surfaces are closer than a skin.

    Each ball looks for smaller ones in a grid of about the mean ball, so that the work is
    proportional to the number of balls however wide their sizes are spread.

    Args:
        balls: Centres (z, y, x); y and x may lie outside the box, float[m, 3].
        radii: float[m].
        body: To which each ball belongs, int[m].
        box: Edge lengths (z, y, x), float[3]; y and x are periodic.
        skin: Largest gap.

    Returns:
        The pairs' first and second ball, int[p] each.
    """
    count = len(radii)
    cells, widths, place, start, content = _sorted(balls, radii, box)
    first = np.empty(16 * count + 16, np.int64)
    second = np.empty(16 * count + 16, np.int64)
    found = 0
    low = np.empty(3, np.int64)
    high = np.empty(3, np.int64)
    for i in range(count):
        _window(place[i], 2.0 * radii[i] + skin, cells, widths, low, high)
        for cz in range(low[0], high[0]):
            for cy in range(low[1], high[1]):
                for cx in range(low[2], high[2]):
                    cell = (cz * cells[1] + cy % cells[1]) * cells[2] + cx % cells[2]
                    for k in range(start[cell], start[cell + 1]):
                        j = content[k]
                        # Of two equal balls the first looks for the second.
                        if radii[j] > radii[i] or (radii[j] == radii[i] and j <= i):
                            continue
                        limit = radii[i] + radii[j] + skin
                        near = distance_squared(balls[i], balls[j], box) < limit * limit
                        if near and body[i] != body[j]:
                            if found == len(first):
                                first = np.concatenate((first, np.empty_like(first)))
                                second = np.concatenate((second, np.empty_like(second)))
                            first[found] = i
                            second[found] = j
                            found += 1
    return first[:found].copy(), second[:found].copy()
