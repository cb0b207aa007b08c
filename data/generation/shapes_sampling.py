"""Directions and points that sample a body."""

import numpy as np

from voxtrode.data.generation.shape import Floats, Shape


def directions(count: int) -> Floats:
    """Unit vectors (z, y, x) spread evenly over the sphere (Fibonacci lattice), float[count, 3]."""
    rank = np.arange(count) + 0.5
    z = 1.0 - 2.0 * rank / count
    across = np.sqrt(1.0 - z**2)
    angle = rank * (np.pi * (3.0 - np.sqrt(5.0)))
    return np.stack([z, across * np.sin(angle), across * np.cos(angle)], axis=1)


def surface_points(shape: Shape, count: int) -> Floats:
    """Points of a body's surface in evenly spread directions, float[count, 3]."""
    ways = directions(count)
    points: Floats = ways / shape.gauge(ways)[:, None]
    return points


def lattice(shape: Shape, count: int) -> tuple[Floats, float]:
    """A cubic lattice of about `count` points over the box that holds a body.

    Returns:
        Points (z, y, x), float[nz, ny, nx, 3], with one layer outside the box on every side, and
        the distance of neighbours.
    """
    surface = surface_points(shape, 4000)
    low, high = surface.min(axis=0), surface.max(axis=0)
    step = float(np.prod(high - low) / count) ** (1.0 / 3.0)
    counts = np.ceil((high - low) / step).astype(np.intp) + 2
    counts += 1 - counts % 2  # one layer in the middle, where the largest balls are
    start = 0.5 * (low + high) - 0.5 * step * (counts - 1)
    axes = [first + step * np.arange(number) for first, number in zip(start, counts, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1), step


def inside_points(shape: Shape, count: int) -> Floats:
    """Points of a lattice that lie inside a body: each stands for the same volume, float[m, 3]."""
    points = lattice(shape, count)[0].reshape(-1, 3)
    inside: Floats = points[shape.gauge(points) < 1.0]
    return inside
