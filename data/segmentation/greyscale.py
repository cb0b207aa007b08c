"""Grey values of any type as single precision in [0, 1], and back to the file's unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError

_LAYERS = 16  # converted at once


@dataclass(frozen=True)
class Range:
    """The range of grey values in the file's unit.

    Attributes:
        low: The smallest.
        high: The largest.
    """

    low: float
    high: float

    def to_unit(self, value: float) -> float:
        """From the file's unit to [0, 1]."""
        return (value - self.low) / (self.high - self.low)

    def to_file[Value: (float, NDArray[np.float64])](self, value: Value) -> Value:
        """From [0, 1] to the file's unit."""
        return self.low + value * (self.high - self.low)


def unit_grey(grey: NDArray[Any]) -> tuple[NDArray[np.float32], Range]:
    """A grey-scale volume as float32 between 0 and 1.

    Args:
        grey: [z, y, x], integers or floats of any size.

    Returns:
        The volume, and the range it had.

    Raises:
        InputError: It is no volume of real finite numbers, or is constant.
    """
    if grey.ndim != 3 or grey.size == 0:
        raise InputError(f"grey values of shape {grey.shape}: expected a volume [z, y, x]")
    if grey.dtype.kind not in "buif":
        raise InputError(f"grey values are {grey.dtype}: expected integers or floats")
    low, high = float(grey.min()), float(grey.max())  # both are NaN where one value is
    if not np.isfinite(low) or not np.isfinite(high):
        count = int(np.count_nonzero(~np.isfinite(grey)))
        raise InputError(
            f"{count:,} of {grey.size:,} grey values are not finite (NaN or infinite): replace "
            "them, or crop the volume to where it has values"
        )
    if low == high:
        raise InputError(
            f"all grey values are {low:g}: expected a volume with contrast; check file and crop"
        )
    unit = np.empty(grey.shape, dtype=np.float32)
    for z in range(0, len(grey), _LAYERS):
        layers = grey[z : z + _LAYERS].astype(np.float64)
        unit[z : z + _LAYERS] = (layers / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    return unit, Range(low, high)
