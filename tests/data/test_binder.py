"""Carbon-binder between particles: exact shares, films and bridges where they belong."""

import json

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.errors import InputError
from voxtrode.data.generation.binder import Binder, add_binder
from voxtrode.data.generation.binder_morphology import Bridges, Film, Mixed, film_patches
from voxtrode.data.generation.binder_space import measure_space

UM = 1e-6
MORPHOLOGIES = [Film(), Film(0.5, 2 * UM), Bridges(), Mixed(0.4), Mixed(0.4, Film(0.3, 2 * UM))]


def balls(shape, voxel, centres, radius):
    """Particles 1..n as balls; a voxel in several belongs to the nearest centre."""
    grids = np.meshgrid(
        *[(np.arange(n) + 0.5) * edge for n, edge in zip(shape, voxel, strict=True)], indexing="ij"
    )
    distance = np.stack(
        [
            np.sqrt(sum((grid - place) ** 2 for grid, place in zip(grids, centre, strict=True)))
            for centre in centres
        ]
    )
    inside = distance.min(axis=0) < radius
    return np.where(inside, distance.argmin(axis=0) + 1, 0).astype(np.int32)


@pytest.fixture(scope="module")
def bed():
    """A loose bed in voxels that are no cubes and a box that is none."""
    shape, voxel = (30, 36, 48), (0.5 * UM, 0.4 * UM, 0.3 * UM)
    places = np.random.default_rng(5).random((24, 3)) * np.array(shape) * voxel
    return balls(shape, voxel, places, 2.2 * UM), voxel


@pytest.fixture(scope="module")
def pair():
    """Two balls of 12 voxels radius that touch in the middle of the box, one above the other."""
    edge = 0.25 * UM
    shape, middle = (60, 40, 40), 20 * edge
    centres = [(30 * edge - 3 * UM, middle, middle), (30 * edge + 3 * UM, middle, middle)]
    return balls(shape, (edge,) * 3, centres, 3.05 * UM), (edge,) * 3


def rng(seed=1):
    return np.random.default_rng(seed)


def test_distances_to_two_particles(bed):
    """Against a distance transform of every particle by itself (float32: 1e-6 relative)."""
    particles, voxel = bed
    space = measure_space(particles, voxel)
    ids = np.unique(particles[particles > 0])
    alone = [ndimage.distance_transform_edt(particles != i, sampling=voxel) for i in ids]
    ordered = np.sort(np.stack(alone), axis=0)
    free = particles == 0
    np.testing.assert_allclose(space.first[free], ordered[0][free], rtol=1e-6)
    np.testing.assert_allclose(space.second[free], ordered[1][free], rtol=1e-6)
    own = np.stack(alone)[np.searchsorted(ids, space.nearest[free]), *np.nonzero(free)]
    np.testing.assert_allclose(own, ordered[0][free], rtol=1e-6)
    assert np.array_equal(space.nearest[~free], particles[~free])
    assert np.all(space.first[~free] == 0.0)


@pytest.mark.parametrize("morphology", MORPHOLOGIES, ids=repr)
@pytest.mark.parametrize("share", [0.0, 0.0123, 0.1, 0.3])
def test_share_is_met_to_one_voxel(bed, morphology, share):
    particles, voxel = bed
    filled = add_binder(particles, voxel, Binder(share, morphology), rng())
    assert np.count_nonzero(filled.mask) == round(share * particles.size)
    assert not np.any(filled.mask & (particles > 0))
    assert filled.evidence["fraction_asked"] == share
    assert filled.evidence["fraction"] == filled.mask.mean()
    json.dumps(filled.evidence)


@pytest.mark.parametrize("morphology", MORPHOLOGIES, ids=repr)
def test_all_free_space_fills(bed, morphology):
    particles, voxel = bed
    share = float((particles == 0).mean())
    filled = add_binder(particles, voxel, Binder(share, morphology), rng())
    assert np.array_equal(filled.mask, particles == 0)
    assert filled.evidence["surface_covered"] == pytest.approx(1.0)


@pytest.mark.parametrize("morphology", MORPHOLOGIES, ids=repr)
def test_same_seed_same_binder(bed, morphology):
    particles, voxel = bed
    settings = Binder(0.05, morphology)
    first = add_binder(particles, voxel, settings, rng(3))
    again = add_binder(particles, voxel, settings, rng(3))
    assert np.array_equal(first.mask, again.mask)
    assert first.evidence == again.evidence


