"""Constants of the phases that bring their volumes to those of the image.

Flat facets cut corners off curved surfaces, smoothing thins films: an additive constant per phase
moves its interfaces by the little that makes up for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.meshing.stuffing.stuff import VOLUME_UNIT, Sampled, Stuffed, phase_volumes, stuff

Floats = npt.NDArray[np.float64]
Sum = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Calibration:
    """How volumes are met.

    Attributes:
        tolerance: Relative error of each phase's volume that is good enough.
        passes: Meshes that are made at most.
        largest: Largest constant [voxels].
    """

    tolerance: float = 2e-4
    passes: int = 6
    largest: float = 1.0


@dataclass(frozen=True, eq=False)
class Targets:
    """What the image holds; equal on every rank.

    Attributes:
        volume: Volume of each phase in the whole electrode [µm³].
        swept: Volume [µm³] that a phase about gains from each other one when its constant grows by
            one [voxel], symmetric, for the first step.
    """

    volume: Floats
    swept: Floats


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A mesh, and how its volumes were met.

    Attributes:
        mesh: The mesh of the best attempt.
        shift: Constant of each phase [voxels].
        error: Relative volume error of each phase, over all ranks; 0 for a phase without volume.
        passes: Meshes that were made.
    """

    mesh: Stuffed
    shift: Floats
    error: Floats
    passes: int


def calibrated(
    start: Sampled,
    own: npt.NDArray[np.bool_],
    targets: Targets,
    first: Floats,
    settings: Calibration,
    summed: Sum,
) -> Calibrated:
    """Stuff until the volumes are met, by Broyden's method.

    Args:
        start: Lattice and fields of this rank's window.
        own: This rank's own lattice cells.
        targets: What is to be met.
        first: Constants to start from.
        settings: When to stop.
        summed: Sum of an integer array over the ranks; collective.

    Returns:
        The attempt with the smallest largest error.
    """
    target = targets.volume
    present = target > 0.0
    rate = np.diag(targets.swept.sum(axis=1)) - targets.swept
    shift = np.where(present, first, -settings.largest)
    best: Calibrated | None = None
    before: tuple[Floats, Floats] | None = None
    for attempt in range(1, settings.passes + 1):
        mesh = stuff(start, shift)
        volumes = summed(phase_volumes(mesh, own, len(target), start.box.cube))
        off = volumes * (VOLUME_UNIT * start.box.cube) - target
        error = np.where(present, off / np.where(present, target, 1.0), 0.0)
        if best is None or np.abs(error).max() < np.abs(best.error).max():
            best = Calibrated(mesh, shift, error, attempt)
        if np.abs(error).max() < settings.tolerance:
            break
        if before is not None:
            step, change = shift - before[0], off - before[1]
            rate = rate + np.outer(change - rate @ step, step) / (step @ step)
        before = shift, off
        move = np.zeros_like(shift)
        move[present] = np.linalg.lstsq(rate[np.ix_(present, present)], -off[present], 1e-10)[0]
        shift = np.clip(shift + move, -settings.largest, settings.largest)
        if np.array_equal(shift, before[0]):
            break
    assert best is not None
    return Calibrated(best.mesh, best.shift, best.error, attempt)
