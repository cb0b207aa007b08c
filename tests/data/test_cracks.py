"""Cracks: open or closed as asked, in the asked amount, and never through a particle."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.errors import InputError
from voxtrode.data.generation.cracks import crack
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.grains import make_grains
from voxtrode.data.generation.grains_arrangements import Voronoi

H = 1e-7


def balls(shape, voxel, places):
    """Particles of given centres and radii [m]."""
    grid = np.indices(shape)
    particles = np.zeros(shape, dtype=np.int32)
    for number, (centre, radius) in enumerate(places, start=1):
        squares = sum(
            ((grid[axis] + 0.5) * voxel[axis] - centre[axis]) ** 2
            for axis in range(3)
            if shape[axis] > 1
        )
        particles[(squares < radius**2) & (particles == 0)] = number
    return particles


CASES = {
    "ball": ((60, 60, 60), (H, H, H), [((3e-6,) * 3, 2.6e-6)]),
    "anisotropic": ((30, 60, 90), (2 * H, H, 0.7 * H), [((3e-6, 3e-6, 3e-6), 2.6e-6)]),
    "section across x": ((90, 80, 1), (H, H, H), [((4.5e-6, 4e-6, 0.0), 3.6e-6)]),
    "section across z": ((1, 90, 80), (H, H, H), [((0.0, 4.5e-6, 4e-6), 3.6e-6)]),
    "cut by the box, touching": (
        (50, 70, 60),
        (H, H, H),
        [((0.5e-6, 2e-6, 3e-6), 2.4e-6), ((3e-6, 5e-6, 2e-6), 2.2e-6), ((4e-6, 1e-6, 1e-6), 2e-7)],
    ),
}


@pytest.mark.parametrize("along_grains", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_cracks_are_what_they_say_and_cut_nothing_off(case, along_grains):
    shape, voxel, places = CASES[case]
    particles = balls(shape, voxel, places)
    random = np.random.default_rng(5)
    grains = make_grains(particles, voxel, Voronoi(9e-7), random)[0] if along_grains else None
    settings = Cracks(0.03, 0.02, 1.5e-7)
    cracked = crack(particles, voxel, settings, random, grains)
    total = np.count_nonzero(particles)
    for mask, asked in ((cracked.surface, 0.03), (cracked.internal, 0.02)):
        assert not mask[particles == 0].any()
        assert np.count_nonzero(mask) / total == pytest.approx(asked, abs=1e-3)
    assert not (cracked.surface & cracked.internal).any()
    # Open: every surface crack is reached from the outside through faces.
    pieces, _ = ndimage.label((particles == 0) | cracked.surface)
    assert np.isin(pieces[cracked.surface], np.unique(pieces[particles == 0])).all()
    # Closed: no face to the outside, to a surface crack or to another particle.
    near = ndimage.binary_dilation(cracked.internal)
    assert not near[(particles == 0) | cracked.surface].any()
    left = np.where(cracked.surface | cracked.internal, 0, particles)
    for particle in range(1, len(places) + 1):
        before = ndimage.label(particles == particle)[1]
        assert ndimage.label(left == particle)[1] == before
    # Contacts and the collector's layer stay.
    for axis in range(3):
        one, other = (np.moveaxis(particles, axis, 0)[s] for s in (slice(1, None), slice(-1)))
        after, after_other = (np.moveaxis(left, axis, 0)[s] for s in (slice(1, None), slice(-1)))
        contact = (one != other) & (one > 0) & (other > 0)
        assert (after[contact] > 0).all()
        assert (after_other[contact] > 0).all()
    if shape[0] > 1:
        np.testing.assert_array_equal(left[0], particles[0])


def test_particles_that_are_not_resolved_are_left_alone():
    shape, voxel, places = CASES["cut by the box, touching"]
    particles = balls(shape, voxel, places)
    cracked = crack(particles, voxel, Cracks(0.02, 0.02, H), np.random.default_rng(1))
    small = particles == 3
    assert small.any()
    assert not (small & (cracked.surface | cracked.internal)).any()
    assert cracked.evidence["particles_resolved"] == 2


def test_cracks_along_grain_boundaries_keep_to_them():
    particles = balls(*CASES["ball"])
    random = np.random.default_rng(2)
    grains = make_grains(particles, (H,) * 3, Voronoi(1.5e-6), random)[0]
    cracked = crack(particles, (H,) * 3, Cracks(0.03, 0.0, 2 * H), random, grains)
    # Distance to a voxel of another grain, from either side.
    boundary = np.zeros(particles.shape, dtype=bool)
    for axis in range(3):
        here = np.moveaxis(boundary, axis, 0)
        ids = np.moveaxis(grains.ids, axis, 0)
        differ = (ids[1:] != ids[:-1]) & (ids[1:] > 0) & (ids[:-1] > 0)
        here[1:] |= differ
        here[:-1] |= differ
    distance = ndimage.distance_transform_edt(~boundary)
    # Two voxels wide, from one side; crumbs that sheets cut off may be a little farther.
    assert (distance[cracked.surface] <= 2.0).mean() > 0.98


def test_the_depth_of_surface_cracks_is_kept():
    particles = balls(*CASES["ball"])
    settings = Cracks(0.01, 0.0, H, depth=0.3, length=0.4, waviness=0.0)
    cracked = crack(particles, (H,) * 3, settings, np.random.default_rng(3))
    depth = ndimage.distance_transform_edt(particles > 0)
    # The way in is taken from a staircase: it leans by some degrees.
    assert depth[cracked.surface].max() <= 0.3 * 26 + 2.0


def test_a_share_of_the_particles_cracks():
    places = [((2e-6, 2e-6, x * 1e-6), 0.9e-6) for x in (1, 3, 5, 7)]
    particles = balls((40, 40, 80), (H, H, H), places)
    settings = Cracks(0.01, 0.0, H, share=0.5)
    cracked = crack(particles, (H, H, H), settings, np.random.default_rng(4))
    assert len(np.unique(particles[cracked.surface])) == 2
    assert cracked.evidence["particles_cracked"] == 2


def test_the_seed_decides():
    particles = balls(*CASES["ball"])
    drawn = [
        crack(particles, (H,) * 3, Cracks(0.02, 0.01, H), np.random.default_rng(seed)).surface
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_nothing_asked_or_nothing_there_gives_nothing():
    particles = balls(*CASES["ball"])
    for given, settings in (
        (particles, Cracks(0.0, 0.0, H)),
        (np.zeros_like(particles), Cracks(0.03, 0.0, H)),
    ):
        cracked = crack(given, (H,) * 3, settings, np.random.default_rng(0))
        assert not (cracked.surface | cracked.internal).any()


@pytest.mark.parametrize(
    ("particles", "settings", "words"),
    [
        (balls((9, 9, 9), (H, H, H), [((4.5e-7,) * 3, 3e-7)]), Cracks(0.1, 0, H), "radius"),
        (np.ones((20, 20, 20), np.int32), Cracks(0.1, 0.0, H), "surface"),
        (np.ones((20, 1, 1), np.int32), Cracks(0.1, 0.0, H), "two axes"),
        (balls(*CASES["section across x"]), Cracks(0.3, 0.0, H, depth=0.05), "reach"),
        (balls(*CASES["ball"]), Cracks(0.1, 0.0, H, share=0.0), "reach"),
    ],
)
def test_what_cannot_be_reached_is_said(particles, settings, words):
    with pytest.raises(InputError, match=words) as caught:
        crack(particles, (H, H, H), settings, np.random.default_rng(0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"surface_fraction": -0.1}, {"width": 0.0}, {"depth": 1.5}, {"share": 2.0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="expected"):
        Cracks(**({"surface_fraction": 0.0, "internal_fraction": 0.0, "width": H} | wrong))
