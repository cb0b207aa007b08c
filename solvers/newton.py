"""Newton's method for one implicit step, with the physical bounds kept by damping."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from petsc4py import PETSc

from voxtrode.solvers.fields import C_E, PHI_S, Field
from voxtrode.solvers.linear import LinearSolver
from voxtrode.solvers.system import Drive, HalfCellSystem

LAGGING = 0.01
"""Share of the residual left by one iteration beyond which volume terms are assembled anew."""

LONG = 600.0
"""Length of a time step [s] beyond which the bound on the balances falls with it."""


@dataclass(frozen=True)
class NewtonSettings:
    """Tolerances of the nonlinear solve, relative to the cell's current at 1C.

    Attributes:
        norm: Bound on the 2-norm of each field's residual.
        balance: Bound on the sum of each field's residual: the error of the balances in a step of
            up to :data:`LONG`. Time multiplies what is left of a current: in longer steps the
            bound falls with their length, as long as iterations still halve the residual.
        voltage: Bound on the distance from a voltage that is held [V].
        max_iterations: Newton iterations before the step is given up.
        wild: Residual of a first guess beyond which it is not worth starting from.
        linear: Smallest relative tolerance of a linear solve.
        max_krylov: Cap on Krylov iterations; reaching it gives the step up.
    """

    norm: float = 1e-8
    balance: float = 1e-11
    voltage: float = 1e-10
    max_iterations: int = 12
    wild: float = 1e3
    linear: float = 1e-4
    max_krylov: int = 200


@dataclass
class Work:
    """Running totals of Newton work, for the evidence."""

    newton: int = 0
    krylov: list[int] = field(default_factory=list)
    seconds: float = 0.0
    residual_s: float = 0.0
    jacobian_s: float = 0.0
    setup_s: float = 0.0
    krylov_s: float = 0.0


@dataclass(frozen=True)
class NewtonResult:
    """Outcome of one nonlinear solve.

    Attributes:
        converged: Whether both tolerances were met.
        iterations: Newton iterations.
        reason: Why it did not converge; empty if it did.
        wild: The first guess was no place to start from.
        worst: Name of the field with the largest relative residual.
    """

    converged: bool
    iterations: int
    reason: str = ""
    worst: str = ""
    wild: bool = False


def solve(
    system: HalfCellSystem,
    solver: LinearSolver,
    drive: Drive,
    scale: float,
    settings: NewtonSettings,
    work: Work,
) -> NewtonResult:
    """Solve the equations of the solver's fields, starting from the system's state; collective.

    Args:
        system: State in, solution out. After a failure the state is of no use.
        solver: Linear solver of the fields that are solved for.
        drive: Current and time derivative.
        scale: Current that the tolerances are relative to [pA].
        settings: Tolerances.
        work: Totals that are added to.
    """
    blocks = {field.name: field for field in system.blocks if field.name in solver.names}
    stricter = max(1.0, 1.0 / (LONG * drive.rate)) if drive.rate else 1.0
    tight = replace(settings, balance=settings.balance / stricter)
    worst = ""
    history: list[float] = []
    for iteration in range(settings.max_iterations + 1):
        start = perf_counter()
        rows = system.residual(drive)
        excess = {name: _excess(rows[name], scale, tight) for name in solver.names}
        if drive.held is not None:
            excess[PHI_S] = max(excess[PHI_S], abs(system.off_voltage) / settings.voltage)
        worst = max(excess, key=lambda name: excess[name])
        work.residual_s += perf_counter() - start
        if not np.all(np.isfinite(list(excess.values()))):
            work.seconds += perf_counter() - start
            return NewtonResult(False, iteration, "the residual is not finite", worst, True)
        # Within ten times the tolerance (of a short step) and no longer halved: that is rounding.
        level = bool(history) and 0.5 * history[-1] < excess[worst] <= 10.0 * stricter
        if level and excess[worst] > 10.0:
            level = all(_excess(rows[name], scale, settings) <= 10.0 for name in solver.names)
            level &= drive.held is None or abs(system.off_voltage) <= 10.0 * settings.voltage
        if excess[worst] <= 1.0 or level:
            work.seconds += perf_counter() - start
            return NewtonResult(True, iteration)
        if iteration == settings.max_iterations:
            work.seconds += perf_counter() - start
            break
        reason = _hopeless([*history, excess[worst]], settings)
        if reason:
            work.seconds += perf_counter() - start
            return NewtonResult(False, iteration, reason, worst, wild=not history)
        # D_e and κ follow c_e, which moves little within a step: only what Γ does is new each time,
        # unless the iteration turns slow.
        fresh = not history or excess[worst] > LAGGING * history[-1]
        history.append(excess[worst])
        middle = perf_counter()
        system.jacobian(drive, fresh)
        system.aim(rows)
        work.jacobian_s += perf_counter() - middle
        # No more digits than the tolerance asks for: beyond it rounding would stall the solver.
        rtol = max(settings.linear, 0.1 / excess[worst])
        updates, linear = solver.solve(rows, drive.rate, rtol)
        work.newton += 1
        work.krylov.append(linear.iterations)
        work.setup_s += linear.setup_s
        work.krylov_s += linear.solve_s
        if linear.converged:
            length = _longest_step(system, blocks, updates)
            for name, block in blocks.items():
                block.values[:] -= length * updates[name]
        work.seconds += perf_counter() - start
        if not linear.converged:
            reason = f"the linear solver did not converge in {linear.iterations} iterations"
            return NewtonResult(False, iteration + 1, reason, worst)
    reason = f"Newton's method did not converge in {settings.max_iterations} iterations"
    return NewtonResult(False, settings.max_iterations, reason, worst)


def _hopeless(history: list[float], settings: NewtonSettings) -> str:
    """Why an iteration is not worth going on with, given its excesses so far; else empty."""
    if len(history) == 1 and history[0] > settings.wild / min(settings.norm, settings.balance):
        return "the first guess is far from any solution"
    # Close to the tolerance inexact solves go up and down before they meet it.
    if len(history) > 4 and history[-1] > max(0.5 * history[-3], 30.0):
        return f"Newton's method stalls after {len(history) - 1} iterations"
    return ""


def _excess(vector: PETSc.Vec, scale: float, settings: NewtonSettings) -> float:
    """How far a field's rows are from their tolerances: at most 1 where both are met."""
    norm, total = float(vector.norm()) / scale, abs(float(vector.sum())) / scale
    return max(norm / settings.norm, total / settings.balance)


def _longest_step(
    system: HalfCellSystem,
    blocks: Mapping[str, Field],
    updates: Mapping[str, npt.NDArray[np.float64]],
) -> float:
    """Largest fraction of the update that keeps 0 < θ < 1 and c_e > 0; collective.

    A state on its way out goes nine tenths of the way to the bound, so that the iteration
    itself stays inside; the solution is never clipped.
    """
    longest = 1.0
    for name, block in blocks.items():
        if block.storage is None:
            continue
        values, update = block.values, updates[name]
        down, up = update > 0.0, update < 0.0
        if down.any():
            longest = min(longest, float(np.min(_room(values[down], update[down]))))
        if name != C_E and up.any():
            longest = min(longest, float(np.min(_room(1.0 - values[up], -update[up]))))
    return float(system.comm.allreduce(longest, op=MPI.MIN))


def _room(
    distance: npt.NDArray[np.float64], change: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Fraction of a change that uses nine tenths of the distance to a bound, at most 1."""
    return np.minimum(1.0, 0.9 * distance / change)
