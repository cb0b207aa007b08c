"""Fields, cuts and cells of the smooth mesher: exact fillings, conforming, alike in any order."""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from voxtrode.meshing.stuffing import cutting, snapping
from voxtrode.meshing.stuffing.box import plan_box
from voxtrode.meshing.stuffing.cell_points import with_cuts
from voxtrode.meshing.stuffing.cleaving import CutCells, cleave, room_for
from voxtrode.meshing.stuffing.cutting import ANY, Corners, CutEdges
from voxtrode.meshing.stuffing.fields import PhaseFields, phase_fields
from voxtrode.meshing.stuffing.graded import graded_lattice
from voxtrode.meshing.stuffing.sampling import Fields, best_phase, difference, sample
from voxtrode.meshing.stuffing.stuff import Sampled, Stuffed, phase_volumes, sampled, stuff
from voxtrode.meshing.stuffing.table import new_table

ROUND = 1e-12
"""Relative error of sums of some ten products in double precision, with room."""


def centres(*shape: int) -> np.ndarray:
    """Voxel centres (z, y, x), float[nz, ny, nx, 3]."""
    return np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in shape], indexing="ij"), axis=-1)


def as_fields(values: np.ndarray) -> Fields:
    """Fields in voxels of 1 µm, without constants."""
    held = PhaseFields(values.astype(np.float32), 0, values.shape[1], (1.0, 1.0, 1.0))
    return held.shifted(np.zeros(len(values)))


def against(field: np.ndarray) -> Fields:
    """Two phases, the first one where a field is positive."""
    return as_fields(np.stack([field / 2.0, -field / 2.0]))


def ends_of(fields: Fields, p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    return difference(fields, p, q, 0.0, 1, 2), difference(fields, p, q, 1.0, 1, 2)


# Sampling and roots


def test_samples_are_exact_for_linear_fields_and_constant_beyond_the_outermost_centres():
    slopes = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]])
    fields = as_fields(np.moveaxis(centres(5, 6, 7) @ slopes.T, -1, 0))
    out = np.empty(2)
    for point in np.random.default_rng(0).uniform(-2.0, 9.0, (50, 3)):
        sample(fields.values, fields.grid, point, out)
        inside = np.clip(point, 0.5, np.array([5, 6, 7]) - 0.5)
        # The values are small multiples of 1/8 and exact in single precision.
        assert out == pytest.approx(slopes @ inside, abs=1e-12)
        assert best_phase(fields, *point, 3) == np.argmax(out)
        assert best_phase(fields, *point, 2) == 1


def test_a_root_of_a_linear_field_is_exact_and_the_same_from_both_ends():
    normal = np.array([0.5, -1.0, 2.0])
    fields = against(centres(8, 8, 8) @ normal - 6.0)
    p, q = np.array([2.0, 5.0, 6.0]), np.array([6.0, 4.0, 1.0])
    exact = (6.0 - p @ normal) / ((q - p) @ normal)
    fa, fb = ends_of(fields, p, q)
    assert cutting.root(fields, p, q, 1, 2, fa, fb) == pytest.approx(exact, abs=1e-12)
    back = cutting.root(fields, q, p, 2, 1, -fb, -fa)
    assert back == pytest.approx(1.0 - exact, abs=1e-12)


def test_a_root_of_a_curved_field_is_on_the_surface():
    middle = np.array([8.1, 7.9, 8.3])
    fields = against(np.linalg.norm(centres(16, 16, 16) - middle, axis=-1) ** 2 / 8.0 - 3.0)
    generator = np.random.default_rng(1)
    for _ in range(50):
        p = generator.uniform(1.0, 15.0, 3)
        fa, fb = ends_of(fields, p, middle)
        if fa <= 0.0:
            continue
        t = cutting.root(fields, p, middle, 1, 2, fa, fb)
        # The tolerance of the root finder [voxels].
        assert abs(difference(fields, p, middle, t, 1, 2)) < 1e-3


def test_a_root_is_at_an_end_where_there_is_no_change_of_phase():
    fields = against(centres(4, 4, 4)[..., 2] - 2.0)
    p, q = np.array([2.0, 2.0, 3.0]), np.array([2.0, 2.0, 3.5])
    fa, fb = ends_of(fields, p, q)
    assert cutting.root(fields, p, q, 1, 2, fa, fb) == 1.0
    assert cutting.root(fields, p, q, 2, 1, -fa, -fb) == 0.0
    assert cutting.root(fields, p, q, 1, 2, 0.0, -1.0) == 0.0


# Two lattice cells that share a face


