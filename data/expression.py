"""Expression trees: one formula, evaluated by NumPy and by UFL alike, differentiated symbolically.

A tree is made of frozen nodes: `Constant`, `Symbol`, `Call` (an elementary function of other
trees) and `Table` (a C1 piecewise cubic of another tree). Python's operators build trees, and
drop what is trivial (0·x, 1·x, x + 0, constants among themselves).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.functions import FUNCTIONS
from voxtrode.data.operations import NUMPY, Operations
from voxtrode.data.tables import PiecewisePolynomial

Memo = dict[int, Any]


class Expression(ABC):
    """A node of an expression tree; immutable, and free to be shared between trees."""

    __slots__ = ()

    def evaluate(self, env: Mapping[str, Any], ops: Operations) -> Any:
        """Value of the tree.

        Args:
            env: What each symbol stands for: arrays, floats or UFL expressions.
            ops: The set of elementary operations. Shared subtrees are evaluated once.
        """
        return self._visit(lambda node, parts: node._apply(parts, env, ops), {})

    def derivative(self, symbol: str) -> Expression:
        """Partial derivative by a symbol, again a tree."""
        result: Expression = self._visit(lambda node, parts: node._derive(parts, symbol), {})
        return result

    def substitute(self, replacements: Mapping[str, Expression]) -> Expression:
        """The tree with symbols replaced by trees."""
        result: Expression = self._visit(lambda node, parts: node._rebuild(parts, replacements), {})
        return result

    def symbols(self) -> frozenset[str]:
        """Names of all symbols in the tree."""
        names: frozenset[str] = self._visit(
            lambda node, parts: frozenset().union(node._own_symbols(), *parts), {}
        )
        return names

    def _visit(self, action: Callable[[Expression, list[Any]], Any], memo: Memo) -> Any:
        """Bottom-up visit, each node once however often it is shared."""
        key = id(self)
        if key not in memo:
            memo[key] = action(self, [part._visit(action, memo) for part in self._parts()])
        return memo[key]

    @property
    def constant(self) -> float | None:
        """The number that the tree is, or None."""
        return None

    def _parts(self) -> tuple[Expression, ...]:
        return ()

    def _own_symbols(self) -> frozenset[str]:
        return frozenset()

    @abstractmethod
    def _apply(self, parts: list[Any], env: Mapping[str, Any], ops: Operations) -> Any: ...

    @abstractmethod
    def _derive(self, parts: list[Expression], symbol: str) -> Expression: ...

    @abstractmethod
    def _rebuild(self, parts: list[Expression], new: Mapping[str, Expression]) -> Expression: ...

    def __add__(self, other: Operand) -> Expression:
        return call("add", self, other)

    def __radd__(self, other: Operand) -> Expression:
        return call("add", other, self)

    def __sub__(self, other: Operand) -> Expression:
        return call("subtract", self, other)

    def __rsub__(self, other: Operand) -> Expression:
        return call("subtract", other, self)

    def __mul__(self, other: Operand) -> Expression:
        return call("multiply", self, other)

    def __rmul__(self, other: Operand) -> Expression:
        return call("multiply", other, self)

    def __truediv__(self, other: Operand) -> Expression:
        return call("divide", self, other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return call("divide", other, self)

    def __pow__(self, other: Operand) -> Expression:
        return call("power", self, other)

    def __rpow__(self, other: Operand) -> Expression:
        return call("power", other, self)

    def __neg__(self) -> Expression:
        return call("subtract", Constant(0.0), self)


Operand = Expression | float


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A finite number."""

    value: float

    @property
    def constant(self) -> float | None:
        """The number itself."""
        return self.value

    def _apply(self, parts: list[Any], env: Mapping[str, Any], ops: Operations) -> Any:
        return self.value

    def _derive(self, parts: list[Expression], symbol: str) -> Expression:
        return ZERO

    def _rebuild(self, parts: list[Expression], new: Mapping[str, Expression]) -> Expression:
        return self

    def __str__(self) -> str:
        return f"{self.value:.17g}"


