"""Rough bodies: the surface of any body displaced by a smooth random field."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from skimage.measure import marching_cubes

from voxtrode.data.errors import InputError
from voxtrode.data.generation.shape import Floats, Shape
from voxtrode.data.generation.shapes_clump import fill_with_balls
from voxtrode.data.generation.shapes_sampling import inside_points, lattice, surface_points

_WAVES = 48
_BAND = 0.25


@dataclass(frozen=True, eq=False)
class _Field:
    waves: Floats
    phases: Floats
    mean: float
    deviation: float
    scale: float


@dataclass(frozen=True)
class Rough:
    """A body whose radius is multiplied by exp(2 amplitude f), then scaled to its old volume.

    f is a random field of mean 0 and mean square 1, taken where the ray meets the base's surface: a
    sum of plane waves of random directions and phases (random Fourier features), so that bumps have
    one size all over the surface. On a ball the displacement's rms is `amplitude` diameters.

    Attributes:
        base: The smooth body.
        amplitude: Root mean square of the displacement over the diameter, 0 to 0.1.
        wavelength: Of the bumps over the diameter, 0.02 to 2; the waves' numbers vary by 25 %.
        seed: The same seed gives the same surface.

    Raises:
        InputError: A value is out of range.
    """

    base: Shape
    amplitude: float
    wavelength: float
    seed: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.amplitude <= 0.1:
            raise InputError(
                f"amplitude is {self.amplitude:g}: expected 0 to 0.1 of the diameter (rms)"
            )
        if not 0.02 <= self.wavelength <= 2.0:
            raise InputError(
                f"wavelength is {self.wavelength:g}: expected 0.02 to 2 times the diameter"
            )
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: expected a whole number from 0")

    @cached_property
    def _field(self) -> _Field:
        random = np.random.default_rng(self.seed)
        waves = random.normal(size=(_WAVES, 3))
        lengths = np.sqrt((waves**2).sum(axis=1))
        numbers = 2.0 * np.pi / self.wavelength * random.uniform(1 - _BAND, 1 + _BAND, _WAVES)
        waves *= (numbers / lengths)[:, None]
        phases = random.uniform(0.0, 2.0 * np.pi, _WAVES)
        # Each inner point stands for one volume of its cone, so that the mean of m³ over them is
        # the ratio of volumes, whatever the base.
        points = inside_points(self.base, 400_000)
        points = points[self.base.gauge(points) > 1e-6]
        values = _sum_of_waves(points / self.base.gauge(points)[:, None], waves, phases)
        mean, deviation = float(values.mean()), float(values.std())
        growth = np.exp(6.0 * self.amplitude * (values - mean) / deviation).mean()
        return _Field(waves, phases, mean, deviation, float(np.cbrt(1.0 / growth)))

    @cached_property
    def reach(self) -> float:
        """Largest radius over sampled directions, with what peaks between them may add (< 1 %)."""
        count = int(np.clip(400.0 / self.wavelength**2, 4_000, 200_000))
        radii = np.sqrt((surface_points(self, count) ** 2).sum(axis=1))
        return float(radii.max() * np.exp(0.5 * self.amplitude))

    def gauge(self, points: Floats) -> Floats:
        """The base's, divided by the factor on the radius."""
        field = self._field
        base = self.base.gauge(points)
        safe = np.where(base > 0.0, base, 1.0)
        values = _sum_of_waves(points / safe[:, None], field.waves, field.phases)
        values = (values - field.mean) / field.deviation
        gauge: Floats = base / (field.scale * np.exp(2.0 * self.amplitude * values))
        return gauge

    def clump(self) -> tuple[Floats, Floats]:
        """Balls that fill it."""
        return fill_with_balls(self)


def surface_area(shape: Shape, cells: int = 2_000_000) -> float:
    """Area of a body, by marching cubes on its gauge.

    Args:
        shape: Of the volume of the ball of diameter 1.
        cells: Number of the lattice's points; the error falls with its power -2/3.

    Returns:
        In squared diameters: π for the ball.
    """
    points, step = lattice(shape, cells)
    gauge = shape.gauge(points.reshape(-1, 3)).reshape(points.shape[:3])
    vertices, triangles, _, _ = marching_cubes(  # type: ignore[no-untyped-call]
        gauge, 1.0, spacing=(step, step, step)
    )
    corners = vertices[triangles].astype(float)
    sides = corners[:, 1:] - corners[:, :1]
    crossed = np.cross(sides[:, 0], sides[:, 1])
    return float(0.5 * np.sqrt((crossed**2).sum(axis=1)).sum())


@njit(cache=True)
def _sum_of_waves(points: Floats, waves: Floats, phases: Floats) -> Floats:
    values = np.empty(len(points))
    for i in range(len(points)):
        total = 0.0
        for j in range(len(phases)):
            angle = points[i, 0] * waves[j, 0] + points[i, 1] * waves[j, 1]
            total += np.cos(angle + points[i, 2] * waves[j, 2] + phases[j])
        values[i] = total
    return values
