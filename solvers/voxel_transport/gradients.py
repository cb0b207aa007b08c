"""Flexible conjugate gradients with residuals in double precision, stopped by the flux."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from voxtrode.data.errors import NumericalError
from voxtrode.solvers.voxel_transport.fluxes import PlaneFluxes, inflow, plane_fluxes
from voxtrode.solvers.voxel_transport.multigrid import Multigrid
from voxtrode.solvers.voxel_transport.problem import Problem
from voxtrode.solvers.voxel_transport.steps import Sums, advance, products, update
from voxtrode.solvers.voxel_transport.storage import Cells

ROUNDING = 1e-28
"""Square of a residual, over that of the largest fluxes, below which nothing is left to solve."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A potential, its total flux and its evidence, in the problem's unit of flux.

    Attributes:
        flux: Σ c (Δu)² over all faces: with u from 1 to 0 the total flux, to second order in the
            error of u, and from above.
        planes: Fluxes through the planes normal to the axis.
        iterations: Of conjugate gradients.
        potential: u of the layers at hand with ghosts, float64[z, y, x].
    """

    flux: float
    planes: PlaneFluxes
    iterations: int
    potential: Cells


def solve(
    problem: Problem, preconditioner: Multigrid, tolerance: float, max_iterations: int
) -> Solution:
    """Solve A u = 0 with u = 1 and u = 0 at the end faces along the axis; collective.

    Both must hold at the end: the flux is the same through every plane, up to the tolerance, and
    the last step moved the dissipation by no more than the tolerance. The second sees what the
    first cannot, such as lateral currents that leave the sums over planes alone. While iterating,
    the fluxes follow from the residual; at the end they are taken from the faces.

    Args:
        problem: What to solve.
        preconditioner: Of the same operator.
        tolerance: Flux imbalance to stop at.
        max_iterations: Where to give up.

    Raises:
        NumericalError: Not converged in that many iterations.
    """
    op, slab, axis = problem.exact, problem.slab, problem.axis
    u = _linear(problem)
    r, p = (np.zeros(u.shape, np.float32) for _ in range(2))
    lost = np.zeros(u.shape[axis] - 2)
    left, energy = slab.total(update(op, 0.0, p, u, r, axis, lost))
    planes = _expected(problem, u, lost)
    if left <= ROUNDING * planes.mean**2 / max(slab.line.starts[-1], u.shape[axis]):
        return _solution(problem, u, float(energy), 0)

    def step(alpha: float) -> None:
        nonlocal energy
        energy = slab.total(update(op, alpha, p, u, r, axis, lost))[1]

    for iteration, gain in enumerate(descend(problem, preconditioner, p, r, step), start=1):
        planes = _expected(problem, u, lost)
        if planes.imbalance <= tolerance and gain <= tolerance * planes.mean:
            solution = _solution(problem, u, float(energy), iteration)
            planes = solution.planes
            if planes.imbalance <= tolerance:
                return solution
        if iteration == max_iterations:
            break
    raise NumericalError(
        f"voxel transport: flux imbalance {planes.imbalance:.1e} after {max_iterations} "
        f"iterations, {tolerance:.1e} asked for; raise the tolerance"
    )


def descend(
    problem: Problem,
    preconditioner: Multigrid,
    p: Cells,
    r: Cells,
    step: Callable[[float], None],
) -> Iterator[float]:
    """Flexible conjugate gradients without end; collective.

    Args:
        problem: What is solved.
        preconditioner: Of the same operator.
        p: The direction, float32, zero at first.
        r: The residual, float32.
        step: Goes that far along the direction, and refreshes the residual.

    Yields:
        By how much each step has lowered the dissipation.
    """
    op, slab = problem.exact, problem.slab
    a_p = np.zeros(r.shape, np.float32)
    rho, alpha = 1.0, 0.0
    while True:
        z = preconditioner.apply(r)
        new, other = slab.total(products(z, r, a_p))
        # Flexible: z·(r − r_old)/(z_old·r_old), and r − r_old = −alpha A p.
        beta, rho = -alpha * other / rho, float(new)
        slab.fill(z)
        alpha = rho / float(slab.total(advance(op, np.float32(beta), z, p, a_p)))
        step(alpha)
        yield alpha * rho


def _expected(problem: Problem, u: Cells, lost: Sums) -> PlaneFluxes:
    """Fluxes through the planes: what enters, less what each layer of cells keeps."""
    slab, axis = problem.slab, problem.axis
    kept = slab.line.join(lost) if axis == 0 else slab.added(lost)
    first = inflow(problem.table, u, axis, slab)
    return PlaneFluxes.of(np.concatenate([[first], first - np.cumsum(kept)]))


def _solution(problem: Problem, u: Cells, energy: float, iterations: int) -> Solution:
    planes = plane_fluxes(problem.table, u, problem.axis, problem.slab)
    # Summed by parts: Σ c (Δu)² is what enters at u = 1, and Σ u (A u), zero for the exact u.
    return Solution(planes.first + energy, planes, iterations, u)


def _linear(problem: Problem) -> Cells:
    """The potential of a uniform block in what conducts, double precision; 0 elsewhere."""
    phase, axis, starts = problem.table.phase, problem.axis, problem.slab.line.starts
    here = starts[problem.slab.line.rank] if axis == 0 else 0
    n = starts[-1] if axis == 0 else phase.shape[axis] - 2
    at = here + np.arange(phase.shape[axis])
    along = np.clip(1.0 - (at - 0.5) / n, 0.0, 1.0)
    shape = [1, 1, 1]
    shape[axis] = len(at)
    return np.asarray((phase != 0) * along.reshape(shape))