class Pair(NamedTuple):
    """Two cells with a face in common, cut: what they were and what they became."""

    tets: np.ndarray
    corners: Corners
    edges: CutEdges
    x: np.ndarray
    names: np.ndarray
    cells: np.ndarray
    phase: np.ndarray
    parent: np.ndarray


FIELDS = as_fields(np.random.default_rng(2).normal(size=(4, 3, 3, 3)))
SHAPE = np.array([[0, 0, 0], [2, 0, 0], [1, 1, 1], [1, -1, 1], [2, 0, 2.0]])
"""Cells (0, 1, 2, 3) and (4, 1, 2, 3), (z, y, x)."""


def volumes(x: np.ndarray, cells: np.ndarray) -> np.ndarray:
    p = x[cells][..., ::-1]
    return np.linalg.det(p[:, 1:] - p[:, :1]) / 6.0


def cut_pair(
    labels: tuple, generator: np.random.Generator, snapped: float, shaken: float = 1.0
) -> Pair:
    """A pair with cuts at random; corners belong to one more phase with a given probability.

    Not shaken, it is symmetric: cuts are in the middle of edges, and diagonals as long as others.
    """
    order = generator.permutation(5).astype(np.int32)
    x = np.empty((5, 3))
    x[order] = SHAPE + 0.2 * shaken * generator.uniform(-1.0, 1.0, (5, 3))
    label = np.empty(5, dtype=np.uint8)
    label[order] = labels
    tets = generator.permuted(order[np.array([[0, 1, 2, 3], [4, 1, 2, 3]])], axis=1)
    turned = volumes(x, tets) < 0.0
    tets[turned] = tets[turned][:, [1, 0, 2, 3]]
    active = cutting.mixed_cells(tets, label)
    ends, of_cell = cutting.mixed_edges(tets, active, label)
    place = 0.5 + 0.48 * shaken * generator.uniform(-1.0, 1.0, len(ends))
    edges = CutEdges(ends, np.full(len(ends), 0.02), place)
    sets = cutting.sets_of(label)
    sets[generator.random(5) < snapped] |= 1 << int(generator.integers(4))
    fixed = np.zeros((5, 3), dtype=bool)
    corners = Corners(np.zeros((5, 3), dtype=np.int32), fixed, x, x, label, sets)
    snapping.drop_cuts(corners, edges)
    points, used = with_cuts(corners, edges, of_cell)
    lattice = CutCells(tets, active, of_cell)
    out = room_for(lattice)
    count, used = cleave(FIELDS, lattice, points, new_table(len(points.x) - used), used, out)
    assert used <= len(points.x)
    made = (part[:count] for part in out)
    return Pair(tets, corners, edges, points.x[:used], points.names[:used], *made)


