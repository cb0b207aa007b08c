"""The space between particles: distances of every voxel to its two nearest particles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.connectivity import neighbours
from voxtrode.data.errors import InputError
from voxtrode.data.interfaces import Triple

Mask = NDArray[np.bool_]
Ids = NDArray[np.int32]
Distances = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Space:
    """Particles, and where each voxel lies among them.

    Distances are from centre to centre of voxels, so that they exceed the distance to the surface
    by about half a voxel.

    Attributes:
        particles: Particle of each voxel, 0 for free space, int32[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        nearest: Id of the nearest particle, 0 where there is none, int32[z, y, x].
        first: Distance to it [m]; infinite where there is none; float32[z, y, x].
        second: Distance to the nearest other particle [m]; infinite where there is none, and not
            worked out (infinite) inside particles; float32[z, y, x].
    """

    particles: Ids
    voxel: Triple
    nearest: Ids
    first: Distances
    second: Distances

    @property
    def free(self) -> Mask:
        """The voxels outside all particles."""
        free: Mask = self.particles == 0
        return free


def checked_particles(particles: NDArray[np.integer[Any]], voxel: Triple) -> Ids:
    """The particles as int32 in one block.

    Raises:
        InputError: The array is not [z, y, x], is empty or has negative ids, or an edge length of
            the voxel is not positive.
    """
    if particles.ndim != 3 or particles.size == 0:
        raise InputError(f"particles of shape {particles.shape}: expected voxels [z, y, x]")
    if int(particles.min()) < 0:
        raise InputError(f"particle id {int(particles.min())}: expected 0 (free space) and more")
    if not all(np.isfinite(edge) and edge > 0.0 for edge in voxel):
        raise InputError(f"voxel is {voxel} m: expected three positive lengths (dz, dy, dx)")
    return np.ascontiguousarray(particles, dtype=np.int32)


def measure_space(particles: NDArray[np.integer[Any]], voxel: Triple) -> Space:
    """Distance of every free voxel to its nearest and to its second nearest particle; exact.

    The box's sides are mirrors, which changes neither: the image of a particle is never nearer
    than the particle itself, and no particle counts as its own neighbour.

    Separable as the distance transform of Felzenszwalb and Huttenlocher (2012): the two smallest
    values of different particles at a voxel are those of its rows along one axis after the other.

    Args:
        particles: Particle of each voxel, 0 for free space, [z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Raises:
        InputError: As `checked_particles`.
    """
    ids = checked_particles(particles, voxel)
    unit = min(voxel)
    solid = ids > 0
    first = np.where(solid, np.float32(0.0), np.float32(np.inf)).astype(np.float32)
    second = np.full(ids.shape, np.inf, dtype=np.float32)
    nearest, other = ids.copy(), np.zeros_like(ids)
    # Inside particles the second distance is needed on the way, but not in the end.
    for axis, skip in enumerate((np.zeros_like(solid), np.zeros_like(solid), solid)):
        _spread(
            np.moveaxis(first, axis, -1),
            np.moveaxis(nearest, axis, -1),
            np.moveaxis(second, axis, -1),
            np.moveaxis(other, axis, -1),
            voxel[axis] / unit,
            np.moveaxis(skip, axis, -1),
        )
    first, second = (np.sqrt(squared) * np.float32(unit) for squared in (first, second))
    second[solid] = np.inf
    return Space(ids, voxel, nearest, first, second)


def free_face_area(particles: Ids, voxel: Triple, of: Mask) -> float:
    """Area of the voxel faces between particles and a set of free voxels [m²]."""
    volume, area = float(np.prod(voxel)), 0.0
    solid = particles > 0
    for (here, there), edge in zip(neighbours(), voxel, strict=True):
        faces = np.count_nonzero(solid[here] & of[there]) + np.count_nonzero(
            solid[there] & of[here]
        )
        area += int(faces) * volume / edge
    return area


@njit(cache=True)
def _spread(
    first: Distances,
    nearest: Ids,
    second: Distances,
    other: Ids,
    edge: float,
    skip: NDArray[np.bool_],
) -> None:
    """Let squared distances and ids of the two nearest particles spread along the last axis.

    Nothing is worked out where `skip` is set.
    """
    size = first.shape[2]
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            f, a = first[i, j].copy(), nearest[i, j].copy()
            g, b = second[i, j].copy(), other[i, j].copy()
            some = a.max()
            if some == 0:
                continue
            several = b.max() > 0 or ((a != 0) & (a != some)).any()
            for k in range(size):
                if not skip[i, j, k]:
                    best, best_id, next_, next_id = _two_nearest(k, f, a, g, b, edge, several)
                    first[i, j, k], nearest[i, j, k] = best, best_id
                    second[i, j, k], other[i, j, k] = next_, next_id


@njit(cache=True)
def _two_nearest(
    k: int, f: Distances, a: Ids, g: Distances, b: Ids, edge: float, several: bool
) -> tuple[float, int, float, int]:
    """Smallest two squared distances of different particles, seen from voxel k of a row.

    f, a and g, b are squared distance and id of the nearest and the second particle of each voxel;
    `several` says whether there are two particles in the row at all.
    """
    size = len(f)
    held = (np.inf, 0, np.inf, 0)
    for step in range(max(k, size - 1 - k) + 1):
        cost = (step * edge) ** 2
        if cost >= (held[2] if several else held[0]):
            break
        if k >= step:
            held = _insert(held, cost + f[k - step], a[k - step])
            held = _insert(held, cost + g[k - step], b[k - step])
        if step > 0 and k + step < size:
            held = _insert(held, cost + f[k + step], a[k + step])
            held = _insert(held, cost + g[k + step], b[k + step])
    return held


@njit(cache=True)
def _insert(
    held: tuple[float, int, float, int], value: float, id_: int
) -> tuple[float, int, float, int]:
    """The two smallest values of different ids, with one more to choose from."""
    best, best_id, next_, next_id = held
    if id_ == 0 or value >= next_:
        return held
    if id_ == best_id:
        return min(best, value), best_id, next_, next_id
    if value < best:
        return value, id_, best, best_id
    return best, best_id, value, id_
