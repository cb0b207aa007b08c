"""Packed particles: fractions, sizes, shares, contact and connection, in boxes of every kind."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from voxtrode.data.errors import InputError
from voxtrode.data.generation.orientation import InPlane, order
from voxtrode.data.generation.packing import pack
from voxtrode.data.generation.policies import Flattened
from voxtrode.data.generation.populations import Population, SubLayer
from voxtrode.data.generation.request import Calender, PackingRequest
from voxtrode.data.generation.shape import Ball
from voxtrode.data.generation.shapes_basic import Ellipsoid, Plate
from voxtrode.data.generation.sizes import Discrete, LogNormal

UM = 1e-6
D8 = Discrete((8 * UM,), (1.0,))
TWO = Discrete((8 * UM, 12 * UM), (0.5, 0.5))
WIDE = LogNormal(10 * UM, 0.35)


def asked(size, fraction, sizes=D8, voxel=1.0, seed=1, **more):
    size = tuple(edge * UM for edge in size)
    layer = SubLayer(size[0], fraction, (Population(more.pop("shape", Ball()), sizes),))
    return PackingRequest(size, voxel * UM, seed, (layer,), **more)


def digest(packed):
    data = packed.particles.tobytes() + packed.bodies.centres.tobytes()
    return hashlib.sha256(data).hexdigest()


def fraction_of(packed):
    return float((packed.particles > 0).mean())


def counts(packed):
    return np.bincount(packed.particles.ravel(), minlength=len(packed.body) + 1)[1:]


def whole(packed):
    """Bodies that no side cuts."""
    shape = np.array(packed.particles.shape) * packed.voxel
    radius = 0.5 * packed.bodies.diameters[:, None]
    centres = packed.bodies.centres
    return np.all((centres >= radius) & (centres <= shape - radius), axis=1)


@pytest.fixture(scope="module")
def d8():
    return pack(asked((60, 48, 48), 0.43))


def test_particles_belong_to_bodies(d8):
    """Ids 1..m without gaps, bodies lowest first, m >= n, a body's pieces one after the other."""
    found = np.unique(d8.particles[d8.particles > 0])
    np.testing.assert_array_equal(found, np.arange(1, len(d8.body) + 1))
    assert d8.particles.dtype == np.int32
    np.testing.assert_array_equal(np.unique(d8.body), np.arange(len(d8.bodies)))
    assert np.all(np.diff(d8.body) >= 0)
    assert np.all(np.diff(d8.bodies.centres[:, 0]) >= 0.0)
    assert len(d8.body) == d8.evidence["particles"] > len(d8.bodies) == d8.evidence["bodies"]


def test_a_particle_lies_where_its_body_says(d8):
    """All voxels of a whole body are inside its ball, and nine tenths of the ball are its own."""
    volumes = counts(d8)
    for body in np.flatnonzero(whole(d8)):
        particle = 1 + np.flatnonzero(d8.body == body)
        assert len(particle) == 1
        place = (np.argwhere(d8.particles == particle[0]) + 0.5) * d8.voxel
        distance = np.sqrt(((place - d8.bodies.centres[body]) ** 2).sum(axis=1))
        assert distance.max() < 0.5 * d8.bodies.diameters[body]
        ball = np.pi / 6.0 * (d8.bodies.diameters[body] / d8.voxel) ** 3
        assert 0.9 * ball < volumes[particle[0] - 1] < 1.1 * ball


@pytest.mark.parametrize("fraction", [0.3, 0.43, 0.55, 0.62])
def test_fraction_is_met(fraction):
    packed = pack(asked((60, 40, 40), fraction, seed=3))
    assert fraction_of(packed) == pytest.approx(fraction, abs=0.001)
    assert packed.evidence["active_fraction"] == pytest.approx(fraction_of(packed), rel=1e-12)
    assert abs(packed.evidence["diameter_change"]) <= 0.01
    assert packed.bodies.diameters == pytest.approx(8 * UM, rel=0.0101)


@pytest.mark.parametrize(
    ("size", "fraction", "voxel"),
    [
        ((24, 16, 16), 0.43, 1.0),
        ((60, 24, 24), 0.43, 1.0),
        ((60, 4, 24), 0.43, 1.0),
        ((60, 24, 1), 0.43, 1.0),
        ((8, 24, 24), 0.43, 0.5),
        ((10, 30, 20), 0.35, 2.0),
        ((8, 8, 8), 0.43, 0.5),
    ],
)
def test_small_boxes_work(size, fraction, voxel):
    """Half a ball wide, one voxel wide, one ball high, coarse: within 0.5 %, all connected."""
    packed = pack(asked(size, fraction, voxel=voxel))
    assert packed.particles.shape == tuple(round(edge / voxel) for edge in size)
    assert fraction_of(packed) == pytest.approx(fraction, abs=0.005)
    assert packed.evidence["particles_with_own_path"] == len(packed.body)


