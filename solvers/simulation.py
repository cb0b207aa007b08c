"""A protocol carried out on a cell: steps, the instants that are kept, the ends of steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from voxtrode.data.errors import NumericalError
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers import ends
from voxtrode.solvers.cell import Cell, Step
from voxtrode.solvers.history import Attempt
from voxtrode.solvers.initial import InitialState
from voxtrode.solvers.newton import NewtonSettings
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.stepper import Stepper, StepSettings
from voxtrode.solvers.system import HalfCellSystem

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
        current: Current density [A/m²]: applied, or what a held voltage makes.
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


class Simulation:
    """A cell with its protocol.

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
        initial: InitialState | None = None,
        assemble: Callable[[TaggedMesh, Cell], HalfCellSystem] = HalfCellSystem,
    ) -> None:
        """Set the initial state.

        Args:
            mesh: The mesh; collective.
            cell: The cell.
            protocol: Its steps, given the current density of 1C [A/m²].
            settings: Numerical settings.
            initial: Where to start; None: fully charged, in equilibrium.
            assemble: What makes the equations of mesh and cell.
        """
        self.system = assemble(mesh, cell)
        self.quantities = Quantities(self.system)
        if initial is not None:
            initial.put(self.quantities)
        self.protocol = tuple(protocol(self.quantities.one_c))
        self.settings = settings
        self.stepper = Stepper(self.system, self.quantities.one_c, settings.step, settings.newton)
        self.position = Position()

    @property
    def dod(self) -> float:
        """Charge passed since the cell was fully charged, over the nominal capacity."""
        return self.depth_after(self.stepper.history.charges[0])

    def depth_after(self, charge: float) -> float:
        """Depth of discharge when a charge per area has passed since the start [A s/m²]."""
        return self.quantities.depth + charge / self.quantities.nominal

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
        self.stepper.restart(step.current, step.held)
        history = self.stepper.history
        self.position = Position(self.position.step, history.time, history.charges[0])
        ended = self._over(self._ahead(step))
        first = self.position.step == 0 and self.settings.keep_start
        return self._instant(first or (bool(ended) and self.settings.keep_ends), ended)

    def _ahead(self, step: Step) -> ends.Ahead:
        position, quantities = self.position, self.quantities
        return ends.Ahead(
            step,
            position.began,
            position.charge,
            quantities.nominal,
            quantities.depth,
            self.settings.dods,
        )

    def _over(self, ahead: ends.Ahead) -> str:
        """Why a step is over as it begins; empty if it is not."""
        history = self.stepper.history
        for crossing in ahead.crossings():
            if crossing.ends and crossing.room(history.point) <= 0.0:
                return f"{crossing.ends} reached as the step began"
        if any(one.ends and one.time <= history.time for one in ahead.instants()):
            return "already past the end of the step as it began"
        return ""

    def _advance(self, step: Step) -> Instant:
        ahead, now = self._ahead(step), self.stepper.history.time
        # Instants that differ by rounding alone are one, at the end's time.
        apart = ROUNDING * max(now, 1.0)
        instants = [one for one in ahead.instants() if one.ends or one.time > now + apart]
        nearest = min((one.time for one in instants), default=np.inf)
        there = [one for one in instants if one.time - nearest <= apart]
        nearest = next((one.time for one in there if one.ends), nearest)
        crossings = [
            one
            for one in ahead.crossings()
            if one.ends or one.room(self.stepper.history.point) > one.tolerance
        ]
        attempt = self.stepper.step(nearest - now)
        hit = attempt.h == nearest - now
        while crossed := next((c for c in crossings if c.room(attempt.point) < -c.tolerance), None):
            attempt = self._locate(attempt, crossed)
            hit = False
        reached = [c for c in crossings if c.room(attempt.point) <= c.tolerance]
        self.stepper.accept(attempt)
        if hit:
            # The sum of steps and the instant aimed at differ by rounding alone.
            self.stepper.history.time = nearest
        met = [one.ends for one in (*reached, *(there if hit else ()))]
        ended = next((reason for reason in met if reason), "")
        kept = "" in met or (bool(ended) and self.settings.keep_ends)
        return self._instant(kept, ended)

    def _instant(self, kept: bool, ended: str = "") -> Instant:
        history = self.stepper.history
        return Instant(
            history.time, self.position.step, history.current, history.charges[0], kept, ended
        )

    def _locate(self, attempt: Attempt, crossing: ends.Crossing) -> Attempt:
        """Shorten a step that crosses a limit so that it ends on it (Illinois method)."""
        low, high = 0.0, attempt.h
        above, below = crossing.room(self.stepper.history.point), crossing.room(attempt.point)
        side = 0
        for _ in range(60):
            h = low + (high - low) * above / (above - below)
            found = self.stepper.attempt(h)
            if found is None:  # beyond reach of Newton's method: come from below
                high, below = h, -above
                continue
            room = crossing.room(found.point)
            if abs(room) <= crossing.tolerance:
                return found
            if room > 0.0:
                low, above = h, room
                below = 0.5 * below if side > 0 else below
                side = 1
            else:
                high, below = h, room
                above = 0.5 * above if side < 0 else above
                side = -1
        self.stepper.back()
        raise NumericalError(
            f"the instant at which {crossing.what} crosses its limit ({crossing.ends or 'stored'}) "
            f"was not found near t = {self.stepper.history.time + high:.6g} s: "
            f"{self.stepper.failure}"
        )
