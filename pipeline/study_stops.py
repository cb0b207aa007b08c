"""Currents and conditions that end a step, as texts of a study.

A text says by its unit what it is: `3.0 V`, `5 A/m^2`, `C/20`, `15 min`, `1.2 mA*h/cm^2`,
`60 % DoD`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from voxtrode.pipeline.quantities import in_unit, parse_c_rate, split_quantity, to_si


@dataclass(frozen=True)
class Current:
    """A current as the study states it: areal, or as a C-rate.

    Attributes:
        value: A m⁻², or the C-rate [1/h].
        is_c_rate: Which of the two.
    """

    value: float
    is_c_rate: bool

    def density(self, one_c: float) -> float:
        """Current density [A m⁻²], given that of 1C."""
        return self.value * one_c if self.is_c_rate else self.value

    def __str__(self) -> str:
        return f"{self.value!r}C" if self.is_c_rate else f"{self.value!r} A/m^2"


class StopKind(StrEnum):
    """What a stop condition watches."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    TIME = "time"
    CAPACITY = "capacity"
    DOD = "DoD"


_STOP_UNITS = {
    StopKind.VOLTAGE: "V",
    StopKind.CURRENT: "A/m^2",
    StopKind.TIME: "s",
    StopKind.CAPACITY: "A*s/m^2",
}


@dataclass(frozen=True)
class Stop:
    """A condition that ends a step.

    Attributes:
        kind: What is watched.
        value: Its limit: V, A m⁻² (or C-rate), s of the step, A s m⁻² passed in the step, or DoD.
        is_c_rate: Whether a current's limit is a C-rate.
    """

    kind: StopKind
    value: float
    is_c_rate: bool = False

    def __str__(self) -> str:
        unit = "C" if self.is_c_rate else f" {_STOP_UNITS.get(self.kind, self.kind)}"
        return f"{self.value!r}{unit}"


def _current(given: object) -> Current:
    if isinstance(given, Current):
        return given
    rate = parse_c_rate(given) if isinstance(given, str) else None
    if rate is not None:
        return Current(rate, is_c_rate=True)
    try:
        value = to_si(given, "A/m^2", "current", "4 mA/cm^2")
    except ValueError as error:
        raise ValueError(f'{error}, or a C-rate such as "1C" or "C/10"') from None
    if value <= 0.0:
        raise ValueError(f'{given!r} is not positive; expected "1C", "C/10" or "4 mA/cm^2"')
    return Current(value, is_c_rate=False)


_STOP_EXAMPLES = '"3.0 V", "5 A/m^2", "C/20", "15 min", "1.2 mA*h/cm^2" or "60 % DoD"'


def _stop(given: object) -> Stop:
    if isinstance(given, Stop):
        return given
    if not isinstance(given, str):
        raise ValueError(f"{given!r} has no unit; expected one such as {_STOP_EXAMPLES}")
    rate = parse_c_rate(given)
    if rate is not None:
        return Stop(StopKind.CURRENT, rate, is_c_rate=True)
    try:
        number, unit = split_quantity(given)
        kind, value = _by_unit(number, unit)
    except ValueError as error:
        raise ValueError(f"{error}; expected one such as {_STOP_EXAMPLES}") from None
    if not math.isfinite(value) or (value <= 0.0 and kind is not StopKind.VOLTAGE):
        raise ValueError(f'"{given}" is not positive; expected one such as {_STOP_EXAMPLES}')
    return Stop(kind, value)


def _by_unit(number: float, unit: str) -> tuple[StopKind, float]:
    words = unit.lower().split()
    if words[-1:] == ["dod"] and words[:-1] in ([], ["%"]):
        return StopKind.DOD, number / 100.0 if "%" in words else number
    for kind, target in _STOP_UNITS.items():
        value = in_unit(number, unit, target) if unit else None
        if value is not None:
            return kind, value
    raise ValueError(f'"{number:g} {unit}" is no voltage, current, time, capacity or DoD')


def _as_list(given: Any) -> Any:
    return given if isinstance(given, list | tuple) else [given]


_TEXT = WithJsonSchema({"type": "string", "description": f"such as {_STOP_EXAMPLES}"})
_TEXT_OR_NUMBER = WithJsonSchema(
    {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0.0}, {"type": "string"}],
        "description": "a C-rate, a text with a unit, or a number in A/m^2",
        "examples": ["1C", "C/10", "4 mA/cm^2"],
    }
)
type CurrentText = Annotated[
    Current, BeforeValidator(_current), PlainSerializer(str, return_type=str), _TEXT_OR_NUMBER
]
type StopText = Annotated[
    Stop, BeforeValidator(_stop), PlainSerializer(str, return_type=str), _TEXT
]
type Stops = Annotated[
    tuple[StopText, ...],
    BeforeValidator(_as_list),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
