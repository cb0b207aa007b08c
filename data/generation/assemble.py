"""From packed particles to a volume: grains and cracks inside them, phases between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from voxtrode.data.generation.cracks import crack
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.filling import Filling
from voxtrode.data.generation.grains import make_grains, without
from voxtrode.data.generation.grains_arrangements import Arrangement
from voxtrode.data.generation.shape import Packed
from voxtrode.data.generation.weights import VOID
from voxtrode.data.volume import Grains, Volume


def assemble(
    packed: Packed,
    active: Sequence[str],
    filling: Filling,
    seed: int,
    cracks: Cracks | None = None,
    grains: Arrangement | None = None,
) -> Volume:
    """Make a volume of packed particles.

    Grains come first, so that cracks can follow their boundaries; what lies between the particles
    is decided before they crack, so that open cracks are pores.

    Args:
        packed: The particles.
        active: Name of the phase of each group of bodies.
        filling: What lies between them.
        seed: Of everything random.
        cracks: Cracks in the particles.
        grains: Grains in the particles.

    Returns:
        The volume: active phases first, then those of the filling, then `void` where internal
        cracks are. Particles keep the ids they were packed with.

    Raises:
        InputError: What was asked for does not fit.
    """
    voxel = (packed.voxel, packed.voxel, packed.voxel)
    randoms = [np.random.default_rng([seed, number]) for number in (101, 102, 103)]
    particles = packed.particles
    evidence: dict[str, Any] = dict(packed.evidence)
    crystals: Grains | None = None
    if grains is not None:
        crystals, evidence["grains"] = make_grains(particles, voxel, grains, randoms[0])
    between = filling.fill(particles, voxel, randoms[1])
    evidence |= between.evidence
    names = [*active, *between.names]
    group = np.concatenate([[0], packed.bodies.group[packed.body]]).astype(np.uint8)
    labels = np.where(particles > 0, group[particles], between.labels + np.uint8(len(active)))
    labels = labels.astype(np.uint8)
    if cracks is not None:
        cracked = crack(particles, voxel, cracks, randoms[2], crystals)
        evidence["cracks"] = cracked.evidence
        labels[cracked.surface] = names.index(filling.open)
        if cracked.internal.any():
            labels[cracked.internal] = len(names)
            names.append(VOID)
        taken = cracked.surface | cracked.internal
        particles = np.where(taken, 0, particles).astype(np.int32)
        if crystals is not None:
            crystals = without(crystals, taken, particles)
    diameters = packed.bodies.diameters[packed.body]
    return Volume(labels, tuple(names), voxel, particles, evidence, crystals, diameters)
