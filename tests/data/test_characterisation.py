"""Numbers of labelled volumes against values worked out by hand, by geometry or by statistics."""

import json

import numpy as np
import pytest
from labelled_shapes import ABC, CUBE, FLAT, ball, noise, place

from voxtrode.data.characterisation.lines import line_lengths
from voxtrode.data.characterisation.percolation import components, percolation
from voxtrode.data.characterisation.profiles import depth_profiles
from voxtrode.data.characterisation.representativity import representativity, standard_error
from voxtrode.data.characterisation.summary import characterise, contact_numbers, line_numbers
from voxtrode.data.characterisation.surfaces import contacts, phase_areas
from voxtrode.data.interfaces import voxel_face_areas


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_line_along_an_axis_is_exact(axis):
    """Three prisms along one line: as long as the box, smooth and by edges."""
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[6:], labels[6:, 5:] = 1, 2
    labels = np.moveaxis(labels, 2, axis)
    _, lengths, edges = line_lengths(np.ascontiguousarray(labels), 3, FLAT)
    assert edges == pytest.approx([12 * FLAT[axis]])
    assert lengths == pytest.approx(edges)


def sectors(direction, side, angles):
    """Phases in three sectors about a line through the box's centre, and its length in the box."""
    t = np.array(direction) / np.linalg.norm(direction)
    shift = np.array([0.13, 0.21, 0.34])
    points = place((side,) * 3) - side / 2 - shift
    u = np.cross(t, [0.3, 0.5, 0.7])
    u /= np.linalg.norm(u)
    angle = np.arctan2(points @ u, points @ np.cross(t, u))
    crossings = np.array([(side / 2 * sign - shift) / t for sign in (-1, 1)])
    length = crossings.max(axis=0).min() - crossings.min(axis=0).max()
    return np.digitize(angle, angles).astype(np.uint8), length


@pytest.mark.parametrize("angles", [(-1.0, 1.0), (-1.5, 0.0), (-0.3, 0.3)])
@pytest.mark.parametrize(
    "direction", [(1, 0.05, 0.02), (1, 1.05, 0.05), (1, 0.9, 1.1), (-0.2, 1, 0.6), (0.4, -0.3, 1)]
)
def test_straight_line_of_any_direction(direction, angles):
    """Within 2.5 %: two of 64 voxels at the ends, a per cent of steps left; edges up to 1.7 times.

    The angles between the phases do not matter, down to a wedge of 34°.
    """
    labels, length = sectors(direction, 64, angles)
    _, lengths, edges = line_lengths(labels, 3, CUBE)
    assert lengths == pytest.approx([length], rel=0.025)
    t = np.abs(direction) / np.linalg.norm(direction)
    assert edges[0] > 0.97 * t.sum() * length


def test_circle_in_flat_voxels():
    """A ball half sunk at a tilt, in voxels of 3 x 1 x 2: 5 %, as with a radius of 7 voxels."""
    shape = (20, 60, 30)
    centre = np.array([30.3, 30.1, 29.6])
    labels = np.where(
        ball(shape, centre, 20.0, FLAT), 2, (place(shape, FLAT) - centre) @ [0.5, 0.6, 0.7] > 0
    ).astype(np.uint8)
    _, lengths, _ = line_lengths(labels, 3, FLAT)
    assert lengths == pytest.approx([40 * np.pi], rel=0.05)


def test_four_phases_at_one_line():
    """Four prisms: each of four triples has half of the line."""
    labels = np.zeros((10, 8, 8), np.uint8)
    labels[:, :4, 4:], labels[:, 4:, :4], labels[:, 4:, 4:] = 1, 2, 3
    triples, lengths, edges = line_lengths(labels, 4, CUBE)
    assert triples.tolist() == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    assert lengths == pytest.approx([5.0] * 4)
    assert edges == pytest.approx([5.0] * 4)


def test_two_phases_that_meet_across_an_edge():
    """Prisms b and c, edge to edge in a: an edge, but two lines of opposite direction."""
    labels = np.zeros((10, 8, 8), np.uint8)
    labels[:, :4, :4], labels[:, 4:, 4:] = 1, 2
    triples, lengths, edges = line_lengths(labels, 3, CUBE)
    assert triples.tolist() == [[0, 1, 2]]
    assert edges == pytest.approx([10.0])
    assert lengths == pytest.approx([0.0])


