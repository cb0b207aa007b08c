"""Balls and paths painted in voxels, and what they touch."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Ids = NDArray[np.int32]
Points = NDArray[np.float64]

_TOUCHED = 16  # particles counted for one fibre, at most


@njit(cache=True)
def paint_path(
    labels: Labels, path: Points, radius: float, edges: Points, room: int, free: int, value: int
) -> int:
    """Paint free voxels within a radius of a path, and those it runs through, from its start on.

    The voxels that it runs through are joined by faces, so that a thin fibre holds together.

    Args:
        labels: Changed where they are `free`, uint8[z, y, x].
        path: Points (z, y, x) in voxels, each less than a voxel from the last, float[n, 3].
        radius: [smallest edges].
        edges: Edge lengths of a voxel [smallest edges], float[3].
        room: Voxels that may be painted at most.
        free, value: Label that may be painted over, label that is painted.

    Returns:
        The number of voxels painted.
    """
    painted = 0
    last = np.floor(path[0]).astype(np.int64)
    for p in range(path.shape[0]):
        cell = np.floor(path[p]).astype(np.int64)
        for axis in range(3):
            while last[axis] != cell[axis]:
                last[axis] += 1 if cell[axis] > last[axis] else -1
                if painted < room and _paint_voxel(labels, last[0], last[1], last[2], free, value):
                    painted += 1
        if painted < room and _paint_voxel(labels, cell[0], cell[1], cell[2], free, value):
            painted += 1
        painted += paint_ball(labels, path[p], radius, edges, room - painted, free, value)
        if painted >= room:
            break
    return painted


@njit(cache=True)
def paint_ball(
    labels: Labels, centre: Points, radius: float, edges: Points, room: int, free: int, value: int
) -> int:
    """Paint the free voxels whose centres lie in a ball, `room` of them at most; their number.

    Arguments as for `paint_path`; the centre (z, y, x) in voxels may lie beside the box.
    """
    painted = 0
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for axis in range(3):
        reach = radius / edges[axis]
        low[axis] = max(int(np.ceil(centre[axis] - reach - 0.5)), 0)
        high[axis] = min(int(np.floor(centre[axis] + reach - 0.5)) + 1, labels.shape[axis])
    for i in range(low[0], high[0]):
        z = ((i + 0.5 - centre[0]) * edges[0]) ** 2
        for j in range(low[1], high[1]):
            y = ((j + 0.5 - centre[1]) * edges[1]) ** 2
            for k in range(low[2], high[2]):
                if painted >= room:
                    return painted
                x = ((k + 0.5 - centre[2]) * edges[2]) ** 2
                if z + y + x <= radius**2 and _paint_voxel(labels, i, j, k, free, value):
                    painted += 1
    return painted


@njit(cache=True)
def _paint_voxel(labels: Labels, z: int, y: int, x: int, free: int, value: int) -> bool:
    inside = 0 <= z < labels.shape[0] and 0 <= y < labels.shape[1] and 0 <= x < labels.shape[2]
    if inside and labels[z, y, x] == free:
        labels[z, y, x] = value
        return True
    return False


@njit(cache=True)
def particles_touched(particles: Ids, path: Points, radius: float, edges: Points) -> int:
    """Number of different particles with a face to the fibre that `paint_path` makes of a path."""
    seen = np.zeros(_TOUCHED, np.int32)
    count = 0
    shape = particles.shape
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for p in range(path.shape[0]):
        cell = np.floor(path[p]).astype(np.int64)
        for axis in range(3):
            reach = radius / edges[axis]
            low[axis] = max(min(int(np.ceil(path[p, axis] - reach - 0.5)), cell[axis]), 0)
            top = int(np.floor(path[p, axis] + reach - 0.5))
            high[axis] = min(max(top, cell[axis]) + 1, shape[axis])
        for i in range(low[0], high[0]):
            for j in range(low[1], high[1]):
                for k in range(low[2], high[2]):
                    centre = np.array([i + 0.5, j + 0.5, k + 0.5])
                    own = i == cell[0] and j == cell[1] and k == cell[2]
                    far = (((centre - path[p]) * edges) ** 2).sum() > radius**2
                    if particles[i, j, k] != 0 or (far and not own):
                        continue
                    for id_ in ids_beside(particles, centre):
                        if id_ != 0 and count < _TOUCHED and id_ not in seen[:count]:
                            seen[count] = id_
                            count += 1
    return count


@njit(cache=True)
def path_length(path: Points, edges: Points) -> float:
    """Length of a path [smallest edges]."""
    length = 0.0
    for p in range(1, path.shape[0]):
        length += np.sqrt((((path[p] - path[p - 1]) * edges) ** 2).sum())
    return length


@njit(cache=True)
def ids_beside(particles: Ids, point: Points) -> Ids:
    """Ids of the particles that share a face with the voxel at a point, 0 for free ones."""
    ids = np.zeros(6, np.int32)
    voxel = np.floor(point).astype(np.int64)
    for axis in range(3):
        for side in range(2):
            there = voxel.copy()
            there[axis] += 2 * side - 1
            if 0 <= there[axis] < particles.shape[axis]:
                ids[2 * axis + side] = particles[there[0], there[1], there[2]]
    return ids
