"""What a particle's shape must say to be packed and voxelised."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Shape(Protocol):
    """A body that is star-shaped about the origin, with the volume of the ball of diameter 1.

    A particle of equivalent diameter d is this body scaled by d, turned and moved.
    """

    @property
    def reach(self) -> float:
        """Radius of the smallest ball about the origin that holds the body."""
        ...

    def gauge(self, points: Floats) -> Floats:
        """Minkowski gauge of points: g(s x) = s g(x), g < 1 inside, 1 on the surface.

        Args:
            points: (z, y, x) in the body's frame, float[m, 3].

        Returns:
            float[m].
        """
        ...

    def clump(self) -> tuple[Floats, Floats]:
        """Balls inside the body that stand for it while it is packed.

        Returns:
            Centres (z, y, x), float[k, 3], and radii, float[k].
        """
        ...


@dataclass(frozen=True)
class Ball:
    """The ball of diameter 1."""

    reach: float = 0.5

    def gauge(self, points: Floats) -> Floats:
        """Twice the distance to the centre."""
        z, y, x = points.T
        distance: Floats = 2.0 * np.sqrt(z * z + y * y + x * x)
        return distance

    def clump(self) -> tuple[Floats, Floats]:
        """The ball itself."""
        return np.zeros((1, 3)), np.full(1, 0.5)


@dataclass(frozen=True, eq=False)
class Bodies:
    """Rigid particles in a box.

    Attributes:
        centres: (z, y, x) from the box's corner at the collector [m], float[n, 3].
        rotations: Body frame to box frame, x_box = R x_body, float[n, 3, 3].
        diameters: Of the balls of equal volume [m], float[n].
        shapes: The different shapes.
        shape: Index into `shapes` of each body, int[n].
        group: Number of the population that each body belongs to, int[n].
    """

    centres: Floats
    rotations: Floats
    diameters: Floats
    shapes: tuple[Shape, ...]
    shape: NDArray[np.intp]
    group: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.diameters)

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Bodies":
        """Some of the bodies, by mask or by index."""
        return Bodies(
            self.centres[which],
            self.rotations[which],
            self.diameters[which],
            self.shapes,
            self.shape[which],
            self.group[which],
        )


@dataclass(frozen=True, eq=False)
class Packed:
    """Bodies in a box and the voxels they fill.

    Attributes:
        bodies: The bodies, lowest centre first.
        particles: Particle of each voxel, 1..m; 0 outside all; int32[z, y, x]. A body that the box
            cuts into pieces at opposite sides is one particle a piece, so that m >= n.
        body: Index into `bodies` of particle 1..m, int[m].
        voxel: Edge length of a voxel [m].
        evidence: What was asked for and what was met (JSON-able).
    """

    bodies: Bodies
    particles: NDArray[np.int32]
    body: NDArray[np.intp]
    voxel: float
    evidence: dict[str, object]
