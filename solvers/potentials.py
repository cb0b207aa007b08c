"""Potentials that fit a jump of the current or of a held voltage, at given stored states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxtrode.solvers import newton
from voxtrode.solvers.history import State
from voxtrode.solvers.linear import LinearSolver
from voxtrode.solvers.system import Drive, HalfCellSystem

PARTS: Sequence[int] = (1, 4, 16)
"""The way to the new potentials is gone at once, then in quarters, then in sixteenths."""


class Ramp(Protocol):
    """A way from one drive to another."""

    def drive(self, share: float, zero: State, charge: float) -> Drive:
        """The drive at a share of the way."""
        ...


@dataclass(frozen=True)
class CurrentRamp:
    """Drives from one current density to another [A/m²], at given stored states."""

    before: float
    after: float

    def drive(self, share: float, zero: State, charge: float) -> Drive:
        """The drive at a share of the way."""
        return Drive(self.before + (self.after - self.before) * share, 0.0, zero, charge)


@dataclass(frozen=True)
class VoltageRamp:
    """Drives from one held voltage to another [V], at given stored states."""

    before: float
    after: float

    def drive(self, share: float, zero: State, charge: float) -> Drive:
        """The drive at a share of the way."""
        held = self.before + (self.after - self.before) * share
        return Drive(0.0, 0.0, zero, charge, held)


def solve_potentials(
    system: HalfCellSystem,
    solver: LinearSolver,
    ramp: Ramp,
    charge: float,
    scale: float,
    settings: newton.NewtonSettings,
    work: newton.Work,
) -> str:
    """Solve for the potentials, in one go or by going there in parts; collective.

    Args:
        system: The present state in; potentials that fit the end of the ramp out. After a failure
            the state is of no use.
        solver: Linear solver of the potentials.
        ramp: Where to.
        charge: Charge passed per area [A s/m²].
        scale: Current density that tolerances are relative to at least [A/m²].
        settings: Tolerances.
        work: Totals that are added to.

    Returns:
        Why no such potentials were found; empty if they were.
    """
    start = system.state()
    zero = {
        field.name: np.zeros(field.layout.region.n_local)
        for field in system.blocks
        if field.storage is not None
    }
    failure = ""
    for parts in PARTS:
        system.set_state(start)
        failure = ""
        for part in range(1, parts + 1):
            drive = ramp.drive(part / parts, zero, charge)
            if drive.held is not None:
                system.hold(drive.held)
            size = max(abs(drive.current), scale) * system.area
            result = newton.solve(system, solver, drive, size, settings, work)
            if not result.converged:
                failure = result.reason
                break
        if not failure:
            return ""
    return failure
