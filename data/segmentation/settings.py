"""How a grey-scale volume is segmented: classes, denoising, thresholds, watershed, specks."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from voxtrode.data.errors import InputError
from voxtrode.data.segmentation.denoising import Denoising, NonLocalMeans

MOST_CLASSES = 5
"""The search for thresholds grows with the number of bins to the power of classes - 1."""
MOST_ROUNDS = 100
"""Of relaxation; it settles within about ten."""


@dataclass(frozen=True)
class Segmentation:
    """Settings of `segment`.

    Attributes:
        classes: Names of the classes from dark to bright, 2 to 5.
        denoise: How noise is removed.
        thresholds: Grey values between the classes, ascending, in the file's unit; None: found by
            multi-Otsu.
        watershed: Whether boundaries are put on edges (see `voxtrode.data.segmentation.flooding`);
            else every voxel is classified by its grey value alone.
        specks: Face-connected components of fewer voxels than this are given to their neighbours.
        vary: By how much the thresholds are moved to see what depends on them, as a share of the
            distance between the grey values of the two classes.
        relax: Rounds in which the classes' likely shapes are learnt from the volume, to relax
            boundaries on the noisy grey values after the watershed (see
            `voxtrode.data.segmentation.relaxation`); 0: they are not relaxed. Nor are they
            without a watershed.
    """

    classes: tuple[str, ...]
    denoise: Denoising = field(default_factory=NonLocalMeans)
    thresholds: tuple[float, ...] | None = None
    watershed: bool = True
    specks: int = 0
    vary: float = 0.05
    relax: int = 8

    def __post_init__(self) -> None:
        count = len(self.classes)
        if not 2 <= count <= MOST_CLASSES or len(set(self.classes)) < count:
            raise InputError(
                f"segment: classes are {list(self.classes)}: expected 2 to {MOST_CLASSES} "
                "different names from dark to bright"
            )
        if self.specks < 0:
            raise InputError(f"segment: specks is {self.specks}: expected a number of voxels >= 0")
        if not 0.0 < self.vary < 0.5:
            raise InputError(
                f"segment: vary is {self.vary}: expected a share between 0 and 0.5, e.g. 0.05"
            )
        if not 0 <= self.relax <= MOST_ROUNDS:
            raise InputError(
                f"segment: relax is {self.relax}: expected rounds from 0 to {MOST_ROUNDS}, e.g. 8"
            )
        if self.thresholds is not None:
            _check_thresholds(self.thresholds, count)

    @property
    def relaxes(self) -> bool:
        """Whether classes are relaxed."""
        return self.watershed and self.relax > 0

    def described(self) -> dict[str, Any]:
        """The settings as they go into the evidence (JSON-able)."""
        return {
            "classes": list(self.classes),
            "denoise": self.denoise.described(),
            "thresholds": None if self.thresholds is None else list(self.thresholds),
            "watershed": self.watershed,
            "specks": self.specks,
            "vary": self.vary,
            "relax": self.relax,
        }


def _check_thresholds(thresholds: tuple[float, ...], count: int) -> None:
    ascending = all(a < b for a, b in pairwise(thresholds))
    if len(thresholds) != count - 1 or not ascending or not all(map(math.isfinite, thresholds)):
        raise InputError(
            f"segment: thresholds are {list(thresholds)}: expected {count - 1} ascending grey "
            f"value(s) between {count} classes"
        )
