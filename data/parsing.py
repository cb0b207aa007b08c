"""Formulas as text become expression trees, through a whitelist over Python's own grammar.

Nothing is ever evaluated as code: `ast.parse` only reads, and a node that is not listed here is
refused. The grammar is the one that BPX files use, with min, max and clip added.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from voxtrode.data.errors import InputError
from voxtrode.data.expression import (
    Expression,
    Symbol,
    call,
    clip,
    constant,
    maximum,
    minimum,
)

MAX_LENGTH = 5000
MAX_DEPTH = 200
MAX_EXPONENT = 1000.0

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
}


def _elementary(name: str) -> Callable[..., Expression]:
    return lambda *arguments: call(name, *arguments)


_FUNCTIONS: dict[str, tuple[int, Callable[..., Expression]]] = {
    **{name: (1, _elementary(name)) for name in ("exp", "log", "sqrt", "tanh", "sinh", "cosh")},
    "log10": (1, lambda a: call("log", a) / math.log(10.0)),
    "min": (2, minimum),
    "max": (2, maximum),
    "clip": (3, clip),
}


def parse(
    text: str,
    symbols: Collection[str],
    constants: Mapping[str, float] | None = None,
) -> Expression:
    """The expression tree of a formula.

    Args:
        text: Numbers, names, + - * / **, parentheses and exp, log, log10, sqrt, tanh, sinh, cosh,
            min, max, clip.
        symbols: Names that stay symbols.
        constants: Names that stand for numbers.

    Raises:
        InputError: On anything else; the message quotes the formula and the offending part.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(f"a formula has {len(text)} characters, at most {MAX_LENGTH} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"cannot read the formula {_quote(text)}: {error}") from None
    names: dict[str, Expression] = {name: Symbol(name) for name in symbols}
    names.update({name: constant(value) for name, value in (constants or {}).items()})
    try:
        return _Reader(names)(tree.body)
    except InputError as error:
        raise InputError(f"cannot use the formula {_quote(text)}: {error}") from None


def _quote(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


@dataclass(frozen=True)
class _Reader:
    """Turns the syntax tree of one formula into an expression tree, from one depth of nesting."""

    names: Mapping[str, Expression]
    depth: int = 0

    def __call__(self, node: ast.expr) -> Expression:
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise InputError(f"{ast.unparse(node)!r} is not allowed in a formula")
        if self.depth > MAX_DEPTH:
            raise InputError(f"it is nested deeper than {MAX_DEPTH} levels")
        return handler(_Reader(self.names, self.depth + 1), node)

    def number(self, node: ast.Constant) -> Expression:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{value!r} is not a number")
        try:
            return constant(float(value))
        except OverflowError:
            raise InputError("a number is too large") from None

    def name(self, node: ast.Name) -> Expression:
        if node.id in self.names:
            return self.names[node.id]
        known = ", ".join(sorted(self.names)) or "none"
        near = get_close_matches(node.id, self.names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"unknown name {node.id!r} (known: {known}){hint}")

    def unary(self, node: ast.UnaryOp) -> Expression:
        if type(node.op) not in (ast.USub, ast.UAdd):
            raise InputError(f"{ast.unparse(node)!r} is not allowed in a formula")
        operand = self(node.operand)
        return -operand if type(node.op) is ast.USub else operand

    def binary(self, node: ast.BinOp) -> Expression:
        name = _OPERATORS.get(type(node.op))
        if name is None:
            raise InputError(f"the operator of {ast.unparse(node)!r} is not allowed")
        left, right = self(node.left), self(node.right)
        exponent = right.constant if name == "power" else None
        if exponent is not None and abs(exponent) > MAX_EXPONENT:
            raise InputError(f"the exponent {exponent:g} is beyond ±{MAX_EXPONENT:g}")
        return call(name, left, right)

    def function(self, node: ast.Call) -> Expression:
        name = node.func.id if type(node.func) is ast.Name else ""
        if name not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise InputError(f"{ast.unparse(node.func)!r} is no function (known: {known})")
        arity, build = _FUNCTIONS[name]
        if len(node.args) != arity or node.keywords:
            raise InputError(f"{name} takes {arity} plain argument(s)")
        return build(*(self(argument) for argument in node.args))


_HANDLERS: dict[type[ast.expr], Callable[..., Expression]] = {
    ast.Constant: _Reader.number,
    ast.Name: _Reader.name,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.Call: _Reader.function,
}
