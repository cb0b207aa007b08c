"""Which spheres of a dense packing are kept, so that a volume fraction is met in voxels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.packing import (
    Centres,
    fill_spheres,
    find_contacts,
    gravity_packing,
    grounded,
    thin,
)
from voxtrode.data.volume import Particles

TOLERANCE = 0.005  # on the active fraction, absolute

_AIM = 0.001  # packings are tried until the fraction is this close
_ATTEMPTS = 8
_OVERLAPS = (0.03, 0.045, 0.06, 0.08, 0.10, 0.125, 0.15)
_CAP = 0.02  # pieces of spheres below this share of a sphere, cut off by the box, are left out


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        diameter: Of the spheres [m].
        fraction: Volume fraction of the spheres.
        size: Edge lengths of the box along (z, y, x) [m].
        voxel: Edge length of a voxel [m].
        shape: Voxels along (z, y, x).
    """

    diameter: float
    fraction: float
    size: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Packing:
    """Spheres and the voxels they fill.

    Attributes:
        centres: [z, y, x] in metres, float[n, 3].
        particles: 1 + index of the sphere of each voxel, 0 outside, int32[z, y, x].
        overlap: Share of the diameter by which touching centres are closer than a diameter.
        attempt: Number of packings that were tried before at this overlap.
    """

    centres: Centres
    particles: Particles
    overlap: float
    attempt: int

    @property
    def fraction(self) -> float:
        """Volume fraction of the spheres, by voxels."""
        return int(np.count_nonzero(self.particles)) / self.particles.size


def best_packing(request: Request, seed: int) -> Packing:
    """The first packing within the aim, or the closest one at the least overlap that will do.

    Args:
        request: What was asked for.
        seed: Of everything random.

    Raises:
        InputError: The fraction cannot be met.
    """
    diameter, target = request.diameter, request.fraction
    densest = 0.0
    best: Packing | None = None
    for overlap in _OVERLAPS:
        for attempt in range(_ATTEMPTS):
            pack_seed, thin_seed = np.random.SeedSequence([seed, attempt]).generate_state(2)
            dense = _dense(request, overlap, attempt, int(pack_seed))
            densest = max(densest, dense.fraction)
            if dense.fraction < target - _AIM:
                break  # other seeds are as loose: raise the overlap
            packing = _thinned(request, dense, int(thin_seed))
            if best is None or abs(packing.fraction - target) < abs(best.fraction - target):
                best = packing
            if abs(best.fraction - target) <= _AIM:
                return best
        if best is not None and abs(best.fraction - target) <= TOLERANCE:
            break
    if best is None:
        raise InputError(
            f"active_fraction {target:g} cannot be reached with spheres of {um(diameter)}: this "
            f"box holds {densest:.3f} at the largest overlap ({_OVERLAPS[-1]:.0%}); give a smaller "
            "fraction, smaller spheres or a larger box"
        )
    if abs(best.fraction - target) > TOLERANCE:
        raise InputError(
            f"active_fraction {target:g} cannot be met within {TOLERANCE:g} by connected spheres "
            f"of {um(diameter)} in this box (closest: {best.fraction:.4f}); give a larger box, "
            "another fraction or another seed"
        )
    return best


def _dense(request: Request, overlap: float, attempt: int, seed: int) -> Packing:
    """The dense packing without cut-off caps and without spheres that hang on nothing."""
    diameter = request.diameter
    centres = gravity_packing(request.size, diameter, overlap, seed)
    particles = fill_spheres(centres, diameter, request.shape, request.voxel)
    cap = _CAP * np.pi / 6.0 * (diameter / request.voxel) ** 3
    centres = centres[sphere_voxels(particles, len(centres)) > max(cap, 1.0)]
    contacts = find_contacts(centres, diameter, request.size)
    everything = np.ones(len(centres), dtype=bool)
    centres = centres[grounded(everything, contacts, _on_floor(centres, diameter))]
    particles = fill_spheres(centres, diameter, request.shape, request.voxel)
    return Packing(centres, particles, overlap, attempt)


def _thinned(request: Request, dense: Packing, seed: int) -> Packing:
    """Spheres taken out of a dense packing until the voxels' fraction is met from above."""
    centres, particles = dense.centres, dense.particles
    contacts = find_contacts(centres, request.diameter, request.size)
    floor = _on_floor(centres, request.diameter)
    count = max(round(request.size[0] / request.diameter), 1)
    layers = np.minimum(centres[:, 0] / request.size[0] * count, count - 1).astype(np.intp)
    random = np.random.default_rng(seed)
    kept = np.ones(len(centres), dtype=bool)
    for _ in range(3):
        # A removed sphere's overlaps fall to its neighbours, so that a little is left each time.
        excess = np.count_nonzero(particles) - request.fraction * particles.size
        volumes = sphere_voxels(particles, len(centres))
        kept = thin(
            kept, excess, volumes, layers, lambda some: grounded(some, contacts, floor), random
        )
        chosen = np.where(kept[:, None], centres, np.inf)
        particles = fill_spheres(chosen, request.diameter, request.shape, request.voxel)
    renumbered = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)[particles]
    return Packing(centres[kept], renumbered, dense.overlap, dense.attempt)


def sphere_voxels(particles: Particles, count: int) -> NDArray[np.int64]:
    """Voxels of each of `count` spheres."""
    voxels: NDArray[np.int64] = np.bincount(particles.ravel(), minlength=count + 1)[1:]
    return voxels


def _on_floor(centres: Centres, diameter: float) -> NDArray[np.bool_]:
    """Spheres that reach the collector."""
    floor: NDArray[np.bool_] = centres[:, 0] < 0.5 * diameter
    return floor


def um(length: float) -> str:
    """A length in metres as text, for messages."""
    return f"{length * 1e6:g} um"
