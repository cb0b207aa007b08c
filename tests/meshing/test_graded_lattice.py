"""The background lattice: conforming, exact, balanced, and the same in a window as in the box."""

from itertools import product

import numpy as np
import pytest

from voxtrode.meshing.stuffing.graded import Background, graded_lattice
from voxtrode.meshing.stuffing.octree import halo, leaf_levels

CASES = [
    ((1, 1, 1), 0, 0),
    ((1, 1, 1), 2, 0),
    ((1, 4, 3), 1, 0),
    ((3, 4, 5), 0, 2),
    ((8, 8, 8), 3, 0),
    ((9, 7, 11), 1, 1),
    ((12, 17, 14), 2, 1),
    ((21, 24, 27), 3, 1),
    ((18, 33, 26), 4, 2),
]
"""Box, coarsest level, fine cubes; most boxes are no multiple of the coarsest edge."""


def fine_cubes(shape: tuple, count: int, seed: int = 0) -> np.ndarray:
    """A few fine cubes at random; one in a corner of the box, so that it grades far from there."""
    generator = np.random.default_rng(seed)
    fine = np.zeros(shape, bool)
    for _ in range(count - 1):
        fine[tuple(generator.integers(0, shape))] = True
    fine[0, 0, 0] = count > 0
    return fine


def whole(shape: tuple, levels: int, fine: np.ndarray) -> Background:
    return graded_lattice(shape, (0, shape[0]), fine, levels)


def corners(lattice: Background) -> np.ndarray:
    """Corners of each tetrahedron (x, y, z), int64[m, 4, 3]."""
    return lattice.points[lattice.tets][:, :, ::-1].astype(np.int64)


def sixfold_volumes(lattice: Background) -> np.ndarray:
    edges = corners(lattice)[:, 1:] - corners(lattice)[:, :1]
    return (edges[:, 0] * np.cross(edges[:, 1], edges[:, 2])).sum(axis=1)


def facets(lattice: Background) -> tuple[np.ndarray, np.ndarray]:
    """Distinct facets, int[f, 3], and how many tetrahedra have each."""
    triples = lattice.tets[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]]
    return np.unique(np.sort(triples.reshape(-1, 3), axis=1), axis=0, return_counts=True)


def angles(lattice: Background) -> np.ndarray:
    """The six dihedral angles of each tetrahedron in degrees, float[m, 6]."""
    found = []
    p = corners(lattice).astype(float)
    for a, b, c, d in (
        (0, 1, 2, 3),
        (0, 2, 1, 3),
        (0, 3, 1, 2),
        (1, 2, 0, 3),
        (1, 3, 0, 2),
        (2, 3, 0, 1),
    ):
        axis = p[:, b] - p[:, a]
        m, n = np.cross(axis, p[:, c] - p[:, a]), np.cross(axis, p[:, d] - p[:, a])
        sine = np.linalg.norm(np.cross(m, n), axis=1)
        found.append(np.degrees(np.arctan2(sine, (m * n).sum(axis=1))))
    return np.stack(found, axis=1)


def regular(lattice: Background) -> np.ndarray:
    """Which tetrahedra are of the finest uniform lattice: two edges of 2, four of √3 half units."""
    p = corners(lattice)
    a, b = np.triu_indices(4, 1)
    squared = np.sort(((p[:, a] - p[:, b]) ** 2).sum(axis=2), axis=1)
    return (squared == [3, 3, 3, 3, 4, 4]).all(axis=1)


@pytest.mark.parametrize(("shape", "levels", "count"), CASES)
def test_lattice_fills_the_box_without_gap_or_overlap(shape, levels, count):
    """All in integers: positive volumes add up to the box; two tetrahedra share a facet inside.

    The facets of one tetrahedron alone tile each face of the box.
    """
    lattice = whole(shape, levels, fine_cubes(shape, count))
    volumes = sixfold_volumes(lattice)
    assert volumes.min() > 0
    assert volumes.sum() == 6 * 8 * np.prod(shape)

    triples, shared = facets(lattice)
    assert set(np.unique(shared)) <= {1, 2}
    p = lattice.points[triples[shared == 1]].astype(np.int64)
    double_area = np.abs(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])).sum(axis=1)
    at_a_face = np.zeros(len(p), int)
    for axis, end in product(range(3), (0, 1)):
        on = (p[:, :, axis] == 2 * end * shape[axis]).all(axis=1)
        assert double_area[on].sum() == 8 * np.prod(np.delete(shape, axis))
        at_a_face += on
    assert (at_a_face == 1).all()


@pytest.mark.parametrize(("shape", "levels", "count"), CASES)
def test_points_are_sorted_and_used(shape, levels, count):
    lattice = whole(shape, levels, fine_cubes(shape, count))
    position = np.ravel_multi_index(lattice.points.T, 2 * np.array(shape) + 1)
    assert (np.diff(position) > 0).all()
    assert np.array_equal(np.unique(lattice.tets), np.arange(len(position)))
    assert lattice.points.dtype == lattice.tets.dtype == np.int32


def test_uniform_lattice_has_twelve_tetrahedra_a_cube():
    """Each inner face of a cube has four, shared by two cubes; each face on the boundary four."""
    nz, ny, nx = shape = (3, 4, 5)
    lattice = whole(shape, 0, np.zeros(shape, bool))
    outer = 2 * (nz * ny + ny * nx + nx * nz)
    inner = (6 * nz * ny * nx - outer) // 2
    assert len(lattice.tets) == 4 * (inner + outer)
    assert len(lattice.points) == nz * ny * nx + (nz + 1) * (ny + 1) * (nx + 1) + outer
    assert regular(lattice).sum() == 4 * inner


