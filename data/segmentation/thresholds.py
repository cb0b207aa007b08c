"""Thresholds between classes: multi-Otsu on a histogram, and the classes' own grey values."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_multiotsu

from voxtrode.data.errors import InputError

Grey = NDArray[np.float32]

BINS = 256
_TAIL = 1e-4  # share of the voxels in the first and the last bin, at most: outliers take no bins
_PLATEAU = 0.3  # share of a class's voxels, those of the smallest gradient, that give its grey


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often grey values occur; what lies outside is counted in the first and last bin.

    Attributes:
        edges: Edges of the bins, float[n + 1].
        counts: Voxels in each bin, int[n].
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


def histogram(grey: Grey, edges: NDArray[np.float64] | None = None) -> Histogram:
    """Histogram of 256 bins between the 1e-4 quantiles, or of given edges."""
    if edges is None:
        low, high = np.quantile(grey, [_TAIL, 1.0 - _TAIL])
        if low == high:
            low, high = grey.min(), grey.max()
        edges = np.linspace(float(low), float(high), BINS + 1)
    counts, _ = np.histogram(np.clip(grey, edges[0], edges[-1]), edges)
    return Histogram(edges, counts.astype(np.int64))


def multi_otsu(seen: Histogram, classes: int) -> list[float]:
    """The thresholds at which the variance between the classes is largest.

    Liao, Chen, Chung, J. Inf. Sci. Eng. 17 (2001) 713-727.

    Args:
        seen: Histogram of the grey values.
        classes: Number of classes.

    Returns:
        classes - 1 ascending values, each an edge of bins or the middle of a gap.

    Raises:
        InputError: There are fewer grey values than classes.
    """
    filled = int(np.count_nonzero(seen.counts))
    if filled < classes:
        raise InputError(
            f"{classes} classes, but only {filled} different grey value(s): ask for fewer classes"
        )
    centres = 0.5 * (seen.edges[1:] + seen.edges[:-1])
    found: NDArray[Any] = threshold_multiotsu(  # type: ignore[no-untyped-call]
        classes=classes, hist=(seen.counts, centres)
    )
    # The bin of a threshold still belongs to the darker class. Across a gap all values are equally
    # good, and the first is returned: the middle is taken.
    last = np.searchsorted(seen.edges, found) - 1
    filled_bins = np.flatnonzero(seen.counts)
    following = filled_bins[np.searchsorted(filled_bins, last, side="right")]
    return [float(value) for value in 0.5 * (seen.edges[last + 1] + seen.edges[following])]


def plateaus(
    grey: Grey, gradient: Grey, thresholds: list[float], names: tuple[str, ...]
) -> list[float]:
    """The grey value of each class where it is flat: the median over its least steep voxels.

    Voxels at boundaries hold a bit of both sides and would pull the classes together.

    Args:
        grey: Denoised grey values [z, y, x].
        gradient: Magnitude of their gradient [z, y, x].
        thresholds: Between the classes, ascending.
        names: Of the classes.

    Raises:
        InputError: A class has no voxel.
    """
    classes = np.digitize(grey, thresholds)
    levels = []
    for index, name in enumerate(names):
        mine = classes == index
        if not mine.any():
            raise InputError(
                f"no grey value lies in class '{name}': move the thresholds, or ask for fewer "
                "classes"
            )
        steepness = gradient[mine]
        flat = steepness <= np.quantile(steepness, _PLATEAU)
        levels.append(float(np.median(grey[mine][flat])))
    return levels


def midpoints(levels: list[float]) -> list[float]:
    """The values half-way between neighbouring classes.

    There a boundary that was blurred symmetrically lies at its place, whatever the volumes of the
    two sides (Otsu's thresholds depend on these).
    """
    return [0.5 * (a + b) for a, b in pairwise(levels)]