def test_bridge_is_a_ring_about_the_neck(pair):
    """Two touching balls: a meniscus in their mid-plane, with the axis of the balls as its own."""
    particles, voxel = pair
    filled = add_binder(particles, voxel, Binder(0.01, Bridges()), rng())
    z, y, x = np.nonzero(filled.mask)
    from_axis = np.hypot(y - 19.5, x - 19.5)
    # A lens of 960 voxels about a neck of 2.2 voxels radius: (r²/2R)·2·2πr dr over r gives 7.7.
    assert from_axis.max() < 10.0
    assert np.abs(z - 29.5).max() < 4.0
    assert np.abs([y.mean() - 19.5, x.mean() - 19.5, z.mean() - 29.5]).max() < 0.3
    assert ndimage.label(filled.mask)[1] == 1
    # Seen along the axis it goes all the way round.
    angles = np.histogram(np.arctan2(y - 19.5, x - 19.5), bins=12)[0]
    assert angles.min() > 0.5 * angles.mean()


def test_film_and_bridges_differ_the_right_way(pair):
    particles, voxel = pair
    film = add_binder(particles, voxel, Binder(0.01, Film()), rng()).evidence
    mixed = add_binder(particles, voxel, Binder(0.01, Mixed(0.5)), rng()).evidence
    bridges = add_binder(particles, voxel, Binder(0.01, Bridges()), rng()).evidence
    assert film["surface_covered"] > mixed["surface_covered"] > 1.5 * bridges["surface_covered"]
    assert film["bridging_share"] < 0.5 * bridges["bridging_share"]
    assert film["bridging_share"] < mixed["bridging_share"] < bridges["bridging_share"]
    assert film["mean_film_thickness_m"] < bridges["mean_film_thickness_m"]
    assert bridges["pairs_bridged"] == 1
    assert bridges["particles_bridged"] == 2


def test_bridges_join_more_particles_in_a_bed(bed):
    particles, voxel = bed
    film = add_binder(particles, voxel, Binder(0.03, Film()), rng()).evidence
    bridges = add_binder(particles, voxel, Binder(0.03, Bridges()), rng()).evidence
    assert bridges["pairs_bridged"] > film["pairs_bridged"]
    assert bridges["bridging_share"] > film["bridging_share"]


def test_film_has_the_thickness_of_its_volume():
    """One ball of 10 voxels radius under a film of 4: the shell's volume is met by its radius."""
    edge = 0.2 * UM
    particles = balls((40,) * 3, (edge,) * 3, [(20 * edge,) * 3], 10 * edge)
    share = 4.0 / 3.0 * np.pi * (14**3 - 10**3) / 40**3
    filled = add_binder(particles, (edge,) * 3, Binder(share, Film()), rng())
    radius = np.sqrt(((np.argwhere(filled.mask) - 19.5) ** 2).sum(axis=1))
    assert radius.max() == pytest.approx(14.0, abs=1.0)  # within a voxel
    assert filled.evidence["surface_covered"] == pytest.approx(1.0)
    # Volume over the inner area: (14³ - 10³) / (3 · 10²) edges; a staircase ball is 3 % off.
    expected = (14**3 - 10**3) / 300 * edge
    assert filled.evidence["mean_film_thickness_m"] == pytest.approx(expected, rel=0.05)
    assert filled.evidence["pairs_bridged"] == 0


def test_film_does_not_care_about_the_shape_of_voxels():
    """The same ball in flat voxels: the film is as thick across them as along."""
    voxel = (0.4 * UM, 0.2 * UM, 0.2 * UM)
    particles = balls((30, 60, 60), voxel, [(6 * UM, 6 * UM, 6 * UM)], 2.5 * UM)
    share = 4.0 / 3.0 * np.pi * (4.5**3 - 2.5**3) / 12.0**3
    filled = add_binder(particles, voxel, Binder(share, Film()), rng())
    reach = (np.abs(np.argwhere(filled.mask) + 0.5 - [15, 30, 30]).max(axis=0)) * voxel
    assert reach == pytest.approx(4.5 * UM, abs=0.4 * UM)  # one edge


