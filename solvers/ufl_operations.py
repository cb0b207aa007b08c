"""Expression trees as UFL: the laws of `data` inside weak forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ufl
from ufl.core.expr import Expr

from voxtrode.data.law import Law
from voxtrode.data.operations import Operations
from voxtrode.data.tables import PiecewisePolynomial

# UFL is untyped; these names keep that in one place.
_conditional: Callable[..., Any] = ufl.conditional
_less: Callable[..., Any] = ufl.lt
_as_ufl: Callable[..., Any] = ufl.as_ufl


def _choose(a: Any, b: Any, x: Any, y: Any) -> Any:
    return _conditional(_less(a, b), x, y)


def _piece(polynomial: PiecewisePolynomial, index: int, argument: Any) -> Any:
    """One piece by Horner's rule."""
    local = argument - float(polynomial.origins[index])
    coefficients = [float(c) for c in polynomial.coefficients[index]]
    while len(coefficients) > 1 and coefficients[-1] == 0.0:
        coefficients.pop()
    value: Any = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        value = value * local + coefficient
    return value


def _table(polynomial: PiecewisePolynomial, argument: Any) -> Any:
    """A balanced tree of conditionals: log2(pieces) comparisons deep."""

    def between(first: int, last: int) -> Any:
        if first == last:
            return _piece(polynomial, first, argument)
        middle = (first + last) // 2
        threshold = float(polynomial.breaks[middle])
        below, above = between(first, middle), between(middle + 1, last)
        return _conditional(_less(argument, threshold), below, above)

    return between(0, polynomial.breaks.size)


UFL = Operations(
    exp=ufl.exp,
    log=ufl.ln,
    sqrt=ufl.sqrt,
    tanh=ufl.tanh,
    sinh=ufl.sinh,
    cosh=ufl.cosh,
    power=lambda base, exponent: _as_ufl(base) ** exponent,
    choose=_choose,
    table=_table,
)


def law_as_ufl(law: Law, **env: Any) -> Expr:
    """A law as a UFL expression.

    Args:
        law: The law.
        **env: A UFL expression (or number) for each of the law's arguments, in the law's units:
            `theta`, `c_e` [mol m-3], `T` [K]. More names than the law has are allowed.
    """
    arguments = {name: env[name] for name in law.arguments}
    result: Expr = _as_ufl(law.expression.evaluate(arguments, UFL))
    return result
