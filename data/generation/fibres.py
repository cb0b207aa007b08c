"""Fibres that lie between particles: their axes through free space and along surfaces."""

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.generation.composite_paint import Ids, Points, ids_beside
from voxtrode.data.interfaces import Triple

Field = NDArray[np.float32]


def signed_distance(particles: Ids, voxel: Triple) -> Field:
    """Distance to the surface of the nearest particle, negative inside [smallest edges].

    Infinite throughout where there are no particles. Distances between centres of voxels are
    shortened by half an edge, so that the zero is at the faces.
    """
    edges = np.asarray(voxel) / min(voxel)
    solid = particles > 0
    if not solid.any():
        return np.full(particles.shape, np.inf, dtype=np.float32)
    outside = ndimage.distance_transform_edt(~solid, sampling=edges)
    inside = ndimage.distance_transform_edt(solid, sampling=edges)
    distance: Field = np.where(solid, 0.5 - inside, outside - 0.5).astype(np.float32)
    return distance


def surface_sites(particles: Ids) -> NDArray[np.int64]:
    """Flat indices of the free voxels with a face to a particle, ascending."""
    solid = particles > 0
    cross = ndimage.generate_binary_structure(3, 1)
    sites: NDArray[np.int64] = np.flatnonzero(ndimage.binary_dilation(solid, cross) & ~solid)
    return sites


@njit(cache=True)
def draw_fibre(
    particles: Ids,
    distance: Field,
    site: int,
    rays: Points,
    edges: Points,
    radius: float,
    length: float,
) -> Points:
    """The axis of a fibre from one particle to another, or no points where there is no way.

    Of the straight ways from a free voxel beside a particle that end at another particle within
    the length, the longest is the fibre's middle. What is left of the length lies along the
    surfaces at its two ends, in equal parts where there is room, bent as they are. At the sides of
    the box fibres are reflected: what goes on behind a mirror comes back as its image.

    Args:
        particles: Particle of each voxel, int32[z, y, x].
        distance: Signed distance to the particles [smallest edges], float32[z, y, x].
        site: Flat index of the free voxel.
        rays: Directions to try, float[k, 3]; those outside the unit ball are left out, so that
            even draws from the cube -1..1 give even directions.
        edges: Edge lengths of a voxel [smallest edges], float[3].
        radius, length: Of the fibre [smallest edges].

    Returns:
        Points (z, y, x) in voxels from the box's corner, at most half a smallest edge apart,
        float[n, 3].
    """
    shape = particles.shape
    start = np.array(
        [
            site // (shape[1] * shape[2]) + 0.5,
            site // shape[2] % shape[1] + 0.5,
            site % shape[2] + 0.5,
        ]
    )
    beside = ids_beside(particles, start)
    best, way = 0.0, np.zeros(3)
    for k in range(rays.shape[0]):
        norm = np.sqrt((rays[k] ** 2).sum())
        if 1e-3 < norm <= 1.0:
            reach = _free_way(particles, start, rays[k] / norm, edges, length, beside)
            if reach > best:
                best, way = reach, rays[k] / norm
    if best == 0.0:
        return np.empty((0, 3))
    count = int(np.ceil(best / 0.5)) + 1
    middle = np.empty((count, 3))
    for k in range(count):
        middle[k] = start
        _move(middle[k], way.copy(), best * k / (count - 1), edges, shape)
    onward = way.copy()
    _move(start.copy(), onward, best, edges, shape)
    left = length - best
    aim = max(radius, 0.5)
    back = _crawl(distance, start, -way, edges, 0.5 * left, aim)
    ahead = _crawl(distance, middle[-1], onward, edges, left - 0.5 * (len(back) - 1), aim)
    rest = left - 0.5 * (len(back) - 1) - 0.5 * (len(ahead) - 1)
    if rest >= 0.5:  # the end ahead had no room: the other takes its part
        back = _crawl(distance, start, -way, edges, rest + 0.5 * (len(back) - 1), aim)
    a, b = len(back) - 1, len(ahead) - 1
    path = np.empty((a + count + b, 3))
    for k in range(a):
        path[k] = back[a - k]
    path[a : a + count] = middle
    for k in range(b):
        path[a + count + k] = ahead[k + 1]
    return path


