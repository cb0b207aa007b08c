"""Ellipsoids and plates; in the body's frame their short axis is z."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from voxtrode.data.errors import InputError
from voxtrode.data.generation.shape import Floats
from voxtrode.data.generation.shapes_clump import fill_with_balls


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with the volume of the ball of diameter 1: shortest along z, longest along x.

    Attributes:
        ratios: Of its three axes, in any order.

    Raises:
        InputError: A ratio is not positive.
    """

    ratios: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(0.0 < r < np.inf for r in self.ratios):
            raise InputError(f"ratios are {self.ratios}: expected three positive numbers (a:b:c)")

    @cached_property
    def semi_axes(self) -> Floats:
        """Half lengths along (z, y, x)."""
        ordered = np.sort(np.asarray(self.ratios, dtype=float))
        semi: Floats = 0.5 * ordered / np.cbrt(ordered.prod())
        return semi

    @property
    def reach(self) -> float:
        """The long semi-axis."""
        return float(self.semi_axes[2])

    def gauge(self, points: Floats) -> Floats:
        """Distance to the centre after the stretch that makes a ball of it."""
        z, y, x = (points / self.semi_axes).T
        gauge: Floats = np.sqrt(z * z + y * y + x * x)
        return gauge

    def clump(self) -> tuple[Floats, Floats]:
        """Balls that fill it."""
        return fill_with_balls(self)


@dataclass(frozen=True)
class Plate:
    """A disc about z with a rounded rim (a flake): (ρ/R)^p + |z/h|^p < 1 with p = 2/rounding.

    Attributes:
        aspect: Diameter over thickness, from 1.
        rounding: 1 is an oblate ellipsoid; towards 0 it becomes a cylinder with sharp edges.

    Raises:
        InputError: A value is out of range.
    """

    aspect: float
    rounding: float = 0.4

    def __post_init__(self) -> None:
        if not 1.0 <= self.aspect <= 100.0:
            raise InputError(
                f"aspect is {self.aspect:g}: expected diameter over thickness, from 1 to 100"
            )
        if not 0.02 <= self.rounding <= 1.0:
            raise InputError(
                f"rounding is {self.rounding:g}: expected 0.02 (sharp) to 1 (ellipsoid)"
            )

    @property
    def power(self) -> float:
        """The exponent p."""
        return 2.0 / self.rounding

    @cached_property
    def radius(self) -> float:
        """R, from the volume 2π R² h (1/p) B(1/p, 1 + 2/p) = π/6."""
        p = self.power
        filled = float(special.beta(1.0 / p, 1.0 + 2.0 / p)) / p
        return float(np.cbrt(self.aspect / (12.0 * filled)))

    @property
    def reach(self) -> float:
        """The farthest point is on the rim: Hölder's inequality for ρ² + z²."""
        if self.rounding == 1.0:
            return self.radius
        q = self.power / (self.power - 2.0)
        return float(self.radius * (1.0 + self.aspect ** (-2.0 * q)) ** (0.5 / q))

    def gauge(self, points: Floats) -> Floats:
        """p-norm of (ρ/R, z/h)."""
        across = np.hypot(points[:, 1], points[:, 2]) / self.radius
        along = np.abs(points[:, 0]) * (self.aspect / self.radius)
        big, small = np.maximum(across, along), np.minimum(across, along)
        ratio = np.divide(small, big, out=np.zeros_like(big), where=big > 0.0)
        gauge: Floats = big * (1.0 + ratio**self.power) ** (1.0 / self.power)
        return gauge

    def clump(self) -> tuple[Floats, Floats]:
        """Balls that fill it."""
        return fill_with_balls(self)