def test_lines_of_noise_are_not_resolved():
    """Of independent voxels hardly an edge continues another; a circle's do."""
    assert not line_numbers(noise((12,) * 3), ABC, CUBE)["a|b|c"]["resolved"]
    labels = np.where(
        ball((30,) * 3, 15.2, 10.0), 2, place((30,) * 3) @ [1, 0.4, 0.3] > 26.0
    ).astype(np.uint8)
    line = line_numbers(labels, ABC, (1e-6,) * 3)["a|b|c"]
    assert line["resolved"]
    assert line["per_volume_m-2"] == pytest.approx(line["length_m"] / 2.7e-14)


def test_names_of_phases_do_not_matter():
    """The direction of a line turns with the order of its phases, its length does not."""
    labels = np.where(
        ball((20,) * 3, 10.2, 7.0), 2, place((20,) * 3) @ [1, 0.4, 0.3] > 17.0
    ).astype(np.uint8)
    one = line_lengths(labels, 3, CUBE)[1]
    for order in ([1, 0, 2], [2, 0, 1], [2, 1, 0]):
        assert line_lengths(np.array(order, np.uint8)[labels], 3, CUBE)[1] == pytest.approx(one)


# Interfaces and contacts


def test_projected_faces_with_many_phases():
    """A ball cut into eight phases: an eighth of its surface and quarters of discs each.

    5 % for pieces: the cuts lie up to half a voxel from the true ones; 1 % for the whole.
    """
    centre, radius = np.array([24.2, 24.1, 24.3]), 18.0
    inside = ball((48,) * 3, centre, radius)
    z, y, x = np.moveaxis(place((48,) * 3) > centre, -1, 0)
    labels = np.where(inside, 1 + 4 * z + 2 * y + x, 0).astype(np.uint8)
    areas = phase_areas(labels, 9, CUBE)
    assert areas[0, 1:] == pytest.approx(4 * np.pi * radius**2 / 8, rel=0.05)
    assert areas[0].sum() == pytest.approx(4 * np.pi * radius**2, rel=0.01)
    assert areas[1, 2] == pytest.approx(np.pi * radius**2 / 4, rel=0.05)
    np.testing.assert_array_equal(areas, areas.T)


@pytest.mark.parametrize("voxel", [(2.0, 1.0, 1.0), (4.0, 1.0, 1.0), FLAT])
def test_projected_faces_in_flat_voxels(voxel):
    """As with a radius of five voxels, the longest edge: 2 %."""
    shape = tuple(int(52 / edge) for edge in voxel)
    labels = ball(shape, np.array([26.1, 25.8, 26.3]), 20.0, voxel).astype(np.uint8)
    assert phase_areas(labels, 2, voxel)[0, 1] == pytest.approx(4 * np.pi * 400, rel=0.02)


def test_sides_are_no_interface():
    """An eighth of a ball in a corner of the box."""
    labels = ball((20,) * 3, np.zeros(3), 14.0).astype(np.uint8)
    assert phase_areas(labels, 2, CUBE)[0, 1] == pytest.approx(np.pi * 14**2 / 2, rel=0.015)


@pytest.mark.parametrize("seed", range(4))
def test_contact_of_two_halves_of_a_ball(seed):
    """A ball cut by a plane in any direction: the disc within 3 %, its faces half as much more."""
    normal = np.random.default_rng(seed).normal(size=3)
    normal /= np.linalg.norm(normal)
    centre = 18.0 + 0.1 * normal
    inside = ball((36,) * 3, centre, 15.0)
    particles = np.where((place((36,) * 3) - centre) @ normal > 0, 7, 4) * inside
    found = contacts(particles.astype(np.int32), CUBE)
    assert found.pairs.tolist() == [[4, 7]]
    assert found.area == pytest.approx([np.pi * 15**2], rel=0.03)
    assert found.faces == pytest.approx(found.area * np.abs(normal).sum(), rel=0.03)


def test_contacts_by_hand():
    """Blocks in a row: 1 touches 2, 2 touches 5, and nothing else counts."""
    particles = np.zeros((4, 4, 8), np.int32)
    particles[:2, :2, :2], particles[:2, :2, 2:4], particles[:2, :2, 4:6] = 1, 2, 5
    particles[3, 3, 7] = 9
    found = contacts(particles, FLAT)
    assert found.pairs.tolist() == [[1, 2], [2, 5]]
    assert found.area == pytest.approx([12.0, 12.0])  # faces across x are 3 x 1
    numbers = contact_numbers(particles, FLAT)
    assert numbers["count"] == 2
    assert numbers["area_m2"] == pytest.approx(24.0)
    assert numbers["mean_coordination"] == 1.0
    assert contact_numbers(np.zeros((2, 2, 2), np.int32), CUBE)["mean_coordination"] is None


