"""A hash table from pairs of numbers to rows, for compiled loops (open addressing)."""

import numpy as np
import numpy.typing as npt
from numba import njit

_EMPTY = np.int64(-1)


def new_table(entries: int) -> npt.NDArray[np.int64]:
    """A table for up to this many entries, at most half full; shape ``(slots, 2)``: key, row."""
    slots = 1 << max(4, int(2 * entries + 1).bit_length())
    return np.full((slots, 2), _EMPTY, dtype=np.int64)


@njit(cache=True)
def pair_key(a: int, b: int) -> int:
    """One number for an unordered pair of rows below 2³¹."""
    return (min(a, b) << 32) | max(a, b)


@njit(cache=True)
def _slot(table: npt.NDArray[np.int64], key: int) -> int:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    mask = len(table) - 1
    at = int(mixed >> np.uint64(20)) & mask
    while table[at, 0] != key and table[at, 0] != _EMPTY:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def find_or_add(table: npt.NDArray[np.int64], key: int, row: int) -> int:
    """Row of a key; where there is none, `row` becomes it.

    Args:
        table: From :func:`new_table`, shape ``(slots, 2)``.
        key: Not negative.
        row: Row of a new key.
    """
    at = _slot(table, key)
    if table[at, 0] == _EMPTY:
        table[at, 0] = key
        table[at, 1] = row
    return int(table[at, 1])
