"""Flexible conjugate gradients in double precision, stopped by what the result is needed for."""

from dataclasses import dataclass

import numpy as np

from voxtrode.data.errors import NumericalError
from voxtrode.solvers.voxel_transport import kernels
from voxtrode.solvers.voxel_transport.fluxes import PlaneFluxes, plane_fluxes
from voxtrode.solvers.voxel_transport.kernels import Cells, Operator
from voxtrode.solvers.voxel_transport.multigrid import Multigrid
from voxtrode.solvers.voxel_transport.slab import Slab
from voxtrode.solvers.voxel_transport.vectors import add_scaled, product, scale_add

ROUNDING = 1e-28
"""Square of a residual, over that of the largest fluxes, below which nothing is left to solve."""


@dataclass(frozen=True)
class Solution:
    """A potential's total flux and its evidence, in the problem's unit of flux.

    Attributes:
        flux: Σ c (Δu)² over all faces: with u from 1 to 0 the total flux, to second order in the
            error of u, and from above.
        planes: Fluxes through the planes normal to the axis.
        iterations: Of conjugate gradients.
    """

    flux: float
    planes: PlaneFluxes
    iterations: int


def solve(
    op: Operator,
    axis: int,
    slab: Slab,
    preconditioner: Multigrid,
    tolerance: float,
    max_iterations: int,
) -> Solution:
    """Solve A u = 0 with u = 1 and u = 0 at the end faces along an axis.

    Both must hold at the end: the flux is the same through every plane, up to the tolerance, and
    the last step moved the dissipation by no more than the tolerance. The second sees what the
    first cannot, such as lateral currents that leave the sums over planes alone.

    Args:
        op: The operator in double precision.
        axis: 0, 1, 2 for z, y, x.
        slab: Ghosts and sums.
        preconditioner: Of the same operator.
        tolerance: Flux imbalance to stop at.
        max_iterations: Where to give up.

    Raises:
        NumericalError: Not converged in that many iterations.
    """
    total, fill = slab.total, slab.fill
    u = _linear(op[0], axis)
    fill(u)
    r, p, a_p = (np.zeros(u.shape) for _ in range(3))
    planes = plane_fluxes(op, u, axis)
    left = total(kernels.residual(op, u, r))
    if left <= ROUNDING * planes.mean**2 / u.shape[axis]:
        return _solution(op, slab, u, a_p, axis, 0)
    rho, alpha = 1.0, 0.0
    for iteration in range(1, max_iterations + 1):
        z = preconditioner.apply(r)
        new = total(product(z, r))
        # Flexible: z·(r − r_old)/(z_old·r_old), and r − r_old = −alpha A p.
        beta = -alpha * total(product(z, a_p)) / rho
        rho = new
        scale_add(p, beta, z)
        fill(p)
        alpha = rho / total(kernels.apply(op, p, a_p))
        add_scaled(u, alpha, p)
        add_scaled(r, -alpha, a_p)
        fill(u)
        planes = plane_fluxes(op, u, axis)
        if planes.imbalance <= tolerance and alpha * rho <= tolerance * planes.mean:
            return _solution(op, slab, u, a_p, axis, iteration)
    raise NumericalError(
        f"voxel transport: flux imbalance {planes.imbalance:.1e} after {max_iterations} "
        f"iterations, {tolerance:.1e} asked for; raise the tolerance"
    )


def _solution(
    op: Operator, slab: Slab, u: Cells, scratch: Cells, axis: int, iterations: int
) -> Solution:
    planes = plane_fluxes(op, u, axis)
    # Summed by parts: Σ c (Δu)² is what enters at u = 1, and Σ u (A u), zero for the exact u.
    flux = planes.first + slab.total(kernels.apply(op, u, scratch))
    return Solution(flux, planes, iterations)


def _linear(phase: Cells, axis: int) -> Cells:
    """The potential of a uniform block in what conducts, double precision; 0 elsewhere."""
    n = phase.shape[axis] - 2
    along = 1.0 - (np.arange(n + 2) - 0.5) / n
    along[0], along[-1] = 1.0, 0.0
    shape = [1, 1, 1]
    shape[axis] = n + 2
    return np.asarray((phase != 0) * along.reshape(shape))
