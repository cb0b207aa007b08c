"""Generated volumes: packed spheres of an active material in a lumped non-solid domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.errors import InputError, NotAvailableError
from voxtrode.data.packing import (
    Centres,
    fill_spheres,
    find_contacts,
    gravity_packing,
    grounded,
    thin,
)
from voxtrode.data.volume import Particles, Volume

PHASES = ("active", "nsd")
TOLERANCE = 0.005  # on the active fraction, absolute

_AIM = 0.001  # packings are tried until the fraction is this close
_ATTEMPTS = 8
_OVERLAPS = (0.03, 0.045, 0.06, 0.08, 0.10, 0.125, 0.15)
_CAP = 0.02  # pieces of spheres below this share of a sphere, cut off by the box, are left out
_VOXELS_PER_DIAMETER = 3


@dataclass(frozen=True)
class _Request:
    """What was asked for: lengths in metres, size and shape along (z, y, x)."""

    diameter: float
    fraction: float
    size: tuple[float, float, float]
    voxel: float
    shape: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class _Packing:
    """Spheres and the voxels they fill (particle id: 1 + index of the centre)."""

    centres: Centres
    particles: Particles
    overlap: float
    attempt: int

    @property
    def fraction(self) -> float:
        return int(np.count_nonzero(self.particles)) / self.particles.size


def spheres(
    diameters: Sequence[float],
    active_fraction: float,
    size: tuple[float, float, float],
    voxel: float,
    seed: int,
) -> Volume:
    """Equal spheres, touching and slightly overlapping, at a given volume fraction.

    A dense packing under gravity (PoreSpy) whose touching centres are a few per cent closer than a
    diameter is thinned at random and evenly over the depth, every sphere keeping a path through
    contacts to the collector, until the voxels' active fraction is met. Where the dense packing is
    too loose, its overlap is raised (to 15 % at most). The diameter is never changed. Spheres lie
    between the collector and the counter face; the other four sides cut them. A voxel in several
    spheres belongs to the one whose centre is nearest.

    Args:
        diameters: Of the spheres [m]; one value.
        active_fraction: Volume fraction of the spheres, met within 0.5 % absolute.
        size: Edge lengths of the box along (z, y, x) [m], whole multiples of the voxel.
        voxel: Edge length of a voxel [m].
        seed: The same seed gives the same volume, bit for bit.

    Returns:
        A volume of the phases `active` and `nsd` with particle ids 1..n, lowest centre first, and
        the evidence: achieved fraction, contacts, neck sizes, connection to the collector.

    Raises:
        InputError: A value is out of range, or the fraction cannot be reached with these spheres.
        NotAvailableError: More than one diameter.
    """
    if len(diameters) != 1:
        raise NotAvailableError(
            f"spheres of {len(diameters)} diameters: not available yet (bimodal and layered "
            "packings are to come); give one diameter"
        )
    request = _request(float(diameters[0]), active_fraction, size, voxel)
    if seed < 0:
        raise InputError(f"seed is {seed}: expected a whole number from 0")
    packing = _best_packing(request, seed)
    labels = np.where(packing.particles > 0, 0, 1).astype(np.uint8)
    evidence = {
        "kind": "spheres",
        "asked": {
            "diameters_m": [request.diameter],
            "active_fraction": active_fraction,
            "size_m": list(size),
            "voxel_m": voxel,
            "seed": seed,
        },
        "method": "pseudo-gravity packing, thinned at random and evenly over the depth",
        "porespy": version("porespy"),
        **_evidence(request, packing),
    }
    return Volume(labels, PHASES, (voxel, voxel, voxel), packing.particles, evidence)


def _request(
    diameter: float, fraction: float, size: tuple[float, float, float], voxel: float
) -> _Request:
    if not 0.0 < fraction < 1.0:
        raise InputError(f"active_fraction is {fraction:g}: expected a value between 0 and 1")
    for name, value in (("diameter", diameter), ("voxel", voxel), ("size", min(size))):
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{name} is {value:g} m: expected a positive length")
    if diameter < _VOXELS_PER_DIAMETER * voxel:
        raise InputError(
            f"spheres of {_um(diameter)} in voxels of {_um(voxel)}: expected at least "
            f"{_VOXELS_PER_DIAMETER} voxels per diameter; give a smaller voxel"
        )
    if size[0] < diameter:
        raise InputError(
            f"spheres of {_um(diameter)} do not fit in a thickness of {_um(size[0])}: "
            "give a thicker volume or smaller spheres"
        )
    counts = [max(round(length / voxel), 1) for length in size]
    for axis, length, count in zip("zyx", size, counts, strict=True):
        if abs(count * voxel - length) > 1e-6 * length:
            raise InputError(
                f"size {_um(length)} along {axis} is no whole multiple of the voxel {_um(voxel)}: "
                f"give {_um(count * voxel)}, or another voxel"
            )
    return _Request(diameter, fraction, size, voxel, (counts[0], counts[1], counts[2]))


def _best_packing(request: _Request, seed: int) -> _Packing:
    """The first packing within the aim, or the closest of all attempts at the least overlap."""
    diameter, target = request.diameter, request.fraction
    densest = 0.0
    best: _Packing | None = None
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
        if best is not None:
            break
    if best is None:
        raise InputError(
            f"active_fraction {target:g} cannot be reached with spheres of {_um(diameter)}: this "
            f"box holds {densest:.3f} at the largest overlap ({_OVERLAPS[-1]:.0%}); give a smaller "
            "fraction, smaller spheres or a larger box"
        )
    if abs(best.fraction - target) > TOLERANCE:
        raise InputError(
            f"active_fraction {target:g} cannot be met within {TOLERANCE:g} by connected spheres "
            f"of {_um(diameter)} in this box (closest: {best.fraction:.4f}); give a larger box, "
            "another fraction or another seed"
        )
    return best


def _dense(request: _Request, overlap: float, attempt: int, seed: int) -> _Packing:
    """The dense packing without cut-off caps and without spheres that hang on nothing."""
    diameter = request.diameter
    centres = gravity_packing(request.size, diameter, overlap, seed)
    particles = fill_spheres(centres, diameter, request.shape, request.voxel)
    cap = _CAP * np.pi / 6.0 * (diameter / request.voxel) ** 3
    centres = centres[_voxels(particles, len(centres)) > max(cap, 1.0)]
    contacts = find_contacts(centres, diameter, request.size)
    everything = np.ones(len(centres), dtype=bool)
    centres = centres[grounded(everything, contacts, _on_floor(centres, diameter))]
    particles = fill_spheres(centres, diameter, request.shape, request.voxel)
    return _Packing(centres, particles, overlap, attempt)


def _thinned(request: _Request, dense: _Packing, seed: int) -> _Packing:
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
        volumes = _voxels(particles, len(centres))
        kept = thin(
            kept, excess, volumes, layers, lambda some: grounded(some, contacts, floor), random
        )
        chosen = np.where(kept[:, None], centres, np.inf)
        particles = fill_spheres(chosen, request.diameter, request.shape, request.voxel)
    renumbered = np.concatenate([[0], np.cumsum(kept)]).astype(np.int32)[particles]
    return _Packing(centres[kept], renumbered, dense.overlap, dense.attempt)


def _evidence(request: _Request, packing: _Packing) -> dict[str, Any]:
    centres, diameter = packing.centres, request.diameter
    contacts = find_contacts(centres, diameter, request.size)
    necks = contacts.neck_diameters(diameter)
    sides = np.asarray(request.size[1:])
    whole = np.all(np.abs(centres[:, 1:] - 0.5 * sides) <= 0.5 * (sides - diameter), axis=1)
    coordination = np.bincount(contacts.pairs.ravel(), minlength=len(centres))
    volumes = _voxels(packing.particles, len(centres)) * request.voxel**3
    components, _ = ndimage.label(packing.particles > 0)
    own_path = np.isin(components, components[0][components[0] > 0])
    return {
        "active_fraction": packing.fraction,
        "active_fraction_error": packing.fraction - request.fraction,
        "spheres": len(centres),
        "spheres_whole": int(whole.sum()),
        "spheres_with_own_path": len(np.unique(packing.particles[own_path])),
        "overlap_at_contact": packing.overlap,
        "attempt": packing.attempt,
        "contacts": len(necks),
        "coordination_of_whole": _mean(coordination[whole]),
        "neck_diameter_mean_m": _mean(necks),
        "neck_diameter_max_m": float(necks.max()) if len(necks) else None,
        "neck_over_diameter_mean": _mean(necks / diameter),
        "neck_over_diameter_max": float(necks.max()) / diameter if len(necks) else None,
        "equivalent_diameter_of_whole_m": _mean((6.0 / np.pi * volumes[whole]) ** (1.0 / 3.0)),
    }


def _voxels(particles: Particles, count: int) -> NDArray[np.int64]:
    """Voxels of each of `count` spheres."""
    voxels: NDArray[np.int64] = np.bincount(particles.ravel(), minlength=count + 1)[1:]
    return voxels


def _on_floor(centres: Centres, diameter: float) -> NDArray[np.bool_]:
    """Spheres that reach the collector."""
    floor: NDArray[np.bool_] = centres[:, 0] < 0.5 * diameter
    return floor


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _um(length: float) -> str:
    return f"{length * 1e6:g} um"
