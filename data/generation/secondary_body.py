"""The body of a secondary particle on voxels, as a whole or in section."""

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import scipy_label
from voxtrode.data.errors import InputError
from voxtrode.data.generation.shape import Floats, Shape
from voxtrode.data.generation.shapes_sampling import surface_points
from voxtrode.data.volume import Particles

_ANGLES = 20_000


def voxelise(
    shape: Shape, diameter: float, voxel: float, margin: float, section: bool
) -> tuple[Particles, float]:
    """Voxels of a body in a box.

    Args:
        shape: Of the body.
        diameter: Of the ball of equal volume; in a section of the disc of equal area [m].
        voxel: Edge length [m].
        margin: Between the body and the box on all sides, at least [m].
        section: Only the plane x = 0, one voxel thick.

    Returns:
        1 in the body's largest piece and 0 elsewhere; and the length that the shape's unit stands
        for [m].
    """
    points = outline(shape) if section else surface_points(shape, _ANGLES)
    scale = diameter
    if section:
        scale *= float(np.sqrt(0.25 * np.pi / _polygon_area(points)))
    low, high = points.min(axis=0) * scale, points.max(axis=0) * scale
    inner = np.ceil((high - low) / voxel - 1e-9).astype(np.intp)
    counts = inner + 2 * int(np.ceil(margin / voxel - 1e-9))
    if section:
        counts[2] = 1
    # The body's middle is the box's: the voxels are as symmetric as the body.
    middle = 0.5 * (low + high)
    axes = [
        ((np.arange(count) + 0.5 - 0.5 * count) * voxel + centre) / scale
        for count, centre in zip(counts, middle, strict=True)
    ]
    inside = np.zeros(tuple(counts), dtype=bool)
    across, beside = (part.ravel() for part in np.meshgrid(axes[1], axes[2], indexing="ij"))
    for layer, height in enumerate(axes[0]):
        points = np.stack([np.full(across.shape, height), across, beside], axis=1)
        # Only what is within reach is worth its gauge.
        near = (points**2).sum(axis=1) <= shape.reach**2 * (1.0 + 1e-12)
        values = np.zeros(len(points), dtype=bool)
        values[near] = shape.gauge(points[near]) < 1.0
        inside[layer] = values.reshape(inside.shape[1:])
    return largest_piece(inside), scale


def stand(whole: Particles, voxel: float, extent: float) -> tuple[Particles, float]:
    """Cut the bottom off a particle, so that it stands on z = 0 on a flat.

    What electrolyte the collector closes in between bumps becomes part of the particle.

    Args:
        whole: The particle (1) in its box.
        voxel: Edge length [m].
        extent: Diameter of the flat; in a section (one voxel along x) its length [m].

    Returns:
        The particle in what is left of its box, and the share of its voxels that was cut off.

    Raises:
        InputError: The particle is nowhere that wide.
    """
    wanted = extent * voxel if whole.shape[2] == 1 else 0.25 * np.pi * extent**2
    areas = whole.sum(axis=(1, 2)) * voxel**2
    wide = areas >= wanted * (1.0 - 1e-9)
    if not wide.any():
        raise InputError(
            f"a flat of {extent * 1e6:g} um: the particle is nowhere that wide; give a smaller "
            "flat or a rounder particle"
        )
    first = int(wide.argmax())
    particle = largest_piece(whole[first:] > 0)
    outside, _ = scipy_label(particle == 0)
    standing = (outside != outside[-1, 0, 0]).astype(np.int32)
    return standing, float(areas[:first].sum() / areas.sum())


def largest_piece(mask: NDArray[np.bool_]) -> Particles:
    """The largest face-connected piece of a mask: 1 there, 0 elsewhere."""
    pieces, count = scipy_label(mask)
    largest = int(np.bincount(pieces.ravel(), minlength=count + 1)[1:].argmax()) + 1
    piece: Particles = (pieces == largest).astype(np.int32)
    return piece


def outline(shape: Shape) -> Floats:
    """Points of the section x = 0 of a body, in order, float[n, 3]."""
    angle = 2.0 * np.pi * np.arange(_ANGLES) / _ANGLES
    ways = np.stack([np.sin(angle), np.cos(angle), np.zeros(_ANGLES)], axis=1)
    points: Floats = ways / shape.gauge(ways)[:, None]
    return points


def _polygon_area(points: Floats) -> float:
    z, y = points[:, 0], points[:, 1]
    return float(0.5 * abs((z * np.roll(y, -1) - y * np.roll(z, -1)).sum()))
