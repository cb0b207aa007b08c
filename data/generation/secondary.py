"""One secondary particle in a box of electrolyte: whole, or as a section one voxel thick."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.generation.cracks import crack
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.grains import make_grains, without
from voxtrode.data.generation.grains_arrangements import Arrangement
from voxtrode.data.generation.limits import FEWEST_ACROSS
from voxtrode.data.generation.roughness import surface_area
from voxtrode.data.generation.secondary_body import outline, stand, voxelise
from voxtrode.data.generation.shape import Ball, Shape
from voxtrode.data.interfaces import smooth_surface
from voxtrode.data.volume import Grains, Labels, Particles, Volume

PHASES = ("active", "pore")
VOID = "void"
_SMOOTH = Ball()


@dataclass(frozen=True)
class SecondaryParticle:
    """What particle is wanted.

    Attributes:
        diameter: Of the ball of equal volume [m]; in a section of the disc of equal area.
        voxel: Edge length of a voxel [m].
        seed: The same seed gives the same volume, bit for bit.
        margin: Electrolyte between the particle and the sides of the box, at least [m].
        shape: Of the particle; in a section its plane x = 0.
        section: Whether only a section across x, one voxel thick, is wanted.
        flat: Diameter (in a section length) of the flat on which the particle stands on the
            collector, over its own diameter. It is made by cutting off the bottom, and is what
            electrons go through. With 0 the particle floats and has no electronic path.
        grains: How grains fill it, if they are to be resolved.
        cracks: Cracks, if there are any; internal ones become the phase "void".
        intergranular: Whether cracks follow grain boundaries where there are grains.

    Raises:
        InputError: A value is out of range.
    """

    diameter: float
    voxel: float
    seed: int
    margin: float = 2e-6
    shape: Shape = _SMOOTH
    section: bool = False
    flat: float = 0.25
    grains: Arrangement | None = None
    cracks: Cracks | None = None
    intergranular: bool = True

    def __post_init__(self) -> None:
        for name in ("diameter", "voxel"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise InputError(f"{name} is {getattr(self, name):g} m: expected a positive length")
        if self.diameter < FEWEST_ACROSS * self.voxel:
            raise InputError(
                f"a secondary particle of {self.diameter * 1e6:g} um in voxels of "
                f"{self.voxel * 1e6:g} um: expected {FEWEST_ACROSS:g} voxels across it at least; "
                "give smaller voxels"
            )
        if not self.voxel <= self.margin < np.inf:
            raise InputError(
                f"margin is {self.margin * 1e6:g} um: expected one voxel "
                f"({self.voxel * 1e6:g} um) of electrolyte at least"
            )
        if not 0.0 <= self.flat <= 0.8:
            raise InputError(f"flat is {self.flat:g}: expected 0 (floats) to 0.8 of the diameter")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: expected a whole number from 0")


def secondary_particle(settings: SecondaryParticle) -> Volume:
    """Make one particle, with its grains and cracks, in electrolyte.

    Grains are made first, then cracks; what a crack takes belongs to no grain, and a grain that a
    crack cuts becomes two of one orientation.

    Args:
        settings: What is wanted.

    Returns:
        A volume of the phases `active`, `pore` and, where there are internal cracks, `void`; the
        particle has id 1. The evidence says what was asked for and what was met.

    Raises:
        InputError: Grains or cracks are too fine for the voxels, or their fractions not reachable.
    """
    edges = (settings.voxel, settings.voxel, settings.voxel)
    particles, scale = voxelise(
        settings.shape, settings.diameter, settings.voxel, settings.margin, settings.section
    )
    lost = 0.0
    if settings.flat > 0.0:
        particles, lost = stand(particles, settings.voxel, settings.flat * settings.diameter)
    before = int(np.count_nonzero(particles))
    evidence: dict[str, Any] = {
        "kind": "secondary particle",
        "asked": {
            "diameter_m": settings.diameter,
            "voxel_m": settings.voxel,
            "margin_m": settings.margin,
            "flat_over_diameter": settings.flat,
            "section": settings.section,
            "shape": repr(settings.shape),
            "seed": settings.seed,
        },
        "support": _support(settings, particles),
        "voxels_cut_off_below_share": lost,
    }
    evidence |= _measures(settings, particles, scale)
    streams = [np.random.default_rng([settings.seed, stage]) for stage in range(2)]
    grains: Grains | None = None
    if settings.grains is not None:
        grains, evidence["grains"] = make_grains(particles, edges, settings.grains, streams[0])
    labels: Labels = np.where(particles > 0, 0, 1).astype(np.uint8)
    phases: tuple[str, ...] = PHASES
    if settings.cracks is not None:
        followed = grains if settings.intergranular else None
        cracked = crack(particles, edges, settings.cracks, streams[1], followed)
        evidence["cracks"] = cracked.evidence
        labels[cracked.surface] = 1
        if cracked.internal.any():
            phases = (*PHASES, VOID)
            labels[cracked.internal] = 2
        removed = cracked.surface | cracked.internal
        evidence["area_with_cracks_over_smooth"] = _area_ratio(
            (particles > 0) & ~cracked.surface, settings, before
        )
        particles = np.where(removed, 0, particles).astype(np.int32)
        if grains is not None:
            grains = without(grains, removed, particles)
            evidence["grains"]["grains_after_cracks"] = len(grains.particle)
    return Volume(labels, phases, edges, particles, evidence, grains)


def _support(settings: SecondaryParticle, particles: Particles) -> dict[str, Any]:
    if settings.flat == 0.0:
        return {"stands_on_collector": False}
    count = float(particles[0].sum())
    extent = count if settings.section else np.sqrt(4.0 * count / np.pi)
    return {"stands_on_collector": True, "flat_diameter_m": float(extent * settings.voxel)}


def _measures(settings: SecondaryParticle, particles: Particles, scale: float) -> dict[str, Any]:
    """Size and roughness of the particle before it cracks."""
    number = int(np.count_nonzero(particles))
    if settings.section:
        diameter = settings.voxel * np.sqrt(4.0 * number / np.pi)
        points = outline(settings.shape)
        steps = np.diff(points, axis=0, append=points[:1])
        length = float(np.sqrt((steps**2).sum(axis=1)).sum()) * scale
        ratio = length / (np.pi * settings.diameter)
    else:
        diameter = settings.voxel * np.cbrt(6.0 * number / np.pi)
        ratio = surface_area(settings.shape) / np.pi
    return {
        "diameter_m": float(diameter),
        "area_of_shape_over_smooth": float(ratio),
        "area_of_voxels_over_smooth": _area_ratio(particles > 0, settings, number),
    }


def _area_ratio(mask: NDArray[np.bool_], settings: SecondaryParticle, number: int) -> float:
    """Smoothed area of voxels over that of the ball of equal volume (in a section, of the disc).

    The flat lies in the side of the box and counts nothing.
    """
    area = smooth_surface(mask, (settings.voxel,) * 3).area
    if settings.section:
        return float(area / (2.0 * settings.voxel**2 * np.sqrt(np.pi * number)))
    return float(area / (settings.voxel**2 * np.cbrt(36.0 * np.pi * number**2)))
