"""One secondary particle: size, support, roughness, voids and cracks as asked."""

import json

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.connectivity import Roles, judge, require_paths
from voxtrode.data.errors import InputError
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.grains_arrangements import DoubleLayer, Radial, Voronoi
from voxtrode.data.generation.grains_textures import in_groups
from voxtrode.data.generation.roughness import Rough
from voxtrode.data.generation.secondary import SecondaryParticle, secondary_particle
from voxtrode.data.generation.shape import Ball
from voxtrode.data.generation.shapes_basic import Ellipsoid
from voxtrode.data.generation.shapes_fragment import Fragment

D = 8e-6
H = 1.6e-7


def test_a_ball_stands_on_the_collector_in_electrolyte():
    volume = secondary_particle(SecondaryParticle(D, H, 1, margin=1e-6))
    assert volume.phases == ("active", "pore")
    np.testing.assert_array_equal(volume.particles > 0, volume.labels == 0)
    # Its height is the diameter less the flat's cap, its width the diameter: to a voxel.
    places = np.argwhere(volume.particles)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    cap = 0.5 * D * (1.0 - np.sqrt(1.0 - 0.25**2))
    np.testing.assert_allclose((high - low) * H, [D - cap, D, D], atol=1.5 * H)
    assert low[0] == 0
    margins = np.array([low[1:], np.array(volume.labels.shape)[1:] - high[1:]]) * H
    assert margins.min() >= 1e-6 - 1e-12
    assert (volume.labels.shape[0] - high[0]) * H >= 1e-6 - 1e-12
    evidence = volume.evidence
    # The flat is the first layer that is wide enough: one layer down a cap it widens by 20 %.
    assert 0.25 * D <= evidence["support"]["flat_diameter_m"] * (1 + 1e-9) < 0.36 * D
    assert evidence["diameter_m"] == pytest.approx(D, rel=5e-3)
    assert evidence["area_of_shape_over_smooth"] == pytest.approx(1.0, abs=2e-3)
    json.dumps(evidence)


def test_it_has_the_paths_that_a_simulation_needs():
    settings = SecondaryParticle(
        D, H, 2, grains=Voronoi(1.2e-6), cracks=Cracks(0.03, 0.03, 1.6e-7), margin=5e-7
    )
    volume = secondary_particle(settings)
    roles = Roles(active=(0,), electronic=(0,), ionic=(1,))
    flags = judge(volume.labels, roles)
    require_paths(volume.labels, roles, flags, volume.phases)
    # All of the particle lives, and all surface cracks are wetted.
    np.testing.assert_array_equal(flags.active, volume.labels == 0)
    np.testing.assert_array_equal(flags.ionic, volume.labels == 1)


def test_a_floating_particle_touches_no_side():
    volume = secondary_particle(SecondaryParticle(D, H, 1, margin=5e-7, flat=0.0))
    assert volume.evidence["support"] == {"stands_on_collector": False}
    for axis in range(3):
        assert not np.take(volume.particles, [0, 1, -2, -1], axis=axis).any()
    # A ball in a centred box is its own mirror image.
    np.testing.assert_array_equal(volume.labels, volume.labels[::-1])


@pytest.mark.slow
def test_rough_with_voids_and_cracks_as_published():
    settings = SecondaryParticle(
        16e-6,
        1.6e-7,
        1,
        shape=Rough(Ball(), 0.0175, 0.09, 1),
        cracks=Cracks(0.038, 0.046, 2e-7),
        margin=1e-6,
    )
    volume = secondary_particle(settings)
    evidence = volume.evidence
    assert evidence["area_of_shape_over_smooth"] == pytest.approx(1.37, abs=0.05)
    assert evidence["diameter_m"] == pytest.approx(16e-6, rel=2e-3)
    assert volume.phases == ("active", "pore", "void")
    void = np.count_nonzero(volume.labels == 2)
    cracks = evidence["cracks"]["surface_fraction"]
    active = np.count_nonzero(volume.labels == 0)
    assert void / (active + void) * (1.0 - cracks) == pytest.approx(0.046, abs=1e-3)
    assert cracks == pytest.approx(0.038, abs=1e-3)
    assert ndimage.label(volume.labels == 0)[1] == 1
    # Between its bumps and the collector no electrolyte is closed in.
    assert ndimage.label(volume.labels == 1)[1] == 1
    # Cracks wet far more area than the roughness does.
    assert evidence["area_with_cracks_over_smooth"] > 1.5


