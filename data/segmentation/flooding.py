"""Classes by markers and a watershed of the gradient, with boundaries on the edges.

Where a scanner blurs the boundary between a dark and a bright class, grey values run through those
of the classes between: thresholds alone see a layer that does not exist. Such a layer is steep,
steepest in its middle; a real one is flat somewhere. So only voxels that are flat, and clear of the
thresholds, are taken as sure (markers); the others are flooded from these in the order of their
gradient, which makes fronts meet on edges. Flooding decides *which* two classes meet. *Where* they
meet is then read from the grey value: half-way between the two.
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from voxtrode.data.errors import InputError

Grey = NDArray[np.float32]
Labels = NDArray[np.uint8]
Cuts = NDArray[np.float64]

_CLEAR = 0.2  # distance of a marker from each threshold, as a share of the step between its classes
_FLAT = 0.15  # gradient per voxel, as a share of the smallest step: flat beyond doubt
_STEEP = 0.85  # a marker's steepness as a share of that of edges
_EDGE = 0.7  # grey values around an edge span this share of the smallest step, or more
_WINDOW = 5  # voxels around a voxel in which its step is judged
_SMALLEST = 4  # voxels of a marker
_PASSES = 2  # each moves a boundary by one voxel at most


def gradient_magnitude(grey: Grey) -> Grey:
    """Magnitude of the gradient by central differences, per voxel whatever its edges.

    Scanners blur by a number of voxels rather than of micrometres along each axis.
    """
    squares = np.zeros(grey.shape, dtype=np.float32)
    for axis, count in enumerate(grey.shape):
        if count > 1:
            squares += np.gradient(grey, axis=axis) ** 2
    return np.sqrt(squares)


def find_markers(
    grey: Grey, gradient: Grey, levels: list[float], thresholds: list[float]
) -> NDArray[np.int32]:
    """Voxels whose class is sure.

    The gradient is compared with the span of the grey values around it: their ratio has one value
    at the steepest place of any edge between two flat regions, whatever its step, that depends on
    the blur alone. It is taken from the volume itself.

    Args:
        grey: Denoised grey values [z, y, x].
        gradient: Magnitude of their gradient [z, y, x].
        levels: Grey value of each class, ascending.
        thresholds: Between the classes, ascending.

    Returns:
        int32[z, y, x]: class + 1, or 0 where it is not sure.

    Raises:
        InputError: No voxel is.
    """
    steps = np.diff(levels)
    step = float(steps.min())
    span = ndimage.maximum_filter(grey, size=_WINDOW) - ndimage.minimum_filter(grey, size=_WINDOW)
    edges = span > _EDGE * step
    sure = gradient < _FLAT * step
    if edges.any():
        steepness = gradient / np.maximum(span, np.float32(1e-12))
        sure |= steepness < _STEEP * float(np.quantile(steepness[edges], 0.9))
    for threshold, across in zip(thresholds, steps, strict=True):
        sure &= np.abs(grey - threshold) >= _CLEAR * across
    markers = np.where(sure, np.digitize(grey, thresholds) + 1, 0).astype(np.int32)
    for index in range(len(levels)):
        _drop_small(markers, index + 1)
    if not markers.any():
        raise InputError(
            "no voxel's class is sure: the volume is too noisy for a watershed; denoise it more, "
            "or give watershed: false"
        )
    return markers


def flood(gradient: Grey, markers: NDArray[np.int32]) -> Labels:
    """The class of every voxel, flooded from the markers in the order of the gradient.

    Meyer, Beucher, J. Vis. Commun. Image Represent. 1 (1990) 21,
    doi:10.1016/1047-3203(90)90014-M.
    """
    flooded: NDArray[Any] = watershed(gradient, markers)  # type: ignore[no-untyped-call]
    return (flooded - 1).astype(np.uint8)


def place_boundaries(labels: Labels, grey: Grey, cuts: Cuts) -> Labels:
    """Decide voxels at the boundary of two classes by their grey value.

    Where three classes meet, what flooding found is kept: a value between the outer two says
    nothing there.

    Args:
        labels: Class of each voxel [z, y, x].
        grey: Denoised grey values [z, y, x].
        cuts: Grey value between each two classes, float[n, n], symmetric.
    """
    count = len(cuts)
    for _ in range(_PASSES):
        present = [ndimage.binary_dilation(labels == index) for index in range(count)]
        number = np.sum(present, axis=0, dtype=np.uint8)
        moved = labels.copy()
        for dark, bright in combinations(range(count), 2):
            meet = present[dark] & present[bright] & (number == 2)
            moved[meet] = np.where(grey[meet] >= cuts[dark, bright], bright, dark)
        labels = moved
    return labels


def _drop_small(markers: NDArray[np.int32], value: int) -> None:
    """Removes markers of few voxels: noise."""
    ids, _ = ndimage.label(markers == value)
    sizes = np.bincount(ids.ravel())
    keep = sizes >= min(_SMALLEST, int(sizes[1:].max(initial=0)))
    markers[~keep[ids]] = 0
