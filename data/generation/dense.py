"""Dense random beds: drawn particles at random places, moved until they hardly overlap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.populations import Members, Population
from voxtrode.data.generation.relax import Relaxed
from voxtrode.data.generation.request import PackingRequest, um
from voxtrode.data.generation.shape import Bodies, Shape
from voxtrode.data.generation.sizes import SizeDistribution, draw, share_below

Floats = NDArray[np.float64]

_OVERLAP = 0.03  # of touching bodies at least, so that they share a neck
_STEPS = 1500
_ENOUGH = 0.002  # overlap of cores, over the sum of radii, at which a relaxation ends
_CROWDED = 0.012  # mean overlap of cores at which bodies are taken out
_WIDTHS = 3.0  # of the largest body: the least edge of the periodic domain
_CLASSES = 12  # in which a smooth distribution keeps its shares
_IN_A_CLASS = 6
_WALLS = 0.985  # walls, and quenching at a finite rate, against the estimate for the bulk
_FREE = 1e9
_DIGITS = 6  # of what is worked out from sums, whose last bits depend on the processor


@dataclass(frozen=True)
class Filling:
    """Bodies of one population in one layer, before they have a place."""

    layer: int
    population: Population
    diameters: Floats


def random_close_packing(diameters: Floats) -> float:
    """Volume fraction of random close packings of balls.

    Desmond & Weeks, Phys. Rev. E 90, 022204 (2014): 0.634 + 0.0658 δ + 0.0857 S δ², with the
    relative standard deviation δ and the skewness S of the radii by number.
    """
    if len(diameters) == 0:
        return 0.634
    mean = float(np.mean(diameters))
    deviation = float(np.std(diameters))
    if deviation < 1e-9 * mean:
        return 0.634
    skewness = float(np.mean((diameters - mean) ** 3)) / deviation**3
    delta = deviation / mean
    return min(max(0.634 + 0.0658 * delta + 0.0857 * skewness * delta**2, 0.6), 0.80)


def drawn(request: PackingRequest, density: Floats) -> tuple[list[Filling], Floats]:
    """The particles of a bed, and the periodic domain that is wide enough for them.

    Args:
        request: What was asked for.
        density: Nominal volume fraction of each layer, float[layers].

    Returns:
        The particles, and the edge lengths (z, y, x) of the domain, whole [voxels], float[3].
    """
    box = np.array(request.shape, dtype=np.float64)
    box[1:] = np.maximum(box[1:], np.ceil(_WIDTHS * _median_extent(request)))
    while True:
        area = float(box[1] * box[2]) * request.voxel**2
        fillings = [
            Filling(
                index,
                population,
                draw(population.sizes, population.share * density[index] * area * layer.thickness)
                / request.voxel,
            )
            for index, layer in enumerate(request.layers)
            for population in layer.populations
        ]
        least = float(np.ceil(_WIDTHS * _extent(fillings)))
        if min(box[1:]) >= least:
            return fillings, box
        box[1:] = np.maximum(box[1:], least)


def jammed(request: PackingRequest) -> Floats:
    """Volume fraction at which balls of each layer's sizes jam, float[layers]."""
    fillings, _ = drawn(request, np.full(len(request.layers), 0.6))
    parts = [
        np.concatenate([np.zeros(0), *(one.diameters for one in fillings if one.layer == index)])
        for index in range(len(request.layers))
    ]
    fractions = [round(_WALLS * random_close_packing(part), _DIGITS) for part in parts]
    return np.array(fractions)


def needed_overlap(request: PackingRequest, fractions: Floats) -> float:
    """Least share of the radii by which touching particles must overlap to reach fractions.

    Args:
        request: What was asked for.
        fractions: Nominal volume fraction of each layer, float[layers].
    """
    ratio = float(np.min(jammed(request) / np.minimum(fractions, 1.0)))
    needed: float = 1.0 - ratio ** (1.0 / 3.0)
    return max(_OVERLAP, round(needed, _DIGITS))


