"""Fractions and areas against numbers worked out by hand or by geometry."""

import numpy as np
import pytest
from particle_volumes import small_electrode

from voxtrode.data.connectivity import Roles, percolating_shares
from voxtrode.data.interfaces import (
    interface_areas,
    marching_cubes_areas,
    smooth_surface,
    voxel_face_areas,
)
from voxtrode.data.morphology import phase_numbers

CUBE = (1.0, 1.0, 1.0)
FLAT = (2.0, 1.0, 0.5)


def ball(shape, centre, radius, voxel=CUBE):
    """Voxels whose centre is in a ball, all lengths in one unit."""
    place = (np.stack(np.indices(shape), axis=-1) + 0.5) * voxel
    return ((place - centre) ** 2).sum(axis=-1) < radius**2


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("voxel", [CUBE, FLAT])
def test_slab_has_its_cross_section(axis, voxel):
    """Flat and mirrored at the sides: exact but for 32-bit vertices."""
    labels = np.zeros((12, 9, 10), np.uint8)
    labels[(slice(None),) * axis + (slice(5),)] = 1
    exact = np.prod(np.array(labels.shape) * voxel) / (labels.shape[axis] * voxel[axis])
    areas, _ = interface_areas(labels, ("a", "b"), voxel)
    assert areas["a|b"]["area_m2"]["voxel_faces"] == pytest.approx(exact, rel=1e-12)
    assert areas["a|b"]["area_m2"]["marching_cubes"] == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_ball(seed):
    """Radius 8 voxels, anywhere on the grid: 1.5 %, the voxels' roughness; its faces: 1.5 times."""
    centre = 14.0 + np.random.default_rng(seed).random(3)
    mask = ball((29, 29, 29), centre, 8.0)
    exact = 4.0 * np.pi * 8.0**2
    assert smooth_surface(mask, CUBE).area == pytest.approx(exact, rel=0.015)
    assert voxel_face_areas(mask.astype(np.uint8), 2, CUBE)[0, 1] == pytest.approx(
        1.5 * exact, rel=0.05
    )


@pytest.mark.parametrize("radius", [4.0, 6.0, 12.0, 20.0])
def test_balls_of_other_sizes(radius):
    """2 % from four voxels radius on; shrinking by the Gaussian alone would be 12 % at four."""
    size = int(2 * radius) + 8
    mask = ball((size,) * 3, np.array([0.3, 0.1, 0.45]) + size / 2, radius)
    assert smooth_surface(mask, CUBE).area == pytest.approx(4 * np.pi * radius**2, rel=0.02)


@pytest.mark.parametrize("corner", [(0, 0, 0), (16, 0, 16), (16, 16, 16)])
def test_eighth_of_a_ball_in_a_corner(corner):
    """Sides of the box are mirrors and count nothing."""
    mask = ball((16, 16, 16), np.array(corner, dtype=float), 8.0)
    assert smooth_surface(mask, CUBE).area == pytest.approx(0.5 * np.pi * 8.0**2, rel=0.015)


@pytest.mark.parametrize(("thick", "tolerance"), [(2.0, 0.02), (4.0, 0.04)])
def test_ball_in_flat_voxels(thick, tolerance):
    """Voxels twice and four times as thick as wide: their larger steps are smoothed less well."""
    voxel = (thick, 1.0, 1.0)
    mask = ball((int(44 / thick), 44, 44), np.array([22.1, 22.2, 22.3]), 16.0, voxel)
    assert smooth_surface(mask, voxel).area == pytest.approx(4 * np.pi * 16.0**2, rel=tolerance)


def test_tilted_plane():
    """At 45°: sqrt 2 times the cross-section, though its staircase has twice.

    Where the plane meets the mirrored sides its kink is rounded off: 1.5 % of 60 voxels.
    """
    z, _, x = np.indices((120, 6, 60))
    mask = z - x < 30
    assert smooth_surface(mask, CUBE).area == pytest.approx(np.sqrt(2.0) * 6 * 60, rel=0.015)


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_thin_film_between_two_phases_is_kept(thickness):
    """Flat film of one voxel: 1-2 and 2-0 full cross-sections, 0-1 none. Flat: exact."""
    labels = np.zeros((20, 8, 9), np.uint8)
    labels[:8], labels[8 : 8 + thickness] = 1, 2
    areas, _ = marching_cubes_areas(labels, ~np.eye(3, dtype=bool), CUBE)
    assert areas[1, 2] == pytest.approx(72.0, rel=1e-5)
    assert areas[0, 2] == pytest.approx(72.0, rel=1e-5)
    assert areas[0, 1] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("thickness", [1.0, 2.0, 3.0])