@njit(cache=True)
def _free_way(
    particles: Ids, start: Points, way: Points, edges: Points, length: float, beside: Ids
) -> float:
    """How far it is through free voxels to a particle that is not beside the start; 0 if none."""
    step, gone = 0.25, 0.0
    here, last, heading = start.copy(), start.copy(), way.copy()
    while gone + step <= length:
        last[:] = here
        _move(here, heading, step, edges, particles.shape)
        id_ = particles[int(here[0]), int(here[1]), int(here[2])]
        if id_ != 0:
            # Beyond an edge or a corner of its last voxel it would not touch.
            new = id_ not in beside and id_ in ids_beside(particles, last)
            return gone if new else 0.0
        gone += step
    return 0.0


@njit(cache=True)
def _move(
    point: Points, way: Points, length: float, edges: Points, shape: tuple[int, int, int]
) -> None:
    """Move a point in voxels along a direction, both reflected at the sides of the box."""
    for axis in range(3):
        size = shape[axis]
        place = (point[axis] + way[axis] * length / edges[axis]) % (2.0 * size)
        if place >= size:
            place = 2.0 * size - place
            way[axis] = -way[axis]
        # The far side itself belongs to the last voxel.
        point[axis] = min(place, size - 1e-9)


@njit(cache=True)
def _value(distance: Field, z: float, y: float, x: float) -> float:
    """Signed distance at a point in voxels, linear between centres, mirrored at the box."""
    shape = distance.shape
    value = 0.0
    at = (z - 0.5, y - 0.5, x - 0.5)
    low = (int(np.floor(at[0])), int(np.floor(at[1])), int(np.floor(at[2])))
    for corner in range(8):
        weight = 1.0
        i, j, k = low
        up = (corner >> 2 & 1, corner >> 1 & 1, corner & 1)
        weight *= at[0] - low[0] if up[0] else 1.0 - (at[0] - low[0])
        weight *= at[1] - low[1] if up[1] else 1.0 - (at[1] - low[1])
        weight *= at[2] - low[2] if up[2] else 1.0 - (at[2] - low[2])
        i = min(max(i + up[0], 0), shape[0] - 1)
        j = min(max(j + up[1], 0), shape[1] - 1)
        k = min(max(k + up[2], 0), shape[2] - 1)
        value += weight * distance[i, j, k]
    return value


@njit(cache=True)
def _normal(distance: Field, point: Points, edges: Points) -> Points:
    """Unit gradient of the signed distance over two smallest edges; zero where there is none."""
    slope = np.empty(3)
    for axis in range(3):
        h = np.zeros(3)
        h[axis] = 1.0 / edges[axis]
        ahead = _value(distance, point[0] + h[0], point[1] + h[1], point[2] + h[2])
        behind = _value(distance, point[0] - h[0], point[1] - h[1], point[2] - h[2])
        slope[axis] = 0.5 * (ahead - behind)
    norm = np.sqrt((slope**2).sum())
    return slope / norm if norm > 1e-6 else np.zeros(3)


@njit(cache=True)
def _crawl(
    distance: Field, start: Points, way: Points, edges: Points, length: float, aim: float
) -> Points:
    """A way along the particles' surface at a distance of `aim`, in steps of half an edge.

    It keeps its direction but for the bend of the surface, and ends early where there is no free
    room ahead.
    """
    steps = max(int(np.floor(length / 0.5 + 0.5)), 0)
    path = np.empty((steps + 1, 3))
    path[0] = start
    count = 1
    way = way.copy()
    while count <= steps:
        here = path[count - 1]
        normal = _normal(distance, here, edges)
        tangent = way - (way * normal).sum() * normal
        norm = np.sqrt((tangent**2).sum())
        if norm < 1e-3:  # it came straight down: any way along the surface will do
            flattest = np.argmin(np.abs(normal))
            tangent = -normal[flattest] * normal
            tangent[flattest] += 1.0
            norm = np.sqrt((tangent**2).sum())
        way = tangent / norm
        off = aim - _value(distance, here[0], here[1], here[2])
        move = way + normal * min(max(2.0 * off, -1.0), 1.0)
        move /= np.sqrt((move**2).sum())
        there, heading = here.copy(), move.copy()
        _move(there, heading, 0.5, edges, distance.shape)
        if distance[int(there[0]), int(there[1]), int(there[2])] <= 0.0:
            return path[:count].copy()
        for axis in range(3):
            if heading[axis] != move[axis]:
                way[axis] = -way[axis]
        path[count] = there
        count += 1
    return path
