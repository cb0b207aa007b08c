"""Labelled shapes for tests of what volumes measure."""

import numpy as np

CUBE = (1.0, 1.0, 1.0)
FLAT = (3.0, 1.0, 2.0)
ABC = ("a", "b", "c")


def place(shape, voxel=CUBE):
    """Voxel centres, float[z, y, x, 3]."""
    return (np.stack(np.indices(shape), axis=-1) + 0.5) * voxel


def ball(shape, centre, radius, voxel=CUBE):
    return ((place(shape, voxel) - centre) ** 2).sum(axis=-1) < radius**2


def noise(shape, count=3, seed=0):
    return np.random.default_rng(seed).integers(0, count, shape).astype(np.uint8)


# Lines where three phases meet
