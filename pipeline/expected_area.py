"""Area of the interfaces over the volume, before anything is made: for estimates."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from voxtrode.pipeline.study_generate import Generate
from voxtrode.pipeline.study_population import Particles
from voxtrode.pipeline.study_secondary import GenerateSecondary

STAIRCASE = 1.5
"""Area of voxel faces over that of the surface they stand for, on average over directions."""
EXPOSED = 0.8
"""Share of the particles' surface that does not touch other particles, about."""
UNKNOWN = 20.0
"""Voxels across a particle where nothing says its size."""
_QUANTILES = 64


def counted_area(labels: NDArray[np.uint8], voxel: tuple[float, float, float]) -> float:
    """Area of all interfaces over the volume [1/m], from the faces of voxels.

    Args:
        labels: Phases [z, y, x].
        voxel: Edge lengths [m].
    """
    density = 0.0
    for axis, edge in enumerate(voxel):
        along = np.moveaxis(labels, axis, 0)
        density += np.count_nonzero(along[1:] != along[:-1]) / labels.size / edge
    return density / STAIRCASE


def made_area(generate: Generate, shares: Mapping[str, float], active: Collection[str]) -> float:
    """As `counted_area`, of a volume that is not generated here.

    Balls of the sizes asked for; and what lies between them or in them (binder, carbon, cracks)
    about two voxels thick: the passive phases but the largest.

    Args:
        generate: The generator.
        shares: Volume fraction of each phase.
        active: Names of the phases of the particles.
    """
    solid = sum(shares[name] for name in active)
    passive = [share for name, share in shares.items() if name not in active]
    thin = sum(passive) - max(passive, default=0.0)
    return EXPOSED * 6.0 * solid * _inverse_diameter(generate) + thin / generate.voxel


def unknown_area(voxel: float, active: float) -> float:
    """As `counted_area`, where neither voxels nor sizes say it: a grey image.

    Args:
        voxel: Largest edge of a voxel [m].
        active: Volume fraction of all active material.
    """
    return EXPOSED * 6.0 * active / (UNKNOWN * voxel)


def _inverse_diameter(generate: Generate) -> float:
    """Mean of the inverse diameter by volume [1/m]."""
    if isinstance(generate, GenerateSecondary):
        return 1.0 / generate.diameter
    means = [_mean_inverse(particles) for particles in generate.particles]
    return float(np.dot(generate.parts, means))


def _mean_inverse(particles: Particles) -> float:
    if particles.distribution is None:
        diameters = np.array(particles.diameters)
        return float(np.dot(particles.share_by_diameter, 1.0 / diameters))
    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return float(np.mean(1.0 / particles.distribution.sizes().diameter(middles)))
