"""Constants of the phases that bring their volumes to those of the image.

Flat facets cut corners off curved surfaces, smoothing thins films: an additive constant per phase
moves its interfaces by the little that makes up for it. Fields linear in each lattice cell tell
most of it, and how volumes answer, at a tenth of the price of a mesh; meshes tell the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.meshing.stuffing.estimate import estimated_volumes
from voxtrode.meshing.stuffing.stuff import VOLUME_UNIT, Sampled, Stuffed, phase_volumes, stuff

Floats = npt.NDArray[np.float64]
Sum = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Calibration:
    """How volumes are met.

    Attributes:
        tolerance: Relative error of each phase's volume that is good enough.
        settled: The same where the next constants are wanted, not the mesh itself.
        foreseen: The same of volumes that are foreseen without a mesh.
        looks: How often they are foreseen at most.
        passes: Meshes that are made at most.
        largest: Largest constant [voxels].
    """

    tolerance: float = 2e-4
    settled: float = 2e-2
    foreseen: float = 5e-3
    looks: int = 8
    passes: int = 6
    largest: float = 1.0


@dataclass(frozen=True, eq=False)
class Guess:
    """Constants, and how volumes answer to them; equal on every rank.

    Attributes:
        shift: Constant of each phase [voxels].
        rate: Change of each phase's volume by each constant [µm³].
        last: Constants before these, and what volumes were too large by [µm³]; None at first.
    """

    shift: Floats
    rate: Floats
    last: tuple[Floats, Floats] | None = None

    @property
    def stays(self) -> bool:
        """Whether these are the constants before them: no step is left."""
        return self.last is not None and np.array_equal(self.shift, self.last[0])

    def moved(self, off: Floats, present: npt.NDArray[np.bool_], largest: float) -> "Guess":
        """The next constants by Broyden's method.

        Args:
            off: What volumes are too large by with these [µm³].
            present: Phases with a volume; the constants of others stay.
            largest: Largest constant [voxels].
        """
        rate = self.rate
        if self.last is not None:
            step, change = self.shift - self.last[0], off - self.last[1]
            rate = rate + np.outer(change - rate @ step, step) / (step @ step)
        move = np.zeros_like(off)
        move[present] = np.linalg.lstsq(rate[np.ix_(present, present)], -off[present], 1e-10)[0]
        shift = np.clip(self.shift + move, -largest, largest)
        return Guess(shift, rate, (self.shift, off))


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A mesh, and how its volumes were met.

    Attributes:
        start: Lattice and fields that it was made from.
        mesh: The mesh of the best attempt.
        error: Relative volume error of each phase, over all ranks; 0 for a phase without volume.
        passes: Meshes that were made.
        following: Constants to go on with.
    """

    start: Sampled
    mesh: Stuffed
    error: Floats
    passes: int
    following: Guess

    @property
    def largest(self) -> float:
        """Largest size of the errors."""
        return float(np.abs(self.error).max())


def first_guess(volume: Floats, swept: Floats, settings: Calibration) -> Guess:
    """Constants to begin with: none, and none of a phase without volume.

    Args:
        volume: Volume of each phase [µm³].
        swept: Volume [µm³] that a phase about gains from each other one when its constant grows by
            one [voxel], symmetric, zero on the diagonal.
        settings: Limits.
    """
    shift = np.where(volume > 0.0, 0.0, -settings.largest)
    return Guess(shift, np.diag(swept.sum(axis=1)) - swept)


def calibrated(
    start: Sampled,
    own: npt.NDArray[np.bool_],
    volume: Floats,
    guess: Guess,
    settings: Calibration,
    tolerance: float,
    summed: Sum,
) -> Calibrated:
    """Stuff until the volumes are met.

    Args:
        start: Lattice and fields of this rank's window.
        own: This rank's own lattice cells.
        volume: Volume of each phase in the whole electrode [µm³].
        guess: Constants to start from.
        settings: Limits.
        tolerance: Relative error of each phase's volume at which to stop.
        summed: Sum of an integer array over the ranks; collective.

    Returns:
        The attempt with the smallest largest error.
    """
    present = volume > 0.0
    best: tuple[Stuffed, Floats] | None = None
    guess = Guess(guess.shift, guess.rate)
    passes = 0
    while passes < settings.passes:
        passes += 1
        mesh = stuff(start, guess.shift)
        volumes = summed(phase_volumes(mesh, own, len(volume), start.box.cube))
        off = volumes * (VOLUME_UNIT * start.box.cube) - volume
        if best is None or _largest_error(off, volume) < _largest_error(best[1], volume):
            best = mesh, off
        guess = guess.moved(off, present, settings.largest)
        if _largest_error(off, volume) < tolerance or guess.stays:
            break
    assert best is not None
    return Calibrated(start, best[0], _errors(best[1], volume), passes, guess)


def foreseen(
    start: Sampled,
    own: npt.NDArray[np.bool_],
    volume: Floats,
    guess: Guess,
    settings: Calibration,
    summed: Sum,
) -> Guess:
    """Constants for which volumes are about met, and how these answer, without a mesh.

    Args:
        start, own, volume, guess, settings, summed: As of :func:`calibrated`; collective.
    """
    present = volume > 0.0
    if guess.stays:
        guess = Guess(guess.shift, guess.rate)
    for _ in range(settings.looks):
        volumes = summed(estimated_volumes(start, own, guess.shift))
        off = volumes * (VOLUME_UNIT * start.box.cube) - volume
        guess = guess.moved(off, present, settings.largest)
        if _largest_error(off, volume) < settings.foreseen or guess.stays:
            break
    return guess


def _errors(off: Floats, volume: Floats) -> Floats:
    return np.where(volume > 0.0, off / np.where(volume > 0.0, volume, 1.0), 0.0)


def _largest_error(off: Floats, volume: Floats) -> float:
    return float(np.abs(_errors(off, volume)).max())
