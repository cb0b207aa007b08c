"""Carbon-binder in the free space between particles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import neighbours, percolating_shares
from voxtrode.data.errors import InputError
from voxtrode.data.generation.binder_morphology import Morphology
from voxtrode.data.generation.binder_space import Mask, Space, free_face_area, measure_space
from voxtrode.data.interfaces import Triple

_BRIDGING = 0.25  # of a particle's diameter: gaps up to this width count as bridged

# Voxel faces overstate a surface by the mean of |n_z| + |n_y| + |n_x| over all directions.
_STAIRCASE = 1.5


@dataclass(frozen=True)
class Binder:
    """What is asked for.

    Attributes:
        fraction: Share of the box that the binder fills (its own nanopores included; see
            `weights.with_nanopores`), met to one voxel.
        morphology: Where it goes: `Film`, `Bridges` or `Mixed`.
    """

    fraction: float
    morphology: Morphology


@dataclass(frozen=True, eq=False)
class Filled:
    """Voxels that were filled.

    Attributes:
        mask: The voxels, bool[z, y, x]; none of them in a particle.
        evidence: What was asked for and what was met (JSON-able).
    """

    mask: Mask
    evidence: dict[str, Any]


def add_binder(
    particles: NDArray[np.integer[Any]],
    voxel: Triple,
    settings: Binder,
    random: np.random.Generator,
) -> Filled:
    """Fill a share of the box with carbon-binder, outside the particles.

    The sides of the box are mirrors.

    Args:
        particles: Particle of each voxel, 0 for free space, [z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        settings: How much and where.
        random: Source of everything random.

    Returns:
        The binder, and as evidence:
        `fraction_asked`, `fraction`;
        `surface_covered`: share of the area of voxel faces between particles and free space;
        `bridging_share`: share of the binder where the gap between the two nearest particles is
        at most `bridging_gap_m`, a quarter of the mean diameter of the particles;
        `pairs_bridged`: pairs of particles that binder joins, `particles_bridged`: particles in
        such a pair;
        `mean_film_thickness_m`: volume over covered area (voxel faces over 1.5);
        `percolating_share` along z, y, x. Shares of nothing are None.

    Raises:
        InputError: The fraction is negative or does not fit, there is no particle to hold the
            binder, or the particles or the voxel are unusable.
    """
    fraction = settings.fraction
    if not 0.0 <= fraction < 1.0:
        raise InputError(f"binder fraction is {fraction:g}: expected 0 <= value < 1 of the box")
    space = measure_space(particles, voxel)
    free = space.free
    count, room = round(fraction * free.size), int(np.count_nonzero(free))
    if count > room:
        raise InputError(
            f"binder of {fraction:g} of the box does not fit: the particles leave "
            f"{room / free.size:.4f}; give less binder or fewer particles"
        )
    if count and room == free.size:
        raise InputError("binder without particles: there is none to hold it; give particles")
    mask = settings.morphology.grow(space, free, count, random)
    return Filled(mask, {"fraction_asked": fraction, **_evidence(space, mask)})


def _evidence(space: Space, mask: Mask) -> dict[str, Any]:
    count = int(np.count_nonzero(mask))
    surface = free_face_area(space.particles, space.voxel, space.free)
    covered = free_face_area(space.particles, space.voxel, mask)
    volume = float(np.prod(space.voxel))
    gap = _BRIDGING * _mean_diameter(space)
    # Distances between centres of voxels are half a voxel too long at both ends.
    between = space.first[mask] + space.second[mask] - np.float32(volume ** (1.0 / 3.0))
    pairs = _bridged_pairs(space, mask)
    return {
        "fraction": count / mask.size,
        "surface_covered": covered / surface if surface > 0.0 else None,
        "bridging_gap_m": gap,
        "bridging_share": int(np.count_nonzero(between <= gap)) / count if count else None,
        "pairs_bridged": len(pairs),
        "particles_bridged": len(np.unique(pairs)),
        "mean_film_thickness_m": (_STAIRCASE * count * volume / covered if covered > 0.0 else None),
        "percolating_share": percolating_shares(mask),
    }


def _mean_diameter(space: Space) -> float:
    """Of the balls of the particles' volumes, weighted by volume [m]."""
    voxels = np.bincount(space.particles.ravel())[1:]
    voxels = voxels[voxels > 0]
    if len(voxels) == 0:
        return 0.0
    diameters = np.cbrt(6.0 / np.pi * voxels * float(np.prod(space.voxel)))
    return float((diameters * voxels).sum() / voxels.sum())


def _bridged_pairs(space: Space, mask: Mask) -> NDArray[np.int64]:
    """Pairs of particles whose surroundings meet inside the binder, int[n, 2].

    Binder belongs to its nearest particle; a bridge is where two particles' binder touches.
    """
    found = []
    for here, there in neighbours():
        one, other = space.nearest[here], space.nearest[there]
        meets = mask[here] & mask[there] & (one != other)
        pair = np.stack([one[meets], other[meets]], axis=1).astype(np.int64)
        found.append(np.sort(pair, axis=1))
    pairs: NDArray[np.int64] = np.unique(np.concatenate(found), axis=0)
    return pairs