def dense_bed(
    request: PackingRequest, overlap: float, random: np.random.Generator
) -> tuple[Bed, Relaxed]:
    """A bed at about the density at which cores jam.

    Args:
        request: What was asked for.
        overlap: Share of the radii that is no part of the cores.
        random: Source of sizes, places and rotations.

    Returns:
        The bed, and how its relaxation ended.

    Raises:
        InputError: A particle does not fit in the thickness.
    """
    density = jammed(request) / (1.0 - overlap) ** 3
    bed = _placed(request, *drawn(request, density), random)
    bed, outcome, energy = bed.relaxed(overlap, _STEPS, _ENOUGH)
    steps = outcome.steps
    for _ in range(10):
        if outcome.overlap_mean <= _CROWDED:
            break
        share = min(4.0 * (outcome.overlap_mean - 0.5 * _CROWDED), 0.2)
        bed = bed.chosen(_less_crowded(bed, energy, share))
        bed, outcome, energy = bed.relaxed(overlap, _STEPS // 3, _ENOUGH)
        steps += outcome.steps
    return bed.settled(overlap), Relaxed(steps, outcome.overlap_mean, outcome.overlap_max)


def _median_extent(request: PackingRequest) -> float:
    """Of the largest population's median body by volume [voxels]."""
    return (
        max(
            2.0 * float(one.sizes.diameter(np.array([0.5]))[0]) * max(s.reach for s in one.shapes)
            for layer in request.layers
            for one in layer.populations
            if one.share > 0.0
        )
        / request.voxel
    )


def _extent(fillings: list[Filling]) -> float:
    """Of the largest body [voxels]."""
    return max(
        (
            2.0 * float(one.diameters.max()) * max(s.reach for s in one.population.shapes)
            for one in fillings
            if len(one.diameters)
        ),
        default=0.0,
    )


def _placed(
    request: PackingRequest, fillings: list[Filling], box: Floats, random: np.random.Generator
) -> Bed:
    """Bodies at random places in their layers."""
    shapes: list[Shape] = []
    parts: list[tuple[NDArray[Any], ...]] = []
    shares: list[Floats] = []
    kinds = 0
    for number, one in enumerate(fillings):
        count = len(one.diameters)
        variant = random.integers(len(one.population.shapes), size=count) + len(shapes)
        shapes += one.population.shapes
        kind = _classes(one.diameters)
        rotations = one.population.orientation.rotations(count, random)
        lower, upper = _limits(request, one.layer, count, random)
        places = random.random((count, 3))
        parts.append(
            (
                places,
                rotations.reshape(count, 3, 3),
                one.diameters,
                variant,
                np.full(count, one.population.group),
                np.full(count, one.layer),
                np.full(count, number),
                kind + kinds,
                lower,
                upper,
            )
        )
        layer = request.layers[one.layer]
        part = layer.active_fraction * layer.thickness / request.size[0] / request.active_fraction
        own = _shares(one.population.sizes, one.diameters * request.voxel, kind)
        shares.append(part * one.population.share * own)
        kinds += len(own)
    places, rotations, diameters, variant, group, member, population, kind, lower, upper = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    if len(diameters) == 0:
        raise InputError(
            "the box is too small for a single particle of this size: give a larger box or smaller"
            " particles"
        )
    radii = 0.5 * diameters
    if 2.0 * radii.max() > box[0] * (1.0 + 1e-9):
        raise InputError(
            f"particles of {um(2.0 * float(radii.max()) * request.voxel)} do not fit in a"
            f" thickness of {um(request.size[0])}: give a thicker volume or smaller particles"
        )
    # Limits inside the space that the outer walls leave.
    inner = np.maximum(box[0] - radii, radii)
    lower = np.where(lower > -_FREE, np.clip(lower, radii, inner), lower)
    upper = np.where(upper < _FREE, np.clip(upper, radii, inner), upper)
    low = np.maximum(lower, radii)
    high = np.minimum(upper, inner)
    centres = places * box
    centres[:, 0] = low + places[:, 0] * (high - low)
    bodies = Bodies(centres, rotations, diameters, tuple(shapes), variant, group)
    members = Members(member, population, kind, lower, upper)
    asked = (one.population.order for one in fillings)
    orders = np.array([np.nan if one is None else round(one.about_z, _DIGITS) for one in asked])
    return Bed(bodies, members, box, np.concatenate(shares), orders)


def _limits(
    request: PackingRequest, layer: int, count: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Lowest and highest place of centres; none at the outer walls, which act on the surfaces."""
    width = request.mixing / request.voxel
    below, above = random.random((2, count)) - 0.5
    lower = request.boundaries[layer] + width * below
    upper = np.maximum(request.boundaries[layer + 1] + width * above, lower)
    first, last = layer == 0, layer == len(request.layers) - 1
    return (
        np.full(count, -_FREE) if first else lower,
        np.full(count, _FREE) if last else upper,
    )


def _classes(diameters: Floats) -> NDArray[np.intp]:
    """Class of each body by size: one a diameter if they are few, else parts of the distribution.

    The parts are equal in the mean of number and volume, so that neither the few largest bodies
    nor the many smallest are all in one.
    """
    values, index = np.unique(diameters, return_inverse=True)
    if len(values) <= _CLASSES:
        return index.astype(np.intp)
    order = np.argsort(diameters, kind="stable")
    volume = diameters[order] ** 3
    middle = (np.cumsum(volume) - 0.5 * volume) / np.sum(volume)
    rank = (np.arange(len(order)) + 0.5) / len(order)
    classes = min(_CLASSES, max(len(order) // _IN_A_CLASS, 1))
    kind = np.empty(len(diameters), dtype=np.intp)
    kind[order] = np.minimum((0.5 * (middle + rank) * classes).astype(np.intp), classes - 1)
    return np.unique(kind, return_inverse=True)[1].astype(np.intp)


def _shares(sizes: SizeDistribution, diameters: Floats, kind: NDArray[np.intp]) -> Floats:
    """Share of each class in the distribution; classes meet half-way between their members."""
    if len(kind) == 0:
        return np.zeros(0)
    count = int(kind.max()) + 1
    limits = [
        0.5 * float(diameters[kind == k].max() + diameters[kind == k + 1].min())
        for k in range(count - 1)
    ]
    below = [0.0, *(share_below(sizes, limit) for limit in limits), 1.0]
    return np.diff(below)


def _less_crowded(bed: Bed, energy: Floats, share: float) -> NDArray[np.bool_]:
    """All but the most squeezed bodies of each class, fewer where a layer has room."""
    squeezed = energy / bed.bodies.diameters**2
    kept = np.ones(len(energy), dtype=bool)
    mean = float(np.mean(squeezed))
    due = 0.0
    for kind in np.unique(bed.members.kind):
        own = np.flatnonzero(bed.members.kind == kind)
        same = bed.members.layer == bed.members.layer[own[0]]
        due += min(share * float(np.mean(squeezed[same])) / mean, 0.4) * len(own)
        count = min(max(round(due), 0), len(own) - 1)
        due -= count
        kept[own[np.argsort(-squeezed[own], kind="stable")[:count]]] = False
    if kept.all() and len(kept) > 1:
        kept[np.argmax(squeezed)] = False
    return kept
