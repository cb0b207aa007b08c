"""How many classes a grey-scale volume shows."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.segmentation.denoising import Median
from voxtrode.data.segmentation.greyscale import unit_grey
from voxtrode.data.segmentation.thresholds import Histogram, histogram, multi_otsu

LOOKED_AT = 128
"""Voxels along an edge of the middle piece that is looked at."""
_VALLEY = 0.8  # between two classes grey values are rarer than this share of the smaller peak
_LEAST = 0.01  # a peak is higher than this share of the highest: few voxels make peaks by chance
_SMOOTHING = 3.0  # bins


def suggested_thresholds(grey: NDArray[Any]) -> tuple[float, ...]:
    """Thresholds of the two or three classes that the middle of a volume shows.

    Three where, after a median filter, each of three classes by multi-Otsu has a peak in the
    histogram with a valley to the next (the blurred boundary of two classes has none); else two.

    Args:
        grey: Grey values [z, y, x], integers or floats.

    Returns:
        One or two grey values in the file's unit.

    Raises:
        InputError: Values are not finite, or constant.
    """
    starts = [max((count - LOOKED_AT) // 2, 0) for count in grey.shape]
    middle = grey[tuple(slice(start, start + LOOKED_AT) for start in starts)]
    unit, scale = unit_grey(middle)
    denoised = Median(1).apply(unit, 0.0)
    seen = histogram(denoised)
    found = multi_otsu(seen, 2)
    if np.count_nonzero(seen.counts) >= 3:
        three = multi_otsu(seen, 3)
        if _all_peak(seen, three):
            found = three
    return tuple(scale.to_file(value) for value in found)


def _all_peak(seen: Histogram, thresholds: list[float]) -> bool:
    """Whether between the peaks of neighbouring classes grey values are rarer than at both."""
    often = ndimage.gaussian_filter1d(seen.counts.astype(np.float64), _SMOOTHING)
    cuts = np.searchsorted(seen.edges, thresholds)
    parts = np.split(often, cuts)
    starts = [0, *map(int, cuts)]
    peaks = [start + int(part.argmax()) for start, part in zip(starts, parts, strict=True)]
    return min(often[peaks]) > _LEAST * often.max() and all(
        often[here : there + 1].min() < _VALLEY * min(often[here], often[there])
        for here, there in pairwise(peaks)
    )
