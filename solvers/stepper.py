"""Adaptive BDF2 for the coupled cell: one accepted step at a time.

θ and c_e carry the error control (root mean square over the storing volume, the largest of the
fields); potentials follow algebraically. A jump of the current or of a voltage that is held
restarts with implicit Euler from potentials that fit it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.errors import NumericalError
from voxtrode.solvers import bdf, newton
from voxtrode.solvers.history import Attempt, Counters, History, Point, State
from voxtrode.solvers.linear import LinearSolver
from voxtrode.solvers.potentials import CurrentRamp, Ramp, VoltageRamp, solve_potentials
from voxtrode.solvers.system import Drive, HalfCellSystem


@dataclass(frozen=True)
class StepSettings:
    """Control of the time step.

    Attributes:
        rtol: Tolerance on the local error of θ and of c_e/c_e0.
        first: First step after a jump of the current [s].
        smallest: Step below which the run is given up [s].
        largest: Largest step [s].
        swing: Change of voltage that a step aims to stay below [V]: two thermal voltages, within
            reach of Newton's method, and what steepens before the end of a discharge is resolved.
        fade: Change of current that a step under a held voltage aims to stay below, as a share of
            the current (or of a hundredth of 1C). The current follows θ at the surfaces, of which
            the local error of θ, a mean over the volume, knows little.
    """

    rtol: float = 1e-3
    first: float = 0.1
    smallest: float = 1e-4
    largest: float = 600.0
    swing: float = 0.05
    fade: float = 0.2


class Stepper:
    """Advances a system in time.

    Attributes:
        system: The system; holds the present state between steps.
        history: The integrator's memory.
        counters: Evidence.
    """

    def __init__(
        self,
        system: HalfCellSystem,
        scale: float,
        settings: StepSettings,
        newton_settings: newton.NewtonSettings,
    ) -> None:
        """Prepare the solvers; collective.

        Args:
            system: Initial state.
            scale: Current density that tolerances are relative to [A/m²].
            settings: Step control.
            newton_settings: Tolerances of the nonlinear solve.
        """
        self.system = system
        self.settings = settings
        self.newton = newton_settings
        self.scale = scale
        self.counters = Counters()
        names = tuple(field.name for field in system.blocks)
        self._solver = LinearSolver(system, newton_settings.max_krylov, names)
        potentials = tuple(field.name for field in system.blocks if field.storage is None)
        self._potentials = LinearSolver(system, newton_settings.max_krylov, potentials)
        self._stored = [field for field in system.blocks if field.storage is not None]
        self._weights = {f.name: self._sum(f.storage[f.layout.free]) for f in self._stored}  # type: ignore[index]
        self.history = History(
            0.0, [], [system.state()], [0.0], [system.voltage()], settings.first, 0.0
        )
        self.failure = ""
        self._cautious = False

    def restart(self, current: float, held: float | None = None) -> None:
        """Begin a step of the protocol: potentials that fit its current, memory cleared.

        Args:
            current: Current density [A/m²]; of no meaning where a voltage is held.
            held: Voltage that is held [V], or None.

        Raises:
            NumericalError: Where no such potentials are found.
        """
        h = self.history
        self.back()
        self._solver.forget()
        self._potentials.forget()
        ramp: Ramp = CurrentRamp(h.current, current)
        if held is not None:
            ramp = VoltageRamp(h.voltages[0], held)
        work = self.counters.work
        self.failure = solve_potentials(
            self.system, self._potentials, ramp, h.charges[0], self.scale, self.newton, work
        )
        if self.failure:
            self.back()
            aim = f"{current:g} A/m²" if held is None else f"{held:g} V"
            raise NumericalError(
                f"no potentials found for {aim} at t = {h.time:g} s: {self.failure}; "
                "the current may be beyond what the electrolyte or the contacts can carry"
            )
        self.history = History(
            time=h.time,
            steps=[],
            states=[self.system.state()],
            charges=h.charges[:1],
            voltages=[self.system.voltage()],
            suggestion=self.settings.first,
            current=self.system.current,
            held=held,
        )
        self.rebase()

    def rebase(self) -> None:
        """Keep φ_s relative to the present voltage (see :class:`HalfCellSystem`)."""
        self.system.rebase(self.history.states)

    def back(self) -> None:
        """Put the system where the history stands."""
        self.system.set_state(self.history.states[0])
        self.system.current = self.history.current
        self.system.pass_charge(self.history.charges[0])

    def attempt(self, h: float) -> Attempt | None:
        """Solve one step of length h [s] as the history is driven; None where it fails."""
        past = self.history
        rate, coefficients = bdf.derivative(h, past.steps[:1])
        guess = bdf.extrapolation(h, past.steps)
        predicted = _combine(guess, past.states)
        drive = Drive(
            past.current,
            rate,
            _combine(coefficients, past.states),
            _combine_numbers(coefficients, past.charges),
            past.held,
        )
        self.system.pass_charge(drive.charge(past.current))
        if past.held is None and (fault := self.system.fault()):
            self.failure = fault
            return None
        for start in (self._inside(predicted), past.states[0]):
            self.system.set_state(start)
            self.system.pass_charge(drive.charge(past.current))
            if past.held is not None:
                self.system.hold(past.held)
            result = newton.solve(
                self.system, self._solver, drive, self._scale, self.newton, self.counters.work
            )
            if not result.wild:
                break
        worst = self.system.described(result.worst)
        self.failure = "its local error is beyond the tolerance at that length"
        if not result.converged:
            self.failure = f"{result.reason} (largest residual in {worst})"
            return None
        if fault := self.system.fault():
            self.failure = fault
            return None
        factor, order = bdf.error_factor(h, past.steps)
        error = factor * self._distance(predicted) / self.settings.rtol
        point = Point(self.system.voltage(), self.system.current, self.system.charge)
        return Attempt(h, error, order, point)

    def accept(self, attempt: Attempt) -> None:
        """Make an attempt's state, which the system holds, the present one."""
        past = self.history
        self.history = History(
            time=past.time + attempt.h,
            steps=[attempt.h, *past.steps][:2],
            states=[self.system.state(), *past.states][:3],
            charges=[attempt.point.charge, *past.charges][:3],
            voltages=[attempt.point.voltage, *past.voltages][:3],
            suggestion=self.suggested(attempt),
            current=attempt.point.current,
            held=past.held,
        )
        bound = self._within_swing() if past.held is None else self._within_fade()
        self.history.suggestion = min(self.history.suggestion, bound)
        self.counters.accepted += 1
        self.rebase()

    def suggested(self, attempt: Attempt) -> float:
        """Step that would just meet the tolerance [s]; it does not grow after a rejection."""
        ratio = 0.9 * float(max(attempt.error, 1e-6) ** (-1.0 / attempt.order))
        growth = 1.0 if self._cautious else bdf.MAX_GROWTH
        return min(attempt.h * min(max(ratio, 0.2), growth), self.settings.largest)

    def step(self, limit: float) -> Attempt:
        """Find a step that meets the tolerance; it is not yet accepted.

        Args:
            limit: Time to the next instant to be met [s]; the last steps before it are evened
                out so that none is tiny.

        Raises:
            NumericalError: Where the step falls below the smallest one.
        """
        h = self.history.suggestion
        self._cautious = False
        while True:
            h = _towards(h, limit)
            attempt = self.attempt(h)
            shorter = 0.4 * h if attempt is None else self._shorter(attempt)
            if attempt is not None and shorter >= h:
                return attempt
            self.counters.rejected += 1
            self._cautious = True
            h = shorter
            if h < self.settings.smallest:
                self.failure = self._ahead() or self.failure
                raise NumericalError(
                    f"the time step fell below {self.settings.smallest:g} s at "
                    f"t = {self.history.time:.6g} s: {self.failure}"
                )

    def _ahead(self) -> str:
        """Go back to the last good state; why the charge of a short step cannot be passed."""
        past = self.history
        self.back()
        self.system.pass_charge(past.charges[0] + past.current * self.settings.first)
        fault = self.system.fault()
        self.back()
        return fault

    def _within_swing(self) -> float:
        """Step over which the voltage, extrapolated, changes by the swing [s]."""
        h, v = self.history.steps, self.history.voltages
        slope = (v[0] - v[1]) / h[0]
        bend = 0.0
        if len(h) > 1:
            bend = (slope - (v[1] - v[2]) / h[1]) / (h[0] + h[1])
            slope += bend * h[0]
        # Where the curve flattens the slope alone counts; |slope| t + |bend| t² = swing.
        bend = abs(bend) if slope * bend > 0.0 else 0.0
        root = np.sqrt(slope**2 + 4.0 * bend * self.settings.swing)
        return float(2.0 * self.settings.swing / max(abs(slope) + root, 1e-300))

    def _within_fade(self) -> float:
        """Step over which the current of a hold, extrapolated, changes by its share [s].

        The charge of the last step is its mean current, that of the middle.
        """
        h, charges, current = self.history.steps[0], self.history.charges, self.history.current
        slope = (current - (charges[0] - charges[1]) / h) / (0.5 * h)
        share = self.settings.fade * max(abs(current), 0.01 * self.scale)
        return share / max(abs(slope), 1e-300)

    def _shorter(self, attempt: Attempt) -> float:
        """Step to take instead of a solved one [s]; the step itself where it is acceptable."""
        change = abs(attempt.point.voltage - self.history.voltages[0])
        if self.history.steps and change > 2.0 * self.settings.swing:
            return attempt.h * max(self.settings.swing / change, 0.2)
        return attempt.h if attempt.error <= 1.0 else min(self.suggested(attempt), 0.9 * attempt.h)

    @property
    def _scale(self) -> float:
        return max(abs(self.history.current), self.scale) * self.system.area

    def _inside(self, predicted: State) -> State:
        """The first guess: extrapolated, except where that leaves the physical range."""
        guess = dict(predicted)
        present = self.history.states[0]
        for f in self._stored:
            upper = 1.0 if f.name != "c_e" else np.inf
            values = predicted[f.name]
            outside = (values <= 0.0) | (values >= upper)
            guess[f.name] = np.where(outside, present[f.name], values)
        return guess

    def _distance(self, predicted: State) -> float:
        """Largest root mean square difference of a storing field from its extrapolation."""
        worst = 0.0
        for f in self._stored:
            free = f.layout.free
            assert f.storage is not None
            square = f.storage[free] * (f.values[free] - predicted[f.name][free]) ** 2
            worst = max(worst, float(np.sqrt(self._sum(square) / self._weights[f.name])))
        return worst

    def _sum(self, values: npt.NDArray[np.float64]) -> float:
        return float(self.system.comm.allreduce(float(values.sum()), op=MPI.SUM))


def _towards(h: float, limit: float) -> float:
    """Shorten a step so that whole steps end at ``limit``."""
    if h >= 0.999 * limit:
        return limit
    if h > 0.55 * limit:
        return 0.5 * limit
    return h


def _combine(weights: tuple[float, ...], states: list[State]) -> State:
    return {
        name: sum(w * s[name] for w, s in zip(weights, states, strict=False))  # type: ignore[misc]
        for name in states[0]
    }


def _combine_numbers(weights: tuple[float, ...], numbers: list[float]) -> float:
    return sum(w * n for w, n in zip(weights, numbers, strict=False))