@pytest.mark.parametrize("coverage", [0.2, 0.5, 0.8])
def test_patches_cover_the_asked_share(bed, coverage):
    """A film of one and a half layers on the patches covers these and no more."""
    particles, voxel = bed
    space = measure_space(particles, voxel)
    patches = film_patches(space, coverage, 1.5 * UM, rng(2))
    share = np.count_nonzero(patches & (space.first < 0.6 * UM)) / particles.size
    filled = add_binder(particles, voxel, Binder(share, Film(coverage, 1.5 * UM)), rng(2))
    assert filled.evidence["surface_covered"] == pytest.approx(coverage, abs=0.005)
    # A film hangs on the surface: nothing floats.
    touching = ndimage.binary_dilation(particles > 0, ndimage.generate_binary_structure(3, 3))
    pieces, count = ndimage.label(filled.mask, ndimage.generate_binary_structure(3, 3))
    assert len(np.unique(pieces[touching & filled.mask])) == count


def test_patches_have_the_asked_length():
    """Mean chord of the patches on a plane, over many patches: within 15 %.

    The noise is near Gaussian, not Gaussian, and a chord is a whole number of voxels.
    """
    edge = 0.1 * UM
    particles = np.zeros((3, 300, 300), dtype=np.int32)
    particles[0] = 1
    space = measure_space(particles, (edge,) * 3)
    for coverage, patch in ((0.5, 2 * UM), (0.3, 2 * UM), (0.3, 1 * UM)):
        layer = film_patches(space, coverage, patch, rng(4))[1]
        starts = np.count_nonzero(layer[:, 1:] & ~layer[:, :-1]) + np.count_nonzero(layer[:, 0])
        assert np.count_nonzero(layer) / starts * edge == pytest.approx(patch, rel=0.15)
        assert layer.mean() == pytest.approx(coverage, abs=0.001)


def test_bridges_of_one_particle_are_its_film():
    particles = balls((20,) * 3, (UM,) * 3, [(10 * UM,) * 3], 5 * UM)
    film = add_binder(particles, (UM,) * 3, Binder(0.05, Film()), rng())
    bridges = add_binder(particles, (UM,) * 3, Binder(0.05, Bridges()), rng())
    assert film.evidence["pairs_bridged"] == bridges.evidence["pairs_bridged"] == 0
    assert bridges.evidence["surface_covered"] == film.evidence["surface_covered"]
    assert bridges.evidence["bridging_share"] == 0.0


@pytest.mark.parametrize("morphology", MORPHOLOGIES, ids=repr)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_box_one_voxel_thick(bed, morphology, axis):
    particles, voxel = bed
    section = np.take(particles, [15], axis=axis)
    filled = add_binder(section, voxel, Binder(0.05, morphology), rng())
    assert np.count_nonzero(filled.mask) == round(0.05 * section.size)
    assert filled.evidence["surface_covered"] > 0.0


def test_edges_of_the_input():
    none = np.zeros((4, 5, 6), dtype=np.int32)
    full = np.ones((4, 5, 6), dtype=np.int32)
    voxel = (UM, UM, UM)
    for particles in (none, full):
        empty = add_binder(particles, voxel, Binder(0.0, Film()), rng())
        assert not empty.mask.any()
        assert empty.evidence["surface_covered"] is None
        assert empty.evidence["bridging_share"] is None
    with pytest.raises(InputError, match="without particles"):
        add_binder(none, voxel, Binder(0.1, Bridges()), rng())
    with pytest.raises(InputError, match=r"do.*not fit: the particles leave 0\.0000"):
        add_binder(full, voxel, Binder(0.1, Film()), rng())
    with pytest.raises(InputError, match="binder fraction is 1"):
        add_binder(full, voxel, Binder(1.0, Film()), rng())
    with pytest.raises(InputError, match="expected three positive lengths"):
        add_binder(full, (UM, 0.0, UM), Binder(0.1, Film()), rng())
    with pytest.raises(InputError, match="expected voxels"):
        add_binder(full[0], voxel, Binder(0.1, Film()), rng())
    with pytest.raises(InputError, match="particle id -1"):
        add_binder(-full, voxel, Binder(0.1, Film()), rng())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Film(0.0), "coverage of the film is 0"),
        (lambda: Film(1.2), "coverage of the film is 1.2"),
        (lambda: Film(0.5), "give the mean length"),
        (lambda: Film(0.5, -1.0), "give the mean length"),
        (lambda: Mixed(1.5), "share_of_bridges is 1.5"),
        (lambda: Mixed(float("nan")), "share_of_bridges is nan"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(InputError, match=message):
        make()
