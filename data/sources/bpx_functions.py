"""Functions of BPX files: numbers, formulas of `x` and tables, as expression trees."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from voxtrode.data.entries import Entry
from voxtrode.data.errors import InputError
from voxtrode.data.expression import Symbol, Table, constant
from voxtrode.data.law import GAS_CONSTANT, Parameter
from voxtrode.data.parsing import parse
from voxtrode.data.sources.assembly import Body
from voxtrode.data.tables import piecewise_cubic


def read_body(entry: Entry, key: str, symbol: str) -> Body:
    """The function at a key.

    Args:
        entry: A section of the file.
        key: Its key, as BPX calls it.
        symbol: What the function's `x` stands for: `theta` or `c_e`.

    Raises:
        InputError: It is missing, or no number, formula of x or table.
    """
    require(entry, key)
    value = entry.content[key]
    reader = _READERS.get(type(value))
    if reader is None:
        entry.fail(
            f"{key!r} must be a number, a formula of x, or a table of x and y; got {value!r}"
        )
    return reader(entry, key, symbol)


def at_temperature(
    body: Body, entry: Entry, key: str, reference: float | None, temperature: float
) -> Body:
    """The function times its Arrhenius factor, where the section gives an activation energy.

    exp(E_a/R (1/T_ref − 1/T)), the convention of BPX.

    Args:
        body: The function at the reference temperature.
        entry: The section it stands in.
        key: Its key.
        reference: T_ref [K]; None where the file gives none.
        temperature: T [K].
    """
    energy_key = f"{key.partition(' [')[0]} activation energy [J.mol-1]"
    if entry.content.get(energy_key) is None:
        return body
    energy = entry.number(energy_key)
    if reference is None:
        entry.fail(f"{energy_key!r} needs the cell's 'Reference temperature [K]', which is missing")
    factor = math.exp(energy / GAS_CONSTANT * (1.0 / reference - 1.0 / temperature))
    return body.scaled(factor, Parameter(energy, "J/mol", entry.place), temperature)


def require(entry: Entry, *keys: str) -> None:
    """Refuse a section without a key it needs."""
    for key in keys:
        if entry.content.get(key) is None:
            entry.fail(f"the key {key!r} is missing")


def _number(entry: Entry, key: str, symbol: str) -> Body:
    value = entry.number(key)
    return Body(constant(value), f"{value:.12g}")


def _formula(entry: Entry, key: str, symbol: str) -> Body:
    text = entry.text(key)
    try:
        tree = parse(text, {"x"})
    except InputError as error:
        entry.fail(f"{key!r}: {error}")
    return Body(tree.substitute({"x": Symbol(symbol)}), f"{text}, x = {symbol}")


def _table(entry: Entry, key: str, symbol: str) -> Body:
    table = entry.entry(key)
    table.check_keys(("x", "y"))
    x, y = np.array(table.numbers("x")), np.array(table.numbers("y"))
    if x.size != y.size:
        table.fail(f"x and y must be of one length, got {x.size} and {y.size}")
    order = np.argsort(x)
    try:
        polynomial = piecewise_cubic(x[order], y[order])
    except InputError as error:
        table.fail(str(error))
    return Body(
        Table(polynomial, Symbol(symbol)),
        f"monotone C1 cubic through {x.size} points of {symbol}",
        (float(x[order][0]), float(x[order][-1])),
    )


_READERS: dict[type, Callable[[Entry, str, str], Body]] = {
    float: _number,
    int: _number,
    str: _formula,
    dict: _table,
}
