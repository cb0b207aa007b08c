"""Measures of tetrahedra by rows of their points, for compiled loops."""

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


@njit(cache=True)
def squared_distance(x: Floats, a: int, b: int) -> float:
    """Square of the distance of two points [µm²]; `x` of shape ``(points, 3)``."""
    return float((x[a, 0] - x[b, 0]) ** 2 + (x[a, 1] - x[b, 1]) ** 2 + (x[a, 2] - x[b, 2]) ** 2)


@njit(cache=True)
def volume(x: Floats, a: int, b: int, c: int, d: int) -> float:
    """Signed volume [µm³] of points given as (z, y, x); positive if right-handed in (x, y, z)."""
    a0, a1, a2 = x[b, 2] - x[a, 2], x[b, 1] - x[a, 1], x[b, 0] - x[a, 0]
    b0, b1, b2 = x[c, 2] - x[a, 2], x[c, 1] - x[a, 1], x[c, 0] - x[a, 0]
    c0, c1, c2 = x[d, 2] - x[a, 2], x[d, 1] - x[a, 1], x[d, 0] - x[a, 0]
    six = a0 * (b1 * c2 - b2 * c1) - a1 * (b0 * c2 - b2 * c0) + a2 * (b0 * c1 - b1 * c0)
    return float(six / 6.0)


@njit(cache=True)
def roundness(x: Floats, a: int, b: int, c: int, d: int) -> float:
    """Volume over the cube of the root mean square edge, up to a factor; larger is better."""
    edges = (
        squared_distance(x, a, b)
        + squared_distance(x, a, c)
        + squared_distance(x, a, d)
        + squared_distance(x, b, c)
        + squared_distance(x, b, d)
        + squared_distance(x, c, d)
    )
    return float(abs(volume(x, a, b, c, d)) / edges**1.5)