def test_grains_fill_what_cracks_leave():
    settings = SecondaryParticle(
        D, H, 4, grains=Radial(1.2e-6), cracks=Cracks(0.02, 0.02, 1.6e-7), margin=5e-7
    )
    volume = secondary_particle(settings)
    assert volume.grains is not None
    np.testing.assert_array_equal(volume.grains.ids > 0, volume.labels == 0)
    np.testing.assert_array_equal(volume.particles > 0, volume.labels == 0)
    assert volume.evidence["grains"]["grains_after_cracks"] == len(volume.grains.particle)
    assert volume.evidence["grains"]["grain_size_m"] == pytest.approx(1.2e-6, rel=0.05)


@pytest.mark.parametrize(
    "shape", [Ball(), Rough(Ball(), 0.02, 0.15, 3), Ellipsoid((1, 1, 2)), Fragment(3)], ids=repr
)
def test_a_section_has_the_area_of_the_disc(shape):
    volume = secondary_particle(
        SecondaryParticle(D, 8e-8, 5, shape=shape, section=True, flat=0.0, margin=5e-7)
    )
    assert volume.labels.shape[2] == 1
    area = np.count_nonzero(volume.labels == 0) * 8e-8**2
    # A staircase of 100 voxels across errs by some 1e-3.
    assert area == pytest.approx(0.25 * np.pi * D**2, rel=4e-3)
    assert volume.evidence["diameter_m"] == pytest.approx(D, rel=2e-3)


def test_the_outline_of_a_section_is_measured():
    # Two half axes to one: Ramanujan's perimeter over that of the disc of equal area.
    volume = secondary_particle(
        SecondaryParticle(D, 8e-8, 5, shape=Ellipsoid((1, 2, 2)), section=True, margin=5e-7)
    )
    a, b = np.sqrt(2.0), np.sqrt(0.5)
    h = ((a - b) / (a + b)) ** 2
    perimeter = np.pi * (a + b) * (1.0 + 3.0 * h / (10.0 + np.sqrt(4.0 - 3.0 * h)))
    ratio = volume.evidence["area_of_shape_over_smooth"]
    assert ratio == pytest.approx(perimeter / (2.0 * np.pi), rel=1e-4)


def test_a_section_with_groups_stands_and_conducts():
    settings = SecondaryParticle(
        D,
        8e-8,
        6,
        section=True,
        grains=DoubleLayer(Radial(8e-7), Voronoi(8e-7, in_groups((0.0, 30.0, 60.0, 90.0)))),
        cracks=Cracks(0.03, 0.03, 8e-8),
        margin=5e-7,
    )
    volume = secondary_particle(settings)
    roles = Roles(active=(0,), electronic=(0,), ionic=(1,))
    flags = judge(volume.labels, roles)
    np.testing.assert_array_equal(flags.active, volume.labels == 0)
    assert volume.evidence["support"]["flat_diameter_m"] >= 0.25 * D - 1e-12
    assert volume.grains is not None
    np.testing.assert_allclose(volume.grains.c_axes[:, 2], 0.0, atol=1e-12)


def test_the_seed_decides():
    made = [
        secondary_particle(
            SecondaryParticle(D, H, seed, cracks=Cracks(0.02, 0.0, H), section=True, margin=5e-7)
        ).labels
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


@pytest.mark.parametrize(
    "wrong",
    [
        {"diameter": 0.0},
        {"voxel": 2e-6},
        {"margin": 0.0},
        {"flat": 0.9},
        {"flat": -0.1},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="expected") as caught:
        SecondaryParticle(**({"diameter": D, "voxel": H, "seed": 1} | wrong))
    assert "\n" not in str(caught.value)


def test_a_particle_too_slim_to_stand_says_so():
    # Its short axis is z unless a fragment's ratios say otherwise: this one stands on its tip.
    slim = Fragment(1, ratios=(5.0, 1.0, 1.0))
    with pytest.raises(InputError, match="nowhere that wide"):
        secondary_particle(SecondaryParticle(D, H, 1, shape=slim, flat=0.8))
