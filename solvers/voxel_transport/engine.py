"""Effective transport through a labelled volume, on its voxels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from mpi4py import MPI

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError, VoxtrodeError
from voxtrode.solvers.bounds import check_wiener
from voxtrode.solvers.voxel_transport.gradients import solve
from voxtrode.solvers.voxel_transport.line import Alone, Line, Ranks, slab_starts
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
        percolating_tortuosity_factor: percolating_fraction/effective_ratio; likewise.
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
    percolating_tortuosity_factor: float
    flux_imbalance: float
    iterations: int
    wall_s: float
    method: str = "voxel"


@dataclass(frozen=True, eq=False)
class Solved:
    """A row with the potential that it was taken from.

    Attributes:
        row: The row.
        problem: What was solved; None on a rank without layers.
        potential: u of the layers at hand with ghosts, float64[z, y, x]; None where nothing
            percolates and on a rank without layers.
    """

    row: VoxelTransport
    problem: Problem | None
    potential: Cells | None


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
) -> Solved:
    """As `voxel_transport`, with the potential."""
    start = perf_counter()
    if not LOWEST_TOLERANCE <= tolerance < 1.0:
        raise InputError(
            f"tolerance {tolerance:g}: give a flux imbalance from {LOWEST_TOLERANCE:g} to 1"
        )
    check(labels, voxel, inside, axis, periodic)

    def on(line: Line) -> Solved:
        problem = create_problem(labels, voxel, inside, axis, periodic, line)
        if problem.percolating_fraction == 0.0:
            return Solved(_row(problem, 0.0, 0.0, 0, start), problem, None)
        solution = solve(problem, Multigrid(problem, voxel), tolerance, max_iterations)
        ratio = solution.flux * problem.unit
        check_wiener(ratio, problem.conductivity, problem.amounts, tolerance)
        row = _row(problem, ratio, solution.planes.imbalance, solution.iterations, start)
        return Solved(row, problem, solution.potential)

    return _alone(on, labels) if comm is None or comm.size == 1 else _on_ranks(on, labels, comm)


def _alone(on: Callable[[Line], Solved], labels: Labels) -> Solved:
    if len(labels) == 0:
        raise InputError("labels have no layer: give a non-empty uint8[z, y, x]")
    return on(Alone((0, len(labels))))


def _on_ranks(on: Callable[[Line], Solved], labels: Labels, comm: MPI.Intracomm) -> Solved:
    """On the ranks that have layers; the others get the row."""
    counts = comm.allgather(len(labels))
    starts = slab_starts(max(sum(counts), 1), comm.size)
    if list(np.diff(starts)) != counts:
        raise InputError(
            f"slabs of {counts} layers on {comm.size} ranks: give those of slab_starts, which are "
            f"{[int(n) for n in np.diff(starts)]}"
        )
    used = comm.size - counts.count(0)
    part = comm.Split(int(comm.rank >= used), comm.rank)
    try:
        outcome = _attempt(on, Ranks(starts[: used + 1], part)) if comm.rank < used else None
    finally:
        part.Free()
    # The same on all ranks that took part; the others hear of it.
    heard = comm.bcast(outcome.row if isinstance(outcome, Solved) else outcome)
    if isinstance(heard, VoxtrodeError):
        raise heard
    return outcome if isinstance(outcome, Solved) else Solved(heard, None, None)


def _attempt(on: Callable[[Line], Solved], line: Line) -> Solved | VoxtrodeError:
    try:
        return on(line)
    except VoxtrodeError as error:
        return error


def _row(
    problem: Problem, ratio: float, imbalance: float, iterations: int, start: float
) -> VoxelTransport:
    fraction, percolating = problem.fraction, problem.percolating_fraction
    return VoxelTransport(
        axis=AXES[problem.axis],
        fraction=fraction,
        percolating_fraction=percolating,
        isolated_share=problem.isolated_share,
        effective_ratio=ratio,
        tortuosity_factor=fraction / ratio if ratio > 0.0 else inf,
        percolating_tortuosity_factor=percolating / ratio if ratio > 0.0 else inf,
        flux_imbalance=imbalance,
        iterations=iterations,
        wall_s=perf_counter() - start,
    )
