"""Where steps end and states are kept: instants known ahead, and crossings located as they come.

Under constant current a charge is a time, so that depths of discharge are instants known ahead;
voltages cross their limits wherever they do. Under constant voltage only times are known ahead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from voxtrode.solvers.cell import Step
from voxtrode.solvers.history import Point

VOLTAGE_TOLERANCE = 1e-6
"""Distance from a cut-off voltage at which a step ends [V]."""
CURRENT_TOLERANCE = 1e-6
"""The same for the current that ends a hold, over that current."""
CHARGE_TOLERANCE = 1e-9
"""The same for a charge under a hold, over the nominal capacity."""


@dataclass(frozen=True)
class Due:
    """A time that is known ahead.

    Attributes:
        time: [s].
        ends: Why the step ends there; empty where the state is kept only.
    """

    time: float
    ends: str = ""


@dataclass(frozen=True)
class Crossing:
    """A limit that the cell's curve crosses.

    Attributes:
        room: Distance of a point of the curve from the limit: positive before, negative past it.
        tolerance: Distance from the limit that counts as on it.
        what: What crosses, for messages.
        ends: Why the step ends there; empty where the state is kept only.
    """

    room: Callable[[Point], float]
    tolerance: float
    what: str
    ends: str = ""


@dataclass(frozen=True)
class Ahead:
    """The ends and stored instants of one step of the protocol.

    Attributes:
        step: The step.
        began: Time at which it began [s].
        passed: Charge passed per area when it began [A s/m²].
        nominal: Nominal capacity [A s/m²].
        depth: Depth of discharge at which no charge has passed.
        dods: Depths of discharge at which the state is kept.
    """

    step: Step
    began: float
    passed: float
    nominal: float
    depth: float
    dods: tuple[float, ...]

    def instants(self) -> list[Due]:
        """Instants known as the step begins, past ones included."""
        step, found = self.step, []
        if step.duration is not None:
            found.append(Due(self.began + step.duration, f"time {step.duration:g} s"))
        if step.held is None and step.current != 0.0:
            for charge, reason in self._charges():
                found.append(Due(self.began + charge / step.current, reason))
        return found

    def crossings(self) -> list[Crossing]:
        """Limits that the curve may cross, past ones included."""
        step, found = self.step, []
        if step.held is None and step.voltage is not None and step.current != 0.0:
            found.append(_voltage(step.voltage, np.sign(step.current)))
        if step.held is not None:
            if step.least is not None:
                found.append(_current(step.least))
            found += [
                _charge(self.passed, charge, CHARGE_TOLERANCE * self.nominal, reason)
                for charge, reason in self._charges()
            ]
        return found

    def _charges(self) -> Iterator[tuple[float, str]]:
        """Charges of the step [A s/m²] at which it ends or the state is kept, and why it ends."""
        step = self.step
        if step.capacity is not None:
            reason = f"capacity {step.capacity / 36000.0:g} mAh/cm2"
            if step.held is None:
                yield np.copysign(step.capacity, step.current), reason
            else:
                yield step.capacity, reason
                yield -step.capacity, reason
        if step.dod is not None:
            yield self._charge_at(step.dod), f"DoD {step.dod:g}"
        if step.held is not None or step.current != 0.0:
            for dod in self.dods:
                yield self._charge_at(dod), ""

    def _charge_at(self, dod: float) -> float:
        return (dod - self.depth) * self.nominal - self.passed


def _voltage(limit: float, sign: float) -> Crossing:
    return Crossing(
        lambda point: sign * (point.voltage - limit),
        VOLTAGE_TOLERANCE,
        "the voltage",
        f"voltage {limit:g} V",
    )


def _current(least: float) -> Crossing:
    return Crossing(
        lambda point: abs(point.current) - least,
        CURRENT_TOLERANCE * least,
        "the current",
        f"current {least:g} A/m2",
    )


def _charge(passed: float, charge: float, tolerance: float, reason: str) -> Crossing:
    sign = np.sign(charge)
    return Crossing(
        lambda point: sign * (charge - (point.charge - passed)), tolerance, "the charge", reason
    )
