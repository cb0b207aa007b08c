"""Bodies: volume, gauge, reach, the balls that stand for them, and how they are turned."""

import numpy as np
import pytest
from scipy.special import dawsn

from voxtrode.data.errors import InputError
from voxtrode.data.generation.orientation import (
    Fixed,
    InPlane,
    RandomOrientation,
    matrices,
    order,
    random_quaternions,
    turned_to,
)
from voxtrode.data.generation.roughness import Rough, surface_area
from voxtrode.data.generation.shape import Ball
from voxtrode.data.generation.shapes_basic import Ellipsoid, Plate
from voxtrode.data.generation.shapes_fragment import Fragment
from voxtrode.data.generation.shapes_sampling import directions, inside_points, lattice
from voxtrode.data.volume import Grains

SHAPES = [
    Ellipsoid((3.0, 1.0, 2.0)),
    Plate(1.0),
    Plate(5.0),
    Plate(4.0, rounding=1.0),
    Fragment(1),
    Fragment(2, planes=8, irregularity=0.4),
    Fragment(3, planes=30, ratios=(1.0, 1.5, 2.0)),
    Rough(Ball(), 0.02, 0.25, 1),
    Rough(Fragment(1), 0.02, 0.3, 2),
    Rough(Plate(3.0), 0.03, 0.4, 3),
]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_every_shape_has_the_volume_of_the_ball_of_diameter_one(shape):
    # The mean of 1/(3 g³) over the directions is the volume of a star-shaped body: an independent
    # quadrature, with 200 000 directions good to some 1e-4 even at the edges of a plate.
    radii = 1.0 / shape.gauge(directions(200_000))
    volume = 4.0 * np.pi / 3.0 * (radii**3).mean()
    assert volume == pytest.approx(np.pi / 6.0, rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_the_gauge_is_homogeneous_and_nothing_at_the_centre(shape):
    points = np.random.default_rng(0).normal(size=(500, 3))
    for factor in (1e-3, 0.3, 7.0):
        np.testing.assert_allclose(
            shape.gauge(factor * points), factor * shape.gauge(points), rtol=1e-9
        )
    assert shape.gauge(np.zeros((1, 3)))[0] == 0.0


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_the_reach_holds_the_body_and_is_tight(shape):
    farthest = (1.0 / shape.gauge(directions(50_000))).max()
    # Directions miss the sharpest corners by up to 1 or 2 %; what is added for bumps is below 2 %.
    assert farthest <= shape.reach * (1.0 + 1e-12)
    assert farthest >= 0.95 * shape.reach


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_the_clump_lies_inside_and_covers_most_of_the_body(shape):
    centres, radii = shape.clump()
    assert 1 <= len(centres) == len(radii) <= 40
    ways = directions(2_000)
    for centre, radius in zip(centres, radii, strict=True):
        # A corner between the 3000 directions that were judged may be met by some 1e-3.
        assert shape.gauge(centre + radius * ways).max() < 1.005
    points = inside_points(shape, 40_000)
    squares = ((points[:, None] - centres) ** 2).sum(axis=2)
    covered = (squares < radii**2).any(axis=1).mean()
    # The least of these is a plate's, whose 40 balls are no wider than its thickness.
    assert covered > (0.6 if "Plate" in repr(shape) else 0.73)


def test_the_short_axis_is_z_and_axes_keep_their_ratios():
    semi = Ellipsoid((2.0, 4.0, 1.0)).semi_axes
    np.testing.assert_allclose(semi / semi[0], [1.0, 2.0, 4.0])
    plate = Plate(5.0, 0.3)
    thickness, width = 1.0 / plate.gauge(np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    assert width / thickness == pytest.approx(5.0)


def test_a_plate_of_full_rounding_is_the_ellipsoid():
    points = np.random.default_rng(1).normal(size=(100, 3))
    np.testing.assert_allclose(
        Plate(4.0, 1.0).gauge(points), Ellipsoid((4.0, 4.0, 1.0)).gauge(points), rtol=1e-12
    )


def test_a_fragment_is_convex_centred_and_repeatable():
    shape = Fragment(7)
    points = inside_points(shape, 100_000)
    assert np.abs(points.mean(axis=0)).max() < 2e-3
    random = np.random.default_rng(0)
    first, second = (points[random.permutation(len(points))[:2000]] for _ in range(2))
    assert (shape.gauge(0.5 * (first + second)) < 1.0).all()
    np.testing.assert_array_equal(shape.gauge(points), Fragment(7).gauge(points))
    assert not np.allclose(shape.gauge(points), Fragment(8).gauge(points))


@pytest.mark.slow
def test_roughness_has_the_amplitude_and_the_area_that_were_asked_for():
    shape = Rough(Ball(), 0.02, 0.1, 4)
    radii = 1.0 / shape.gauge(directions(50_000))
    assert radii.std() == pytest.approx(0.02, rel=0.05)
    # For small slopes s of a Gaussian surface the area grows by E[sqrt(1 + s²)]; here s² has the
    # mean (2/3) a² E[k²] with k = 2π/λ (1 ± 25 %), but curvature and radius shift it.
    mean = 2.0 / 3.0 * 0.02**2 * (2.0 * np.pi / 0.1) ** 2 * (1.0 + 0.25**2 / 3.0)
    slopes = np.random.default_rng(0).exponential(mean, 100_000)
    assert surface_area(shape) / np.pi == pytest.approx(np.sqrt(1.0 + slopes).mean(), rel=0.08)
    assert surface_area(Ball()) == pytest.approx(np.pi, rel=1e-3)


@pytest.mark.slow
def test_a_secondary_particle_of_published_roughness_is_in_reach():
    assert surface_area(Rough(Ball(), 0.0175, 0.09, 1)) / np.pi == pytest.approx(1.37, abs=0.05)


def test_no_roughness_leaves_the_body():
    points = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_allclose(
        Rough(Plate(3.0), 0.0, 0.3, 1).gauge(points), Plate(3.0).gauge(points), rtol=1e-12
    )


def test_the_lattice_encloses_the_body():
    points, _ = lattice(Ellipsoid((1.0, 2.0, 4.0)), 20_000)
    outside = Ellipsoid((1.0, 2.0, 4.0)).gauge(points.reshape(-1, 3)).reshape(points.shape[:3]) > 1
    for axis in range(3):
        assert np.take(outside, [0, -1], axis=axis).all()


@pytest.mark.parametrize("kappa", [1.0, 10.0, 1e3])
def test_plates_in_plane_follow_watsons_distribution(kappa):
    rotations = InPlane(kappa).rotations(20_000, np.random.default_rng(1))
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (20_000, 1, 1)), atol=1e-12
    )
    root = np.sqrt(kappa)
    square = 1.0 / (2.0 * root * dawsn(root)) - 0.5 / kappa
    # Four standard errors of a mean of 20 000 values that spread by less than 0.5.
    assert order(rotations).about_z == pytest.approx(1.5 * square - 0.5, abs=0.014)


