"""The elementary operations an expression tree is evaluated with, and their NumPy set.

A tree names what is computed; an `Operations` set says how. NumPy is here; UFL's set lives with
the solvers, so that `data` needs no DOLFINx.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from voxtrode.data.tables import PiecewisePolynomial


@dataclass(frozen=True)
class Operations:
    """How each elementary operation is done. Sums, products and quotients are Python's own.

    Attributes:
        exp, log, sqrt, tanh, sinh, cosh: One value to one value.
        power: `power(base, exponent)`.
        choose: `choose(a, b, x, y)`: x where a < b, y elsewhere.
        table: `table(polynomial, argument)`: a piecewise polynomial at its argument.
    """

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    sinh: Callable[[Any], Any]
    cosh: Callable[[Any], Any]
    power: Callable[[Any, Any], Any]
    choose: Callable[[Any, Any, Any, Any], Any]
    table: Callable[[PiecewisePolynomial, Any], Any]


def _power(base: Any, exponent: Any) -> Any:
    """Base to the exponent; small whole exponents by products (`np.power` is 20 times slower)."""
    if np.ndim(exponent) == 0 and exponent in (2.0, 3.0, 4.0, 5.0, 6.0):
        square = base * base
        return {
            2.0: lambda: square,
            3.0: lambda: square * base,
            4.0: lambda: square * square,
            5.0: lambda: square * square * base,
            6.0: lambda: square * square * square,
        }[float(exponent)]()
    return np.power(base, exponent)


def _choose(a: Any, b: Any, x: Any, y: Any) -> Any:
    return np.where(np.less(a, b), x, y)


def _table(polynomial: PiecewisePolynomial, argument: Any) -> Any:
    return polynomial(argument)


NUMPY = Operations(
    exp=np.exp,
    log=np.log,
    sqrt=np.sqrt,
    tanh=np.tanh,
    sinh=np.sinh,
    cosh=np.cosh,
    power=_power,
    choose=_choose,
    table=_table,
)