def facets(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct facets, and how many cells have each."""
    triples = cells[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3)
    return np.unique(np.sort(triples, axis=1), axis=0, return_counts=True)


def outer_area(x: np.ndarray, cells: np.ndarray) -> float:
    """Area of the facets of one cell only; facets that do not match across a face add to it."""
    triples, counts = facets(cells)
    assert counts.max() <= 2
    p = x[triples[counts == 1]]
    return 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1).sum()


def check_filled(pair: Pair) -> None:
    """Each cell is filled by cells of positive volume, and facets match across the common face."""
    made = volumes(pair.x, pair.cells)
    assert np.all(made > 0.0)
    whole = volumes(pair.corners.x, pair.tets)
    assert np.bincount(pair.parent, made, 2) == pytest.approx(whole, rel=ROUND)
    hull = outer_area(pair.corners.x, pair.tets)
    assert outer_area(pair.x, pair.cells) == pytest.approx(hull, rel=ROUND)


def check_phases(pair: Pair) -> None:
    """A cell has the phase of every corner that belongs to one phase only."""
    labels, sets = pair.corners.labels, pair.corners.sets
    single = sets == cutting.sets_of(labels)
    for cell, phase in zip(pair.cells, pair.phase, strict=True):
        lattice = cell[cell < len(labels)]
        assert len(lattice)
        assert np.all(labels[lattice[single[lattice]]] == phase)
        assert np.any((sets[lattice] >> phase) & 1)


@pytest.mark.parametrize("snapped", [0.0, 0.4])
def test_cells_are_filled_and_conform_for_any_labels_cuts_and_snapped_corners(snapped: float):
    generator = np.random.default_rng(3)
    added = 0
    for labels in product(range(4), repeat=5):
        pair = cut_pair(labels, generator, snapped)
        check_filled(pair)
        check_phases(pair)
        added += np.count_nonzero(pair.names[5:, 2] >= 0)
    assert added > 0


def test_cells_conform_where_diagonals_are_as_long():
    generator = np.random.default_rng(10)
    for labels in 4 * list(product(range(3), repeat=5)):
        check_filled(cut_pair(labels, generator, 0.0, shaken=0.0))


def test_the_separator_is_not_cut_but_conforms_with_what_is():
    generator = np.random.default_rng(4)
    for labels in product(range(3), repeat=4):
        pair = cut_pair((*labels, ANY), generator, 0.0)
        check_filled(pair)
        assert np.all(pair.phase[pair.parent == 1] == ANY)
        assert np.all(pair.phase[pair.parent == 0] < 3)


def test_a_whole_cell_stays_as_it_is():
    pair = cut_pair((2, 2, 2, 2, 2), np.random.default_rng(5), 0.0)
    assert np.array_equal(pair.cells, pair.tets)
    assert np.all(pair.phase == 2)


def test_three_cuts_in_a_ring_get_a_point_inside():
    """Each face takes another of two cuts, so that no cut is the point of both its faces."""
    generator = np.random.default_rng(6)
    rings = 0
    for _ in range(2000):
        pair = cut_pair((1, 0, 0, 0, 0), generator, 0.0)
        inside = np.flatnonzero(pair.names[:, 3] >= 0)[-1:]
        inside = inside[inside >= 5 + len(pair.edges.ends)]
        if not len(inside):
            continue
        rings += 1
        check_filled(pair)
        around = pair.cells[np.any(pair.cells == inside[0], axis=1)]
        triples, counts = facets(around)
        # The cells around it close: every facet at the point is shared.
        assert np.all(counts[np.any(triples == inside[0], axis=1)] == 2)
        assert np.all(pair.parent[np.any(pair.cells == inside[0], axis=1)] == 0)
    assert rings > 0


def test_four_phases_meet_in_a_point_amid_four_junctions():
    pair = cut_pair((0, 1, 2, 3, 3), np.random.default_rng(7), 0.0)
    junction = np.flatnonzero((pair.names[:, 3] < 0) & (pair.names[:, 2] >= 0))
    first = pair.cells[pair.parent == 0]
    junction = junction[(junction >= 5) & np.isin(junction, first)]
    last = len(pair.x) - 1 if pair.names[-1, 3] >= 0 else np.max(first)
    assert len(junction) == 4
    assert pair.x[last] == pytest.approx(pair.x[junction].mean(axis=0), rel=ROUND)
    check_filled(pair)


# Lattices


N = 12


def balls() -> np.ndarray:
    """Two balls of two phases that touch, in a third."""
    z = centres(N, N, N)
    labels = np.zeros((N, N, N), dtype=np.uint8)
    labels[np.linalg.norm(z - [5.0, 5.0, 4.0], axis=-1) < 3.6] = 1
    labels[np.linalg.norm(z - [7.0, 6.0, 8.5], axis=-1) < 2.9] = 2
    return labels


def layers() -> np.ndarray:
    """Flat layers, so that cuts are as near to a point as others."""
    return np.repeat(np.arange(N, dtype=np.uint8) // 4, N * N).reshape(N, N, N)


def sampled_at(labels: np.ndarray) -> Sampled:
    fields = PhaseFields(phase_fields(labels, 3), 0, N, (1.0, 1.0, 1.0))
    box = plan_box((N, N, N), 1.5, 0.0, 0)
    lattice = graded_lattice(box.shape, (0, box.shape[0]), np.ones(box.shape, bool), 0)
    return sampled(box, lattice, fields)


@pytest.fixture(scope="module")
def mesh() -> Stuffed:
    return stuff(sampled_at(balls()), np.zeros(3))


def test_a_mesh_fills_the_box_with_cells_that_conform(mesh: Stuffed):
    made = volumes(mesh.x, mesh.cells)
    assert np.all(made > 0.0)
    # Of some ten thousand cells, ROUND relative to the box for each at most.
    assert made.sum() == pytest.approx(N**3, rel=1e-11)
    assert outer_area(mesh.x, mesh.cells) == pytest.approx(6 * N**2, rel=1e-11)
    assert set(mesh.phase) == {0, 1, 2}


def test_interface_points_are_marked(mesh: Stuffed):
    touching = np.zeros((len(mesh.x), 3), dtype=bool)
    for phase in range(3):
        touching[mesh.cells[mesh.phase == phase].ravel(), phase] = True
    assert np.all(mesh.surface[touching.sum(axis=1) > 1])


def test_keys_of_points_are_unique(mesh: Stuffed):
    assert len(np.unique(mesh.keys)) == len(mesh.x)


def test_points_on_the_box_stay_there(mesh: Stuffed):
    on = (mesh.x == 0.0) | (mesh.x == N)
    assert np.array_equal(on, mesh.fixed)


def test_volumes_do_not_depend_on_the_order_of_cells_or_on_who_owns_them(mesh: Stuffed):
    generator = np.random.default_rng(8)
    order = generator.permutation(len(mesh.cells))
    parts = mesh.x, mesh.keys, mesh.fixed, mesh.surface
    mixed = Stuffed(*parts, mesh.cells[order], mesh.phase[order], mesh.parent[order])
    cube = 1.5**3
    own = np.ones(mesh.parent.max() + 1, dtype=bool)
    total = phase_volumes(mesh, own, 3, cube)
    assert np.array_equal(phase_volumes(mixed, own, 3, cube), total)
    mine = generator.random(len(own)) < 0.5
    halves = phase_volumes(mesh, mine, 3, cube) + phase_volumes(mesh, ~mine, 3, cube)
    assert np.array_equal(halves, total)
    # Each cell is rounded to 2⁻³³ of a cube at most.
    exact = np.bincount(mesh.phase, volumes(mesh.x, mesh.cells)) / cube
    assert total * 2.0**-32 == pytest.approx(exact, abs=len(mesh.cells) * 2.0**-33)


@pytest.mark.parametrize("image", [balls, layers])
def test_snapping_does_not_depend_on_the_order_of_edges(image: Callable[[], np.ndarray]):
    start = sampled_at(image())
    points, tets = start.lattice.points, start.lattice.tets
    labels = cutting.label_points(start.values, np.zeros(3), start.outside)
    active = cutting.mixed_cells(tets, labels)
    ends, _ = cutting.mixed_edges(tets, active, labels)
    fields = start.fields.shifted(np.zeros(3))
    found = []
    for order in (np.arange(len(ends)), np.random.default_rng(9).permutation(len(ends))):
        edges = CutEdges(
            ends[order], snapping.nearest_places(points, ends[order]), np.empty(len(ends))
        )
        sets, x = cutting.sets_of(labels), start.rest.copy()
        corners = Corners(points, start.box.fixed(points), start.rest, x, labels, sets)
        cutting.place_cuts(fields, corners, start.values, edges)
        for turn in (0, 2, 3):
            snapping.snap_points(turn, corners, edges, 3)
        snapping.recut(fields, corners, edges)
        back = np.argsort(order)
        found.append((corners.x, corners.sets, edges.place[back]))
        # A cut that is left is no nearer than allowed to an end.
        left = edges.place >= 0.0
        near = np.minimum(edges.place, 1.0 - edges.place)[left]
        assert np.all(near >= edges.nearest[left])
        assert np.all((corners.x == start.rest)[corners.fixed])
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)
    assert np.any(found[0][0] != start.rest)


# Fields


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 1), (1, 1, 1), (3, -2, 1), (1, 5, -8)])
def test_the_field_of_a_half_space_is_the_distance(normal: tuple):
    n = 40
    # Half way between two lattice planes: any other offset has the same image.
    steps = (centres(n, n, n) - 0.5 - n // 2) @ np.array(normal) - 0.5
    distance = steps / np.linalg.norm(normal)
    field = phase_fields((distance > 0.0).astype(np.uint8), 2)[1]
    # Away from the ends of the array, where the plane is mirrored into a wedge.
    inner = (slice(14, -14),) * 3
    near = np.abs(distance[inner]) < 1.0
    # The sum over voxels for the integral of a Gaussian of 0.7 voxels and wider, and the table.
    assert field[inner][near] == pytest.approx(distance[inner][near], abs=0.02)


def test_a_film_of_two_voxels_keeps_its_sign():
    labels = np.zeros((24, 24, 24), dtype=np.uint8)
    labels[:, :, 11:13] = 1
    for image in (labels, np.moveaxis(labels, 2, 0), 1 - labels):
        field = phase_fields(np.ascontiguousarray(image), 2)[1]
        assert np.array_equal(field > 0.0, image == 1)


def test_swapping_phases_negates_the_field():
    labels = balls()
    ours = phase_fields((labels == 1).astype(np.uint8), 2)
    theirs = phase_fields((labels != 1).astype(np.uint8), 2)
    assert np.array_equal(ours[0], -ours[1])
    # Single precision of an indicator, over the slope of its profile at two widths.
    assert ours[0] == pytest.approx(theirs[1], abs=1e-3)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_image_has_mirrored_fields(axis: int):
    labels = balls()
    fields = phase_fields(labels, 3)
    mirrored = phase_fields(np.ascontiguousarray(np.flip(labels, axis)), 3)
    assert np.flip(mirrored, axis + 1) == pytest.approx(fields, abs=1e-5)
