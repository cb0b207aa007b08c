"""Reading material files: YAML to laws and parameters, every fault named by file and key.

The format: `name`, `kind`, `source`, then one entry per quantity. A number is
`{value, unit, source[, assumed, note]}`; a law has `formula`, `table` or `msmr`, with `unit`,
`source` and, where needed, `where` (abbreviations), `constants` (named numbers), `valid` (ranges),
`tails`, `assumed`, `note`. Formulas may use the temperature `T` [K]; a number or a law may have an
`activation_energy`, itself a number, and follows Arrhenius' law from 298.15 K. Units must be the SI
units that the quantity is computed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from voxtrode.data.entries import Entry, make_entry
from voxtrode.data.errors import InputError
from voxtrode.data.expression import Expression, Symbol, Table, constant
from voxtrode.data.law import (
    FARADAY,
    GAS_CONSTANT,
    REFERENCE_TEMPERATURE,
    Law,
    Parameter,
    Tail,
    arrhenius_tree,
)
from voxtrode.data.msmr import Reaction, potential_table
from voxtrode.data.parsing import parse
from voxtrode.data.tables import piecewise_cubic

REMARKS = ("assumed", "note")
ACTIVATION = "activation_energy"


def read_parameter(entry: Entry, unit: str | None) -> Parameter:
    """A number with unit and source; the unit must be `unit` unless that is None."""
    entry.check_keys(("value", "unit", "source"), {ACTIVATION, *REMARKS})
    return Parameter(
        entry.number("value"),
        entry.unit(unit),
        entry.source(),
        **entry.remarks(),
        activation=_read_activation(entry),
    )


def _read_activation(entry: Entry) -> Parameter | None:
    if ACTIVATION not in entry.content:
        return None
    inner = entry.entry(ACTIVATION)
    inner.check_keys(("value", "unit", "source"), REMARKS)
    return Parameter(inner.number("value"), inner.unit("J/mol"), inner.source(), **inner.remarks())


def read_list(entry: Entry, unit: str) -> list[float]:
    """A list of numbers with one unit and one source."""
    entry.check_keys(("values", "unit", "source"), REMARKS)
    entry.unit(unit)
    entry.source()
    return entry.numbers("values")


def read_law(
    entry: Entry, arguments: tuple[str, ...], unit: str, known: Mapping[str, float]
) -> Law:
    """A law of some arguments.

    Args:
        entry: The law's entry.
        arguments: Names of the law's arguments.
        unit: The unit it must have.
        known: Constants of the material (such as c_max) that formulas may use, beside F and R.
    """
    bodies = [key for key in _BODIES if key in entry.content]
    if len(bodies) != 1:
        entry.fail(f"needs exactly one of {', '.join(_BODIES)}")
    optional = {"where", "constants", "valid", "tails", ACTIVATION} | set(REMARKS)
    entry.check_keys((bodies[0], "unit", "source"), optional)
    named = entry.entry("constants")
    constants = {key: read_parameter(named.entry(key), None) for key in named.content}
    for key, parameter in constants.items():
        if parameter.activation is not None:
            entry.fail(f"constants.{key}: {ACTIVATION} belongs to the law, not to a constant of it")
    values = {"F": FARADAY, "R": GAS_CONSTANT} | dict(known)
    values |= {key: parameter.value for key, parameter in constants.items()}
    fit, formula = _BODIES[bodies[0]](entry, arguments, values)
    tails = _read_tails(entry)
    if tails and arguments != ("theta",):
        entry.fail("only a law of theta alone can have tails")
    energy = _read_activation(entry)
    if energy is not None:
        constants["E_a"] = energy
        fit = fit * arrhenius_tree(energy.value)
    with_T = fit if "T" in fit.symbols() else None
    if with_T is not None and tails:
        entry.fail("a law with tails cannot depend on the temperature")
    fit = fit.substitute({"T": constant(REFERENCE_TEMPERATURE)})
    expression = fit
    for tail in tails:
        expression = tail.applied_to(expression)
    valid = entry.entry("valid")
    valid.check_keys((), arguments)
    ranges = {key: tuple(valid.numbers(key, 2)) for key in valid.content}
    return Law(
        expression=expression,
        arguments=arguments,
        unit=entry.unit(unit),
        source=entry.source(),
        valid={key: (low, high) for key, (low, high) in ranges.items()},
        formula=formula,
        constants=constants,
        tails=tails,
        fit=fit if tails else None,
        with_T=with_T,
        **entry.remarks(),
    )


def _read_tails(entry: Entry) -> tuple[Tail, ...]:
    tails = []
    for position, content in enumerate(entry.sequence("tails")):
        item = make_entry(content, f"{entry.place}: tails.{position}")
        item.check_keys(("start", "at", "voltage", "unit", "source"), REMARKS)
        start, at = item.number("start"), item.number("at")
        if start == at:
            item.fail("start and at must differ")
        tails.append(
            Tail(start, at, item.number("voltage"), item.unit("V"), item.source(), **item.remarks())
        )
    return tuple(tails)


Body = tuple[Expression, str]


def _read_formula(entry: Entry, arguments: tuple[str, ...], values: Mapping[str, float]) -> Body:
    where = entry.entry("where")
    text = entry.text("formula")
    expression = _parse(entry, text, {*arguments, "T", *where.content}, values)
    short = {
        key: _parse(where, where.text(key), {*arguments, "T"}, values) for key in where.content
    }
    notes = [f"{key} = {where.text(key)}" for key in where.content]
    return expression.substitute(short), "; ".join([text, *notes])


def _parse(
    entry: Entry, text: str, symbols: Collection[str], values: Mapping[str, float]
) -> Expression:
    try:
        return parse(text, symbols, values)
    except InputError as error:
        entry.fail(str(error))


def _read_table(entry: Entry, arguments: tuple[str, ...], values: Mapping[str, float]) -> Body:
    table = entry.entry("table")
    if len(arguments) != 1:
        table.fail(f"a table has one argument, this law has {len(arguments)}")
    table.check_keys((arguments[0], "values"))
    abscissae, ordinates = table.numbers(arguments[0]), table.numbers("values")
    try:
        polynomial = piecewise_cubic(abscissae, ordinates)
    except InputError as error:
        table.fail(str(error))
    text = f"monotone C1 cubic through {len(abscissae)} points of {arguments[0]}"
    return Table(polynomial, Symbol(arguments[0])), text


def _read_msmr(entry: Entry, arguments: tuple[str, ...], values: Mapping[str, float]) -> Body:
    """A potential U(θ) from the closed form θ(U), tabulated between two potentials."""
    msmr = entry.entry("msmr")
    msmr.check_keys(("temperature", "voltages", "tolerance", "U", "X", "w"))
    U, X, w = (read_list(msmr.entry(key), unit) for key, unit in _MSMR_UNITS)
    if not len(U) == len(X) == len(w):
        msmr.fail(f"U, X and w must be lists of one length, got {len(U)}, {len(X)}, {len(w)}")
    voltages = read_list(msmr.entry("voltages"), "V")
    if len(voltages) != 2 or voltages[0] >= voltages[1]:
        msmr.fail("voltages must be two numbers, the lower one first")
    tolerance = read_parameter(msmr.entry("tolerance"), "V").value
    temperature = read_parameter(msmr.entry("temperature"), "K").value
    try:
        polynomial = potential_table(
            [Reaction(*numbers) for numbers in zip(U, X, w, strict=True)],
            temperature,
            (voltages[0], voltages[1]),
            tolerance,
        )
    except InputError as error:
        msmr.fail(str(error))
    text = (
        f"inverse of theta = sum_j X_j/(1 + exp(F (U - U_j)/(R T w_j))), j = 1..{len(U)}, as a "
        f"monotone C1 cubic within {tolerance:g} V from {voltages[1]:g} to {voltages[0]:g} V"
    )
    return Table(polynomial, Symbol(arguments[0])), text


_MSMR_UNITS = (("U", "V"), ("X", "1"), ("w", "1"))

_BODIES: dict[str, Callable[[Entry, tuple[str, ...], Mapping[str, float]], Body]] = {
    "formula": _read_formula,
    "table": _read_table,
    "msmr": _read_msmr,
}
