"""A protocol carried out on a half cell: steps, the instants that are kept, the ends of steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from voxtrode.data.errors import NumericalError
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.cell import Cell, Step
from voxtrode.solvers.newton import NewtonSettings
from voxtrode.solvers.particles import Window
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.stepper import Attempt, Stepper, StepSettings
from voxtrode.solvers.system import HalfCellSystem

VOLTAGE_TOLERANCE = 1e-6
"""Distance from a cut-off voltage at which a step ends [V]."""
ROUNDING = 1e-9
"""Instants closer than this share of the time are the same instant."""


@dataclass(frozen=True)
class Settings:
    """Numerical settings of a simulation.

    Attributes:
        step: Control of the time step.
        newton: Tolerances of the nonlinear solve.
        dods: Depths of discharge at which the state is kept, ascending.
        keep_start, keep_ends: Whether the start and the ends of steps are kept.
    """

    step: StepSettings = field(default_factory=StepSettings)
    newton: NewtonSettings = field(default_factory=NewtonSettings)
    dods: tuple[float, ...] = ()
    keep_start: bool = True
    keep_ends: bool = True


@dataclass(frozen=True)
class Instant:
    """An accepted instant, at which the system holds the state.

    Attributes:
        time: [s] since the start.
        step: Index of the protocol step.
        current: Applied current density [A/m²].
        charge: Charge passed per area since the start [A s/m²].
        kept: Whether fields and particles are to be kept.
        ended: Why the step ended here; empty within a step.
    """

    time: float
    step: int
    current: float
    charge: float
    kept: bool
    ended: str = ""


@dataclass
class Position:
    """Where in its protocol a simulation stands.

    Attributes:
        step: Index of the protocol step.
        began: Time at which it began [s]; negative before its first instant.
        charge: Charge passed per area when it began [A s/m²].
    """

    step: int = 0
    began: float = -1.0
    charge: float = 0.0


@dataclass(frozen=True)
class _Target:
    """An instant that a time step must end on."""

    time: float
    reason: str


class Simulation:
    """A half cell with its protocol.

    Attributes:
        system: Equations and state.
        quantities: What is reported of the state.
        stepper: Time integration.
        position: Where the protocol stands; with the stepper's history all that a restart needs.
    """

    def __init__(
        self,
        mesh: TaggedMesh,
        cell: Cell,
        protocol: Callable[[float], Sequence[Step]],
        settings: Settings,
        assemble: Callable[[TaggedMesh, Cell], HalfCellSystem] = HalfCellSystem,
    ) -> None:
        """Set the uniform initial state: θ₀ everywhere, c_e0, potentials at equilibrium.

        Args:
            mesh: The mesh; collective.
            cell: The half cell.
            protocol: Its steps, given the current density of 1C [A/m²].
            settings: Numerical settings.
            assemble: What makes the equations of mesh and cell.
        """
        self.system = assemble(mesh, cell)
        fields = self.system.fields
        fields.c_e.values[:] = 1.0
        for surface in self.system.active:
            window = Window.of(surface.material, cell.upper, cell.lower)
            fields.theta[surface.label].values[:] = window.empty
        self.system.reference = cell.upper
        fields.phi_s.values[:] = 0.0
        self.quantities = Quantities(self.system)
        self.protocol = tuple(protocol(self.quantities.one_c))
        self.settings = settings
        self.stepper = Stepper(self.system, self.quantities.one_c, settings.step, settings.newton)
        self.position = Position()

    @property
    def dod(self) -> float:
        """Charge passed over the nominal capacity."""
        return self.stepper.history.charges[0] / self.quantities.nominal

    def run(self) -> Iterator[Instant]:
        """Carry out the protocol from where it stands.

        Yields:
            Every accepted instant; the first one of each step comes with the potentials of the
            new current.

        Raises:
            NumericalError: Where no step succeeds; the system then holds the last good state.
        """
        while self.position.step < len(self.protocol):
            step = self.protocol[self.position.step]
            ended = ""
            if self.position.began < 0.0:
                instant = self._begin(step)
                ended = instant.ended
                yield instant
            while not ended:
                instant = self._advance(step)
                ended = instant.ended
                yield instant
            self.position = Position(step=self.position.step + 1)

    def _begin(self, step: Step) -> Instant:
        self.stepper.restart(step.current)
        history = self.stepper.history
        self.position = Position(self.position.step, history.time, history.charges[0])
        ended = self._over(step)
        first = self.position.step == 0 and self.settings.keep_start
        return self._instant(step, first or (bool(ended) and self.settings.keep_ends), ended)

    def _over(self, step: Step) -> str:
        """Why a step is over as it begins; empty if it is not."""
        if step.voltage is not None and self.system.voltage() <= step.voltage:
            return f"voltage {step.voltage:g} V reached as the step began"
        if any(target.time <= self.stepper.history.time for target in self._ends(step)):
            return "already past the end of the step as it began"
        return ""

    def _advance(self, step: Step) -> Instant:
        now = self.stepper.history.time
        ends, keeps = self._ends(step), self._keeps(step)
        nearest = min([*(end.time for end in ends), *keeps], default=np.inf)
        # An end and a stored instant that differ by rounding alone are one, at the end's time.
        apart = ROUNDING * max(now, 1.0)
        end = next((e for e in ends if abs(e.time - nearest) <= apart), None)
        if end is not None:
            nearest = end.time
        attempt = self.stepper.step(nearest - now)
        hit = attempt.h == nearest - now
        ended = end.reason if end is not None and hit else ""
        if step.voltage is not None and attempt.voltage < step.voltage:
            attempt = self._locate(attempt, step.voltage)
            hit, ended = False, f"voltage {step.voltage:g} V"
        self.stepper.accept(attempt)
        if hit:
            # The sum of steps and the instant aimed at differ by rounding alone.
            self.stepper.history.time = nearest
        asked = hit and any(abs(time - nearest) <= apart for time in keeps)
        kept = asked or (bool(ended) and self.settings.keep_ends)
        return self._instant(step, kept, ended)

    def _instant(self, step: Step, kept: bool, ended: str = "") -> Instant:
        history = self.stepper.history
        return Instant(
            history.time, self.position.step, step.current, history.charges[0], kept, ended
        )

    def _ends(self, step: Step) -> list[_Target]:
        """Instants at which conditions other than a voltage end the step."""
        began, nominal = self.position.began, self.quantities.nominal
        found = []
        if step.duration is not None:
            found.append(_Target(began + step.duration, f"time {step.duration:g} s"))
        if step.capacity is not None and step.current != 0.0:
            time = began + step.capacity / abs(step.current)
            found.append(_Target(time, f"capacity {step.capacity / 36000.0:g} mAh/cm2"))
        if step.dod is not None and step.current != 0.0:
            time = began + (step.dod * nominal - self.position.charge) / step.current
            found.append(_Target(time, f"DoD {step.dod:g}"))
        return found

    def _keeps(self, step: Step) -> list[float]:
        """Instants ahead at which the state is kept [s]."""
        if step.current == 0.0:
            return []
        began, nominal = self.position.began, self.quantities.nominal
        now = self.stepper.history.time
        past = now + ROUNDING * max(now, 1.0)
        charges = [dod * nominal - self.position.charge for dod in self.settings.dods]
        times = [began + charge / step.current for charge in charges]
        return [time for time in times if time > past]

    def _locate(self, attempt: Attempt, cutoff: float) -> Attempt:
        """Shorten a step that crosses a cut-off so that it ends on it (Illinois method)."""
        low, high = 0.0, attempt.h
        above, below = self.system.reference - cutoff, attempt.voltage - cutoff
        side = 0
        for _ in range(60):
            if abs(below) <= VOLTAGE_TOLERANCE and attempt.h == high:
                return attempt
            h = low + (high - low) * above / (above - below)
            found = self.stepper.attempt(h)
            if found is None:  # beyond reach of Newton's method: come from below
                high, below = h, -above
                continue
            attempt = found
            excess = found.voltage - cutoff
            if abs(excess) <= VOLTAGE_TOLERANCE:
                return found
            if excess > 0.0:
                low, above = h, excess
                below = 0.5 * below if side > 0 else below
                side = 1
            else:
                high, below = h, excess
                above = 0.5 * above if side < 0 else above
                side = -1
        self.system.set_state(self.stepper.history.states[0])
        raise NumericalError(
            f"the instant at which the voltage crosses {cutoff:g} V was not found near "
            f"t = {self.stepper.history.time + high:.6g} s: {self.stepper.failure}"
        )
