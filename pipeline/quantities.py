"""Quantities of a study file: plain SI numbers, or text with a unit such as `"60 um"`.

Every annotated type below is a `float` in SI base units once validated; the JSON Schema says that
either a number or a text is accepted. C-rates (`1C`, `C/10`) are no unit of pint's (its `C` is the
coulomb) and have their own small parser.
"""

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import pint
from pydantic import BeforeValidator, Field, WithJsonSchema

LONGEST = 1e-2
"""Lengths of a study above this [m] are numbers without their unit."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>.*?)\s*")
_C_RATE = re.compile(
    r"\s*(?P<times>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)?\s*C(?:\s*/\s*(?P<over>\d+\.?\d*))?\s*"
)


@cache
def _registry() -> pint.UnitRegistry[float]:
    return pint.UnitRegistry(cache_folder=None)


def split_quantity(text: str) -> tuple[float, str]:
    """Number and unit of a text such as `"60 um"`; the unit is empty when there is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no quantity; expected a number and a unit')
    return float(match["number"]), match["unit"]


def in_unit(number: float, unit: str, target: str) -> float | None:
    """`number` of `unit` expressed in `target`, or None where the dimensions differ.

    Raises:
        ValueError: pint does not know `unit`.
    """
    if unit == "%":
        number, unit = number / 100.0, ""
    registry = _registry()
    try:
        exact = registry.Quantity(number, registry.parse_units(unit)).to(target).magnitude
    except pint.DimensionalityError:
        return None
    except Exception as error:  # pint raises errors of its tokenizer's kind, too
        raise ValueError(f'the unit "{unit}" is not known') from error
    return float(f"{exact:.15g}")  # 60 um is 6e-05 m, not 5.9999999999999995e-05 m


def to_si(value: object, unit: str, what: str, example: str) -> float:
    """A number, or a text with a unit, in the SI unit `unit`.

    Args:
        value: What the study file holds: a number (taken as SI) or a text.
        unit: SI unit of the result; empty for a pure number.
        what: Name of the quantity for messages, e.g. "length".
        example: A text that would be accepted, for messages.

    Raises:
        ValueError: Not a quantity, another dimension, or not finite.
    """
    expected = f'expected a {what} such as "{example}" or a plain number in {unit or "1"}'
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no quantity; {expected}")
    if isinstance(value, str):
        try:
            number, given = split_quantity(value)
            si = in_unit(number, given, unit) if given else number
        except ValueError as error:
            raise ValueError(f"{error}; {expected}") from None
        if si is None:
            raise ValueError(f'"{value}" is no {what}; {expected}')
    else:
        si = float(value)
    if not math.isfinite(si):
        raise ValueError(f"{value!r} is not finite; {expected}")
    return si


def parse_c_rate(text: str) -> float | None:
    """The C-rate [1/h] a text states (`1C`, `C/10`, `2.5C`), or None if it states none.

    Raises:
        ValueError: It is one, but zero or divided by zero.
    """
    match = _C_RATE.fullmatch(text)
    if match is None:
        return None
    times = float(match["times"]) if match["times"] else 1.0
    over = float(match["over"]) if match["over"] else 1.0
    if times <= 0.0 or over <= 0.0:
        raise ValueError(f'"{text}" is no usable C-rate; expected one such as "1C" or "C/10"')
    return times / over


def length(value: object) -> float:
    """A length of a study [m]: a number, or a text with a unit; below 1 cm.

    Raises:
        ValueError: No length, or one that no part of a cell has.
    """
    si = to_si(value, "m", "length", "60 um")
    if si > LONGEST:
        raise ValueError(
            f"{value!r} is {si:g} m, longer than any part of a cell; a plain number is in metres,"
            ' write e.g. "400 nm"'
        )
    return si


def _quantity(
    unit: str,
    what: str,
    example: str,
    positive: bool,
    read: Callable[[object], float] | None = None,
) -> tuple[Any, ...]:
    read = read or (lambda value: to_si(value, unit, what, example))

    def parse(value: object) -> float:
        si = read(value)
        if positive and si <= 0.0:
            raise ValueError(
                f'{value!r} is not positive; expected a positive {what} such as "{example}"'
            )
        return si

    description = f"{what}: a number in {unit or '1'}, or a text with a unit"
    schema = {
        "anyOf": [{"type": "number"}, {"type": "string"}],
        "description": description,
        "examples": [example],
    }
    return BeforeValidator(parse), WithJsonSchema(schema)


_LENGTH = _quantity("m", "length", "60 um", positive=True, read=length)
_DISTANCE = _quantity("m", "length", "4 um", positive=False, read=length)
_TIME = _quantity("s", "time", "10 min", positive=True)
_TEMPERATURE = _quantity("K", "temperature", "298.15 K", positive=True)
_VOLTAGE = _quantity("V", "voltage", "3.0 V", positive=False)
_CONDUCTIVITY = _quantity("S/m", "conductivity", "10 S/m", positive=True)
_AREAL_CAPACITY = _quantity("A*s/m^2", "areal capacity", "1.5 mA*h/cm^2", positive=True)
_DENSITY = _quantity("kg/m^3", "density", "4.7 g/cm^3", positive=True)
_RATE_CONSTANT = _quantity("mol/m^2/s", "rate constant", "1e-6 mol/m^2/s", positive=True)
_AREA_RESISTANCE = _quantity("ohm*m^2", "area-specific resistance", "10 ohm*cm^2", positive=False)
_ACTIVATION_ENERGY = _quantity("J/mol", "activation energy", "30 kJ/mol", positive=False)
_FRACTION = _quantity("", "fraction", "0.49", positive=False)

type Length = Annotated[float, *_LENGTH]
type Distance = Annotated[float, *_DISTANCE, Field(ge=0.0)]
"""As a length, and 0 too."""
type Time = Annotated[float, *_TIME]
type Temperature = Annotated[float, *_TEMPERATURE]
type Voltage = Annotated[float, *_VOLTAGE]
type Conductivity = Annotated[float, *_CONDUCTIVITY]
type ArealCapacity = Annotated[float, *_AREAL_CAPACITY]
type Density = Annotated[float, *_DENSITY]
type RateConstant = Annotated[float, *_RATE_CONSTANT]
type AreaResistance = Annotated[float, *_AREA_RESISTANCE, Field(ge=0.0)]
type ActivationEnergy = Annotated[float, *_ACTIVATION_ENERGY]
type Fraction = Annotated[float, *_FRACTION, Field(gt=0.0, lt=1.0)]
type Share = Annotated[float, *_FRACTION, Field(ge=0.0, le=1.0)]
"""As a fraction; nothing and everything are allowed."""
type Porosity = Annotated[float, *_FRACTION, Field(gt=0.0, le=1.0)]
