"""Newton's method for one implicit step, with the physical bounds kept by damping."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from voxtrode.solvers.fields import C_E
from voxtrode.solvers.linear import LinearSolver
from voxtrode.solvers.system import Drive, HalfCellSystem


@dataclass(frozen=True)
class NewtonSettings:
    """Tolerances of the nonlinear solve, relative to the cell's current at 1C.

    Attributes:
        norm: Bound on the 2-norm of each field's residual.
        balance: Bound on the sum of each field's residual: the error of the balances in a step.
        max_iterations: Newton iterations before the step is given up.
        linear: Relative tolerance of each linear solve.
        max_krylov: Cap on Krylov iterations; reaching it gives the step up.
    """

    norm: float = 1e-8
    balance: float = 2e-11
    max_iterations: int = 12
    linear: float = 1e-5
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
        worst: Name of the field with the largest relative residual.
    """

    converged: bool
    iterations: int
    reason: str = ""
    worst: str = ""


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
    blocks = [system.blocks[i] for i in solver.index]
    worst = ""
    for iteration in range(settings.max_iterations + 1):
        start = perf_counter()
        rows = system.residual(drive)
        measured = [_measure(rows[i], scale) for i in solver.index]
        norms, sums = zip(*measured, strict=True)
        work.residual_s += perf_counter() - start
        worst = blocks[int(np.argmax(norms))].name
        if not np.all(np.isfinite(norms)):
            work.seconds += perf_counter() - start
            return NewtonResult(False, iteration, "the residual is not finite", worst)
        if max(norms) <= settings.norm and max(sums) <= settings.balance:
            work.seconds += perf_counter() - start
            return NewtonResult(True, iteration)
        if iteration == settings.max_iterations:
            work.seconds += perf_counter() - start
            break
        middle = perf_counter()
        system.jacobian(drive)
        work.jacobian_s += perf_counter() - middle
        updates, linear = solver.solve(rows, drive.rate, settings.linear)
        work.newton += 1
        work.krylov.append(linear.iterations)
        work.setup_s += linear.setup_s
        work.krylov_s += linear.solve_s
        if linear.converged:
            length = _longest_step(system, blocks, updates)
            for block, update in zip(blocks, updates, strict=True):
                block.values[:] -= length * update
        work.seconds += perf_counter() - start
        if not linear.converged:
            reason = f"the linear solver did not converge in {linear.iterations} iterations"
            return NewtonResult(False, iteration + 1, reason, worst)
    reason = f"Newton's method did not converge in {settings.max_iterations} iterations"
    return NewtonResult(False, settings.max_iterations, reason, worst)


def _measure(vector: PETSc.Vec, scale: float) -> tuple[float, float]:
    return float(vector.norm()) / scale, abs(float(vector.sum())) / scale


def _longest_step(system: HalfCellSystem, blocks: list, updates: list) -> float:
    """Largest fraction of the update that keeps 0 < θ < 1 and c_e > 0; collective.

    A state on its way out goes nine tenths of the way to the bound, so that the iteration
    itself stays inside; the solution is never clipped.
    """
    longest = 1.0
    for block, update in zip(blocks, updates, strict=True):
        if block.storage is None:
            continue
        values = block.values
        upper = np.inf if block.name == C_E else 1.0
        down, up = update > 0.0, update < 0.0
        if down.any():
            longest = min(longest, float(np.min(_room(values[down], update[down]))))
        if np.isfinite(upper) and up.any():
            longest = min(longest, float(np.min(_room(upper - values[up], -update[up]))))
    return float(system.comm.allreduce(longest, op=MPI.MIN))


def _room(distance: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Fraction of a change that uses nine tenths of the distance to a bound, at most 1."""
    return np.minimum(1.0, 0.9 * distance / change)