@pytest.mark.parametrize(("shape", "levels", "count"), CASES)
def test_octree_is_balanced_and_cannot_be_coarser(shape, levels, count):
    """Touching leaves differ by one level at most; each block left apart has a reason to be."""
    fine = fine_cubes(shape, count)
    level = leaf_levels(shape, (0, shape[0]), fine, levels)
    assert level.max() <= levels

    def around(k: int, j: int, i: int, edge: int) -> tuple:
        return tuple(slice(max(c - 1, 0), c + edge + 1) for c in (k, j, i))

    for place in np.ndindex(shape):
        edge = 2 ** int(level[place])
        corner = tuple(c - c % edge for c in place)
        leaf = tuple(slice(c, c + edge) for c in corner)
        assert level[leaf].shape == (edge, edge, edge)
        assert (level[leaf] == level[place]).all()
        assert np.ptp(level[around(*place, 1)]) <= 1

        wide = tuple(c - c % (2 * edge) for c in place)
        fits = all(c + 2 * edge <= n for c, n in zip(wide, shape, strict=True))
        block = level[tuple(slice(c, c + 2 * edge) for c in wide)]
        if level[place] < levels and fits and (block == level[place]).all():
            ring = around(*wide, 2 * edge)
            own = tuple(slice(c, c + 2) for c in wide)
            assert fine[own].any() if edge == 1 else level[ring].min() < level[place]


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_tetrahedra_between_fine_cubes_are_regular(levels):
    """Where phases meet, cells have the centres of two fine cubes: these are of one size."""
    shape = (24, 20, 22)
    fine = np.zeros(shape, bool)
    fine[7:10, 5:9, 12:15] = True
    fine[8:11, 18:20, 10:13] = True
    lattice = whole(shape, levels, fine)
    centre = (lattice.points % 2 == 1).all(axis=1)
    inside = np.zeros(len(lattice.points), bool)
    inside[centre] = fine[tuple(lattice.points[centre].T // 2)]
    centres = centre[lattice.tets].sum(axis=1)
    between = (centres > 0) & (inside[lattice.tets].sum(axis=1) == centres)
    both = between & (centres == 2)
    assert both.any()
    assert regular(lattice)[both].all()
    assert not regular(lattice).all()


@pytest.mark.parametrize(("levels", "lowest", "highest"), [(0, 45, 90), (1, 45, 120), (3, 45, 120)])
def test_dihedral_angles(levels, lowest, highest):
    """Regular tetrahedra have 60° and 90°, their halves at the boundary 45° too.

    These are between a face of a cube and the planes from its edges to its centre. Halves of the
    pyramids on small faces add the 120° between two such planes. No other shape is worse.
    """
    shape = (24, 20, 22)
    lattice = whole(shape, levels, fine_cubes(shape, 5))
    found = angles(lattice)
    assert found.min() == pytest.approx(lowest, abs=1e-9)
    assert found.max() == pytest.approx(highest, abs=1e-9)
    uniform = angles(lattice)[regular(lattice)]
    assert np.allclose(np.sort(uniform, axis=1), [60, 60, 60, 60, 90, 90], atol=1e-9)


def inside(lattice: Background, low: int, high: int) -> np.ndarray:
    """Corners of the tetrahedra between two layers of cubes, in their order."""
    p = lattice.points[lattice.tets]
    return p[(p[:, :, 0] >= 2 * low).all(axis=1) & (p[:, :, 0] <= 2 * high).all(axis=1)]


@pytest.mark.parametrize(
    ("levels", "window"),
    [
        (0, (0, 5)),
        (0, (3, 4)),
        (1, (5, 21)),
        (1, (0, 9)),
        (2, (3, 30)),
        (2, (22, 45)),
        (3, (6, 45)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_window_agrees_with_the_whole_box(levels, window, seed):
    """Tetrahedra and their order, up to a halo from the window's ends that are not the box's."""
    shape = (45, 14, 17)
    fine = fine_cubes(shape, 9, seed)
    first, last = window
    low = first + (halo(levels) if first > 0 else 0)
    high = last - (halo(levels) if last < shape[0] else 0)
    part = graded_lattice(shape, window, fine[first:last], levels)
    expected = inside(whole(shape, levels, fine), low, high)
    assert len(expected) > 0
    assert np.array_equal(inside(part, low, high), expected)


@pytest.mark.parametrize("levels", [0, 2])
def test_window_is_conforming_and_ends_inside(levels):
    """At an artificial end tetrahedra are missing, but none is wrong and every point is used."""
    shape, (first, last) = (40, 9, 10), (7, 30)
    fine = fine_cubes(shape, 6)
    part = graded_lattice(shape, (first, last), fine[first:last], levels)
    assert part.points[:, 0].min() == 2 * first
    assert part.points[:, 0].max() == 2 * last
    assert np.array_equal(np.unique(part.tets), np.arange(len(part.points)))
    assert sixfold_volumes(part).min() > 0
    _, shared = facets(part)
    assert shared.max() == 2
    # The pyramid from each leaf's centre to its face at the end, a sixth of a cube, is left out.
    at_ends = leaf_levels(shape, (first, last), fine[first:last], levels)[[0, -1]]
    missing = (8 * 2.0**at_ends).sum()
    assert sixfold_volumes(part).sum() == 6 * 8 * 23 * 9 * 10 - missing


def test_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="window"):
        graded_lattice((4, 4, 4), (1, 3), np.zeros((4, 4, 4), bool), 0)
