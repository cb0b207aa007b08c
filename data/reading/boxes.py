"""Parts of arrays by ranges and by vectors of indices."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Range = tuple[int, int]
"""First and one past the last."""

Indices = NDArray[np.int64]


def inside(core: Sequence[Range], box: Sequence[Range]) -> tuple[slice, ...]:
    """The part of a box that lies in another one, counted from the box's first corner."""
    return tuple(
        slice(max(start - first, 0), max(min(stop, last) - first, 0))
        for (start, stop), (first, last) in zip(core, box, strict=True)
    )


def runs(layers: Indices) -> Iterator[Range]:
    """The unbroken runs of rising numbers."""
    for run in np.split(layers, np.flatnonzero(np.diff(layers) > 1) + 1):
        yield int(run[0]), int(run[-1]) + 1


def take(values: NDArray[Any], index: Indices, axis: int) -> NDArray[Any]:
    """The values at some places along an axis: a view where these follow each other."""
    steps = np.diff(index)
    first, last = int(index[0]), int(index[-1])
    if (steps == 1).all():
        picked = slice(first, last + 1)
    elif (steps == -1).all():
        picked = slice(first, last - 1 if last else None, -1)
    else:
        return np.take(values, index, axis=axis)
    return values[(slice(None),) * axis + (picked,)]
