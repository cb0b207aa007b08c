"""How particles are turned; in the body's frame the short axis of a plate is z.

Rotations are matrices R on (z, y, x) with x_box = R x_body, or quaternions (w, z, y, x) as in
`voxtrode.data.volume.Grains`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.generation.shape import Floats

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Orientation(Protocol):
    """A distribution of rotations."""

    def rotations(self, n: int, random: np.random.Generator) -> Floats:
        """Draw n rotations, body frame to box frame, float[n, 3, 3]."""
        ...


@dataclass(frozen=True)
class RandomOrientation:
    """Uniform over all rotations."""

    def rotations(self, n: int, random: np.random.Generator) -> Floats:
        """Draw n rotations, float[n, 3, 3]."""
        return matrices(random_quaternions(n, random))


@dataclass(frozen=True)
class InPlane:
    """Short axes u gather about z, so that plates lie in the plane of the electrode.

    The density of u is that of Watson, proportional to exp(κ u_z²); about u the turn is uniform.

    Attributes:
        kappa: Concentration κ: 0 is random, infinity perfectly aligned.

    Raises:
        InputError: κ is negative or no number.
    """

    kappa: float

    def __post_init__(self) -> None:
        if not self.kappa >= 0.0:
            raise InputError(
                f"kappa is {self.kappa:g}: expected 0 (random) or more, .inf for perfectly aligned"
            )

    def rotations(self, n: int, random: np.random.Generator) -> Floats:
        """Draw n rotations, float[n, 3, 3]."""
        height = self._heights(n, random) * random.choice(np.array([-1.0, 1.0]), n)
        angle = random.uniform(0.0, 2.0 * np.pi, n)
        across = np.sqrt(np.maximum(1.0 - height**2, 0.0))
        axes = np.stack([height, across * np.sin(angle), across * np.cos(angle)], axis=1)
        return matrices(turned_to(axes, random.uniform(0.0, 2.0 * np.pi, n)))

    def _heights(self, n: int, random: np.random.Generator) -> Floats:
        """|u_z|, by rejection from exp(κ t) (Best & Fisher, Aust. J. Stat. 28, 13, 1986)."""
        if np.isinf(self.kappa):
            return np.ones(n)
        if self.kappa < 1e-6:
            return random.uniform(0.0, 1.0, n)
        kept = np.empty(0)
        while len(kept) < n:
            first, second = random.random((2, n))
            height = 1.0 + np.log(first + (1.0 - first) * np.exp(-self.kappa)) / self.kappa
            height = np.clip(height, 0.0, 1.0)
            kept = np.append(kept, height[second < np.exp(self.kappa * (height**2 - height))])
        return kept[:n]


@dataclass(frozen=True)
class Fixed:
    """One rotation for all.

    Attributes:
        rotation: Rows of the matrix on (z, y, x).

    Raises:
        InputError: The matrix is no rotation.
    """

    rotation: tuple[tuple[float, float, float], ...] = IDENTITY

    def __post_init__(self) -> None:
        matrix = np.asarray(self.rotation, dtype=float)
        rotates = matrix.shape == (3, 3) and np.allclose(matrix.T @ matrix, np.eye(3), atol=1e-9)
        if not (rotates and np.linalg.det(matrix) > 0.0):
            raise InputError(
                f"rotation is {self.rotation}: expected three orthonormal rows with determinant 1"
            )

    def rotations(self, n: int, random: np.random.Generator) -> Floats:
        """The rotation n times, float[n, 3, 3]."""
        return np.repeat(np.asarray(self.rotation, dtype=float)[None], n, axis=0)


@dataclass(frozen=True)
class Order:
    """Alignment of short axes u.

    Attributes:
        about_z: Mean of (3 u_z² - 1)/2: 1 where all lie flat, 0 where random, -1/2 upright.
        nematic: Largest eigenvalue of the mean of (3 u uᵀ - 1)/2: 1 where all are parallel.
        director: Its eigenvector (z, y, x), pointing up.
    """

    about_z: float
    nematic: float
    director: tuple[float, float, float]


def order(rotations: Floats) -> Order:
    """Nematic order of the body's z axes of rotations, float[n, 3, 3] with n > 0."""
    axes = rotations[:, :, 0]
    tensor = 1.5 * (axes[:, :, None] * axes[:, None, :]).mean(axis=0) - 0.5 * np.eye(3)
    values, vectors = np.linalg.eigh(tensor)
    director = vectors[:, -1] * (1.0 if vectors[0, -1] >= 0.0 else -1.0)
    z, y, x = (float(c) for c in director)
    return Order(float(tensor[0, 0]), float(values[-1]), (z, y, x))


def random_quaternions(n: int, random: np.random.Generator) -> Floats:
    """Rotations (w, z, y, x), uniform over all, unit length, float[n, 4]."""
    drawn = random.normal(size=(n, 4))
    unit: Floats = drawn / np.sqrt((drawn**2).sum(axis=1))[:, None]
    return unit


def turned_to(axes: Floats, spin: Floats) -> Floats:
    """Rotations that carry z to given axes after a turn about z.

    Args:
        axes: Unit vectors (z, y, x), float[n, 3].
        spin: Angles of the first turn [rad], float[n].

    Returns:
        Quaternions (w, z, y, x), float[n, 4].
    """
    # Half-way between z and the axis: the shortest turn, or half a turn about y where opposite.
    w, y, x = 1.0 + axes[:, 0], -axes[:, 2], axes[:, 1]
    opposite = w < 1e-12
    y = np.where(opposite, 1.0, y)
    w = np.where(opposite, 0.0, w)
    length = np.sqrt(w**2 + y**2 + x**2)
    w, y, x = w / length, y / length, x / length
    cos, sin = np.cos(0.5 * spin), np.sin(0.5 * spin)
    # The product of (w, 0, y, x) and (cos, sin, 0, 0).
    return np.stack([w * cos, w * sin, y * cos + x * sin, x * cos - y * sin], axis=1)


def matrices(quaternions: Floats) -> Floats:
    """Rotation matrices on (z, y, x) of unit quaternions (w, z, y, x), float[n, 3, 3]."""
    w, z, y, x = quaternions.T
    rows = [
        [1 - 2 * (y * y + x * x), 2 * (z * y - w * x), 2 * (z * x + w * y)],
        [2 * (z * y + w * x), 1 - 2 * (z * z + x * x), 2 * (y * x - w * z)],
        [2 * (z * x - w * y), 2 * (y * x + w * z), 1 - 2 * (z * z + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
