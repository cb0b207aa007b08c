"""Rigid clumps of balls are moved and turned until they hardly overlap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.generation.fire import fire, gyration, place

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(eq=False)
class Clumps:
    """Rigid bodies of balls in a box that is periodic along y and x; all lengths in voxels.

    Attributes:
        box: Edge lengths (z, y, x), float[3].
        centres: Of the bodies, float[n, 3].
        quaternions: Body frame to box frame, scalar first, float[n, 4].
        first: Where the balls of each body begin, int[n + 1].
        offsets: Of the balls from their body's centre, in the body's frame, float[m, 3].
        radii: Of the balls, float[m].
        lower, upper: Limits of the height of each body's centre, float[n].
        sluggish: Factor on the moment of inertia of each body, float[n].
    """

    box: Floats
    centres: Floats
    quaternions: Floats
    first: Indices
    offsets: Floats
    radii: Floats
    lower: Floats
    upper: Floats
    sluggish: Floats

    def balls(self) -> Floats:
        """Centres of the balls in the box, float[m, 3]."""
        placed: Floats = place(self.centres, self.quaternions, self.first, self.offsets)
        return placed

    def body(self) -> Indices:
        """Body of each ball, int[m]."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


@dataclass(frozen=True)
class Relaxed:
    """How a relaxation ended.

    Attributes:
        steps: Number of steps.
        overlap_mean: Mean overlap of the overlapping pairs over the sum of their radii.
        overlap_max: Largest one.
    """

    steps: int
    overlap_mean: float
    overlap_max: float


def relax(clumps: Clumps, shrink: float, steps: int, enough: float) -> tuple[Relaxed, Floats]:
    """Minimises the overlaps' energy, half the sum of their squares, by FIRE.

    Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). Balls press against the walls z = 0 and
    z = L; centres of bodies against their own limits. `clumps` is changed in place.

    Args:
        clumps: The bodies.
        shrink: Factor on the balls' radii: their hard cores.
        steps: At most that many.
        enough: Ends when no overlap is larger, over the sum of radii.

    Returns:
        How it ended, and the energy of each body.
    """
    n = len(clumps.centres)
    energy = np.zeros(n)
    if n == 0:
        return Relaxed(0, 0.0, 0.0), energy
    radii = shrink * clumps.radii
    inertia = clumps.sluggish * gyration(clumps.first, clumps.offsets, clumps.radii)
    taken, mean, worst = fire(
        clumps.box,
        clumps.centres,
        clumps.quaternions,
        clumps.first,
        clumps.offsets,
        radii,
        clumps.body(),
        clumps.lower,
        clumps.upper,
        inertia,
        energy,
        steps,
        enough,
    )
    return Relaxed(int(taken), float(mean), float(worst)), energy