# Sizes


def test_profile_of_layers():
    """Layers of one phase each; and along y, where each layer is the same."""
    labels = np.zeros((6, 4, 5), np.uint8)
    labels[2:] = 1
    profiles = depth_profiles(labels, ("a", "b"), FLAT)
    assert profiles["z"]["position_m"] == pytest.approx([1.5, 4.5, 7.5, 10.5, 13.5, 16.5])
    assert profiles["z"]["fraction"]["a"] == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert profiles["z"]["std"]["b"] == [0.0] * 6
    assert profiles["y"]["fraction"]["b"] == pytest.approx([2 / 3] * 4)


def test_profile_in_bins():
    """250 layers in 100 bins: means of two or three; all layers together give the fraction."""
    labels = noise((250, 7, 9), 3)
    profile = depth_profiles(labels, ABC, CUBE)["z"]
    assert len(profile["position_m"]) == 100
    assert profile["position_m"][:2] == pytest.approx([1.5, 4.0])
    assert profile["columns"] == 16
    first = [float((labels[:3] == value).mean()) for value in range(3)]
    assert [profile["fraction"][phase][0] for phase in ABC] == pytest.approx(first)


def test_spread_of_a_profile():
    """Half of each layer b: fractions 1 in half of 16 columns, 0 in the other."""
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[:, 4:] = 1
    assert depth_profiles(labels, ("a", "b"), CUBE)["z"]["std"]["b"] == pytest.approx(
        [np.sqrt(16 * 0.25 / 15)] * 3
    )


# Percolation


def test_components_by_hand():
    """A rod along y of 5 voxels, a floating voxel, a voxel at a side, edge to edge with nothing."""
    mask = np.zeros((5, 5, 5), bool)
    mask[2, :, 2], mask[3, 3, 3], mask[0, 1, 0] = True, True, True
    assert components(mask) == {
        "components": 3,
        "largest_share": 5 / 7,
        "closed_share": 1 / 7,
        "percolating_share": {"z": 0.0, "y": 5 / 7, "x": 0.0},
    }


def test_union_percolates_where_phases_do_not():
    labels = np.zeros((6, 3, 3), np.uint8)
    labels[:3, 1, 1], labels[3:, 1, 1] = 1, 2
    found = percolation(labels, ABC, {"solid": ("b", "c")})
    assert found["b"]["percolating_share"]["z"] == 0.0
    assert found["solid"]["percolating_share"]["z"] == 1.0
    assert found["solid"]["components"] == 1


# Representativity


def test_halves_by_hand():
    """Phase b fills the lower half: 1 and 0 along z, a half each along y and x."""
    labels = np.zeros((8, 4, 4), np.uint8)
    labels[:4] = 1
    found = representativity(labels, ("a", "b", "c"), CUBE)
    assert found["fraction"]["b"]["halves"] == [1.0, 0.0, 0.5, 0.5, 0.5, 0.5]
    assert found["fraction"]["b"]["largest_deviation"] == 1.0
    assert found["fraction"]["b"]["quadrants"] == [0.5] * 4
    assert "c" not in found["fraction"]
    # One plane of 16 faces, half of it in either half.
    assert found["specific_area_m-1"]["a"]["whole"] == pytest.approx(16 / 128)
    assert found["specific_area_m-1"]["a"]["largest_deviation"] == pytest.approx(0.0)
    assert found["representative"] is False
    assert found["worst"] == {"deviation": 1.0, "quantity": "fraction", "phase": "a"}