@dataclass(frozen=True, slots=True)
class Symbol(Expression):
    """A named argument."""

    name: str

    def _own_symbols(self) -> frozenset[str]:
        return frozenset((self.name,))

    def _apply(self, parts: list[Any], env: Mapping[str, Any], ops: Operations) -> Any:
        return env[self.name]

    def _derive(self, parts: list[Expression], symbol: str) -> Expression:
        return ONE if symbol == self.name else ZERO

    def _rebuild(self, parts: list[Expression], new: Mapping[str, Expression]) -> Expression:
        return new.get(self.name, self)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """An elementary function, by its name in `functions.FUNCTIONS`, of other trees (see `call`)."""

    name: str
    arguments: tuple[Expression, ...]

    def _parts(self) -> tuple[Expression, ...]:
        return self.arguments

    def _apply(self, parts: list[Any], env: Mapping[str, Any], ops: Operations) -> Any:
        return FUNCTIONS[self.name].apply(ops, *parts)

    def _derive(self, parts: list[Expression], symbol: str) -> Expression:
        return FUNCTIONS[self.name].derive(call, self.arguments, tuple(parts), self)

    def _rebuild(self, parts: list[Expression], new: Mapping[str, Expression]) -> Expression:
        return call(self.name, *parts)

    def __str__(self) -> str:
        return FUNCTIONS[self.name].form.format(*self.arguments)


@dataclass(frozen=True, slots=True)
class Table(Expression):
    """A piecewise polynomial of another tree."""

    polynomial: PiecewisePolynomial
    argument: Expression

    def _parts(self) -> tuple[Expression, ...]:
        return (self.argument,)

    def _apply(self, parts: list[Any], env: Mapping[str, Any], ops: Operations) -> Any:
        return ops.table(self.polynomial, parts[0])

    def _derive(self, parts: list[Expression], symbol: str) -> Expression:
        return Table(self.polynomial.derivative(), self.argument) * parts[0]

    def _rebuild(self, parts: list[Expression], new: Mapping[str, Expression]) -> Expression:
        return Table(self.polynomial, parts[0])

    def __str__(self) -> str:
        return f"table({self.argument})"


ZERO = Constant(0.0)
ONE = Constant(1.0)


def constant(value: float) -> Constant:
    """A number as a tree.

    Raises:
        InputError: If it is not finite.
    """
    if not math.isfinite(value):
        raise InputError(f"a number in a formula is not finite: {value}")
    return Constant(float(value))


def as_expression(operand: Operand) -> Expression:
    """A tree, from a tree or a number."""
    return operand if isinstance(operand, Expression) else constant(operand)


def call(name: str, *operands: Operand) -> Expression:
    """The elementary function `name` of trees or numbers, simplified where that is trivial.

    Raises:
        InputError: If a part made of numbers alone has no finite real value (1/0, log(-1)).
    """
    arguments = tuple(as_expression(operand) for operand in operands)
    values = [argument.constant for argument in arguments]
    if None not in values:
        return _fold(name, [float(value) for value in values if value is not None])
    simpler = FUNCTIONS[name].simplify(arguments)
    return Call(name, arguments) if simpler is None else simpler


def _fold(name: str, values: list[float]) -> Constant:
    with np.errstate(all="ignore"):
        result = FUNCTIONS[name].apply(NUMPY, *(np.float64(value) for value in values))
    if not np.isfinite(result):
        shown = FUNCTIONS[name].form.format(*(f"{value:g}" for value in values))
        raise InputError(f"{shown} in a formula has no finite real value")
    return Constant(float(result))


def minimum(a: Operand, b: Operand) -> Expression:
    """The smaller of two trees; keeps a NaN of `a`."""
    return call("choose", b, a, b, a)


def maximum(a: Operand, b: Operand) -> Expression:
    """The larger of two trees; keeps a NaN of `a`."""
    return call("choose", a, b, b, a)


def clip(a: Operand, low: Operand, high: Operand) -> Expression:
    """A tree held between two others; keeps a NaN of `a`."""
    return minimum(maximum(a, low), high)
