"""PyBaMM's expression trees become ours, through a whitelist of nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from voxtrode.data.errors import InputError
from voxtrode.data.expression import (
    Expression,
    Symbol,
    Table,
    call,
    constant,
    maximum,
    minimum,
)
from voxtrode.data.tables import piecewise_cubic

FloatArray = npt.NDArray[np.float64]
Slopes = Callable[[FloatArray, FloatArray], FloatArray | None]


@dataclass(frozen=True)
class Translated:
    """A tree, and where the tables in it have data.

    Attributes:
        expression: The tree.
        ranges: By input, the range of each table whose argument is that input itself.
    """

    expression: Expression
    ranges: Mapping[str, list[tuple[float, float]]]


def translate(symbol: Any) -> Translated:
    """A tree of PyBaMM, its parameters already replaced by numbers, as one of ours.

    Its inputs (`InputParameter`) become symbols of the same name. Interpolants of one variable
    become C1 tables: those of cubic splines the same polynomials, linear ones monotone cubics
    through the same points, both continued linearly.

    Raises:
        InputError: A node that is not listed here, named.
    """
    reader = _Reader({})
    return Translated(reader(symbol), reader.ranges)


@dataclass(frozen=True)
class _Reader:
    ranges: dict[str, list[tuple[float, float]]]

    def __call__(self, node: Any) -> Expression:
        kind = type(node).__name__
        if kind not in _NODES:
            raise InputError(f"the node {kind} ({_short(node)}) of PyBaMM cannot be translated")
        return _NODES[kind](self, node)

    def children(self, node: Any) -> list[Expression]:
        return [self(child) for child in node.children]


def _short(node: Any) -> str:
    text = " ".join(str(node).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _number(reader: _Reader, node: Any) -> Expression:
    return constant(float(node.value))


def _input(reader: _Reader, node: Any) -> Expression:
    return Symbol(node.name)


def _build(make: Callable[..., Expression]) -> Callable[[_Reader, Any], Expression]:
    return lambda reader, node: make(*reader.children(node))


def _named(name: str) -> Callable[[_Reader, Any], Expression]:
    return _build(lambda *arguments: call(name, *arguments))


def _monotone(x: FloatArray, y: FloatArray) -> None:
    return None


def _spline(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(CubicSpline(x, y).derivative()(x))


_SLOPES: dict[str, Slopes] = {"linear": _monotone, "pchip": _monotone, "cubic": _spline}


def _interpolant(reader: _Reader, node: Any) -> Expression:
    if len(node.children) != 1 or node.interpolator not in _SLOPES:
        raise InputError(
            f"the table {node.name!r} of PyBaMM is a {node.interpolator} one of"
            f" {len(node.children)} variables; expected one variable, {' or '.join(_SLOPES)}"
        )
    argument = reader(node.children[0])
    x = np.asarray(node.x[0], dtype=np.float64).ravel()
    y = np.asarray(node.y, dtype=np.float64).ravel()
    polynomial = piecewise_cubic(x, y, _SLOPES[node.interpolator](x, y))
    reader.ranges.setdefault(str(argument), []).append((float(x[0]), float(x[-1])))
    return Table(polynomial, argument)


_NODES: dict[str, Callable[[_Reader, Any], Expression]] = {
    "Scalar": _number,
    "Constant": _number,
    "InputParameter": _input,
    "Addition": _named("add"),
    "Subtraction": _named("subtract"),
    "Multiplication": _named("multiply"),
    "Division": _named("divide"),
    "Power": _named("power"),
    "Negate": _build(lambda a: -a),
    "AbsoluteValue": _build(lambda a: maximum(a, -a)),
    "Minimum": _build(minimum),
    "Maximum": _build(maximum),
    "NotEqualHeaviside": _build(lambda a, b: call("choose", a, b, 1.0, 0.0)),
    "EqualHeaviside": _build(lambda a, b: call("choose", b, a, 0.0, 1.0)),
    "Exp": _named("exp"),
    "Log": _named("log"),
    "Sqrt": _named("sqrt"),
    "Tanh": _named("tanh"),
    "Sinh": _named("sinh"),
    "Cosh": _named("cosh"),
    "Interpolant": _interpolant,
}
