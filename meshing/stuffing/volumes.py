"""A lattice that is fine where interfaces are, and a mesh on it that has the image's volumes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.meshing.stuffing.calibration import (
    Calibrated,
    Calibration,
    Guess,
    Sum,
    calibrated,
    foreseen,
)
from voxtrode.meshing.stuffing.fields import PhaseFields
from voxtrode.meshing.stuffing.stuff import Sampled, sampled
from voxtrode.meshing.stuffing.window import Window, graded_window


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be met.

    Attributes:
        volume: Volume of each phase in the whole electrode [µm³].
        settings: How well.
        summed: Sum of an integer array over the ranks; collective.
    """

    volume: npt.NDArray[np.float64]
    settings: Calibration
    summed: Sum


def with_volumes(window: Window, fields: PhaseFields, guess: Guess, target: Target) -> Calibrated:
    """Lattice and mesh of this rank's window with the volumes of the image; collective.

    Args:
        window: Layers of cubes.
        fields: Fields of the window.
        guess: Constants to start from.
        target: Volumes, and how well they are to be met.
    """
    met = _with_foresight(window, fields, guess, target)
    if met.largest > target.settings.tolerance:
        # Flat or broken interfaces answer in steps, and linear fields foretell these badly.
        met = min(met, _by_meshes(window, fields, guess, target), key=lambda one: one.largest)
    return met


def _graded(
    window: Window, fields: PhaseFields, guess: Guess
) -> tuple[Sampled, npt.NDArray[np.bool_]]:
    """The lattice, fine where the interfaces are, with the fields on it; the own cells."""
    lattice = graded_window(window, fields, guess.shift)
    return sampled(window.box, lattice, fields), window.owns_cells(lattice)


def _with_foresight(
    window: Window, fields: PhaseFields, guess: Guess, target: Target
) -> Calibrated:
    """Volumes met from constants that are found without a mesh; a second lattice fits these."""
    volume, settings, summed = target.volume, target.settings, target.summed
    for _ in range(2 if window.levels else 1):
        start, own = _graded(window, fields, guess)
        guess = foreseen(start, own, volume, guess, settings, summed)
    return calibrated(start, own, volume, guess, settings, settings.tolerance, summed)


def _by_meshes(window: Window, fields: PhaseFields, guess: Guess, target: Target) -> Calibrated:
    """Volumes met by meshes alone; the lattice is made anew once they are about met."""
    volume, settings, summed = target.volume, target.settings, target.summed
    if window.levels:
        start, own = _graded(window, fields, guess)
        guess = calibrated(start, own, volume, guess, settings, settings.settled, summed).following
    start, own = _graded(window, fields, guess)
    return calibrated(start, own, volume, guess, settings, settings.tolerance, summed)
