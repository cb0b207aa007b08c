"""What the time integration remembers: states, the curve, totals; all that a restart needs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from voxtrode.solvers.newton import Work

State = dict[str, npt.NDArray[np.float64]]


@dataclass
class History:
    """The integrator's memory: all that a restart needs.

    Attributes:
        time: Present time [s].
        steps: Last accepted steps [s], the newest first, up to two.
        states: Present state and earlier ones, the newest first, one more than ``steps``.
        charges: Charge passed per area [A s/m²] at the same instants.
        voltages: Cell voltages [V] at the same instants.
        suggestion: Step that the error control suggests next [s].
        current: Current density [A/m²] that the present potentials belong to.
        held: Voltage that is held [V]; None at constant current.
    """

    time: float
    steps: list[float]
    states: list[State]
    charges: list[float]
    voltages: list[float]
    suggestion: float
    current: float
    held: float | None = None

    @property
    def point(self) -> "Point":
        """The present instant of the curve."""
        return Point(self.voltages[0], self.current, self.charges[0])


@dataclass(frozen=True)
class Point:
    """A point of the curve of a cell.

    Attributes:
        voltage: Cell voltage [V].
        current: Current density [A/m²].
        charge: Charge passed per area [A s/m²].
    """

    voltage: float
    current: float
    charge: float


@dataclass(frozen=True)
class Attempt:
    """A step that Newton's method solved; the system holds its state.

    Attributes:
        h: The step [s].
        error: Local error over the tolerance.
        order: Power of h that the error goes with.
        point: The curve at its end.
    """

    h: float
    error: float
    order: int
    point: Point

    @property
    def voltage(self) -> float:
        """Cell voltage at its end [V]."""
        return self.point.voltage


@dataclass
class Counters:
    """Evidence of a run.

    Attributes:
        accepted, rejected: Steps.
        work: Newton and Krylov totals.
    """

    accepted: int = 0
    rejected: int = 0
    work: Work = field(default_factory=Work)

    def restore(self, saved: dict[str, Any]) -> None:
        """Take over the totals of an earlier part of the run."""
        self.accepted, self.rejected = saved["accepted"], saved["rejected"]
        self.work = Work(**saved["work"])
