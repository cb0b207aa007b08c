"""Tables as C1 piecewise cubics: monotone where the data are, linear beyond the ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from voxtrode.data.errors import InputError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PiecewisePolynomial:
    """A polynomial per interval of the real line, each about its own origin.

    Attributes:
        breaks: Increasing break points, shape (n,). Piece i covers breaks[i-1] ≤ x < breaks[i];
            piece 0 and piece n reach to infinity.
        origins: Origin of each piece, shape (n + 1,).
        coefficients: Shape (n + 1, degree + 1), ascending powers of (x − origin).
    """

    breaks: FloatArray
    origins: FloatArray
    coefficients: FloatArray

    def __call__(self, x: npt.ArrayLike) -> FloatArray:
        """Values at x (any shape), same shape."""
        points = np.asarray(x, dtype=np.float64)
        piece = np.searchsorted(self.breaks, points, side="right")
        local = points - self.origins[piece]
        value = self.coefficients[piece, -1]
        for power in range(self.coefficients.shape[1] - 2, -1, -1):
            value = value * local + self.coefficients[piece, power]
        return np.asarray(value, dtype=np.float64)

    def derivative(self) -> PiecewisePolynomial:
        """The piecewise derivative, over the same pieces."""
        powers = np.arange(1, self.coefficients.shape[1])
        lowered = self.coefficients[:, 1:] * powers
        if powers.size == 0:
            lowered = np.zeros((self.origins.size, 1))
        return PiecewisePolynomial(self.breaks, self.origins, lowered)


def piecewise_cubic(
    x: Sequence[float] | FloatArray,
    y: Sequence[float] | FloatArray,
    slopes: Sequence[float] | FloatArray | None = None,
) -> PiecewisePolynomial:
    """C1 cubic Hermite interpolant of a table, continued linearly beyond both ends.

    Args:
        x: Strictly increasing abscissae, shape (n,), n ≥ 2.
        y: Values, shape (n,).
        slopes: dy/dx at the abscissae, shape (n,); by default those of the monotone PCHIP rule
            (Fritsch & Butland, SIAM J. Sci. Stat. Comput. 5, 300, 1984), which never overshoots.

    Raises:
        InputError: If the table is too short, not finite or not increasing.
    """
    knots = np.asarray(x, dtype=np.float64)
    values = np.asarray(y, dtype=np.float64)
    if knots.ndim != 1 or knots.shape != values.shape or knots.size < 2:
        raise InputError(
            f"a table needs two lists of equal length, two entries or more; "
            f"got {knots.size} abscissae and {values.size} values"
        )
    if not (np.all(np.isfinite(knots)) and np.all(np.isfinite(values))):
        raise InputError("a table's entries must be finite numbers")
    steps = np.diff(knots)
    if not np.all(steps > 0.0):
        raise InputError("a table's abscissae must increase strictly")
    if slopes is None:
        tangents = np.asarray(PchipInterpolator(knots, values).derivative()(knots))
    else:
        tangents = np.asarray(slopes, dtype=np.float64)
    secants = np.diff(values) / steps
    left, right = tangents[:-1], tangents[1:]
    inner = np.column_stack(
        [
            values[:-1],
            left,
            (3.0 * secants - 2.0 * left - right) / steps,
            (left + right - 2.0 * secants) / steps**2,
        ]
    )
    first = np.array([[values[0], tangents[0], 0.0, 0.0]])
    last = np.array([[values[-1], tangents[-1], 0.0, 0.0]])
    return PiecewisePolynomial(
        breaks=knots,
        origins=np.concatenate([knots[:1], knots]),
        coefficients=np.concatenate([first, inner, last]),
    )
