"""The elementary functions of expression trees: how each is evaluated, derived and simplified.

A new function is one entry of `FUNCTIONS` (and, if it is no composition of the others, one field
of `Operations`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxtrode.data.expression import Expression

    Args = tuple[Expression, ...]
    Make = Callable[..., Expression]


def _keep(args: Args) -> Expression | None:
    return None


@dataclass(frozen=True)
class Function:
    """One elementary function f of trees a₀, a₁ and so on.

    Attributes:
        form: Its text, for printing.
        apply: `apply(ops, *values)`: its value.
        derive: `derive(make, args, dargs, node)`: the derivative tree; `make(name, *trees)` builds
            a call, `dargs` are the derivatives of the arguments, `node` is f itself.
        simplify: An argument that equals f, or None.
    """

    form: str
    apply: Callable[..., Any]
    derive: Callable[[Make, Args, Args, Expression], Expression]
    simplify: Callable[[Args], Expression | None] = _keep


def _simplify_add(args: Args) -> Expression | None:
    left, right = args
    if left.constant == 0.0:
        return right
    return left if right.constant == 0.0 else None


def _simplify_subtract(args: Args) -> Expression | None:
    return args[0] if args[1].constant == 0.0 else None


def _simplify_multiply(args: Args) -> Expression | None:
    left, right = args
    if left.constant == 0.0 or right.constant == 1.0:
        return left
    return right if right.constant == 0.0 or left.constant == 1.0 else None


def _simplify_divide(args: Args) -> Expression | None:
    return args[0] if args[0].constant == 0.0 or args[1].constant == 1.0 else None


def _simplify_power(args: Args) -> Expression | None:
    return args[0] if args[1].constant == 1.0 else None


def _simplify_choose(args: Args) -> Expression | None:
    return args[2] if args[2] == args[3] else None


def _derive_power(make: Make, args: Args, dargs: Args, node: Expression) -> Expression:
    """(uᵛ)' = v uᵛ⁻¹ u' + uᵛ ln(u) v'; the second part only where v depends on the symbol.

    With a number as base (10**x) the logarithm folds to a number.
    """
    base, exponent = args
    change_base, change_exponent = dargs
    by_base = exponent * make("power", base, exponent - 1.0) * change_base
    if change_exponent.constant == 0.0:
        return by_base
    return by_base + node * make("log", base) * change_exponent


FUNCTIONS: dict[str, Function] = {
    "add": Function(
        "({} + {})", lambda ops, a, b: a + b, lambda make, a, d, f: d[0] + d[1], _simplify_add
    ),
    "subtract": Function(
        "({} - {})", lambda ops, a, b: a - b, lambda make, a, d, f: d[0] - d[1], _simplify_subtract
    ),
    "multiply": Function(
        "{}*{}",
        lambda ops, a, b: a * b,
        lambda make, a, d, f: d[0] * a[1] + a[0] * d[1],
        _simplify_multiply,
    ),
    "divide": Function(
        "{}/({})",
        lambda ops, a, b: a / b,
        lambda make, a, d, f: d[0] / a[1] - f * d[1] / a[1],
        _simplify_divide,
    ),
    "power": Function(
        "({})**({})", lambda ops, a, b: ops.power(a, b), _derive_power, _simplify_power
    ),
    "exp": Function("exp({})", lambda ops, a: ops.exp(a), lambda make, a, d, f: f * d[0]),
    "log": Function("log({})", lambda ops, a: ops.log(a), lambda make, a, d, f: d[0] / a[0]),
    "sqrt": Function("sqrt({})", lambda ops, a: ops.sqrt(a), lambda make, a, d, f: d[0] / (2 * f)),
    "tanh": Function(
        "tanh({})", lambda ops, a: ops.tanh(a), lambda make, a, d, f: (1 - f * f) * d[0]
    ),
    "sinh": Function(
        "sinh({})", lambda ops, a: ops.sinh(a), lambda make, a, d, f: make("cosh", a[0]) * d[0]
    ),
    "cosh": Function(
        "cosh({})", lambda ops, a: ops.cosh(a), lambda make, a, d, f: make("sinh", a[0]) * d[0]
    ),
    "choose": Function(
        "choose({} < {}: {}, else {})",
        lambda ops, a, b, x, y: ops.choose(a, b, x, y),
        lambda make, a, d, f: make("choose", a[0], a[1], d[2], d[3]),
        _simplify_choose,
    ),
}
