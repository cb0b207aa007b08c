"""The voxel mesh: conforming, upright, of the right volume, with areas that the weights correct."""

import numpy as np
import pytest
from mpi4py import MPI
from slabs import areas, ball, centres, cut, mesh_pieces

from voxtrode.meshing.quality import crowded_facets, shape_measures
from voxtrode.meshing.voxel import kuhn_tetrahedra

COMM = MPI.COMM_WORLD


def facets(cells: np.ndarray) -> np.ndarray:
    """All facets with their number of cells as last column."""
    corners = np.sort(cells, axis=1)
    every = np.concatenate([np.delete(corners, k, axis=1) for k in range(4)])
    found, count = np.unique(every, axis=0, return_counts=True)
    return np.column_stack([found, count])


def edges(cells: np.ndarray) -> np.ndarray:
    """All edges."""
    pairs = [cells[:, [a, b]] for a in range(4) for b in range(a + 1, 4)]
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def test_six_tetrahedra_fill_a_voxel() -> None:
    """Each has 1/6 of the volume, right-handed, and dihedral angles of 45, 60 and 90 degrees."""
    points = kuhn_tetrahedra()[..., ::-1].astype(np.float64)  # (x, y, z)
    angles, volumes = shape_measures(points)
    assert volumes == pytest.approx(np.full(6, 1.0 / 6.0), rel=1e-14)
    assert angles[:, 0] == pytest.approx(np.full(6, 45.0), abs=1e-10)
    assert angles[:, 1] == pytest.approx(np.full(6, 90.0), abs=1e-10)