def test_order_of_random_and_of_aligned_plates():
    random = np.random.default_rng(2)
    for orientation in (RandomOrientation(), InPlane(0.0)):
        assert abs(order(orientation.rotations(20_000, random)).about_z) < 0.015
    flat = InPlane(np.inf).rotations(50, random)
    assert order(flat).about_z == pytest.approx(1.0)
    # They still turn about their own axis.
    assert np.ptp(flat[:, 1, 1]) > 1.0


def test_upright_plates_are_ordered_but_not_about_z():
    # A quarter turn about x carries z to y.
    turn = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    upright = order(Fixed(turn).rotations(5, np.random.default_rng(0)))
    assert upright.about_z == pytest.approx(-0.5)
    assert upright.nematic == pytest.approx(1.0)
    np.testing.assert_allclose(np.abs(upright.director), [0.0, 1.0, 0.0], atol=1e-12)


def test_quaternions_are_those_of_grains_and_uniform():
    quaternions = random_quaternions(5_000, np.random.default_rng(3))
    turned = matrices(quaternions)
    np.testing.assert_allclose(np.linalg.det(turned), 1.0)
    grains = Grains(np.zeros((1, 1, 1), np.int32), np.ones(5_000, np.int32), quaternions)
    np.testing.assert_allclose(turned[:, :, 0], grains.c_axes, atol=1e-12)
    # Uniform rotations leave nothing of a vector on average: 4 standard errors of 1/sqrt(3 n).
    assert np.abs(turned.mean(axis=0)).max() < 4.0 / np.sqrt(3 * 5_000)


def test_turning_z_to_any_axis_even_to_its_opposite():
    axes = np.vstack([directions(50), [[1.0, 0.0, 0.0]], [[-1.0, 0.0, 0.0]]])
    turned = matrices(turned_to(axes, np.linspace(0.0, 6.0, len(axes))))
    np.testing.assert_allclose(turned[:, :, 0], axes, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turned), 1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ellipsoid((1.0, 0.0, 1.0)),
        lambda: Plate(0.5),
        lambda: Plate(3.0, 0.0),
        lambda: Fragment(1, planes=3),
        lambda: Fragment(-1),
        lambda: Fragment(1, irregularity=0.9),
        lambda: Rough(Ball(), 0.5, 0.1, 1),
        lambda: Rough(Ball(), 0.05, 0.001, 1),
        lambda: InPlane(-1.0),
        lambda: InPlane(float("nan")),
        lambda: Fixed(((1.0, 0, 0), (0, 1.0, 0), (0, 0, -1.0))),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(make):
    with pytest.raises(InputError, match="expected") as caught:
        make()
    assert "\n" not in str(caught.value)
