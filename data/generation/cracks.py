"""Cracks in particles, on voxels: from the surface inwards, and inside."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.connectivity import neighbours
from voxtrode.data.errors import InputError
from voxtrode.data.generation.cracks_bodies import CrackedBody
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.cracks_sheets import Sheet, grain_boundaries, wavy_plane
from voxtrode.data.volume import Grains, Particles

Mask = NDArray[np.bool_]
Triple = tuple[float, float, float]

_RESOLVED = 4.0
_ATTEMPTS = 40


@dataclass(frozen=True, eq=False)
class Cracked:
    """Voxels of particles that cracks take.

    Attributes:
        surface: Cracks connected by faces to the outside (to become pore), bool[z, y, x].
        internal: Cracks without a face to the outside or to a surface crack (void), bool[z, y, x].
        evidence: What was asked for and what was met (JSON-able).
    """

    surface: Mask
    internal: Mask
    evidence: dict[str, Any]


def crack(
    particles: Particles,
    voxel: Triple,
    settings: Cracks,
    random: np.random.Generator,
    grains: Grains | None = None,
) -> Cracked:
    """Crack particles until the fractions are met.

    Half-elliptic sheets go in from where a particle meets the outside (voxels without a
    particle), elliptic ones lie within it, one voxel at least from any outside. They are wavy
    planes, or follow the grain boundaries where there are grains. A sheet that would cut a
    particle in pieces is not made (crumbs of less than 1/1000 of the particle, 27 voxels at most,
    go with the sheet), so that particles stay as connected as they were. Voxels at contacts with
    other particles and at the collector (z = 0) never crack: no path is cut. The last sheet is
    trimmed to the fraction. Cracks are dealt to particles in proportion to their volume. A particle
    whose inscribed radius is less than four voxels or two crack widths is left alone. The other
    sides of the box are no surface.

    Args:
        particles: Particle of each voxel [z, y, x]; 0 outside all.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        settings: What is wanted.
        random: The same generator gives the same cracks.
        grains: Crystals whose boundaries the cracks follow.

    Returns:
        The cracks. Fractions are met within one voxel where sheets can be trimmed, and always
        within 0.1 % of the particles' volume.

    Raises:
        InputError: No particle is resolved, or the fractions cannot be reached with such sheets.
    """
    if sum(size > 1 for size in particles.shape) < 2:
        raise InputError(
            f"cracks in a volume of shape {particles.shape}: expected more than one voxel along at "
            "least two axes"
        )
    total = int(np.count_nonzero(particles))
    surface = np.zeros(particles.shape, dtype=bool)
    internal = np.zeros(particles.shape, dtype=bool)
    asked = (settings.surface_fraction, settings.internal_fraction)
    evidence: dict[str, Any] = {
        "asked": {one.name: getattr(settings, one.name) for one in fields(settings)},
        "along_grain_boundaries": grains is not None,
    }
    wanted = [round(fraction * total) for fraction in asked]
    if any(wanted):
        bodies, resolved = _bodies(particles, voxel, settings, random, grains)
        made = [_deal(bodies, kind, number, random) for kind, number in enumerate(wanted)]
        for body in bodies:
            surface[body.box] |= body.taken[0]
            internal[body.box] |= body.taken[1]
        evidence |= {
            "particles_resolved": resolved,
            "particles_cracked": sum(bool(np.any(body.taken)) for body in bodies),
            "surface_cracks": made[0],
            "internal_cracks": made[1],
        }
    met = [int(np.count_nonzero(mask)) for mask in (surface, internal)]
    for name, got, share in zip(("surface", "internal"), met, asked, strict=True):
        _require(name, got, share, total)
        evidence[f"{name}_fraction"] = got / max(total, 1)
    return Cracked(surface, internal, evidence)


def _bodies(
    particles: Particles,
    voxel: Triple,
    settings: Cracks,
    random: np.random.Generator,
    grains: Grains | None,
) -> tuple[list[CrackedBody], int]:
    """The particles that are to crack, and how many are resolved."""
    kept = _contacts(particles)
    extended = [h for h, size in zip(voxel, particles.shape, strict=True) if size > 1]
    least = max(_RESOLVED * max(extended), 2.0 * settings.width)
    bodies = []
    for particle, box in enumerate(ndimage.find_objects(particles), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
        own = particles[wide] == particle
        if own.all():
            continue
        depth = ndimage.distance_transform_edt(own, sampling=voxel)
        radius = float(depth.max())
        if radius >= least:
            sheet: Sheet = grain_boundaries(grains.ids[wide]) if grains else wavy_plane
            free = own & ~kept[wide]
            outside = particles[wide] == 0
            bodies.append(CrackedBody(wide, own, free, outside, radius, voxel, settings, sheet))
    if not bodies:
        raise InputError(
            f"cracks of {settings.width * 1e6:g} um: no particle with a surface has an inscribed "
            f"radius of {least * 1e6:g} um (four voxels and two widths); give smaller voxels"
        )
    number = max(1, round(settings.share * len(bodies))) if settings.share > 0.0 else 0
    chosen = np.sort(random.permutation(len(bodies))[:number])
    return [bodies[i] for i in chosen], len(bodies)


def _deal(bodies: list[CrackedBody], kind: int, wanted: int, random: np.random.Generator) -> int:
    """Add sheets of one kind until `wanted` voxels are taken; the number of sheets."""
    sizes = np.array([body.size for body in bodies], dtype=float)
    taken = np.zeros(len(bodies))
    failed = np.zeros(len(bodies), dtype=np.intp)
    sheets = 0
    while wanted > taken.sum() and (failed < _ATTEMPTS).any():
        # Next is the particle that lacks most of its share; those that take no more are passed.
        lacking = np.where(failed < _ATTEMPTS, wanted * sizes / sizes.sum() - taken, -np.inf)
        body = int(lacking.argmax())
        got = bodies[body].add(kind, wanted - int(taken.sum()), random)
        taken[body] += got
        sheets += got > 0
        failed[body] = failed[body] + 1 if got == 0 else 0
    return sheets


def _contacts(particles: Particles) -> Mask:
    """Voxels with a face to another particle, or at the collector, and their face neighbours."""
    touching = np.zeros(particles.shape, dtype=bool)
    for here, there in neighbours():
        one, other = particles[here], particles[there]
        contact = (one != other) & (one > 0) & (other > 0)
        touching[here] |= contact
        touching[there] |= contact
    if particles.shape[0] > 1:
        touching[0] |= particles[0] > 0
    return ndimage.binary_dilation(touching)


def _require(name: str, got: int, share: float, total: int) -> None:
    if abs(got - share * total) > max(1e-3 * total, 1.0):
        raise InputError(
            f"{name} cracks reach {got / total:.3%} of the particles' volume where {share:.3%} is "
            "asked: give wider or longer cracks, a larger share of particles, or less of them"
        )
