"""Which particles are packed: their shapes, sizes and orientation, in sub-layers."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.generation.orientation import Order, Orientation, RandomOrientation, order
from voxtrode.data.generation.shape import Ball, Shape
from voxtrode.data.generation.sizes import SizeDistribution

Floats = NDArray[np.float64]

_DRAWS = 20_000  # order to 0.003


@dataclass(frozen=True)
class Population:
    """Particles of one kind.

    Attributes:
        shape: The shape, or several of which each particle takes one at random.
        sizes: Distribution of the diameters by volume.
        share: Of the sub-layer's active volume.
        orientation: Of the short axes; the packing keeps their order about z where it can.
        group: Number by which the population's particles are told from others.
    """

    shape: Shape | tuple[Shape, ...]
    sizes: SizeDistribution
    share: float = 1.0
    orientation: Orientation = field(default_factory=RandomOrientation)
    group: int = 0

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The variants of the shape."""
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    @cached_property
    def order(self) -> Order | None:
        """Alignment that the orientation asks for, from many draws of it; None for balls."""
        if all(shape == Ball() for shape in self.shapes):
            return None
        return order(self.orientation.rotations(_DRAWS, np.random.default_rng(0)))


@dataclass(frozen=True)
class SubLayer:
    """A zone of the thickness with its own particles.

    Attributes:
        thickness: [m].
        active_fraction: Volume fraction of its particles.
        populations: Whose shares add up to 1.
    """

    thickness: float
    active_fraction: float
    populations: tuple[Population, ...]


@dataclass(frozen=True, eq=False)
class Members:
    """What is known of each body beside its geometry.

    Attributes:
        layer: Sub-layer whose particle it is, int[n].
        population: Its population, numbered through all layers, int[n].
        kind: Class of size within its population, numbered through all layers, int[n].
        lower, upper: Limits of its centre's height [voxels], float[n].
    """

    layer: NDArray[np.intp]
    population: NDArray[np.intp]
    kind: NDArray[np.intp]
    lower: Floats
    upper: Floats

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Members":
        """Some of them, by mask or by index."""
        return Members(
            self.layer[which],
            self.population[which],
            self.kind[which],
            self.lower[which],
            self.upper[which],
        )
