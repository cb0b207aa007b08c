"""A plane through a mesh: every rank cuts its own cells, one gathers the polygons."""

from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from voxtrode.meshing.quality import shape_measures

type Floats = NDArray[np.float64]

# Edges of a tetrahedron that a plane crosses, by how many of its corners are below, which come
# first. Around a quadrangle they stand in order; a triangle names its last edge twice.
_CROSSED = {
    1: ((0, 1), (0, 2), (0, 3), (0, 3)),
    2: ((0, 2), (0, 3), (1, 3), (1, 2)),
    3: ((0, 3), (1, 3), (2, 3), (2, 3)),
}


@dataclass(frozen=True, eq=False)
class PlaneCut:
    """What a plane of constant y cuts out of the cells.

    Attributes:
        polygons: Corners (z, x) of the part of each cell in the plane, float32[n, 4, 2]; the unit
            of the points. A triangle has its last corner twice.
        phase: Phase of each cell, int32[n].
        angle: Its smallest dihedral angle [degrees], float32[n].
    """

    polygons: NDArray[np.float32]
    phase: NDArray[np.int32]
    angle: NDArray[np.float32]

    def within(self, low: tuple[float, float], high: tuple[float, float]) -> "PlaneCut":
        """The polygons that reach into a rectangle, given by two corners (z, x)."""
        inside = np.all(
            (self.polygons.max(axis=1) > low) & (self.polygons.min(axis=1) < high), axis=1
        )
        return PlaneCut(self.polygons[inside], self.phase[inside], self.angle[inside])


def plane_cut(
    x: Floats, cells: NDArray[np.integer], phase: NDArray[np.int32], y: float
) -> PlaneCut:
    """Cuts tetrahedra at a plane of constant y.

    What lies in the plane counts as above it, so that cells that fill space fill the plane, and no
    part of it twice.

    Args:
        x: Points (x, y, z), any unit, shape ``(points, 3)``.
        cells: Corners as rows of `x`, shape ``(cells, 4)``.
        phase: Phase of each cell.
        y: Where the plane is.
    """
    above = x[:, 1] >= y
    count = np.count_nonzero(above[cells], axis=1)
    crossed = np.flatnonzero((count > 0) & (count < 4))
    corners = cells[crossed]
    below = 4 - count[crossed]
    order = np.argsort(above[corners], axis=1, kind="stable")  # those below come first
    corners = np.take_along_axis(corners, order, axis=1)
    polygons = np.empty((len(crossed), 4, 2), dtype=np.float32)
    for many, edges in _CROSSED.items():
        rows = np.flatnonzero(below == many)
        ends = corners[rows][:, edges]
        polygons[rows] = _crossings(x[ends[..., 0]], x[ends[..., 1]], y)
    angles, _ = shape_measures(x[corners])
    return PlaneCut(polygons, phase[crossed].astype(np.int32), angles[:, 0].astype(np.float32))


def gathered(cut: PlaneCut, comm: MPI.Intracomm) -> PlaneCut:
    """The cuts of all ranks on rank 0, empty ones elsewhere; collective."""
    parts = comm.gather((cut.polygons, cut.phase, cut.angle)) or [
        (cut.polygons[:0], cut.phase[:0], cut.angle[:0])
    ]
    polygons, phase, angle = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return PlaneCut(polygons, phase, angle)


def _crossings(low: Floats, high: Floats, y: float) -> Floats:
    """Points (z, x) of edges in the plane."""
    share = (y - low[..., 1]) / (high[..., 1] - low[..., 1])
    points = low + share[..., None] * (high - low)
    result: Floats = points[..., [2, 0]]
    return result
