"""Effective transport on the simulation's own mesh: tortuosity factors by P1 finite elements."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from mpi4py import MPI

from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.fields import cell_volumes
from voxtrode.solvers.laplace import Laplace, face_dofs
from voxtrode.solvers.region import Region
from voxtrode.solvers.units import UM

AXES = {"z": 2, "y": 1, "x": 0}
TOLERANCE = 1e-10
"""Relative residual of CG; the flux imbalance that follows is reported with each value."""


@dataclass(frozen=True)
class TransportRow:
    """Effective transport along one axis.

    Attributes:
        phase: A phase's name, or ``ions`` for all phases together.
        axis: ``z``, ``y`` or ``x``.
        fraction: Volume fraction that carries: Σ φ_i ε_i (φ_p for a single phase).
        effective_ratio: D_eff/D₀ of the electrode.
        tortuosity_factor: τ = fraction / effective_ratio; None without a path.
        flux_imbalance: |in − out| / in.
        wall_s: Wall time [s].
    """

    phase: str
    axis: str
    fraction: float
    effective_ratio: float
    tortuosity_factor: float | None
    flux_imbalance: float
    wall_s: float
    method: str = "mesh"


def mesh_transport(
    mesh: TaggedMesh,
    name: str,
    inside: Mapping[int, tuple[float, float]],
    axis: str,
) -> TransportRow:
    """τ of some phases of the electrode, without the separator; collective.

    Args:
        mesh: The mesh.
        name: Name of the row.
        inside: By phase label, what the phase carries: ε and ε/τ (1 and 1 for pure geometry).
        axis: ``z``, ``y`` or ``x``.
    """
    start = perf_counter()
    comm = mesh.mesh.comm
    cells = np.flatnonzero(np.isin(mesh.phase, list(inside))).astype(np.int32)
    extent = _extent(mesh)
    direction = AXES[axis]
    volume = float(np.prod(extent))
    if comm.allreduce(len(cells)) == 0:
        return TransportRow(name, axis, 0.0, 0.0, None, 0.0, perf_counter() - start)
    region = Region.create(mesh, cells)
    labels = mesh.phase[region.cells]
    carried, conducting = (_table(inside, k)[labels] for k in (0, 1))
    n_owned = region.mesh.topology.index_map(3).size_local
    own = (cell_volumes(region) * carried)[:n_owned]
    fraction = float(comm.allreduce(float(own.sum()))) / volume
    length = float(extent[direction])
    high, low = (face_dofs(region.space, direction, at, 1e-9 * length) for at in (length, 0.0))
    faces = [comm.allreduce(len(dofs), op=MPI.MAX) for dofs in (high, low)]
    if min(faces) == 0:
        return TransportRow(name, axis, fraction, 0.0, None, 0.0, perf_counter() - start)
    result = Laplace(region.space, region.cell_function(conducting), high, low).solve(TOLERANCE)
    ratio = result.inflow * length / (volume / length)
    wall = perf_counter() - start
    if ratio < 1e-9 * fraction:  # nothing but the shift's leak: no path
        return TransportRow(name, axis, fraction, 0.0, None, 0.0, wall)
    imbalance = abs(result.inflow - result.outflow) / result.inflow
    return TransportRow(name, axis, fraction, ratio, fraction / ratio, imbalance, wall)


def _extent(mesh: TaggedMesh) -> np.ndarray:
    """Edge lengths (x, y, z) of the electrode [µm]."""
    high = mesh.mesh.geometry.x.max(axis=0, initial=-np.inf)
    total = np.empty_like(high)
    mesh.mesh.comm.Allreduce(high, total, op=MPI.MAX)
    total[2] = mesh.info.thickness * UM
    return total


def _table(inside: Mapping[int, tuple[float, float]], position: int) -> np.ndarray:
    table = np.zeros(max(inside) + 1)
    for label, values in inside.items():
        table[label] = values[position]
    return table
