"""Sums by index, always in double precision."""

import numpy as np
import numpy.typing as npt


def summed(
    index: npt.NDArray[np.integer], weights: npt.NDArray[np.float64], size: int
) -> npt.NDArray[np.float64]:
    """Sum of the weights at each index 0 … size − 1.

    ``np.bincount`` counts in integers where it is given nothing at all, as on a rank without such
    cells; a reduction over ranks would then add integers to floats.

    Args:
        index: Index of each weight.
        weights: As many weights.
        size: Number of sums.
    """
    return np.bincount(index, weights=weights, minlength=size).astype(np.float64)
