"""What a reader should learn first: what was run, how it ended, the numbers to remember."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from voxtrode.pipeline.report.blocks import State, Tile
from voxtrode.pipeline.report.numbers import (
    box,
    duration,
    is_number,
    number,
    percent,
    quantity,
    unbroken,
)
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.study_counter import CounterMaterial
from voxtrode.pipeline.study_protocol import OneStep, Repeat
from voxtrode.pipeline.study_stops import Stop, StopKind

BALANCE_LIMIT = 1e-9
BALANCES = {
    "lithium_balance": "Lithium",
    "salt_balance": "Salt",
    "charge_balance": "Charge",
}
_MAH_PER_CM2 = 1.0 / 36000.0
_STOPS: dict[StopKind, Callable[[float], str]] = {
    StopKind.VOLTAGE: lambda value: quantity(value, "V"),
    StopKind.CURRENT: lambda value: quantity(value, "A m⁻²"),
    StopKind.TIME: duration,
    StopKind.CAPACITY: lambda value: quantity(value, "mA h cm⁻²", _MAH_PER_CM2),
    StopKind.DOD: lambda value: percent(value) + " DoD",
}


def protocol_text(results: Results) -> str:
    """The protocol in words."""
    return _steps_text(results.study.protocol)


def _steps_text(steps: Sequence[OneStep | Repeat]) -> str:
    return ", then ".join(_step_text(step) for step in steps)


def _step_text(step: OneStep | Repeat) -> str:
    if isinstance(step, Repeat):
        return f"{step.repeat} times ({_steps_text(step.steps)})"
    ends = " or ".join(_stop_text(stop) for stop in step.stops)
    name = next(iter(type(step).model_fields))
    if name == "rest":
        return f"rest for {ends}"
    if step.held is not None:
        return f"hold at {quantity(step.held, 'V')} to {ends}"
    return f"{_current_text(step)} {name} to {ends}"


def _current_text(step: OneStep) -> str:
    density = abs(step.current_density(1.0))
    given = next(iter(step.model_dump(mode="json").values()))
    return f"{density:g}C" if str(given).endswith("C") else quantity(density, "A m⁻²")


def _stop_text(stop: Stop) -> str:
    return f"{stop.value:g}C" if stop.is_c_rate else _STOPS[stop.kind](stop.value)


def verdict(results: Results) -> str:
    """What was run and how it ended."""
    study, summary = results.study, results.summary
    materials = [entry.material for name, entry in study.phases.items() if name in results.active]
    what = protocol_text(results)
    size = f" of {box(results.header.size)} (z × y × x)" if results.header else ""
    kind = "half" if isinstance(study.counter, str) else "full"
    against = f" against {study.counter}," if isinstance(study.counter, str) else ""
    if isinstance(study.counter, CounterMaterial):
        against = f" against {study.counter.material},"
    between = f" {quantity(study.separator.thickness, 'µm', 1e6)} separator,"
    if study.negative is not None:
        between = " both electrodes and what is between them,"
    made_of = " and ".join(map(str, materials))
    place = "volume" if study.negative else "electrode"
    where = f"a {kind} cell of {made_of}, {place}{size},{between}{against}"
    if study.surroundings is not None:
        where = f"{made_of} in a stirred electrolyte, volume{size}, potentials against lithium,"
    kelvin = quantity(study.temperature, "K", digits=5)
    text = f"{what[:1].upper()}{what[1:]}: {where} at {kelvin}."
    if not summary:
        return text + " It has not been simulated."
    reason = summary.get("stop_reason")
    return (
        f"{text} It ended at {quantity(summary.get('voltage_end_V'), 'V', digits=4)} after"
        f" {duration(summary.get('time_end_s'))} with"
        f" {quantity(summary.get('areal_capacity_mAh_cm2'), 'mA h cm⁻²', digits=4)} passed"
        + (f"; the last step was ended by: {unbroken(reason)}." if reason else ".")
    )


def balance_state(value: Any) -> State:
    """Whether a balance holds."""
    if not is_number(value):
        return ""
    return "good" if abs(float(value)) <= BALANCE_LIMIT else "bad"


def tiles(results: Results) -> list[Tile]:
    """The numbers to remember."""
    summary = results.summary
    if not summary:
        return []
    found = [float(summary[key]) for key in BALANCES if is_number(summary.get(key))]
    worst = max(found) if found else None
    nominal = summary.get("nominal_capacity_mAh_cm2")
    walls: Mapping[str, float] = summary.get("wall_s", {})
    return [
        Tile("End voltage", number(summary.get("voltage_end_V"), 4), "", "V"),
        Tile(
            "Areal capacity",
            number(summary.get("areal_capacity_mAh_cm2"), 4),
            "",
            "mA h cm⁻²" + (f", nominal {number(nominal)}" if is_number(nominal) else ""),
        ),
        Tile("DoD", number(summary.get("dod_end"), 4), "", "depth of discharge"),
        Tile(
            "Worst balance",
            number(worst, 2),
            "",
            f"limit {number(BALANCE_LIMIT, 1)}",
            balance_state(worst),
        ),
        Tile(
            "Unknowns",
            number(summary.get("dofs")),
            "",
            f"{number(summary.get('steps'))} time steps",
        ),
        Tile("Wall time", duration(sum(walls.values()) if walls else None), "", "all stages"),
    ]
