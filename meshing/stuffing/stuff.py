"""From phase fields to tetrahedra: cut, snap, cleave, with phase volumes that are met."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numba import njit

from voxtrode.meshing.stuffing import cutting
from voxtrode.meshing.stuffing.box import KEY_UNITS, Box
from voxtrode.meshing.stuffing.cleaving import cleave, cut_points
from voxtrode.meshing.stuffing.cutting import ANY, Cuts
from voxtrode.meshing.stuffing.fields import PhaseFields
from voxtrode.meshing.stuffing.graded import Background
from voxtrode.meshing.stuffing.table import new_table

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
        shift: Constant added to the field of each phase.
    """
    cuts = _cut(start, shift)
    fields, lattice = start.fields, start.lattice
    number, added = cut_points(cuts.x, cuts.ends, cuts.place)
    n, n_cuts = len(cuts.x), len(added)
    n_active = int(np.count_nonzero(cuts.active))
    # No lattice cell adds more than one point inside and half of its four face points, or becomes
    # more than 24 cells; most active ones become four.
    room = n + n_cuts + 3 * n_active
    x = np.empty((room, 3))
    x[:n], x[n : n + n_cuts] = cuts.x, added
    names = np.full((3 * n_active, 4), -1, dtype=np.int32)
    capacity = len(lattice.tets) - n_active + 24 * n_active
    cells = np.empty((capacity, 4), dtype=np.int32)
    phase = np.empty(capacity, dtype=np.uint8)
    parent = np.empty(capacity, dtype=np.int32)
    all_names = np.full((room, 4), -1, dtype=np.int32)
    del names
    count, used = cleave(
        fields.values,
        fields.grid,
        shift,
        lattice.tets,
        cuts.active,
        cuts.labels,
        cuts.sets,
        x,
        n,
        number,
        cuts.table,
        new_table(n_active),
        n + n_cuts,
        cells,
        phase,
        parent,
        all_names,
    )
    all_names[n : n + n_cuts, :2] = cuts.ends[number >= 0]
    snapped = (cuts.labels != ANY) & (cuts.sets != np.left_shift(1, cuts.labels.astype(np.int64)))
    surface = np.ones(used, dtype=bool)
    surface[:n] = snapped
    return Stuffed(
        x[:used].copy(),
        _keys(start, all_names[n:used]),
        _fixed(start, all_names[n:used]),
        surface,
        cells[:count].copy(),
        phase[:count].copy(),
        parent[:count].copy(),
    )


def _cut(start: Sampled, shift: npt.NDArray[np.float64]) -> Cuts:
    lattice, fields = start.lattice, start.fields
    labels = cutting.label_points(start.values, shift, start.outside)
    active = cutting.mixed_cells(lattice.tets, labels)
    # A cell has four edges between two phases at most, six among more; each is shared by four.
    most = 6 * int(np.count_nonzero(active)) + 1
    table, ends = new_table(most // 3), np.empty((most, 2), dtype=np.int64)
    ends = ends[: cutting.mixed_edges(lattice.tets, active, labels, table, ends)].copy()
    sets = np.where(labels == ANY, -1, np.left_shift(1, np.minimum(labels, 62).astype(np.int64)))
    x, place = start.rest.copy(), np.empty(len(ends))
    values, grid = fields.values, fields.grid
    cutting.place_cuts(values, grid, shift, x, labels, ends, place)
    fixed = start.box.fixed(lattice.points)
    for turn in (0, 2, 3):
        cutting.snap_points(turn, lattice.points, fixed, start.rest, x, labels, sets, ends, place)
    cutting.recut(values, grid, shift, lattice.points, x, labels, sets, ends, place)
    return Cuts(labels, sets, x, active, ends, place, table)


def _keys(start: Sampled, names: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    points, box = start.lattice.points, start.box
    keys = [box.keys(points, KEY_UNITS)]
    added = np.empty(len(names), dtype=np.int64)
    corners = np.count_nonzero(names >= 0, axis=1)
    for count in (2, 3, 4):
        rows = np.flatnonzero(corners == count)
        total = points[names[rows, :count]].sum(axis=1, dtype=np.int64)
        added[rows] = box.keys(total, KEY_UNITS // count)
    return np.concatenate([*keys, added])


def _fixed(start: Sampled, names: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """A point in an edge, face or cell stays in the planes that all its lattice points lie in."""
    own = start.box.fixed(start.lattice.points)
    added = np.ones((len(names), 3), dtype=bool)
    points = start.lattice.points
    first = points[names[:, 0]]
    for column in names.T:
        there = column >= 0
        row = np.where(there, column, names[:, 0])
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
    totals = np.zeros(256, dtype=np.int64)
    _add_volumes(
        mesh.x, mesh.cells, mesh.phase, mesh.parent, own, 1.0 / (cube * VOLUME_UNIT), totals
    )
    return totals[:phases]


@njit(cache=True)
def _add_volumes(
    x: npt.NDArray[np.float64],
    cells: npt.NDArray[np.int32],
    phase: npt.NDArray[np.uint8],
    parent: npt.NDArray[np.int32],
    own: npt.NDArray[np.bool_],
    scale: float,
    totals: npt.NDArray[np.int64],
) -> None:
    for t in range(len(cells)):
        if not own[parent[t]]:
            continue
        p, q, r, s = x[cells[t, 0]], x[cells[t, 1]], x[cells[t, 2]], x[cells[t, 3]]
        a0, a1, a2 = q[2] - p[2], q[1] - p[1], q[0] - p[0]
        b0, b1, b2 = r[2] - p[2], r[1] - p[1], r[0] - p[0]
        c0, c1, c2 = s[2] - p[2], s[1] - p[1], s[0] - p[0]
        six = a0 * (b1 * c2 - b2 * c1) - a1 * (b0 * c2 - b2 * c0) + a2 * (b0 * c1 - b1 * c0)
        totals[phase[t]] += np.int64(np.rint(six / 6.0 * scale))


def moved(mesh: Stuffed, x: npt.NDArray[np.float64]) -> Stuffed:
    """The same mesh with other coordinates."""
    return replace(mesh, x=x)
