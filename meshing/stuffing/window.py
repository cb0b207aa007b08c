"""What each rank meshes: its own layers of lattice cubes, and a halo that makes them complete."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.data.connectivity import neighbours
from voxtrode.meshing.stuffing.box import KEY_UNITS, Box
from voxtrode.meshing.stuffing.cutting import label_points, sample_points
from voxtrode.meshing.stuffing.fields import PhaseFields, reach
from voxtrode.meshing.stuffing.graded import Background, graded_lattice
from voxtrode.meshing.stuffing.octree import halo

SNAPPING = 4
"""Layers of cubes beyond a point that its place can depend on: three turns, and cuts found anew."""
SHAPING = 2
"""Layers beyond own points whose cells must be known to move them."""


@dataclass(frozen=True)
class Window:
    """Layers of cubes of this rank.

    Attributes:
        box: The whole box.
        levels: How often cells may double in size.
        own: First own layer and one past the last.
        held: The same with halos.
    """

    box: Box
    levels: int
    own: tuple[int, int]
    held: tuple[int, int]

    @classmethod
    def of(cls, box: Box, levels: int, first: int, last: int) -> "Window":
        """The window around layers `first` to `last`, those of the separator included."""
        wide = SNAPPING + SHAPING + halo(levels)
        held = max(0, first - wide), min(box.shape[0], last + wide)
        return cls(box, levels, (first, last), held)

    def voxel_layers(self, voxel: float, layers: int) -> tuple[int, int]:
        """Voxel layers that the fields of the window need: the first and one past the last.

        Args:
            voxel: Height of a voxel [µm].
            layers: Voxel layers of the image.
        """
        low = self.held[0] * self.box.spacing[0] / voxel
        high = min(self.held[1], self.box.electrode[0]) * self.box.spacing[0] / voxel
        around = reach() + 2
        return max(0, int(low) - around), min(layers, int(high) + around)

    def owns_cells(self, lattice: Background) -> npt.NDArray[np.bool_]:
        """Lattice cells with their centre in the own layers."""
        z = np.ascontiguousarray(lattice.points[:, 0])
        heights = sum(z[column] for column in lattice.tets.T)
        result: npt.NDArray[np.bool_] = (heights >= 8 * self.own[0]) & (heights < 8 * self.own[1])
        return result

    def owns_points(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Points in the own layers; those on top of the box belong to the last ones."""
        low, high = self.box.key_range(*self.own)
        result: npt.NDArray[np.bool_] = (keys >= low) & (keys < high)
        if self.own[1] == self.box.shape[0]:
            result |= keys >= high
        return result


def graded_window(
    window: Window, fields: PhaseFields, shift: npt.NDArray[np.float64]
) -> Background:
    """The lattice of a window: fine where phases meet and at the separator, coarser elsewhere.

    Args:
        window: Layers of cubes.
        fields: Fields of the window.
        shift: Constant added to the field of each phase.
    """
    box = window.box
    first, last = window.held
    fine = np.ones((last - first, *box.shape[1:]), dtype=bool)
    if window.levels > 0:
        fine = _mixed_cubes(window, fields, shift)
        if box.separator:
            plane = box.electrode[0] - first
            fine[max(plane - 1, 0) : max(plane + 1, 0)] = True
    lattice = graded_lattice(box.shape, window.held, fine, window.levels)
    return _split(lattice, box.plane) if box.separator else lattice


def _mixed_cubes(
    window: Window, fields: PhaseFields, shift: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Cubes whose cells have points of several phases: their own, or the centre of a neighbour."""
    box = window.box
    first, last = window.held
    electrode = min(last, box.electrode[0])
    mixed = np.zeros((last - first, *box.shape[1:]), dtype=bool)
    if electrode <= first:
        return mixed
    inside = mixed[: electrode - first]
    corners = _labels_on(box, fields, shift, (first, electrode + 1), 0)
    centres = _labels_on(box, fields, shift, (first, electrode), 1)
    nz, ny, nx = inside.shape
    for dz in range(2):
        for dy in range(2):
            for dx in range(2):
                corner = corners[dz : dz + nz, dy : dy + ny, dx : dx + nx]
                inside |= corner != centres
    for here, there in neighbours():
        differ = centres[here] != centres[there]
        inside[here] |= differ
        inside[there] |= differ
    return mixed


def _labels_on(
    box: Box,
    fields: PhaseFields,
    shift: npt.NDArray[np.float64],
    layers: tuple[int, int],
    odd: int,
) -> npt.NDArray[np.uint8]:
    """Phases at corners (`odd` 0) or centres (1) of cubes, layers `layers[0]` to `layers[1]`."""
    counts = (layers[1] - layers[0], box.shape[1] + 1 - odd, box.shape[2] + 1 - odd)
    found = np.empty(counts, dtype=np.uint8)
    plane = np.empty((counts[1] * counts[2], 3), dtype=np.int32)
    y, x = np.meshgrid(np.arange(counts[1]), np.arange(counts[2]), indexing="ij")
    plane[:, 1], plane[:, 2] = 2 * y.ravel() + odd, 2 * x.ravel() + odd
    inside = np.zeros(len(plane), dtype=bool)
    for layer in range(counts[0]):
        plane[:, 0] = 2 * (layers[0] + layer) + odd
        values = sample_points(fields.values, fields.grid, box.positions(plane), inside)
        found[layer] = label_points(values, shift, inside).reshape(counts[1:])
    return found


def _split(lattice: Background, plane: int) -> Background:
    """Cells cut in two where they straddle a plane of cube faces: their edge across is halved."""
    z = lattice.points[lattice.tets, 0]
    across = np.flatnonzero((z.min(axis=1) < plane) & (z.max(axis=1) > plane))
    tets, heights = lattice.tets[across], z[across]
    rows = np.arange(len(across))
    below, above = heights.argmin(axis=1), heights.argmax(axis=1)
    low, high = tets[rows, below], tets[rows, above]
    middle = (lattice.points[low].astype(np.int64) + lattice.points[high]) // 2
    spots, which = np.unique(middle.astype(np.int32), axis=0, return_inverse=True)
    which = which.ravel() + len(lattice.points)
    lower, upper = tets.copy(), tets.copy()
    lower[rows, above] = which
    upper[rows, below] = which
    kept = lattice.tets.copy()
    kept[across] = lower
    points = np.concatenate([lattice.points, spots])
    order = np.lexsort(points.T[::-1])
    place = np.empty(len(points), dtype=np.int32)
    place[order] = np.arange(len(points), dtype=np.int32)
    return Background(points[order], place[np.concatenate([kept, upper])])


def sort_keys(box: Box, lattice: Background) -> npt.NDArray[np.int64]:
    """Number of each lattice cell by its centre, the same on every rank."""
    a, b, c, d = lattice.tets.T
    points = lattice.points
    centres = points[a] + points[b] + points[c] + points[d]
    return box.keys(centres, KEY_UNITS // 4)
