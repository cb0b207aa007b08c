"""From the values in a file to phases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.request import Labels

_MOST_PHASES = 255
_MOST_VALUES = 65535


@dataclass(frozen=True, eq=False)
class Lookup:
    """The listed values of an image.

    Attributes:
        values: The listed values, phase by phase.
        names: Phase of each of them.
        phase: Index of that phase, uint8; one more entry, 0, for values that are not listed.
        positions: Position in `values` of each voxel's value, len(values) where it is not listed.
    """

    values: tuple[int, ...]
    names: tuple[str, ...]
    phase: NDArray[np.uint8]
    positions: Callable[[NDArray[Any]], NDArray[Any]]


def lookup_of(labels: Labels, dtype: np.dtype[Any]) -> Lookup:
    """Prepare the labels for an image of a type.

    Raises:
        InputError: A phase has no value, two have the same one, or there are too many.
    """
    pairs = [
        (value, name, index)
        for index, (name, given) in enumerate(labels.items())
        for value in (given if isinstance(given, tuple) else (given,))
    ]
    values = tuple(value for value, _, _ in pairs)
    named = {name for _, name, _ in pairs}
    if (
        not 1 <= len(labels) <= _MOST_PHASES
        or len(set(values)) < len(values)
        or len(named) < len(labels)
        or len(values) > _MOST_VALUES
    ):
        raise InputError(
            f"labels {dict(labels)}: expected 1 to {_MOST_PHASES} phases of different values"
        )
    small = dtype.kind in "ui" and dtype.itemsize <= 2
    return Lookup(
        values,
        tuple(name for _, name, _ in pairs),
        np.array([*(index for _, _, index in pairs), 0], dtype=np.uint8),
        (_table if small else _search)(values, dtype),
    )


def _table(values: Sequence[int], dtype: np.dtype[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """For values of 8 or 16 bits: one entry for each."""
    bits = 8 * dtype.itemsize
    unsigned = np.dtype(f"u{dtype.itemsize}")
    limits = np.iinfo(dtype)
    table = np.full(2**bits, len(values), dtype=np.uint16)
    for position, value in enumerate(values):
        if limits.min <= value <= limits.max:
            table[value % 2**bits] = position  # where the value is, read as unsigned
    return lambda voxels: table[np.ascontiguousarray(voxels).view(unsigned)]


def _search(values: Sequence[int], dtype: np.dtype[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """For wider and floating-point values: bisection in those that the type can hold."""
    held = sorted((value, at) for at, value in enumerate(values) if _holds(dtype, value))
    ordered = np.array([value for value, _ in held], dtype=dtype)
    where = np.array([at for _, at in held] + [len(values)], dtype=np.uint16)

    def positions(voxels: NDArray[Any]) -> NDArray[Any]:
        if not held:
            return np.full(voxels.shape, len(values), dtype=np.uint16)
        found = np.searchsorted(ordered, voxels)
        np.minimum(found, len(held) - 1, out=found)
        found[ordered[found] != voxels] = len(held)
        return where[found]

    return positions


def _holds(dtype: np.dtype[Any], value: int) -> bool:
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            near = float(np.array(value, dtype=np.longdouble).astype(dtype))
        return np.isfinite(near) and int(near) == value
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max)
