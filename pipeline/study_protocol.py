"""The `protocol` section: steps, the currents they drive and the conditions that end them.

Currents are positive on discharge, per area of the electrode; `study_stops` has their texts.

A step can be repeated with others, `{repeat: 20, steps: [...]}`: pulse trains and cycles. What
carries a protocol out sees the steps one after another (`flat`).
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from voxtrode.pipeline.quantities import Time, Voltage
from voxtrode.pipeline.study_base import Section, nearest
from voxtrode.pipeline.study_stops import CurrentText, Stop, StopKind, Stops

MOST_STEPS = 100_000
"""Steps that a protocol may have, repetitions carried out."""


class OneStep(Section):
    """What steps have in common.

    Attributes:
        direction: 1 where the current discharges, -1 where it charges, 0 where it follows or is 0.
    """

    direction: ClassVar[int] = 0

    @property
    @abstractmethod
    def stops(self) -> tuple[Stop, ...]:
        """Conditions that end the step."""

    @property
    def held(self) -> float | None:
        """Voltage that is held [V]."""
        return None

    @property
    def count(self) -> int:
        """Steps that are carried out."""
        return 1

    def current_density(self, one_c: float) -> float:
        """Current density [A m⁻²], positive on discharge, given that of 1C; 0 where none is set."""
        del one_c
        return 0.0

    def placed(self, key: str, again: bool) -> "Iterator[Placed]":
        """The step itself; see `Repeat.placed`."""
        del again
        yield Placed(key, self)


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

    @property
    def count(self) -> int:
        """Steps that are carried out."""
        return self.repeat * count(self.steps)

    def placed(self, key: str, again: bool) -> "Iterator[Placed]":
        """The steps in it.

        Args:
            key: Where the study says it.
            again: Whether they come as often as they are carried out, or once.
        """
        for _ in range(self.repeat if again else 1):
            yield from _placed(self.steps, f"{key}.steps", again)


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


def _placed(protocol: Sequence[OneStep | Repeat], key: str, again: bool) -> Iterator[Placed]:
    for number, step in enumerate(protocol):
        yield from step.placed(f"{key}.{number}", again)


def flat(protocol: Sequence[OneStep | Repeat]) -> Iterator[Placed]:
    """The steps one after another, repetitions carried out."""
    return _placed(protocol, "protocol", again=True)


def written(protocol: Sequence[OneStep | Repeat]) -> Iterator[Placed]:
    """The steps as the study says them: each once, however often it is carried out."""
    return _placed(protocol, "protocol", again=False)


def count(protocol: Sequence[OneStep | Repeat]) -> int:
    """Number of steps that are carried out."""
    return sum(step.count for step in protocol)


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
