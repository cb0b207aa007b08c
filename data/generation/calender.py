"""Compression of a thinned bed along its thickness."""

from dataclasses import replace

import numpy as np

from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.dense import dense_bed, needed_overlap
from voxtrode.data.generation.relax import Relaxed
from voxtrode.data.generation.request import PackingRequest
from voxtrode.data.generation.selection import Target, select

_SPARE = 0.03  # volume more than is wanted, from which the last choice is made
_STRAIN = 0.01  # of each step
_STEPS = 200
_LAST_STEPS = 1500
_ENOUGH = 0.002


def compressed(
    request: PackingRequest, overlap: float, random: np.random.Generator
) -> tuple[Bed, Relaxed]:
    """A bed packed and thinned to the fraction before calendering, then compressed to its end.

    In each step the box is made shorter and all centres move in proportion; then the particles,
    which keep their size, are moved and turned until their cores hardly overlap.

    Args:
        request: What was asked for, with its calendering.
        overlap: Share of the radii that is no part of the cores.
        random: Source of everything random.

    Returns:
        The bed, as high as the box after calendering, and how the last relaxation ended.
    """
    # No more overlap before calendering than the loose bed needs.
    loose = needed_overlap(request, (1.0 + _SPARE) * request.fractions)
    first, outcome = dense_bed(request, min(overlap, loose), random)
    shape = (request.shape[0], int(first.box[1]), int(first.box[2]))
    spare = np.minimum((1.0 + _SPARE) * request.profile(shape[0]), 0.99)
    thinned = select(first, Target(shape, spare), request.contacts, random)
    bed = thinned.bed.chosen(np.unique(thinned.scene.body))
    steps = outcome.steps
    height, last = bed.box[0], float(request.final_shape[0])
    count = max(int(np.ceil((height - last) / (_STRAIN * height))), 1)
    for new in np.linspace(height, last, count + 1)[1:]:
        bed, outcome, _ = _shortened(bed, float(new)).relaxed(overlap, _STEPS, _ENOUGH)
        steps += outcome.steps
    bed, outcome, _ = bed.relaxed(overlap, _LAST_STEPS, _ENOUGH)
    steps += outcome.steps
    return bed.settled(overlap), Relaxed(steps, outcome.overlap_mean, outcome.overlap_max)


def _shortened(bed: Bed, height: float) -> Bed:
    ratio = height / bed.box[0]
    centres = bed.bodies.centres.copy()
    centres[:, 0] *= ratio
    members = replace(bed.members, lower=ratio * bed.members.lower, upper=ratio * bed.members.upper)
    box = bed.box.copy()
    box[0] = height
    return replace(bed, bodies=replace(bed.bodies, centres=centres), members=members, box=box)