def test_every_particle_is_connected_to_the_collector(d8):
    """In voxels, by faces: the solid that rests on the first layer is all there is."""
    labels, _ = ndimage.label(d8.particles > 0)
    reached = np.isin(labels, np.unique(labels[0][labels[0] > 0]))
    per_particle = np.bincount(d8.particles[reached], minlength=len(d8.body) + 1)[1:]
    assert np.all(per_particle >= 0.98 * counts(d8))
    assert d8.evidence["particles_with_own_path"] == len(d8.body)


def test_no_body_leaves_the_thickness(d8):
    """Balls press into the walls by half the overlap of two balls: 3 % of a radius, and a little.

    What the relaxation leaves comes on top: up to some per cent of a radius for single balls.
    """
    centres, radius = d8.bodies.centres[:, 0], 0.5 * d8.bodies.diameters
    assert np.all(centres - radius > -0.09 * radius)
    assert np.all(centres + radius < 60 * UM + 0.09 * radius)


def test_balls_touch_but_hardly_overlap(d8):
    """A quarter of a diameter is the neck of two balls that overlap by 3 %."""
    evidence = d8.evidence
    assert 0.15 < evidence["neck_over_diameter_mean"] < 0.3
    assert evidence["overlap_at_contact_max"] < 0.09
    necks = evidence["neck_diameter_mean_m"] / (8 * UM)
    assert necks == pytest.approx(evidence["neck_over_diameter_mean"], rel=0.011)


def test_dense_balls_have_the_order_of_random_close_packing():
    """About six contacts a ball, and shells as a hard-sphere glass: full at d, a gap behind.

    Over seeds the shell at two diameters is 1.07 with a scatter of 0.02.
    """
    packed = pack(asked((96, 96, 96), 0.62))
    assert 5.5 < packed.evidence["coordination_of_whole_by_geometry"] < 7.5
    centres = packed.bodies.centres / (8 * UM)
    inner = np.all((centres > 2.5) & (centres < 9.5), axis=1)
    distance, _ = cKDTree(centres).query(centres[inner], k=60)
    density = 0.62 / (np.pi / 6.0)

    def shell(low, high):
        space = 4.0 / 3.0 * np.pi * (high**3 - low**3)
        return np.mean(((distance >= low) & (distance < high)).sum(axis=1)) / space / density

    assert shell(0.01, 0.9) == 0.0
    assert shell(0.94, 1.04) > 3.0
    assert shell(1.25, 1.5) < 0.85
    assert shell(1.85, 2.1) > 1.0


def test_depth_profile_is_even(d8):
    """Twelve slices: no ball is a large part of one, and no slice is favoured."""
    slices = (d8.particles > 0).reshape(12, -1).mean(axis=1)
    assert slices == pytest.approx(0.43, abs=0.05)
    assert slices[:6].mean() == pytest.approx(slices[6:].mean(), abs=0.015)


def test_sides_are_as_full_as_the_middle():
    """Fraction in the outer balls' width (64 % of the window) and in the middle, over 12 seeds.

    Their difference has a standard error of 0.003 or less (a hundredth of the fraction): a
    spread over seeds of 0.01. Pieces that only hang on others across a side are left out, which
    costs the outermost some per cent: 2 % of the fraction are the most that may be seen here.
    """
    differences = []
    for seed in range(12):
        solid = pack(asked((40, 40, 40), 0.3, seed=seed)).particles > 0
        across = 0.25 * (solid + solid[:, ::-1] + solid[:, :, ::-1] + solid[:, ::-1, ::-1])
        profile = 0.5 * (across.mean(axis=(0, 1)) + across.mean(axis=(0, 2)))
        differences.append(profile[:8].mean() - profile[12:28].mean())
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    assert error < 0.003
    assert abs(np.mean(differences)) < 0.006 + 3.0 * error


@pytest.mark.parametrize(("share", "fraction"), [(0.6, 0.5), (0.5, 0.5), (0.6, 0.4)])
def test_few_large_bodies_are_as_many_as_come_nearest(share, fraction):
    """Seventeen to 21 large balls: half of one is 1.4 to 1.8 % of the volume, contacts 0.3 %."""
    sizes = Discrete((6 * UM, 12 * UM), (1.0 - share, share))
    large = np.pi / 6.0 * 12.0**3 / (fraction * 40.0**3)
    found = [
        pack(asked((40, 40, 40), fraction, sizes, seed=seed)).evidence["sizes"][0]["classes"][1]
        for seed in range(4)
    ]
    met = np.mean([one["share_of_active"] for one in found])
    assert met == pytest.approx(round(share / large) * large, abs=0.01)
    assert met == pytest.approx(share, abs=0.5 * large + 0.003)


