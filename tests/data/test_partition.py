"""Particles found again: balls, ellipsoids and packings made for it, and what must always hold."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.agreement import adjusted_rand_index, agreement
from voxtrode.data.errors import InputError
from voxtrode.data.partition import partition
from voxtrode.data.partitioning import Partitioning

CUBE = (1e-6, 1e-6, 1e-6)


def found_in(mask, voxel=CUBE, **options):
    particles, evidence = partition(mask.astype(np.uint8), (1,), voxel, Partitioning(**options))
    assert evidence["particles"] == particles.max() == len(np.unique(particles[particles > 0]))
    np.testing.assert_array_equal(particles > 0, mask)
    return particles


def power_cells(shape, centres, radii, voxel=(1.0, 1.0, 1.0)):
    """Balls cut where their spheres meet, each piece a particle of its own."""
    place = (np.stack(np.indices(shape), axis=-1) + 0.5) * voxel
    best, made = np.zeros(shape), np.zeros(shape, np.int64)
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True), start=1):
        power = ((place - centre) ** 2).sum(axis=-1) - radius**2
        inner = power < best
        made[inner], best[inner] = number, power[inner]
    return made


def packing(shape, radii, overlap, seed, voxel=(1.0, 1.0, 1.0)):
    """Balls at random places, any two at least (1 - overlap) times their radii's sum apart."""
    random = np.random.default_rng(seed)
    centres, kept = np.empty((0, 3)), np.empty(0)
    for radius in sorted(radii, reverse=True):
        for _ in range(200):
            centre = random.random(3) * shape * voxel
            apart = np.linalg.norm(centres - centre, axis=1)
            if np.all(apart >= (1 - overlap) * (kept + radius)):
                centres, kept = np.vstack([centres, centre]), np.append(kept, radius)
                break
    return power_cells(shape, centres, kept, voxel)


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (1.0, 1.0, 2.5)])
@pytest.mark.parametrize("apart", [1.6, 1.8, 1.95])
def test_two_overlapping_balls(voxel, apart):
    """Two equal balls of 10, up to 20 % overlap: the plane between them.

    Half a voxel off over the whole neck costs 4 % with the widest neck and the longest voxel.
    """
    shape = tuple(int(56 / edge) for edge in voxel)
    centres = np.array([[18.1, 27.9, 28.2], [18.1, 27.9, 28.2]])
    centres[1] += np.array([1.0, 0.2, 0.1]) / np.sqrt(1.05) * 10.0 * apart
    made = power_cells(shape, centres, (10.0, 10.0), voxel)
    particles = found_in(made > 0, tuple(1e-6 * edge for edge in voxel))
    assert particles.max() == 2
    assert adjusted_rand_index(made, particles, made > 0) > 0.95


@pytest.mark.parametrize(
    ("radii", "overlap", "least"),
    [
        ([7.0] * 80, 0.05, 0.98),
        ([4.0] * 400, 0.10, 0.97),
        (list(np.exp(np.linspace(np.log(4.0), np.log(16.0), 90))), 0.10, 0.95),
    ],
    ids=["equal", "small", "polydisperse"],
)
def test_packings(radii, overlap, least):
    """The plain watershed of h-maxima 0.75 voxels high reaches 0.99, 0.98 and 0.97 of such."""
    made = packing((64, 64, 64), radii, overlap, seed=4)
    result = agreement(made, found_in(made > 0))
    assert result["adjusted_rand_index"] > least
    assert result["matched_share"] > 0.9


def test_packing_in_flat_voxels():
    """Distances are metres: voxels twice as thick as wide, radii of 3 to 5 thick voxels."""
    voxel = (2.0, 1.0, 1.0)
    made = packing((32, 64, 64), list(np.linspace(6.0, 10.0, 60)), 0.08, 5, voxel)
    result = agreement(made, found_in(made > 0, (2e-6, 1e-6, 1e-6)))
    assert result["adjusted_rand_index"] > 0.96


@pytest.mark.parametrize("semi", [(14, 9, 7), (20, 6, 6), (16, 16, 5)])
@pytest.mark.parametrize("seed", range(3))
def test_one_ellipsoid_is_one_particle(semi, seed):
    random = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(random.normal(size=(3, 3)))
    place = np.stack(np.indices((44, 44, 44)), axis=-1) + 0.5 - 22.0 - random.random(3)
    mask = ((place @ turned / semi) ** 2).sum(axis=-1) < 1.0
    assert found_in(mask).max() == 1


def test_rough_ball_is_one_particle():
    """A ball of radius 12 whose surface is eaten and grown by a voxel at random."""
    place = np.stack(np.indices((34, 34, 34)), axis=-1) - 16.4
    noise = ndimage.gaussian_filter(np.random.default_rng(6).normal(size=place.shape[:3]), 1.5)
    mask = np.sqrt((place**2).sum(axis=-1)) + noise / noise.std() < 12.0
    main, _ = ndimage.label(mask)
    assert found_in(main == 1).max() == 1


