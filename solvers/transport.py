"""Effective transport on the simulation's own mesh: tortuosity factors by P1 finite elements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.cell_components import face_components
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.bounds import check_wiener
from voxtrode.solvers.laplace import Laplace, face_dofs
from voxtrode.solvers.region import Region
from voxtrode.solvers.units import UM

AXES = {"z": 2, "y": 1, "x": 0}
TOLERANCE = 1e-10
"""Relative residual of CG; the flux imbalance that follows is reported with each value."""

BOUNDS = 1e-6
"""By how much rounding and CG may leave Wiener's bounds; P1 elements keep them exactly."""


@dataclass(frozen=True)
class TransportRow:
    """Effective transport along one axis.

    Attributes:
        phase: A phase's name, or ``ions`` for all phases together.
        axis: ``z``, ``y`` or ``x``.
        fraction: Volume fraction that carries: Σ φ_i ε_i (φ_p for a single phase).
        percolating_fraction: The same over what is connected to both end faces.
        effective_ratio: D_eff/D₀ of the electrode.
        tortuosity_factor: τ = fraction / effective_ratio; infinite without a path.
        flux_imbalance: |in − out| / in.
        wall_s: Wall time [s].
    """

    phase: str
    axis: str
    fraction: float
    percolating_fraction: float
    effective_ratio: float
    tortuosity_factor: float
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

    Only what hangs together by faces from one side to the other carries; the rest is left out of
    the problem, yet counts in the fraction.

    Args:
        mesh: The mesh.
        name: Name of the row.
        inside: By phase label, what the phase carries: ε and ε/τ (1 and 1 for pure geometry).
        axis: ``z``, ``y`` or ``x``.
    """
    start = perf_counter()
    comm = mesh.mesh.comm
    extent = _extent(mesh)
    direction = AXES[axis]
    volume, length = float(np.prod(extent)), float(extent[direction])
    chosen = np.isin(mesh.phase, list(inside))
    owned = mesh.mesh.topology.index_map(3).size_local
    own = chosen[:owned]
    carried = _table(inside, 0)[mesh.phase[:owned][own]] * _volumes(mesh)[:owned][own]
    fraction = float(comm.allreduce(float(carried.sum()))) / volume
    spanning = _spanning(mesh, chosen, direction, length)
    if not comm.allreduce(int(spanning.any())):
        return TransportRow(name, axis, fraction, 0.0, 0.0, inf, 0.0, perf_counter() - start)
    parts = _parts(mesh, inside, spanning[:owned], volume)
    percolating = sum(part * share for part, (share, _) in zip(parts, inside.values(), strict=True))
    region = Region.create(mesh, np.flatnonzero(spanning).astype(np.int32))
    conducting = _table(inside, 1)[mesh.phase[region.cells]]
    high, low = (face_dofs(region.space, direction, at, 1e-9 * length) for at in (length, 0.0))
    result = Laplace(region.space, region.cell_function(conducting), high, low).solve(TOLERANCE)
    ratio = result.inflow * length / (volume / length)
    check_wiener(ratio, [k for _, k in inside.values()], parts, BOUNDS, "mesh")
    wall = perf_counter() - start
    imbalance = abs(result.inflow - result.outflow) / result.inflow
    tau = fraction / ratio
    return TransportRow(name, axis, fraction, percolating, ratio, tau, imbalance, wall)


def mesh_shares(mesh: TaggedMesh, labels: Iterable[int]) -> dict[int, float]:
    """Volume of phases over that of the electrode, without the separator; collective.

    Args:
        mesh: The mesh.
        labels: Of the phases.
    """
    chosen = tuple(labels)
    owned = mesh.mesh.topology.index_map(3).size_local
    parts = _parts(mesh, chosen, np.ones(owned, dtype=bool), float(np.prod(_extent(mesh))))
    return dict(zip(chosen, parts, strict=True))


def _parts(
    mesh: TaggedMesh,
    labels: Iterable[int],
    chosen: npt.NDArray[np.bool_],
    volume: float,
) -> list[float]:
    """Volume fraction of each phase, of what is chosen among the owned cells."""
    owned = len(chosen)
    cells, phase = _volumes(mesh)[:owned], mesh.phase[:owned]
    local = np.array([cells[chosen & (phase == label)].sum() for label in labels])
    total = np.empty_like(local)
    mesh.mesh.comm.Allreduce(local, total, op=MPI.SUM)
    return [float(part) for part in total / volume]


def _spanning(
    mesh: TaggedMesh, chosen: npt.NDArray[np.bool_], direction: int, length: float
) -> npt.NDArray[np.bool_]:
    """Local cells of components, connected by faces, that have a face on both sides."""
    ids, count = face_components(mesh, chosen)
    position = _corners(mesh)[:, :, direction]
    touching = np.ones(count + 1, dtype=bool)
    touching[0] = False
    for plane in (0.0, length):
        on = np.count_nonzero(np.abs(position - plane) < 1e-9 * length, axis=1) == 3
        here = np.zeros(count + 1, dtype=bool)
        here[ids[on]] = True
        anywhere = np.empty_like(here)
        mesh.mesh.comm.Allreduce(here, anywhere, op=MPI.LOR)
        touching &= anywhere
    return np.asarray(touching[ids])


def _corners(mesh: TaggedMesh) -> npt.NDArray[np.float64]:
    """Corners of the local cells [µm], shape ``(cells, 4, 3)``."""
    return np.asarray(mesh.mesh.geometry.x[mesh.mesh.geometry.dofmaps[0]])


def _volumes(mesh: TaggedMesh) -> npt.NDArray[np.float64]:
    points = _corners(mesh)
    return np.asarray(np.abs(np.linalg.det(points[:, 1:] - points[:, :1])) / 6.0)


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
