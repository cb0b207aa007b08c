"""Directions of c axes, and the quaternions of grains that have them."""

from collections.abc import Callable

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.generation.grains_regions import unit
from voxtrode.data.generation.orientation import turned_to
from voxtrode.data.generation.shape import Floats

Texture = Callable[[Floats, int | None, np.random.Generator], Floats]
"""From the unit vectors (z, y, x) at which grains lie from the centre, float[n, 3], and the normal
of a section (None in a volume): the c axes, float[n, 3]."""


def random_axes(radial: Floats, normal: int | None, random: np.random.Generator) -> Floats:
    """Uniform over the sphere; in a section uniform over its plane."""
    drawn = random.normal(size=radial.shape)
    return unit(_flattened(drawn, normal), _first(normal))


def tangential(radial: Floats, normal: int | None, random: np.random.Generator) -> Floats:
    """Across the radius, so that the fast planes run radially: the texture of radial NMC."""
    across = np.cross(radial, random.normal(size=radial.shape))
    if normal is not None:
        across = np.cross(radial, np.eye(3)[normal])
    return unit(_flattened(across, normal), _first(normal))


def radially(radial: Floats, normal: int | None, random: np.random.Generator) -> Floats:
    """Along the radius: the fast planes lie across the way in (the worst case)."""
    return unit(_flattened(radial.copy(), normal), _first(normal))


def parallel(axis: tuple[float, float, float]) -> Texture:
    """All c axes along one vector (z, y, x), of any length.

    Raises:
        InputError: The vector has no length, or none in the plane of a section.
    """

    def along(radial: Floats, normal: int | None, random: np.random.Generator) -> Floats:
        flat = _flattened(np.asarray([axis], dtype=float), normal)
        if not flat.any():
            raise InputError(f"c axis is {axis}: expected a vector with a length in the volume")
        return np.repeat(unit(flat, _first(normal)), len(radial), axis=0)

    return along


def in_groups(angles: tuple[float, ...]) -> Texture:
    """In a section: c axes at given angles only.

    Args:
        angles: From the section's first axis (z before y before x) to its second [degrees].

    Returns:
        The texture; each grain gets one of the angles, all equally often but for one. It raises an
        InputError in a volume.

    Raises:
        InputError: There are no angles.
    """
    if not angles:
        raise InputError("groups of orientations without angles: expected at least one [degrees]")

    def grouped(radial: Floats, normal: int | None, random: np.random.Generator) -> Floats:
        if normal is None:
            raise InputError(
                "groups of orientations in a volume: expected a section one voxel thick; leave the "
                "groups out"
            )
        first, second = (axis for axis in range(3) if axis != normal)
        dealt = random.permutation(np.arange(len(radial)) % len(angles))
        turned = np.deg2rad(np.asarray(angles, dtype=float))[dealt]
        axes = np.zeros(radial.shape)
        axes[:, first], axes[:, second] = np.cos(turned), np.sin(turned)
        return axes

    return grouped


def quaternions_of(axes: Floats, normal: int | None, random: np.random.Generator) -> Floats:
    """Rotations (w, z, y, x) of crystals whose c axes are given, float[n, 4].

    In a volume the turn about c is random. In a section across y or x it is a rotation about the
    section's normal; across z, that after the shortest one that lays c into the plane.
    """
    spin = random.uniform(0.0, 2.0 * np.pi, len(axes))
    return turned_to(axes, spin if normal is None else np.zeros(len(axes)))


def _flattened(vectors: Floats, normal: int | None) -> Floats:
    if normal is not None:
        vectors[:, normal] = 0.0
    return vectors


def _first(normal: int | None) -> int:
    return 1 if normal == 0 else 0
