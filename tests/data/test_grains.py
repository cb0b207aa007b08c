"""Grains: sizes, connection, textures and orientations."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.errors import InputError
from voxtrode.data.generation.grains import make_grains, tidied, without
from voxtrode.data.generation.grains_arrangements import (
    DoubleLayer,
    Radial,
    SingleCrystal,
    Voronoi,
)
from voxtrode.data.generation.grains_textures import in_groups, parallel, radially
from voxtrode.data.volume import Grains

H = 1e-7
SIZE = 1.2e-6


def ellipsoid(shape, half):
    """One particle, with half axes in voxels."""
    grid = np.indices(shape) + 0.5
    squares = sum(
        ((grid[axis] - 0.5 * shape[axis]) / half[axis]) ** 2 for axis in range(3) if shape[axis] > 1
    )
    return (squares < 1.0).astype(np.int32)


BALL = ellipsoid((64, 64, 64), (30, 30, 30))
DISC = ellipsoid((130, 120, 1), (55, 55, 1))
DOUBLE = DoubleLayer(Radial(SIZE), Voronoi(SIZE))


def check(grains, particles):
    """Every particle voxel has a grain; grains are connected, each inside one particle."""
    np.testing.assert_array_equal(grains.ids > 0, particles > 0)
    assert set(np.unique(grains.ids[grains.ids > 0])) == set(range(1, len(grains.particle) + 1))
    for number, box in enumerate(ndimage.find_objects(grains.ids), start=1):
        own = grains.ids[box] == number
        assert ndimage.label(own)[1] == 1
        assert (particles[box][own] == grains.particle[number - 1]).all()
    np.testing.assert_allclose((grains.quaternions**2).sum(axis=1), 1.0)


ARRANGEMENTS = {"voronoi": Voronoi(SIZE), "radial": Radial(SIZE), "double": DOUBLE}


@pytest.mark.parametrize("particles", [BALL, DISC], ids=["ball", "disc"])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_grains_fill_particles_with_the_asked_size(arrangement, particles):
    grains, evidence = make_grains(particles, (H,) * 3, arrangement, np.random.default_rng(1))
    check(grains, particles)
    assert evidence["grain_size_m"] == pytest.approx(SIZE, rel=0.05)
    assert evidence["mean_equivalent_diameter_m"] == pytest.approx(SIZE, rel=0.05)
    assert evidence["grains"] == len(grains.particle)


def test_voxels_of_unequal_edges_give_the_same_grains_in_metres():
    voxel = (2 * H, H, 0.5 * H)
    particles = ellipsoid((32, 64, 128), (15, 30, 60))
    grains, evidence = make_grains(particles, voxel, Voronoi(SIZE), np.random.default_rng(1))
    check(grains, particles)
    assert evidence["grain_size_m"] == pytest.approx(SIZE, rel=0.05)
    spans = []
    for number, box in enumerate(ndimage.find_objects(grains.ids), start=1):
        places = np.argwhere(grains.ids[box] == number) * voxel
        spans.append(places.std(axis=0))
    z, y, x = np.mean(spans, axis=0)
    # Equiaxed: the box's 120 grains differ by chance by a few per cent.
    assert z == pytest.approx(x, rel=0.12)
    assert y == pytest.approx(x, rel=0.12)


def middles(grains):
    count = len(grains.particle)
    return np.array(ndimage.center_of_mass(grains.ids > 0, grains.ids, range(1, count + 1)))


def test_radial_grains_are_long_along_the_radius_and_c_lies_across_it():
    grains, evidence = make_grains(BALL, (H,) * 3, Radial(SIZE, 3.0), np.random.default_rng(2))
    along, across = [], []
    for number, middle in enumerate(middles(grains) - 31.5, start=1):
        distance = np.linalg.norm(middle)
        if distance < 12.0:
            continue
        way = middle / distance
        places = np.argwhere(grains.ids == number) - 31.5 - middle
        radial = places @ way
        along.append(radial.var())
        across.append(0.5 * ((places**2).sum(axis=1) - radial**2).mean())
        # c is perpendicular to the radius at the grain's middle.
        assert abs(grains.c_axes[number - 1] @ way) < 0.1
    # The surface ends grains short of three times their width.
    assert 1.7 < np.sqrt(np.mean(along) / np.mean(across)) < 3.5
    assert evidence["mean_square_cosine_c_axis_to_radius"] < 0.05


def test_c_along_the_radius_is_a_choice():
    _, evidence = make_grains(BALL, (H,) * 3, Radial(SIZE, 3.0, radially), np.random.default_rng(2))
    assert evidence["mean_square_cosine_c_axis_to_radius"] > 0.9


def test_a_double_layer_is_radial_in_its_outer_third_only():
    particles = ellipsoid((100, 100, 100), (48, 48, 48))
    grains, _ = make_grains(particles, (H,) * 3, DOUBLE, np.random.default_rng(3))
    check(grains, particles)
    places = middles(grains) - 49.5
    distance = np.linalg.norm(places, axis=1)
    cosine = (grains.c_axes * places).sum(axis=1) / distance
    outer = distance > 2.0 / 3.0 * 48 + 2
    inner = distance < 2.0 / 3.0 * 48 - 2
    assert np.abs(cosine[outer]).max() < 0.2
    assert (cosine[inner] ** 2).mean() == pytest.approx(1.0 / 3.0, abs=0.08)


def test_random_orientations_are_uniform():
    grains, evidence = make_grains(BALL, (H,) * 3, Voronoi(6e-7), np.random.default_rng(4))
    square = (grains.c_axes[:, :, None] * grains.c_axes[:, None, :]).mean(axis=0)
    # Standard error of a mean of cos² (standard deviation 0.3) over about 1000 grains: 0.01.
    np.testing.assert_allclose(square, np.eye(3) / 3.0, atol=0.045)
    assert evidence["mean_square_cosine_c_axis_to_radius"] == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("normal", [0, 1, 2])
def test_groups_in_a_section_turn_c_about_its_normal(normal):
    particles = np.moveaxis(DISC, 2, normal)
    arrangement = Voronoi(SIZE, in_groups((0.0, 30.0, 60.0, 90.0)))
    grains, _ = make_grains(particles, (H,) * 3, arrangement, np.random.default_rng(5))
    check(grains, particles)
    first, second = (axis for axis in range(3) if axis != normal)
    c = grains.c_axes
    np.testing.assert_allclose(c[:, normal], 0.0, atol=1e-12)
    angles = np.rad2deg(np.arctan2(c[:, second], c[:, first]))
    values, counts = np.unique(angles.round(6), return_counts=True)
    np.testing.assert_allclose(values, [0.0, 30.0, 60.0, 90.0], atol=1e-5)
    assert np.ptp(counts) <= 2


def test_a_single_crystal_is_the_particle():
    particles = BALL.copy()
    particles[:, :, 32:] *= 7  # ids need not be consecutive
    grains, evidence = make_grains(
        particles, (H,) * 3, SingleCrystal(parallel((0.0, 0.0, 2.0))), np.random.default_rng(6)
    )
    check(grains, particles)
    np.testing.assert_array_equal(grains.particle, [1, 7])
    np.testing.assert_allclose(grains.c_axes, [[0, 0, 1]] * 2, atol=1e-12)
    assert evidence["grains"] == 2


def test_a_particle_that_fills_the_box_has_grains_too():
    everything = np.ones((30, 40, 20), dtype=np.int32)
    grains, _ = make_grains(everything, (H,) * 3, DOUBLE, np.random.default_rng(7))
    check(grains, everything)


def test_a_particle_in_pieces_keeps_grains_connected():
    particles = BALL.copy()
    particles[30:33] = 0
    grains, _ = make_grains(particles, (H,) * 3, Voronoi(2.5e-6), np.random.default_rng(8))
    check(grains, particles)


def test_what_is_left_of_cut_grains_keeps_its_orientation():
    whole, _ = make_grains(BALL, (H,) * 3, SingleCrystal(), np.random.default_rng(9))
    removed = np.zeros(BALL.shape, dtype=bool)
    removed[31:33] = True
    left = without(whole, removed, np.where(removed, 0, BALL))
    check(left, np.where(removed, 0, BALL))
    assert len(left.particle) == 2
    np.testing.assert_array_equal(left.quaternions, np.repeat(whole.quaternions, 2, axis=0))


def test_splinters_join_neighbours_of_their_own_particle():
    ids = np.repeat(np.array([1, 2], dtype=np.int32), 10)[None, None].repeat(10, axis=1)
    ids[0, 5, 15] = 1  # a splinter of grain 1 inside grain 2
    particles = (ids > 0).astype(np.int32)
    before = Grains(ids, np.array([1, 1], np.int32), np.eye(4)[:2])
    after, moved = tidied(before, particles)
    assert moved == 1
    assert after.ids[0, 5, 15] == 2
    check(after, particles)


def test_the_seed_decides():
    made = [
        make_grains(DISC, (H,) * 3, Voronoi(SIZE), np.random.default_rng(seed))[0]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(made[0].ids, made[1].ids)
    assert np.array_equal(made[0].quaternions, made[1].quaternions)
    assert not np.array_equal(made[0].ids, made[2].ids)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Voronoi(0.0), "positive"),
        (lambda: Radial(SIZE, 0.5), "elongation"),
        (lambda: DoubleLayer(Radial(SIZE), Voronoi(SIZE), 1.0), "share"),
        (lambda: in_groups(()), "at least one"),
        (lambda: grained(BALL, Voronoi(2e-7)), "larger grains"),
        (lambda: grained(BALL, Voronoi(SIZE, in_groups((0.0,)))), "section"),
        (lambda: grained(BALL * 0, Voronoi(SIZE)), "at least one particle"),
        (lambda: grained(BALL[:1, :1], Voronoi(SIZE)), "two axes"),
        (lambda: grained(DISC, SingleCrystal(parallel((0.0, 0.0, 1.0)))), "c axis"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def grained(particles, arrangement):
    return make_grains(particles, (H,) * 3, arrangement, np.random.default_rng(0))