def test_sides_of_the_box_are_no_boundary():
    """A ball cut in half has its deepest point at the cut; a corner piece likewise."""
    place = np.stack(np.indices((20, 20, 20)), axis=-1) + 0.5
    assert found_in((place**2).sum(axis=-1) < 15.0**2).max() == 1
    assert found_in(((place - [0, 10, 10]) ** 2).sum(axis=-1) < 9.0**2).max() == 1


@pytest.mark.parametrize("thick", [1, 2, 5])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_plates_are_one_particle_each(axis, thick):
    mask = np.zeros((30, 31, 32), bool)
    for start in (3, 14):
        mask[(slice(None),) * axis + (slice(start, start + thick),)] = True
    assert found_in(mask).max() == 2


@pytest.mark.parametrize("voxel", [CUBE, (2e-6, 1e-6, 0.5e-6)])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_components_and_particles_by_faces(share, voxel):
    """Noise: every component has a particle, and every particle is in one piece."""
    noise = ndimage.gaussian_filter(np.random.default_rng(7).normal(size=(30, 25, 35)), 1.0)
    mask = noise > np.quantile(noise, 1 - share)
    particles = found_in(mask, voxel)
    components, count = ndimage.label(mask)
    pairs = np.unique(np.stack([particles[mask], components[mask]]), axis=1)
    assert pairs.shape[1] == particles.max()
    assert len(np.unique(pairs[1])) == count
    for number, box in enumerate(ndimage.find_objects(particles), start=1):
        assert ndimage.label(particles[box] == number)[1] == 1


def test_ids_follow_active_and_depth():
    noise = ndimage.gaussian_filter(np.random.default_rng(8).normal(size=(40, 20, 20)), 1.5)
    labels = np.digitize(noise, np.quantile(noise, [0.3, 0.7])).astype(np.uint8)
    particles, evidence = partition(labels, (2, 0), CUBE)
    first = particles[labels == 2].max()
    assert particles[labels == 0].min() == first + 1
    assert not particles[labels == 1].any()
    layers = np.broadcast_to(np.arange(40)[:, None, None], particles.shape)
    numbers = np.arange(1, evidence["particles"] + 1)
    depth = ndimage.mean(layers, particles, numbers)
    assert np.all(np.diff(depth[:first]) >= 0)
    assert np.all(np.diff(depth[first:]) >= 0)
    again, _ = partition(labels, (2, 0), CUBE)
    np.testing.assert_array_equal(particles, again)


def test_how_much_is_merged_can_be_chosen():
    noise = ndimage.gaussian_filter(np.random.default_rng(9).normal(size=(30, 30, 30)), 1.5)
    labels = (noise > 0).astype(np.uint8)
    _, count = ndimage.label(labels)
    every, nothing = Partitioning(contrast=1.0), Partitioning(0.7, 0.0, 0.0, 0.0)
    _, all_merged = partition(labels, (1,), CUBE, every)
    _, plain = partition(labels, (1,), CUBE)
    _, none_merged = partition(labels, (1,), CUBE, nothing)
    assert all_merged["particles"] == count
    assert all_merged["maxima"] == plain["maxima"] == none_merged["maxima"]
    assert count < plain["particles"] < none_merged["particles"] <= plain["maxima"]
    assert plain["parameters"] == {
        "smoothing": 0.7,
        "contrast": 0.06,
        "least_contrast": 0.3,
        "nearness": 1.0,
    }


@pytest.mark.parametrize("shape", [(6, 5, 4), (1, 9, 9), (1, 1, 1)])
def test_everything_or_nothing_active(shape):
    whole, _ = partition(np.ones(shape, np.uint8), (1,), CUBE)
    assert (whole == 1).all()
    none, evidence = partition(np.zeros(shape, np.uint8), (1,), CUBE)
    assert not none.any()
    assert evidence["particles"] == evidence["maxima"] == 0
    assert not partition(np.ones(shape, np.uint8), (), CUBE)[0].any()


def test_single_voxels_touching_by_edges_only():
    mask = np.zeros((2, 2, 1), bool)
    mask[0, 0, 0] = mask[1, 1, 0] = True
    np.testing.assert_array_equal(found_in(mask)[:, :, 0], [[1, 0], [0, 2]])


def test_one_layer_of_discs():
    place = np.indices((1, 40, 70))[1:] + 0.5
    discs = [((place[0] - 20) ** 2 + (place[1] - x) ** 2) < 14.0**2 for x in (17.0, 41.0)]
    assert found_in(discs[0] | discs[1]).max() == 2


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_bad_parameter(value):
    with pytest.raises(InputError, match=r"least_contrast is .*: expected a number from 0"):
        Partitioning(least_contrast=value)


def test_real_image(real_volume):
    """NMC532: published particles are some 10 µm wide; volume-weighted median of a corner of it."""
    volume = real_volume
    labels = volume.labels[:120, :120, :120]
    particles, _ = partition(labels, (1,), volume.voxel)
    sizes = np.sort(np.bincount(particles[labels == 1]))
    median = sizes[np.searchsorted(np.cumsum(sizes), 0.5 * sizes.sum())] * np.prod(volume.voxel)
    assert 8e-6 < np.cbrt(6.0 / np.pi * median) < 13e-6
