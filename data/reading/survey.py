"""A look at an image's values: are they labels, or grey, and which."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.reading.source import ALL, ImageSource, pieces

MOST_LABELS = 32
"""An image of more different values than this is grey."""

_BINS = 256

Pieces = Callable[[], Iterator[NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class Survey:
    """What values the looked-at voxels have.

    Attributes:
        voxels: Number of voxels looked at.
        nan, infinite: Number of voxels that are not a number, and infinite.
        counts: Voxels of each value in rising order where there are few whole values, else None.
        minimum, maximum, mean: Of the finite values; NaN where there are none.
        histogram: Finite voxels in equal bins from minimum to maximum, int64[256]; None for labels.
        edges: Edges of these bins, float64[257].
    """

    voxels: int
    nan: int
    infinite: int
    counts: Mapping[int, int] | None
    minimum: float
    maximum: float
    mean: float
    histogram: NDArray[np.int64] | None = None
    edges: NDArray[np.float64] | None = None

    @property
    def labels(self) -> dict[int, float] | None:
        """Share of each value among all voxels, where the values are labels."""
        if self.counts is None:
            return None
        return {value: count / self.voxels for value, count in self.counts.items()}


def survey(
    source: ImageSource,
    layers: range | None = None,
    rows: slice = ALL,
    columns: slice = ALL,
    most: int = MOST_LABELS,
) -> Survey:
    """Count the values of an image, in bounded memory.

    Up to `most` different whole values are labels; anything else is grey and gets a histogram,
    for which values of more than 16 bits are read a second time.

    Args:
        source: An open image.
        layers: Layers of axis 0 to look at; with a step for a quick look. None takes all.
        rows, columns: Part of axes 1 and 2, without a step.
        most: Different values up to which they are labels.

    Raises:
        InputError: The file is damaged.
        ValueError: There is no layer to look at.
    """
    chosen = range(source.shape[0]) if layers is None else layers
    if not chosen:
        raise ValueError(f"{layers} has no layers to look at")

    def values() -> Iterator[NDArray[Any]]:
        return pieces(source, chosen, rows, columns)

    narrow = source.dtype.kind in "ui" and source.dtype.itemsize <= 2
    return (_counted if narrow else _streamed)(values, source.dtype, most)


def _counted(values: Pieces, dtype: np.dtype[Any], most: int) -> Survey:
    """Of at most 16 bits: every value is counted."""
    limits = np.iinfo(dtype)
    low = int(limits.min)
    table = np.zeros(int(limits.max) - low + 1, dtype=np.int64)
    for piece in values():
        table += np.bincount(piece.ravel().astype(np.intp) - low, minlength=len(table))
    found = np.flatnonzero(table)
    numbers, counts = found + low, table[found]
    voxels = int(counts.sum())
    first, last = float(numbers[0]), float(numbers[-1])
    mean = float((numbers * counts).sum() / voxels)
    if len(numbers) <= most:
        named = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
        return Survey(voxels, 0, 0, named, first, last, mean)
    edges = _edges(first, last)
    # No weights: their sums would be floats.
    bins = np.minimum(np.searchsorted(edges, numbers, side="right") - 1, _BINS - 1)
    histogram = np.zeros(_BINS, dtype=np.int64)
    np.add.at(histogram, bins, counts)
    return Survey(voxels, 0, 0, None, first, last, mean, histogram, edges)


@dataclass
class _Distinct:
    """The different values so far, as long as they are few and whole."""

    most: int
    known: NDArray[Any]
    counts: dict[int, int] | None = field(default_factory=dict)

    def add(self, values: NDArray[Any]) -> None:
        """Count finite values."""
        if self.counts is None:
            return
        if values.dtype.kind == "f" and not np.array_equal(np.rint(values), values):
            self.counts = None
            return
        if not self._count_known(values):
            numbers = np.unique(np.concatenate([self.known, np.unique(values)]))
            if len(numbers) > self.most:
                self.counts = None
                return
            self.known = numbers
            self._count_known(values)

    def _count_known(self, values: NDArray[Any]) -> bool:
        """Count values that are all known; False, and nothing is counted, where they are not."""
        if self.counts is None or len(self.known) == 0:
            return False
        at = np.minimum(np.searchsorted(self.known, values), len(self.known) - 1)
        if not np.array_equal(self.known[at], values):
            return False
        for number, count in zip(self.known, np.bincount(at, minlength=1), strict=False):
            self.counts[int(number)] = self.counts.get(int(number), 0) + int(count)
        return True


def _streamed(values: Pieces, dtype: np.dtype[Any], most: int) -> Survey:
    """Of any type: extremes, mean and few different values first, then the histogram."""
    voxels = nan = infinite = 0
    low, high, total = np.inf, -np.inf, 0.0
    distinct = _Distinct(most, np.empty(0, dtype=dtype))
    for piece in values():
        finite = piece[np.isfinite(piece)]
        voxels += piece.size
        nan += int(np.count_nonzero(np.isnan(piece)))
        infinite += int(np.count_nonzero(np.isinf(piece)))
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            with np.errstate(over="ignore", invalid="ignore"):
                total += float(finite.sum(dtype=np.float64))
            distinct.add(finite)
    number = voxels - nan - infinite
    if number == 0:
        return Survey(voxels, nan, infinite, {}, np.nan, np.nan, np.nan)
    mean = total / number
    if distinct.counts is not None:
        counts = dict(sorted(distinct.counts.items()))
        return Survey(voxels, nan, infinite, counts, low, high, mean)
    edges = _edges(low, high)
    histogram = np.zeros(_BINS, dtype=np.int64)
    for piece in values():
        histogram += np.histogram(piece[np.isfinite(piece)].astype(np.float64), edges)[0]
    return Survey(voxels, nan, infinite, None, low, high, mean, histogram, edges)


def _edges(low: float, high: float) -> NDArray[np.float64]:
    """Equal bins; of differences that are too large for a number too."""
    share = np.linspace(0.0, 1.0, _BINS + 1)
    edges: NDArray[np.float64] = low * (1.0 - share) + high * share
    edges[0], edges[-1] = low, high
    return np.maximum.accumulate(edges)