@pytest.mark.parametrize("kappa", [0.0, 5.0, 50.0])
@pytest.mark.parametrize("fraction", [0.3, 0.55])
def test_alignment_is_kept(kappa, fraction):
    """About z, by bodies; the window shows 47 and more, parts of them at its sides."""
    size = (30, 30, 30)
    plates = Population(Plate(4.0), Discrete((7 * UM,), (1.0,)), orientation=InPlane(kappa))
    layer = SubLayer(30 * UM, fraction, (plates,))
    packed = pack(PackingRequest(tuple(edge * UM for edge in size), 0.5 * UM, 1, (layer,)))
    alignment = packed.evidence["sizes"][0]["alignment"]
    many = order(InPlane(kappa).rotations(100_000, np.random.default_rng(3))).about_z
    assert alignment["asked"]["about_z"] == pytest.approx(many, abs=0.01)
    assert alignment["met"]["about_z"] == pytest.approx(
        order(packed.bodies.rotations).about_z, abs=1e-12
    )
    assert alignment["met"]["about_z"] == pytest.approx(many, abs=0.05)


def test_same_seed_same_voxels(d8):
    again = pack(asked((60, 48, 48), 0.43))
    assert digest(again) == digest(d8)
    assert again.evidence == d8.evidence
    assert digest(pack(asked((60, 48, 48), 0.43, seed=2))) != digest(d8)


def test_evidence_can_be_stored(d8):
    assert json.loads(json.dumps(d8.evidence)) == d8.evidence