def test_thin_shell_round_a_ball(thickness):
    """Shells that wide Gaussians would tear: within 6 % (one voxel thick) and 2 %."""
    centre = np.array([20.1, 20.2, 20.3])
    inner, outer = ball((40,) * 3, centre, 10.0), ball((40,) * 3, centre, 10.0 + thickness)
    labels = np.where(inner, 1, np.where(outer, 2, 0)).astype(np.uint8)
    areas, evidence = interface_areas(labels, ("pore", "nmc", "cbd"), CUBE)
    tolerance = 0.06 if thickness < 2 else 0.02
    smooth = {pair: entry["area_m2"]["marching_cubes"] for pair, entry in areas.items()}
    assert smooth["nmc|cbd"] == pytest.approx(4 * np.pi * 10.0**2, rel=tolerance)
    assert smooth["pore|cbd"] == pytest.approx(4 * np.pi * (10 + thickness) ** 2, rel=tolerance)
    assert smooth["pore|nmc"] <= 0.02 * smooth["nmc|cbd"]
    assert all(entry["lost_share"] <= 0.015 for entry in evidence.values())


def test_four_phases_in_quarters():
    """Four prisms around one line: each touching pair one rectangle, the opposite pairs none.

    Each set of two opposite or neighbouring prisms is a surface of its own here. Triple lines are
    rounded over a voxel or so: 6 % of rectangles 16 voxels wide.
    """
    labels = np.zeros((10, 32, 32), np.uint8)
    labels[:, :16, 16:], labels[:, 16:, :16], labels[:, 16:, 16:] = 1, 2, 3
    areas, _ = interface_areas(labels, ("a", "b", "c", "d"), CUBE)
    assert areas["a|b"]["area_m2"]["voxel_faces"] == 160.0
    assert areas["a|d"]["area_m2"] == {"marching_cubes": 0.0, "voxel_faces": 0.0}
    for pair in ("a|b", "a|c", "b|d", "c|d"):
        assert areas[pair]["area_m2"]["marching_cubes"] == pytest.approx(160.0, rel=0.06)


def test_voxel_faces_by_hand():
    """One voxel of 2 in the middle of 0, of 1 above: faces 5 and 1 by their own sizes."""
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1], labels[2] = 2, 1
    faces = voxel_face_areas(labels, 3, FLAT)  # faces of 0.5, 1 and 2 across z, y and x
    assert faces[0, 2] == 0.5 + 2 * 1.0 + 2 * 2.0
    assert faces[1, 2] == 0.5
    assert faces[0, 1] == 8 * 0.5
    np.testing.assert_array_equal(faces, faces.T)


def test_phase_numbers_by_hand():
    volume, flags = small_electrode()
    numbers = phase_numbers(volume, Roles((0,), (0,), (1,)), flags)
    assert numbers["nmc"]["fraction"] == 17 / 96
    assert numbers["pore"]["fraction"] == 79 / 96
    assert numbers["pore"]["percolates"] == {"z": True, "y": True, "x": True}
    assert numbers["nmc"]["percolates"] == {"z": False, "y": False, "x": False}
    assert numbers["nmc"]["isolated_fraction"] == pytest.approx(1 / 17)
    assert numbers["pore"]["isolated_fraction"] == 0.0


@pytest.mark.parametrize(("value", "share"), [(1, 0.998), (2, 0.66)])
def test_percolating_share_of_the_real_image(real_volume, value, share):
    """Published to two or three digits: NMC 99.8 %, carbon-binder 66 % along the thickness."""
    assert percolating_shares(real_volume.labels == value)["z"] == pytest.approx(share, abs=0.005)


def test_areas_of_the_real_image(real_volume):
    """Each pair of 64³ voxels: smooth over staircase area near 2/3, as for any rough direction mix.

    A smooth isotropic surface has 0.667; fine carbon-binder loses some of its roughness to the
    smoothing, and no pair may gain what another loses (0.9 with one Gaussian for all).
    """
    areas, evidence = interface_areas(
        real_volume.labels[:64, :64, :64], real_volume.phases, real_volume.voxel
    )
    for entry in areas.values():
        area = entry["area_m2"]
        assert 0.55 < area["marching_cubes"] / area["voxel_faces"] < 0.72
    assert evidence["nmc"]["smoothing_voxels"] == 1.0
    assert evidence["cbd"]["smoothing_voxels"] < 1.0
