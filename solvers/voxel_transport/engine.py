"""Effective transport through a labelled volume, on its voxels."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from mpi4py import MPI

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError
from voxtrode.solvers.bounds import check_wiener
from voxtrode.solvers.voxel_transport.fluxes import by_plane
from voxtrode.solvers.voxel_transport.gradients import solve
from voxtrode.solvers.voxel_transport.line import Line, on_slabs
from voxtrode.solvers.voxel_transport.multigrid import Multigrid
from voxtrode.solvers.voxel_transport.problem import (
    Inside,
    Labels,
    Problem,
    check,
    create_problem,
)
from voxtrode.solvers.voxel_transport.storage import Cells

MAX_ITERATIONS = 500

LOWEST_TOLERANCE = 1e-12
"""Flux imbalance that rounding in double precision leaves within reach."""


@dataclass(frozen=True)
class VoxelTransport:
    """Effective transport along one axis.

    Attributes:
        axis: ``z``, ``y`` or ``x``.
        fraction: Volume fraction that carries: Σ φ_i ε_i (φ_p for a single phase).
        percolating_fraction: The same over what is connected to both end faces.
        isolated_share: Share of the conducting voxels that is not.
        effective_ratio: D_eff/D₀ of the volume; 0 without a path.
        tortuosity_factor: τ = fraction/effective_ratio; infinite without a path.
        flux_imbalance: (max − min)/mean of the total flux over all planes normal to the axis.
        iterations: Of conjugate gradients.
        wall_s: Wall time [s].
    """

    axis: str
    fraction: float
    percolating_fraction: float
    isolated_share: float
    effective_ratio: float
    tortuosity_factor: float
    flux_imbalance: float
    iterations: int
    wall_s: float
    method: str = "voxel"

    @property
    def percolating_tortuosity_factor(self) -> float:
        """percolating_fraction/effective_ratio; infinite without a path."""
        ratio = self.effective_ratio
        return self.percolating_fraction / ratio if ratio > 0.0 else inf


@dataclass(frozen=True, eq=False)
class Solved:
    """A row with the potential that it was taken from.

    Attributes:
        row: The row.
        problem: What was solved; None on a rank without layers.
        potential: u of the layers at hand with ghosts, float64[z, y, x]; None where nothing
            percolates and on a rank without layers.
        column: Mean flux along (z, y, x) over D₀ and the mean gradient along the axis: a column of
            the tensor; None where it was not asked for, and on a rank without layers.
    """

    row: VoxelTransport
    problem: Problem | None
    potential: Cells | None
    column: tuple[float, float, float] | None = None


def voxel_transport(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str,
    *,
    periodic: Sequence[str] = (),
    tolerance: float = 1e-3,
    max_iterations: int = MAX_ITERATIONS,
    comm: MPI.Intracomm | None = None,
) -> VoxelTransport:
    """Effective transport of some phases between the two end faces along an axis.

    Cell-centred finite volumes: harmonic means on faces between voxels, half a voxel to the end
    faces, where u = 1 and u = 0. What is not connected by faces to both ends is left out of the
    problem, yet counts in `fraction`.

    Args:
        labels: Phase of each voxel, uint8[z, y, x]; with `comm` the layers of this rank's slab, as
            `slab_starts` cuts them.
        voxel: Edge lengths of a voxel along (z, y, x), in any one unit.
        inside: By label, what the phase carries: ε and its conductivity inside over D₀ (ε/τ of a
            liquid; 1 and 1 for pure geometry). Labels without an entry, and conductivity 0,
            insulate and carry nothing.
        axis: ``z``, ``y`` or ``x``.
        periodic: Other axes whose sides are periodic; the remaining sides pass no flux.
        tolerance: Flux imbalance to stop at.
        max_iterations: Where to give up.
        comm: Ranks that hold a slab each; collective. The result is the same on every rank, and
            does not depend on how many there are.

    Raises:
        InputError: On an unusable argument.
        NumericalError: Not converged, or a result outside Wiener's bounds.
    """
    return solve_transport(
        labels,
        voxel,
        inside,
        axis,
        periodic=periodic,
        tolerance=tolerance,
        max_iterations=max_iterations,
        comm=comm,
    ).row


def solve_transport(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str,
    *,
    periodic: Sequence[str] = (),
    tolerance: float = 1e-3,
    max_iterations: int = MAX_ITERATIONS,
    comm: MPI.Intracomm | None = None,
    lateral: bool = False,
) -> Solved:
    """As `voxel_transport`, with the potential and, for `lateral`, the fluxes along all axes."""
    start = perf_counter()
    if not LOWEST_TOLERANCE <= tolerance < 1.0:
        raise InputError(
            f"tolerance {tolerance:g}: give a flux imbalance from {LOWEST_TOLERANCE:g} to 1"
        )
    check(labels, voxel, inside, axis, periodic)

    def on(line: Line) -> Solved:
        problem = create_problem(labels, voxel, inside, axis, periodic, line)
        if problem.percolating_fraction == 0.0:
            row = _row(problem, 0.0, 0.0, 0, start)
            return Solved(row, problem, None, (0.0, 0.0, 0.0) if lateral else None)
        solution = solve(problem, Multigrid(problem, voxel), tolerance, max_iterations)
        ratio = solution.flux * problem.unit
        check_wiener(ratio, problem.conductivity, problem.amounts, tolerance)
        row = _row(problem, ratio, solution.planes.imbalance, solution.iterations, start)
        column = _column(problem, solution.potential, ratio, voxel) if lateral else None
        return Solved(row, problem, solution.potential, column)

    found = on_slabs(on, labels, comm)
    if comm is None:
        assert found is not None
        return found
    row = comm.bcast(found.row if found is not None else None)
    return found if found is not None else Solved(row, None, None)


def _column(
    problem: Problem, u: Cells, ratio: float, voxel: tuple[float, float, float]
) -> tuple[float, float, float]:
    found = [0.0, 0.0, 0.0]
    starts, shape = problem.slab.line.starts, u.shape
    cells = (starts[-1], shape[1] - 2, shape[2] - 2)
    length = cells[problem.axis] * voxel[problem.axis]
    for axis in range(3):
        if axis == problem.axis:
            found[axis] = ratio
            continue
        # The last plane is the first one again, across the side or in the next slab.
        table = problem.table
        local = by_plane(table.phase, table.values, u, axis, shape[axis] - 2)
        flux = float(problem.slab.added(np.array([local.sum()]))[0])
        found[axis] = flux * problem.unit * voxel[axis] / length
    return found[0], found[1], found[2]


def _row(
    problem: Problem, ratio: float, imbalance: float, iterations: int, start: float
) -> VoxelTransport:
    fraction = problem.fraction
    return VoxelTransport(
        axis=AXES[problem.axis],
        fraction=fraction,
        percolating_fraction=problem.percolating_fraction,
        isolated_share=problem.isolated_share,
        effective_ratio=ratio,
        tortuosity_factor=fraction / ratio if ratio > 0.0 else inf,
        flux_imbalance=imbalance,
        iterations=iterations,
        wall_s=perf_counter() - start,
    )