def test_noise_is_representative():
    """64³ independent voxels: 0.4 % in a half; halves of a trend of 20 % are not alike."""
    labels = noise((64, 64, 64))
    assert representativity(labels, ABC, CUBE)["representative"] is True
    trend = np.random.default_rng(1).random((64, 64, 64)) < np.linspace(0.4, 0.6, 64)
    found = representativity(trend.astype(np.uint8), ("a", "b"), CUBE)
    assert found["representative"] is False
    assert found["fraction"]["b"]["largest_deviation"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("grain", [1, 4])
def test_standard_error_is_that_of_repeated_samples(grain):
    """Independent cubes of 1 and 4 voxels, each b by chance 0.3: sqrt(p q/n) is known.

    The mean over 40 volumes; the estimate takes the largest of three and so is some 20 % too large.
    """
    estimates = []
    for seed in range(40):
        cubes = np.random.default_rng(seed).random((32 // grain,) * 3) < 0.3
        labels = cubes.astype(np.uint8)
        for axis in range(3):
            labels = np.repeat(labels, grain, axis=axis)
        found = representativity(labels, ("a", "b"), CUBE)
        estimates.append(found["fraction"]["b"]["standard_error"])
    exact = np.sqrt(0.3 * 0.7 / (32 // grain) ** 3)
    assert np.mean(estimates) == pytest.approx(1.2 * exact, rel=0.2)


def test_standard_error_is_extrapolated():
    """Variances that fall slower than tiles grow in number show correlated tiles."""
    half, quarter = np.repeat([0.0, 1.0], 4), np.repeat([0.0, 1.0], 32)
    squares = 0.25 / 7, 0.25 / 63
    found = standard_error([(half, np.ones(8)), (quarter, np.ones(64))])
    assert found == pytest.approx(np.sqrt(squares[0] + 0.5 * (squares[0] - squares[1])))
    assert standard_error([(np.ones(1), np.ones(1))]) is None


# All together


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((1, 1, 1), 1),
        ((9, 8, 7), 1),
        ((1, 12, 9), 3),
        ((12, 1, 9), 2),
        ((3, 2, 2), 8),
        ((9, 8, 7), 8),
    ],
)
def test_any_volume(shape, count):
    """One phase, layers one voxel thick, eight phases, empty phases: plain JSON, shares in 0..1."""
    labels = noise(shape, count)
    phases = (*(f"p{value}" for value in range(count)), "empty")
    particles = np.where(labels == 0, np.arange(labels.size).reshape(shape) + 1, 0)
    found = json.loads(json.dumps(characterise(labels, phases, FLAT, particles), allow_nan=False))
    assert found["sizes"]["empty"]["d50_m"] is None
    assert found["percolation"]["empty"]["components"] == 0
    fractions = [found["profiles"]["x"]["fraction"][phase] for phase in phases]
    assert np.sum(fractions, axis=0) == pytest.approx(1.0)
    faces = voxel_face_areas(labels, count, FLAT)
    for a in range(count):
        for b in range(a + 1, count):
            entry = found["interfaces"][f"p{a}|p{b}"]
            assert entry["area_m2"]["voxel_faces"] == pytest.approx(faces[a, b])
            assert 0.0 <= entry["area_m2"]["projected_faces"] <= faces[a, b] * (1 + 1e-9)
            assert entry["specific_area_m-1"]["per_box"] >= 0.0
    for line in found["three_phase_lines"].values():
        assert line["length_m"] <= line["voxel_edges_m"] * (1 + 1e-9)


def test_one_phase_has_no_size_and_no_interface():
    found = characterise(np.zeros((5, 6, 7), np.uint8), ("a",), CUBE)
    assert found["sizes"]["a"]["d50_m"] is None
    assert found["sizes"]["a"]["mean_chord_m"] == {"z": None, "y": None, "x": None}
    assert found["interfaces"] == {}
    assert found["three_phase_lines"] == {}
    assert "contacts" not in found
    assert found["percolation"]["a"]["percolating_share"] == {"z": 1.0, "y": 1.0, "x": 1.0}
    assert found["representativity"]["representative"] is True


def test_the_same_again():
    """Bit for bit."""
    labels = noise((12, 13, 14))
    assert characterise(labels, ABC, FLAT) == characterise(labels.copy(), ABC, FLAT)


@pytest.mark.slow
def test_real_image(real_volume):
    """Published: 40.05, 49.95 and 10.00 %; NMC percolates with 99.8 %, carbon-binder with 66 %."""
    volume = real_volume
    found = percolation(volume.labels, volume.phases)
    assert found["nmc"]["percolating_share"]["z"] == pytest.approx(0.998, abs=0.0005)
    assert found["cbd"]["percolating_share"]["z"] == pytest.approx(0.66, abs=0.005)
    checked = representativity(volume.labels, volume.phases, volume.voxel)
    fractions = [checked["fraction"][phase]["whole"] for phase in volume.phases]
    assert fractions == pytest.approx([0.4005, 0.4995, 0.1], abs=5e-5)
    profile = depth_profiles(volume.labels, volume.phases, volume.voxel)["z"]["fraction"]["nmc"]
    assert np.mean(profile) == pytest.approx(0.4995, abs=0.002)  # bins of two and three layers
    triples, lengths, edges = line_lengths(volume.labels[:64], 3, volume.voxel)
    assert triples.tolist() == [[0, 1, 2]]
    assert 1.5 < edges[0] / lengths[0] < 3.0  # rough at the scale of voxels, with many pinches
