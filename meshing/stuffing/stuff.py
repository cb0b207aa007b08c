"""From phase fields to tetrahedra: cut, snap, cleave, with phase volumes that are met."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing import cutting, snapping
from voxtrode.meshing.stuffing.box import KEY_UNITS, Box
from voxtrode.meshing.stuffing.cell_points import with_cuts
from voxtrode.meshing.stuffing.cleaving import CutCells, Tetrahedra, cleave, room_for
from voxtrode.meshing.stuffing.cutting import ANY, Corners, CutEdges
from voxtrode.meshing.stuffing.fields import PhaseFields
from voxtrode.meshing.stuffing.geometry import volume
from voxtrode.meshing.stuffing.graded import Background
from voxtrode.meshing.stuffing.sampling import Fields
from voxtrode.meshing.stuffing.table import new_table

_TURNS = (0, 2, 3)
"""Odd coordinates of the points that snap together: corners of cubes and all points of coarser
ones, centres of faces, centres of the finest cubes."""
VOLUME_UNIT = 2.0**-32
"""Volumes are summed as whole multiples of this share of a lattice cube: sums that do not depend
on their order, so that they are the same on any number of ranks."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """Lattice and fields of this rank's window: what every attempt starts from.

    Attributes:
        box: The whole box.
        lattice: Lattice cells of the window.
        fields: Fields of the window.
        rest: Lattice points [µm], order (z, y, x).
        outside: Which of them are above the electrode.
        values: Fields at the lattice points, shape ``(points, phases)``.
    """

    box: Box
    lattice: Background
    fields: PhaseFields
    rest: npt.NDArray[np.float64]
    outside: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stuffed:
    """Tetrahedra of this rank's window.

    Attributes:
        x: Points [µm], order (z, y, x).
        keys: Number of each point, the same on every rank.
        fixed: Coordinates of each point that must stay.
        surface: Points that lie on an interface.
        cells: Rows of `x`, positively oriented in (x, y, z), shape ``(cells, 4)``.
        phase: Phase of each cell; ``ANY`` for the separator.
        parent: Lattice cell that each cell is part of.
    """

    x: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64]
    fixed: npt.NDArray[np.bool_]
    surface: npt.NDArray[np.bool_]
    cells: npt.NDArray[np.int32]
    phase: npt.NDArray[np.uint8]
    parent: npt.NDArray[np.int32]


def sampled(box: Box, lattice: Background, fields: PhaseFields) -> Sampled:
    """Evaluate the fields at the lattice points."""
    rest = box.positions(lattice.points)
    outside = lattice.points[:, 0] > box.plane
    values = cutting.sample_points(fields.values, fields.grid, rest, outside)
    return Sampled(box, lattice, fields, rest, outside, values)


def stuff(start: Sampled, shift: npt.NDArray[np.float64]) -> Stuffed:
    """Tetrahedra for given constants of the phases.

    Args:
        start: Lattice and fields.
        shift: Constant added to the field of each phase [voxels], shape ``(phases,)``.
    """
    fields = start.fields.shifted(shift)
    lattice, corners, edges = _cut(start, fields)
    points, used = with_cuts(corners, edges, lattice.edges)
    out = room_for(lattice)
    count, used = cleave(fields, lattice, points, new_table(len(points.x) - used), used, out)
    n = len(corners.x)
    surface = np.ones(used, dtype=bool)
    surface[:n] = (corners.labels != ANY) & (corners.sets != cutting.sets_of(corners.labels))
    return Stuffed(
        points.x[:used],
        _keys(start, points.names[n:used]),
        _fixed(start, points.names[n:used]),
        surface,
        out.cells[:count],
        out.phase[:count],
        out.parent[:count],
    )


def _cut(start: Sampled, fields: Fields) -> tuple[CutCells, Corners, CutEdges]:
    """The lattice after cutting and snapping."""
    points, tets = start.lattice.points, start.lattice.tets
    labels = cutting.label_points(start.values, fields.shift, start.outside)
    active = cutting.mixed_cells(tets, labels)
    ends, of_cell = cutting.mixed_edges(tets, active, labels)
    edges = CutEdges(ends, snapping.nearest_places(points, ends), np.empty(len(ends)))
    fixed, sets = start.box.fixed(points), cutting.sets_of(labels)
    corners = Corners(points, fixed, start.rest, start.rest.copy(), labels, sets)
    cutting.place_cuts(fields, corners, start.values, edges)
    for turn in _TURNS:
        snapping.snap_points(turn, corners, edges, len(fields.shift))
    snapping.recut(fields, corners, edges)
    return CutCells(tets, active, of_cell), corners, edges


def _keys(start: Sampled, names: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Numbers of lattice points, then of those between two, three or four of them."""
    points, box = start.lattice.points, start.box
    added = np.empty(len(names), dtype=np.int64)
    corners = np.count_nonzero(names >= 0, axis=1)
    for count in (2, 3, 4):
        rows = np.flatnonzero(corners == count)
        total = points[names[rows, :count]].sum(axis=1, dtype=np.int32)
        added[rows] = box.keys(total, KEY_UNITS // count)
    return np.concatenate([box.keys(points, KEY_UNITS), added])


def _fixed(start: Sampled, names: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """A point in an edge, face or cell stays in the planes that all its lattice points lie in."""
    points = start.lattice.points
    own = start.box.fixed(points)
    added = np.ones((len(names), 3), dtype=bool)
    first = points[names[:, 0]]
    for column in names.T:
        row = np.where(column >= 0, column, names[:, 0])
        added &= own[row] & (points[row] == first)
    return np.concatenate([own, added])


def phase_volumes(
    mesh: Stuffed, own: npt.NDArray[np.bool_], phases: int, cube: float
) -> npt.NDArray[np.int64]:
    """Volume of each phase in this rank's own lattice cells.

    Args:
        mesh: The mesh.
        own: Lattice cells of this rank.
        phases: Number of phases.
        cube: Volume of a lattice cube [µm³].

    Returns:
        Multiples of ``VOLUME_UNIT`` lattice cubes, shape ``(phases,)``.
    """
    totals = np.zeros(ANY + 1, dtype=np.int64)
    tetrahedra = Tetrahedra(mesh.cells, mesh.phase, mesh.parent)
    _add_volumes(mesh.x, tetrahedra, own, 1.0 / (cube * VOLUME_UNIT), totals)
    return totals[:phases]


@njit(cache=True)
def _add_volumes(
    x: npt.NDArray[np.float64],
    mesh: Tetrahedra,
    own: npt.NDArray[np.bool_],
    scale: float,
    totals: npt.NDArray[np.int64],
) -> None:
    for t in range(len(mesh.cells)):
        if own[mesh.parent[t]]:
            a, b, c, d = mesh.cells[t]
            totals[mesh.phase[t]] += np.int64(np.rint(volume(x, a, b, c, d) * scale))