@pytest.mark.slow
def test_same_seed_same_voxels_on_older_processors():
    """In another process, whose NumPy does without vector units."""
    code = (
        "from importlib.util import module_from_spec, spec_from_file_location;"
        f"spec = spec_from_file_location('packing_tests', {__file__!r});"
        "tests = module_from_spec(spec); spec.loader.exec_module(tests);"
        "print(tests.digest(tests.pack(tests.asked((50, 40, 40), 0.5, tests.WIDE))))"
    )
    plain = {"NPY_DISABLE_CPU_FEATURES": "AVX2 AVX512F AVX512_SKX X86_V3 X86_V4"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == digest(pack(asked((50, 40, 40), 0.5, WIDE)))


@pytest.mark.parametrize("share", [0.0, 0.33, 0.5, 1.0])
def test_two_sizes_keep_their_shares(share):
    """Of the voxels' volume, to the part of one large ball, 0.4 % of it here."""
    sizes = Discrete((8 * UM, 12 * UM), (share, 1.0 - share))
    packed = pack(asked((72, 72, 72), 0.45, sizes))
    volumes = counts(packed)
    small = packed.bodies.diameters[packed.body] < 10 * UM
    assert volumes[small].sum() / volumes.sum() == pytest.approx(share, abs=0.008)
    assert fraction_of(packed) == pytest.approx(0.45, abs=0.001)


def test_wide_sizes_keep_their_distribution():
    """Mean by number within 2 %, D50 by volume within 3 %: some hundred bodies."""
    packed = pack(asked((90, 90, 90), 0.5, WIDE))
    found = packed.evidence["sizes"][0]
    assert found["bodies"] > 800
    assert found["bodies_m"]["mean"] == pytest.approx(found["asked_m"]["mean"], rel=0.02)
    assert found["inside_m"]["d50"] == pytest.approx(found["asked_m"]["d50"], rel=0.03)
    assert found["inside_m"]["d90"] == pytest.approx(found["asked_m"]["d90"], rel=0.06)


@pytest.mark.parametrize(("sizes", "fraction"), [(D8, 0.7), (D8, 0.76), (TWO, 0.76), (WIDE, 0.76)])
def test_flattened_particles_keep_their_volume(sizes, fraction):
    """Whole ones within 1 % (one voxel of a ball of less than a hundred), the sum to 0.1 %."""
    packed = pack(asked((50, 50, 50), fraction, sizes, contacts=Flattened()))
    assert fraction_of(packed) == pytest.approx(fraction, abs=0.001)
    inside = np.flatnonzero(whole(packed))
    assert len(inside) > 20
    volumes = np.bincount(packed.body, weights=counts(packed))[inside]
    nominal = np.pi / 6.0 * (packed.bodies.diameters[inside] / packed.voxel) ** 3
    assert np.all(np.abs(volumes - nominal) <= np.maximum(0.01 * nominal, 1.0))
    assert packed.evidence["particles_with_own_path"] == len(packed.body)


def layered(mixing=0.0, **more):
    coarse = Population(Ball(), Discrete((12 * UM,), (1.0,)), group=0)
    fine = Population(Ball(), D8, group=1)
    layers = (SubLayer(54 * UM, 0.43, (coarse,)), SubLayer(6 * UM, 0.43, (fine,)))
    size = (60 * UM, 60 * UM, 60 * UM)
    return PackingRequest(size, UM, 1, layers, mixing=mixing * UM, **more)


def test_layers_keep_their_own_particles():
    """Centres on their side of the boundary, even where the layer is thinner than its balls."""
    packed = pack(layered())
    height, group = packed.bodies.centres[:, 0], packed.bodies.group
    assert height[group == 0].max() < 54.6 * UM
    assert height[group == 1].min() > 53.4 * UM
    fine = packed.evidence["groups"][1]
    assert fine["share"] == pytest.approx(0.1, abs=0.02)
    assert fraction_of(packed) == pytest.approx(0.43, abs=0.001)


def test_mixing_blurs_the_boundary():
    packed = pack(layered(mixing=16.0))
    height, group = packed.bodies.centres[:, 0], packed.bodies.group
    assert height[group == 1].min() < 52 * UM
    assert height[group == 1].min() > 45 * UM


def test_layers_of_different_density():
    populations = (
        Population(Ball(), D8, 0.4, group=1),
        Population(Ball(), Discrete((5 * UM,), (1.0,)), 0.6, group=2),
    )
    loose = SubLayer(30 * UM, 0.3, (Population(Ball(), Discrete((12 * UM,), (1.0,))),))
    layers = (loose, SubLayer(30 * UM, 0.6, populations))
    packed = pack(PackingRequest((60 * UM, 50 * UM, 50 * UM), UM, 2, layers))
    assert fraction_of(packed) == pytest.approx(0.45, abs=0.001)
    halves = (packed.particles > 0).reshape(2, -1).mean(axis=1)
    assert halves == pytest.approx([0.3, 0.6], abs=0.025)
    shares = [row["share"] for row in packed.evidence["groups"]]
    assert shares == pytest.approx([1.0 / 3.0, 0.4 * 2.0 / 3.0, 0.6 * 2.0 / 3.0], abs=0.015)


@pytest.mark.parametrize("contacts", [None, Flattened()])
def test_calendering_keeps_the_particles_and_takes_the_pores(contacts):
    more = {} if contacts is None else {"contacts": contacts}
    packed = pack(asked((60, 50, 50), 0.45, TWO, calender=Calender(0.65), **more))
    assert packed.particles.shape == (round(60 * 0.45 / 0.65), 50, 50)
    assert fraction_of(packed) == pytest.approx(0.65, abs=0.001)
    assert packed.bodies.diameters.max() <= 1.0101 * 12 * UM
    assert packed.evidence["particles_with_own_path"] == len(packed.body)
    assert packed.evidence["overlap_at_contact_mean"] < 0.05


def test_ellipsoids_are_packed_and_drawn_by_their_gauge():
    shape = Ellipsoid((1.0, 1.4, 1.8))
    packed = pack(asked((50, 40, 40), 0.5, Discrete((10 * UM,), (1.0,)), shape=shape))
    assert fraction_of(packed) == pytest.approx(0.5, abs=0.001)
    bodies = packed.bodies
    largest = int(np.argmax(counts(packed)))
    body = packed.body[largest]
    place = (np.argwhere(packed.particles == largest + 1) + 0.5) * packed.voxel
    points = (place - bodies.centres[body]) @ bodies.rotations[body] / bodies.diameters[body]
    assert shape.gauge(points).max() < 1.0 + 1e-6
    assert bodies.rotations @ bodies.rotations.transpose(0, 2, 1) == pytest.approx(
        np.tile(np.eye(3), (len(bodies), 1, 1))
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fraction": 0.97}, "cannot be reached with these particles: this box holds 0.[789]"),
        ({"fraction": 1.2}, "between 0 and 1"),
        ({"fraction": 0.0005}, "cannot be met within 0.005 by connected particles"),
        ({"voxel": 3.0}, "at least 3 voxels per diameter"),
        ({"voxel": -0.5}, "positive length"),
        ({"voxel": 0.7}, "no whole multiple of the voxel"),
        ({"size": (6, 24, 24)}, "do not fit in a thickness of 6 um"),
        ({"seed": -1}, "seed is -1"),
        ({"calender": Calender(0.4)}, "expected above 0.43"),
        ({"mixing": -UM}, "mixing is"),
    ],
)
def test_bad_requests_are_named(change, message):
    with pytest.raises(InputError, match=message):
        pack(asked(**{"size": (60, 24, 24), "fraction": 0.43, **change}))


def test_layers_must_fill_the_box():
    good = asked((60, 24, 24), 0.43)
    thin = replace(good.layers[0], thickness=50 * UM)
    with pytest.raises(InputError, match="50 um thick together"):
        pack(replace(good, layers=(thin,)))
    half = replace(good.layers[0].populations[0], share=0.5)
    with pytest.raises(InputError, match="add up to 1"):
        pack(replace(good, layers=(replace(good.layers[0], populations=(half,)),)))
