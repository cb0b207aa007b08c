"""Newton iterations that a protocol will take, about, before anything runs: for estimates.

A step begins with small time steps after the jump of the current, whatever it is; then a discharge
or a charge takes time steps by how far it goes, and everything at least one each `max_dt`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_protocol import OneStep, Repeat
from voxtrode.pipeline.study_stops import Stop, StopKind

TO_BEGIN = 40.0
"""Of the 14 time steps or so after a jump; half cells of the tests take 13 to 18."""
OF_DISCHARGE = 180.0
"""Further ones from full to empty; with the beginning 220 as in the study `quickstart`."""
OF_TIME_STEP = 2.0
"""Of a time step where little happens."""
_HOUR = 3600.0


@dataclass
class _Count:
    """Iterations of steps one after another.

    Attributes:
        nominal: Nominal areal capacity [A s/m²], or None where the mesh will tell.
        max_dt: Largest time step [s].
        dod: Depth of discharge where the next step begins, about.
    """

    nominal: float | None
    max_dt: float
    dod: float

    def protocol(self, protocol: Sequence[OneStep | Repeat]) -> float:
        """Of steps; a repetition's rounds count as its first one."""
        return sum(
            step.repeat * self.protocol(step.steps) if isinstance(step, Repeat) else self._of(step)
            for step in protocol
        )

    def _of(self, step: OneStep) -> float:
        rate = self._rate(step)
        share = min((self._share(stop, step, rate) for stop in step.stops), default=1.0)
        share = min(share, 1.0) if step.direction else 0.0
        times = [stop.value for stop in step.stops if stop.kind is StopKind.TIME]
        if rate:
            times.append(share * _HOUR / rate)
        self.dod = min(max(self.dod + step.direction * share, 0.0), 1.0)
        long = OF_TIME_STEP * min(times, default=0.0) / self.max_dt
        return max(TO_BEGIN + OF_DISCHARGE * share, long)

    def _rate(self, step: OneStep) -> float | None:
        """C-rate, either way; None where it is not known before the mesh."""
        if self.nominal is not None:
            return abs(step.current_density(self.nominal / _HOUR)) * _HOUR / self.nominal
        one, two = (abs(step.current_density(one_c)) for one_c in (1.0, 2.0))
        return one if two == 2.0 * one else None

    def _share(self, stop: Stop, step: OneStep, rate: float | None) -> float:
        """DoD that passes until a condition is met; 1 where it is not known."""
        if stop.kind is StopKind.DOD:
            return abs(stop.value - self.dod)
        if stop.kind is StopKind.CAPACITY and self.nominal is not None:
            return stop.value / self.nominal
        if stop.kind is StopKind.TIME and rate is not None:
            return stop.value * rate / _HOUR
        left = 1.0 - self.dod if step.direction > 0 else self.dod
        return left if stop.kind is StopKind.VOLTAGE and left > 0.0 else 1.0


def expected_iterations(study: Study) -> float:
    """Newton iterations of a study's protocol, about."""
    start = study.initial.sol if study.initial.sol is not None else 0.0
    return _Count(study.nominal_capacity, study.solver.max_dt, start).protocol(study.protocol)