def test_dihedral_angles_of_a_regular_tetrahedron() -> None:
    """All six are arccos(1/3)."""
    points = np.array([[[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]], dtype=np.float64)
    angles, volumes = shape_measures(points)
    assert angles == pytest.approx(np.full((1, 2), np.degrees(np.arccos(1.0 / 3.0))), abs=1e-10)
    assert abs(volumes[0]) == pytest.approx(8.0 / 3.0, rel=1e-14)


def test_facets_of_three_cells_are_counted() -> None:
    """Three tetrahedra on one triangle, and two on another, which are no fault."""
    cells = np.array([[0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 2, 5], [0, 1, 3, 6]])
    assert crowded_facets(cells) == 1
    assert crowded_facets(cells[:2]) == 0


def test_the_mesh_conforms() -> None:
    """Every facet inside has two cells, every square of the hull two facets of one cell.

    A ball has V − E + F − C = 1; a hanging vertex or a crack changes that.
    """
    labels = np.random.default_rng(1).integers(0, 2, (4, 3, 5)).astype(np.uint8)
    slab = cut(labels, MPI.COMM_SELF, spacing=(1e-6, 2e-6, 0.5e-6), separator=(1e-6, 2e-6))
    block = mesh_pieces(slab, MPI.COMM_SELF).block
    nz, ny, nx = 6, 3, 5
    found = facets(block.cells)
    hull = 4 * (nz * ny + ny * nx + nz * nx)
    assert crowded_facets(block.cells) == 0
    assert np.count_nonzero(found[:, 3] == 1) == hull
    assert len(block.x) - len(edges(block.cells)) + len(found) - len(block.cells) == 1
    _, volumes = shape_measures(block.x[block.cells])
    assert volumes.min() > 0.0
    by_phase = np.bincount(block.phase, weights=volumes)
    voxels = [np.count_nonzero(labels == 0), np.count_nonzero(labels == 1), 3 * ny * nx]
    assert by_phase == pytest.approx(voxels, rel=1e-12)  # 1 µm³ each; the separator has 3 µm


def test_tags_follow_the_voxels() -> None:
    """Six cells of each voxel in turn: phase, particle, living roles and smoothed normal."""
    labels = ball(6, 2.2)
    pieces = mesh_pieces(cut(labels, MPI.COMM_SELF), MPI.COMM_SELF)
    block, flags = pieces.block, pieces.flags
    cells = labels.size * 6
    assert np.array_equal(block.phase[:cells:6].reshape(labels.shape), labels)
    assert np.all(block.phase[cells:] == 2)
    assert np.array_equal(block.particle[:cells], block.phase[:cells])
    assert np.all(block.alive[cells:] == 2)  # the separator conducts ions only
    alive = flags.electronic * 1 + flags.ionic * 2 + flags.active * 4
    assert np.array_equal(block.alive[:cells], np.repeat(alive.ravel(), 6))
    z, y, x = centres(labels.shape, (3.0, 3.0, 3.0))
    outward = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    normals = block.normal[:cells:6]
    there = np.linalg.norm(normals, axis=1) > 1e3  # [1/m]
    assert there.any()
    assert np.all((normals * outward).sum(axis=1)[there] < 0.0)  # towards the active phase


@pytest.mark.parametrize("axis", range(3))
def test_a_flat_plate_has_its_own_area(axis: int) -> None:
    """Normal and gradient are parallel: weight 1 exactly, at the sides of the box too."""
    labels = np.zeros((20, 20, 20), dtype=np.uint8)
    np.moveaxis(labels, axis, 0)[6:14] = 1
    faces, weighted = areas(labels, MPI.COMM_SELF)
    assert faces["nsd|active"] == pytest.approx(800.0, rel=1e-14)
    assert weighted["nsd|active"] == pytest.approx(800.0, rel=1e-14)


@pytest.mark.parametrize("normal", [(0, 1, 1), (0, 1, 2), (1, 1, 1), (3, 1, 2), (1, 5, 2)])
def test_a_tilted_plane_has_the_area_of_the_plane(normal: tuple[int, int, int]) -> None:
    """Within 2 % of the plane where voxel faces are 27 to 73 % too large.

    What is left is the ripple of the smoothed staircase, and the mirror images at the sides of the
    box, which turn the gradient within three voxels of them.
    """
    n = 48
    unit = np.array(normal) / np.linalg.norm(normal)
    distance = np.tensordot(unit, centres((n, n, n), (0.5 * n,) * 3), axes=1) - 0.01
    labels = (distance > 0.0).astype(np.uint8)
    faces, weighted = areas(labels, MPI.COMM_SELF)
    step = np.sum(np.abs(unit))
    exact = faces["nsd|active"] / step  # voxel faces of a plane: Σ|nᵢ| times its area
    assert step > 1.25
    assert weighted["nsd|active"] == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(("radius", "tolerance"), [(7.0, 0.04), (12.0, 0.025)])
def test_a_ball_has_the_area_of_the_ball(radius: float, tolerance: float) -> None:
    """Voxel faces are 50 % too large at any radius; the weighted ones come closer with it.

    The smoothed gradient of a ball is radial but for the ripple of its steps, and the staircase
    fills or misses a layer of a fraction of a voxel: both fall with voxels per radius.
    """
    labels = ball(2 * int(radius) + 10, radius)
    faces, weighted = areas(labels, MPI.COMM_SELF)
    exact = 4.0 * np.pi * radius**2
    assert faces["nsd|active"] > 1.4 * exact
    assert weighted["nsd|active"] == pytest.approx(exact, rel=tolerance)


@pytest.mark.mpi
@pytest.mark.mpi3
def test_areas_do_not_depend_on_the_number_of_ranks() -> None:
    """Sums of the same terms in another order: 1e-12, though slabs see five layers of halo only."""
    labels = np.random.default_rng(3).integers(0, 2, (17, 9, 8)).astype(np.uint8)
    labels[4:12, 2:7, 2:6] = 1
    for found, alone in zip(areas(labels, COMM), areas(labels, MPI.COMM_SELF), strict=True):
        assert set(found) == set(alone) == {"nsd|active", "nsd|separator", "active|separator"}
        for pair, area in alone.items():
            assert found[pair] == pytest.approx(area, rel=1e-12)
