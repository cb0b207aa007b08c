"""The `protocol` section: steps, the currents they drive and the conditions that end them.

A text says by its unit what it is: `3.0 V`, `5 A/m^2`, `C/20`, `15 min`, `1.2 mA*h/cm^2`,
`60 % DoD`. Currents are positive on discharge, per area of the electrode.

A step can be repeated with others, `{repeat: 20, steps: [...]}`: pulse trains and cycles. What
carries a protocol out sees the steps one after another (`flat`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from voxtrode.pipeline.quantities import Time, Voltage, in_unit, parse_c_rate, split_quantity, to_si
from voxtrode.pipeline.study_base import Section, nearest

MOST_STEPS = 100_000
"""Steps that a protocol may have, repetitions carried out."""


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


class OneStep(Section):
    """What steps have in common.

    Attributes:
        direction: 1 where the current discharges, -1 where it charges, 0 where it follows or is 0.
    """

    direction: ClassVar[int] = 0

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""
        raise NotImplementedError

    @property
    def held(self) -> float | None:
        """Voltage that is held [V]."""
        return None

    def current_density(self, one_c: float) -> float:
        """Current density [A m⁻²], positive on discharge, given that of 1C; 0 where none is set."""
        del one_c
        return 0.0


def _no_current_ends(stops: Stops, what: str) -> None:
    if any(stop.kind is StopKind.CURRENT for stop in stops):
        raise ValueError(
            f"until: the current of a {what} is constant, no current can end it;"
            " expected a voltage, time, capacity or DoD"
        )


class Discharge(OneStep):
    """Constant current until the first condition is met.

    Attributes:
        discharge: The current.
        until: Conditions that end the step, the first one met.
    """

    direction: ClassVar[int] = 1

    discharge: CurrentText
    until: Stops

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        _no_current_ends(self.until, "discharge")
        return self

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""
        return self.until

    def current_density(self, one_c: float) -> float:
        """Current density [A m⁻²], positive, given that of 1C."""
        return self.discharge.density(one_c)


class Charge(OneStep):
    """Constant current the other way until the first condition is met.

    Attributes:
        charge: The current, a positive number.
        until: Conditions that end the step, the first one met.
    """

    direction: ClassVar[int] = -1

    charge: CurrentText
    until: Stops

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        _no_current_ends(self.until, "charge")
        return self

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""
        return self.until

    def current_density(self, one_c: float) -> float:
        """Current density [A m⁻²], negative, given that of 1C."""
        return -self.charge.density(one_c)


class Hold(OneStep):
    """Constant voltage until the first condition is met; the current follows.

    Attributes:
        hold: The voltage [V].
        until: Conditions that end the step, the first one met; a current ends it when the cell's,
            either way, has fallen to it.
    """

    hold: Voltage
    until: Stops

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        kinds = [stop.kind for stop in self.until]
        if StopKind.VOLTAGE in kinds:
            raise ValueError(
                "until: the voltage of a hold is constant, no voltage can end it;"
                " expected a current, time, capacity or DoD"
            )
        if kinds.count(StopKind.DOD) > 1:
            raise ValueError("until: a hold can end at one DoD, got several")
        if StopKind.CURRENT not in kinds and StopKind.TIME not in kinds:
            raise ValueError(
                "until: a hold may never reach a capacity or a DoD; add a current or a time,"
                ' e.g. until: ["60 % DoD", "C/50"]'
            )
        return self

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""
        return self.until

    @property
    def held(self) -> float | None:
        """Voltage that is held [V]."""
        return self.hold


class Rest(OneStep):
    """No current for a time.

    Attributes:
        rest: The time [s].
    """

    rest: Time

    @property
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""
        return (Stop(StopKind.TIME, self.rest),)


class Repeat(Section):
    """Steps that are carried out several times over: a pulse train, cycles.

    Attributes:
        repeat: How often.
        steps: The steps, which may hold repetitions themselves.
    """

    repeat: Annotated[int, Field(ge=1, le=10_000)]
    steps: "Protocol"


_STEPS: dict[str, type[Section]] = {
    "discharge": Discharge,
    "charge": Charge,
    "hold": Hold,
    "rest": Rest,
    "repeat": Repeat,
}


def _one_step(given: Any) -> Any:
    if isinstance(given, Section):
        return given
    if not isinstance(given, dict):
        raise ValueError(f"expected a step, a mapping of keys, got {given!r}")
    if len(_STEPS.keys() & given.keys()) != 1:
        came = ", ".join(map(str, given)) or "no key"
        hint = nearest(next(map(str, given), ""), _STEPS, "known steps")
        raise ValueError(f"expected a step, one of {', '.join(_STEPS)}, got {came}; {hint}")
    return given


def _tag(given: Any) -> str:
    keys = given if isinstance(given, dict) else type(given).model_fields
    return next(f"<{name}>" for name in _STEPS if name in keys)


type Step = Annotated[
    Annotated[Discharge, Tag("<discharge>")]
    | Annotated[Charge, Tag("<charge>")]
    | Annotated[Hold, Tag("<hold>")]
    | Annotated[Rest, Tag("<rest>")]
    | Annotated[Repeat, Tag("<repeat>")],
    Discriminator(_tag),
    BeforeValidator(_one_step),
]
type Protocol = Annotated[tuple[Step, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Placed:
    """A step as it is carried out.

    Attributes:
        key: Where the study says it, e.g. `protocol.1.steps.0`.
        step: The step.
    """

    key: str
    step: OneStep


def flat(protocol: Sequence[OneStep | Repeat], key: str = "protocol") -> Iterator[Placed]:
    """The steps one after another, repetitions carried out."""
    for number, step in enumerate(protocol):
        here = f"{key}.{number}"
        if isinstance(step, Repeat):
            for _ in range(step.repeat):
                yield from flat(step.steps, f"{here}.steps")
        else:
            yield Placed(here, step)


def written(protocol: Sequence[OneStep | Repeat], key: str = "protocol") -> Iterator[Placed]:
    """The steps as the study says them: each once, however often it is carried out."""
    for number, step in enumerate(protocol):
        here = f"{key}.{number}"
        if isinstance(step, Repeat):
            yield from written(step.steps, f"{here}.steps")
        else:
            yield Placed(here, step)


def count(protocol: Sequence[OneStep | Repeat]) -> int:
    """Number of steps that are carried out."""
    return sum(
        step.repeat * count(step.steps) if isinstance(step, Repeat) else 1 for step in protocol
    )


def check_count(protocol: Protocol) -> Protocol:
    """Refuse more steps than `MOST_STEPS`.

    Raises:
        ValueError: With the number.
    """
    total = count(protocol)
    if total > MOST_STEPS:
        raise ValueError(
            f"{total} steps with all repetitions, expected at most {MOST_STEPS}; repeat less often,"
            " or go on from the end of a run with initial: {run: ...}"
        )
    return protocol
