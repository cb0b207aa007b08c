"""Grains in particles: crystals of one orientation each, on the voxels of a volume."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label

from voxtrode.data.connectivity import neighbours
from voxtrode.data.errors import InputError
from voxtrode.data.generation.grains_arrangements import Arrangement
from voxtrode.data.generation.grains_regions import Region
from voxtrode.data.generation.grains_textures import quaternions_of
from voxtrode.data.generation.shape import Floats
from voxtrode.data.volume import Grains, Particles

_FEWEST_VOXELS = 3.0
_SPLINTER = 0.1

Triple = tuple[float, float, float]


def make_grains(
    particles: Particles,
    voxel: Triple,
    arrangement: Arrangement,
    random: np.random.Generator,
) -> tuple[Grains, dict[str, Any]]:
    """Divide every particle into grains.

    In a volume one voxel thick along one axis the grains are those of a section: sizes are of discs
    of equal area, c axes lie in the plane and orientations differ by the angle about its normal.
    Grains are connected by faces. A piece that is not, is given to the neighbouring grains if it is
    a splinter (under a tenth of a mean grain), else it is a grain of the same orientation.

    Args:
        particles: Particle of each voxel [z, y, x]; 0 outside all.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        arrangement: How grains fill a particle.
        random: The same generator gives the same grains.

    Returns:
        The grains, numbered 1..n particle by particle, and the evidence: asked and met sizes [m],
        numbers, splinters, and the mean square cosine between c axis and radius by volume (1/3 at
        random in a volume, 1/2 in a section).

    Raises:
        InputError: There are no particles, or grains are smaller than three voxels.
    """
    flat = [axis for axis, size in enumerate(particles.shape) if size == 1]
    if len(flat) > 1:
        raise InputError(
            f"grains in a volume of shape {particles.shape}: expected more than one voxel along at "
            "least two axes"
        )
    if not particles.any():
        raise InputError("grains in a volume without particles: expected at least one particle")
    normal = flat[0] if flat else None
    edges = [edge for axis, edge in enumerate(voxel) if axis != normal]
    for size in arrangement.grain_sizes:
        if size < _FEWEST_VOXELS * max(edges):
            raise InputError(
                f"grains of {size * 1e6:g} um in voxels of {max(edges) * 1e6:g} um: expected at "
                f"least {_FEWEST_VOXELS:g} voxels a grain; give larger grains or smaller voxels"
            )
    ids = np.zeros(particles.shape, dtype=np.int32)
    owners: list[int] = []
    quaternions: list[Floats] = []
    alignment = 0.0
    for particle, box in enumerate(ndimage.find_objects(particles), start=1):
        if box is None:
            continue
        mask, region = _region(particles, particle, box, voxel, normal)
        grains, axes = arrangement.divide(region, random)
        ids[box][mask] = grains + 1 + len(owners)
        owners += [particle] * len(axes)
        quaternions.append(quaternions_of(axes, normal, random))
        alignment += float(((axes[grains] * region.radial).sum(axis=1) ** 2).sum())
    raw = Grains(ids, np.array(owners, dtype=np.int32), np.concatenate(quaternions))
    tidy, splinters = tidied(raw, particles)
    evidence = _evidence(tidy, arrangement, voxel, normal)
    evidence["splinter_voxels"] = splinters
    share = alignment / int(np.count_nonzero(particles))
    evidence["mean_square_cosine_c_axis_to_radius"] = share
    return tidy, evidence


def without(grains: Grains, removed: NDArray[np.bool_], particles: Particles) -> Grains:
    """The grains that are left where voxels were taken out of particles, numbered anew.

    Args:
        grains: Before.
        removed: The voxels taken out, bool[z, y, x].
        particles: After: 0 where voxels were taken out.

    Returns:
        Grains connected by faces; pieces of a grain that was cut keep its orientation.
    """
    left = np.where(removed, 0, grains.ids).astype(np.int32)
    return tidied(Grains(left, grains.particle, grains.quaternions), particles)[0]


def tidied(grains: Grains, particles: Particles) -> tuple[Grains, int]:
    """Grains connected by faces, numbered 1..n in the old order.

    Args:
        grains: In any number of pieces, some perhaps without voxels.
        particles: Particle of each voxel; a splinter joins grains of its own particle only.

    Returns:
        The grains, and the number of voxels in splinters that changed their grain.
    """
    ids = grains.ids.copy()
    pieces, sizes, parent = _pieces(ids)
    mean = np.count_nonzero(ids) / max(len(np.unique(parent[1:])), 1)
    largest = np.zeros(len(grains.particle) + 1, dtype=np.intp)
    np.maximum.at(largest, parent[1:], sizes[1:])
    splinter = (sizes < largest[parent]) & (sizes < _SPLINTER * mean)
    splinter[0] = False
    moving = splinter[pieces]
    moved = int(moving.sum())
    if moved:
        _join_neighbours(ids, moving, particles)
        pieces, sizes, parent = _pieces(ids)
    order = np.argsort(parent[1:], kind="stable")
    number = np.zeros(len(parent), dtype=np.int32)
    number[1:][order] = np.arange(1, len(parent))
    old = parent[1:][order] - 1
    return Grains(number[pieces], grains.particle[old], grains.quaternions[old]), moved


def _pieces(ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.intp]]:
    """Face-connected pieces of equal ids: their numbers 1..n, sizes, and the id of each."""
    pieces = label(ids, connectivity=1, background=0)  # type: ignore[no-untyped-call]
    sizes = np.bincount(pieces.ravel())
    parent = np.zeros(len(sizes), dtype=np.intp)
    parent[pieces.ravel()] = ids.ravel()
    return pieces, sizes, parent


def _join_neighbours(
    ids: NDArray[np.int32], moving: NDArray[np.bool_], particles: Particles
) -> None:
    """Give voxels the grain of a neighbour in the same particle, layer by layer.

    Voxels that have no such neighbour, not even through others that move, keep their grain.
    """
    waiting = moving.copy()
    while True:
        taken = np.zeros(ids.shape, dtype=np.int32)
        for here, there in neighbours():
            for into, out_of in ((here, there), (there, here)):
                free = waiting[into] & ~waiting[out_of] & (taken[into] == 0)
                free &= particles[into] == particles[out_of]
                taken[into][free] = ids[out_of][free]
        if not taken.any():
            return
        ids[taken > 0] = taken[taken > 0]
        waiting[taken > 0] = False


def _region(
    particles: Particles,
    particle: int,
    box: tuple[slice, ...],
    voxel: Triple,
    normal: int | None,
) -> tuple[NDArray[np.bool_], Region]:
    """A particle's voxels in its box; the sides of the volume are no surface."""
    wide = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
    inner = tuple(
        slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True)
    )
    own = particles[wide] == particle
    depth = np.full(own.shape, np.inf)
    if not own.all():
        depth = ndimage.distance_transform_edt(own, sampling=voxel)
    mask = own[inner]
    points = np.argwhere(mask) + np.array([s.start for s in box]) + 0.5
    points *= np.asarray(voxel)
    depths = depth[inner][mask]
    if np.isinf(depths).any():
        depths = np.zeros(len(points))
    volume = float(np.prod(voxel)) / (1.0 if normal is None else voxel[normal])
    return mask, Region(points, depths, points.mean(axis=0), volume, normal)


def _evidence(
    grains: Grains, arrangement: Arrangement, voxel: Triple, normal: int | None
) -> dict[str, Any]:
    sizes = np.bincount(grains.ids.ravel())[1:].astype(float)
    dimensions = 3 if normal is None else 2
    unit_size = float(np.prod(voxel)) / (1.0 if normal is None else voxel[normal])
    diameters = (2 * dimensions / np.pi * sizes * unit_size) ** (1.0 / dimensions)
    of_mean = (2 * dimensions / np.pi * sizes.mean() * unit_size) ** (1.0 / dimensions)
    return {
        "arrangement": type(arrangement).__name__,
        "asked_grain_sizes_m": list(arrangement.grain_sizes),
        "grains": len(sizes),
        "particles": len(np.unique(grains.particle)),
        "grain_size_m": float(of_mean),
        "mean_equivalent_diameter_m": float(diameters.mean()),
        "std_equivalent_diameter_m": float(diameters.std()),
    }
