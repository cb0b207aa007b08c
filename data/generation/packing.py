"""Random packings of particles in a box, voxelised at a volume fraction."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.calender import compressed
from voxtrode.data.generation.dense import dense_bed, needed_overlap
from voxtrode.data.generation.evidence import evidence
from voxtrode.data.generation.policies import LARGEST_CHANGE
from voxtrode.data.generation.relax import Relaxed
from voxtrode.data.generation.request import PackingRequest, check
from voxtrode.data.generation.selection import Selection, Target, select
from voxtrode.data.generation.shape import Bodies, Packed

Floats = NDArray[np.float64]

TOLERANCE = 0.005
"""On the active fraction, absolute."""

_AIM = 0.001
_MARGIN = 1.01
_LARGEST_OVERLAP = 0.15
_STEP = 0.01
_BEDS = 4
_ATTEMPTS = 4  # with each bed
_MANY_ATTEMPTS = 24  # with few bodies, where each is a large part of the volume
_FEW = 200
_HOPELESS = 0.96  # of the volume wanted: other windows of the same bed hold as little
_SMALL_CHANGE = 0.003  # of all diameters: no other attempt is made


@dataclass(frozen=True, eq=False)
class _Result:
    selection: Selection
    outcome: Relaxed
    overlap: float
    tried: int


def pack(request: PackingRequest) -> Packed:
    """Packs particles at random, touching and connected to the collector, and voxelises them.

    Particles start at random places and move and turn until their cores (a few per cent smaller
    than they) hardly overlap, at about random close packing, in a box that is periodic in plane.
    The dense bed is then thinned at random and evenly over the depth, each particle keeping a path
    through contacts to the collector, until the active fraction is met; a calendered bed is
    compressed and thinned again by the little that the compression lost. Where the bed is too
    loose, particles may overlap more (to 15 %). All diameters change alike, by 1 % at most, to meet
    the fraction.

    Args:
        request: Box, voxel, seed, particles by sub-layers, contacts, calendering.

    Returns:
        The bodies, their voxels, and the evidence.

    Raises:
        InputError: A value is out of range, or the fraction cannot be reached.
    """
    check(request)
    result = _best(request)
    return _packed(request, result)


def _best(request: PackingRequest) -> _Result:
    """The first packing whose fraction is met, at the least overlap that will do."""
    target = _target(request)
    compression = request.final_fraction / request.active_fraction
    overlap = needed_overlap(request, _MARGIN * compression * request.fractions)
    best: _Result | None = None
    densest, tried, level, met = 0.0, 0, 0, False
    while overlap <= _LARGEST_OVERLAP:
        for repeat in range(_BEDS):
            seed = np.random.SeedSequence([request.seed, level, repeat])
            children = seed.spawn(_MANY_ATTEMPTS + 1)
            first, *others = (np.random.default_rng(child) for child in children)
            bed, outcome = _bed(request, overlap, first)
            attempts = _MANY_ATTEMPTS if len(bed.bodies) <= _FEW else _ATTEMPTS
            for random in others[:attempts]:
                tried += 1
                selection = select(bed, target, request.contacts, random)
                densest = max(densest, selection.available / target.cells)
                result = _Result(selection, outcome, overlap, tried)
                if len(selection.scene) and (best is None or _rank(result) < _rank(best)):
                    best = result
                if best is not None and _rank(best)[0] == 0:
                    return best
                if selection.available < _HOPELESS * target.volume:
                    break
            met = best is not None and _rank(best)[0] == 1
            if met or selection.available < _HOPELESS * target.volume:
                break
        if met or selection.available > target.volume:
            break  # more overlap would not help
        level += 1
        overlap += _STEP * level
    if best is not None and abs(best.selection.error) <= TOLERANCE:
        return best
    raise InputError(_unreachable(target, densest, best))


def _rank(result: _Result) -> tuple[int, float]:
    """Smaller is better; a first entry of 0 needs no further attempt."""
    error, change = abs(result.selection.error), abs(result.selection.drawn.scale - 1.0)
    if error <= _AIM:
        return (0 if change <= _SMALL_CHANGE else 1), change
    return 2, error


def _unreachable(target: Target, densest: float, best: _Result | None) -> str:
    closest = "" if best is None else f" (closest: {target.fraction + best.selection.error:.4f})"
    if densest < target.fraction:
        return (
            f"active_fraction {target.fraction:g} cannot be reached with these particles: this box"
            f" holds {densest:.3f} at the largest overlap ({_LARGEST_OVERLAP:.0%}); give a smaller"
            " fraction, smaller particles or a larger box"
        )
    return (
        f"active_fraction {target.fraction:g} cannot be met within {TOLERANCE:g} by connected"
        f" particles in this box, with diameters changed by {LARGEST_CHANGE:.0%} at most{closest};"
        " give a larger box, another fraction or another seed"
    )


def _bed(
    request: PackingRequest, overlap: float, random: np.random.Generator
) -> tuple[Bed, Relaxed]:
    if request.calender is None:
        return dense_bed(request, overlap, random)
    return compressed(request, overlap, random)


def _target(request: PackingRequest) -> Target:
    """The active fraction of each voxel layer, after calendering."""
    profile = request.profile(request.final_shape[0])
    return Target(request.final_shape, profile * (request.final_fraction / profile.mean()))


def _packed(request: PackingRequest, result: _Result) -> Packed:
    """Bodies in metres, lowest first; particles numbered as their bodies."""
    selection = result.selection
    pieces, voxel = selection.scene, request.voxel
    volumes = pieces.voxels_of(selection.drawn.owner)
    # A body is where its largest piece is; the others are images of it.
    by_size = np.lexsort((-volumes, pieces.body))
    body, largest = np.unique(pieces.body[by_size], return_index=True)
    centres = pieces.centres[by_size[largest]]
    order = np.argsort(centres[:, 0], kind="stable")
    bodies: Bodies = selection.bed.bodies.chosen(body[order])
    bodies = replace(
        bodies,
        centres=centres[order] * voxel,
        diameters=bodies.diameters * selection.drawn.scale * voxel,
    )
    place = np.empty(len(body), dtype=np.intp)
    place[order] = np.arange(len(body))
    of_piece = place[np.searchsorted(body, pieces.body)]
    by_body = np.lexsort((-volumes, of_piece))
    number = np.zeros(len(pieces) + 1, dtype=np.int32)
    number[1 + by_body] = np.arange(1, len(pieces) + 1)
    return Packed(
        bodies,
        number[selection.drawn.owner],
        of_piece[by_body],
        voxel,
        evidence(request, selection, result.outcome, result.overlap, result.tried),
    )
