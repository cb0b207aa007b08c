"""Tortuosity of an electrode that is charged through its depth: blocking pore walls."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
from mpi4py import MPI
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import NumericalError
from voxtrode.solvers.voxel_transport.fluxes import by_plane
from voxtrode.solvers.voxel_transport.gradients import descend
from voxtrode.solvers.voxel_transport.line import Line, on_slabs
from voxtrode.solvers.voxel_transport.multigrid import Multigrid
from voxtrode.solvers.voxel_transport.problem import (
    Inside,
    Labels,
    Problem,
    check,
    create_problem,
)
from voxtrode.solvers.voxel_transport.steps import update_charged
from voxtrode.solvers.voxel_transport.storage import Cells

MAX_ITERATIONS = 500
COUNTER = (False, True)
"""The separator lies before the last face along the axis; the first one, the collector, blocks."""


@dataclass(frozen=True)
class ElectrodeTransport:
    """Ionic resistance of an electrode in a symmetric cell.

    Attributes:
        axis: ``z``, ``y`` or ``x``.
        fraction: Σ φ_i ε_i of all that conducts.
        reached_fraction: The same over what is connected to the last face.
        effective_ratio: D_e/D₀ of the uniform electrode with the same resistance; 0 where nothing
            is reached.
        tortuosity_factor: τ_e = fraction/effective_ratio.
        flux_imbalance: Largest difference between the flux through a plane and what is drawn behind
            it, over the total.
        iterations: Of conjugate gradients.
        wall_s: Wall time [s].
    """

    axis: str
    fraction: float
    reached_fraction: float
    effective_ratio: float
    tortuosity_factor: float
    flux_imbalance: float
    iterations: int
    wall_s: float
    method: str = "voxel"


def electrode_transport(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str = "z",
    *,
    periodic: Sequence[str] = (),
    tolerance: float = 1e-3,
    max_iterations: int = MAX_ITERATIONS,
    comm: MPI.Intracomm | None = None,
) -> ElectrodeTransport:
    """Electrode tortuosity factor τ_e, from the ions that charge the pore walls.

    The low-frequency limit of impedance in a symmetric cell with blocking electrodes
    (J. Landesfeind et al., J. Electrochem. Soc. 163 (2016) A1373): every piece of wall draws the
    same current, all of it enters through the last face, and nothing passes the first. A uniform
    electrode then has the resistance L/(3 k A), against which the dissipation is set (with the same
    voxels, so that straight pores give τ_e = 1 exactly). Dead ends take part, which they do not in
    flow from face to face.

    Args:
        labels, voxel, inside, axis, periodic, tolerance, max_iterations, comm: As of
            `voxel_transport`.

    Raises:
        InputError: On an unusable argument.
        NumericalError: Not converged.
    """
    start = perf_counter()
    check(labels, voxel, inside, axis, periodic)

    def on(line: Line) -> ElectrodeTransport:
        problem = create_problem(labels, voxel, inside, axis, periodic, line, COUNTER)
        ratio, imbalance, iterations = 0.0, 0.0, 0
        if problem.percolating_fraction > 0.0:
            ratio, imbalance, iterations = _solve(problem, voxel, tolerance, max_iterations)
        return ElectrodeTransport(
            axis,
            problem.fraction,
            problem.percolating_fraction,
            ratio,
            problem.fraction / ratio if ratio > 0.0 else inf,
            imbalance,
            iterations,
            perf_counter() - start,
        )

    found = on_slabs(on, labels, comm)
    result = found if comm is None else comm.bcast(found)
    assert result is not None  # rank 0 has layers
    return result


def _solve(
    problem: Problem, voxel: tuple[float, float, float], tolerance: float, max_iterations: int
) -> tuple[float, float, int]:
    op, slab = problem.exact, problem.slab
    along = AXES[problem.axis]
    area = np.float32(1.0) / np.asarray(voxel, np.float32) * np.float32(voxel[problem.axis])
    source = _walls(problem, area)
    drawn = _by_layer(source, problem.axis)
    drawn = slab.line.join(drawn) if problem.axis == 0 else slab.added(drawn)
    total = float(drawn.sum())
    if total == 0.0:
        raise NumericalError(f"electrode transport along {along}: no wall draws current")
    u = np.zeros(source.shape)
    r, p = (np.zeros(u.shape, np.float32) for _ in range(2))
    work = float(slab.total(update_charged(op, 0.0, p, u, source, r))[1])

    def step(alpha: float) -> None:
        nonlocal work
        work = float(slab.total(update_charged(op, alpha, p, u, source, r))[1])

    imbalance = inf
    for iteration, gain in enumerate(descend(problem, Multigrid(problem, voxel), p, r, step), 1):
        imbalance = _imbalance(problem, u, drawn)
        if imbalance <= tolerance and gain <= tolerance * work:
            return _ratio(problem, total, work, len(drawn)), imbalance, iteration
        if iteration == max_iterations:
            break
    raise NumericalError(
        f"electrode transport along {along}: flux imbalance {imbalance:.1e} after {max_iterations}"
        f" iterations, {tolerance:.1e} asked for; raise the tolerance"
    )


def _ratio(problem: Problem, total: float, work: float, layers: int) -> float:
    """D_e/D₀ from the current and its dissipation, against a uniform electrode of voxels."""
    _, ny, nx = problem.table.phase.shape
    sizes = [problem.slab.line.starts[-1], ny - 2, nx - 2]
    columns = float(np.prod(sizes)) / layers
    uniform = layers / 3.0 + 1.0 / (6.0 * layers)
    return total**2 * uniform / (work * columns) * max(problem.conductivity)


def _imbalance(problem: Problem, u: Cells, drawn: NDArray[np.float64]) -> float:
    """Fluxes from the faces, in double precision, against what is drawn behind each plane."""
    slab, axis = problem.slab, problem.axis
    table = problem.table
    local = by_plane(table.phase, table.values, u, axis, u.shape[axis] - 1)
    # The plane above each layer; a slab's first plane is the last of the slab below.
    flux = slab.line.join(local[1:]) if axis == 0 else slab.added(local[1:])
    return float(np.abs(flux - np.cumsum(drawn)).max() / drawn.sum())


def _by_layer(source: Cells, axis: int) -> NDArray[np.float64]:
    inner = source[1:-1, 1:-1, 1:-1]
    others = tuple(i for i in range(3) if i != axis)
    return np.asarray(inner.sum(axis=others, dtype=np.float64))


def _walls(problem: Problem, area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Area of each cell's faces to what does not conduct; none at the sides of the box."""
    slab = problem.slab
    first, last = slab.ends(0)
    wraps = slab.periodic
    inside = [(not first or wraps[0], not last or wraps[0]), (wraps[1],) * 2, (wraps[2],) * 2]
    return _counted(problem.table.phase, area, np.array(inside))


@njit(cache=True)
def _counted(
    phase: NDArray[np.uint8], area: NDArray[np.float32], inside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    nz, ny, nx = phase.shape
    result = np.zeros(phase.shape, np.float32)
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if phase[z, y, x] == 0:
                    continue
                wall = np.float32(0.0)
                if (z > 1 or inside[0, 0]) and phase[z - 1, y, x] == 0:
                    wall += area[0]
                if (z < nz - 2 or inside[0, 1]) and phase[z + 1, y, x] == 0:
                    wall += area[0]
                if (y > 1 or inside[1, 0]) and phase[z, y - 1, x] == 0:
                    wall += area[1]
                if (y < ny - 2 or inside[1, 1]) and phase[z, y + 1, x] == 0:
                    wall += area[1]
                if (x > 1 or inside[2, 0]) and phase[z, y, x - 1] == 0:
                    wall += area[2]
                if (x < nx - 2 or inside[2, 1]) and phase[z, y, x + 1] == 0:
                    wall += area[2]
                result[z, y, x] = wall
    return result
