"""Volumes and areas of stuffed bodies that have closed forms: from level sets, and from voxels.

The bodies are those of `benchmarks/level_sets.py`, moved by a part of a voxel and, where the box
allows, turned. Bounds are about twice what was seen over these and other seeds.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from voxtrode.meshing.stuffing.calibration import Calibration

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from level_sets import (
    BODIES,
    image_errors,
    level_set_errors,
    measured,
    mesh_labels,
    mesh_level_set,
    order,
    places,
)

H = 2.0
"""Lattice spacing [voxels]."""


def mean_errors(found) -> tuple[np.ndarray, np.ndarray]:
    """Mean size of the errors of volume and area, one for each resolution, over the seeds."""
    sizes = np.abs(np.array(found)).mean(axis=1)
    return sizes[:, 0], sizes[:, 1]


@pytest.mark.parametrize("body", ["ball", "torus"])
def test_smooth_level_sets_are_met_to_second_order(body: str) -> None:
    """Flat facets on a curved surface: both errors fall with h², volume and area by chords."""
    radii = (6, 10, 18)
    found = [[level_set_errors(body, n, H, seed) for seed in range(3)] for n in radii]
    volume, area = mean_errors(found)
    assert order(radii, volume) > 1.8
    assert order(radii, area) > 1.8
    assert np.all(np.array(found) < 0.0)


def test_a_groove_costs_area_of_first_order() -> None:
    """Facets cut across the groove between two balls, over a width of h: volume h², area h."""
    radii = (6, 12, 24)
    found = [
        [level_set_errors("two overlapping balls", n, H, seed) for seed in range(3)] for n in radii
    ]
    volume, area = mean_errors(found)
    assert order(radii, volume) > 1.6
    assert order(radii, area) > 0.9
    assert area[-1] < 0.008


def test_a_plane_is_met_exactly() -> None:
    """A tilted plane is its own linear interpolant: cuts and snapped points are on it.

    They are found to 1e-3 of a voxel. Beyond the outermost voxel centres fields are constant, so
    points near the sides of the box are left out.
    """
    n = 24
    normal = np.array([0.6, 0.48, 0.64])
    place = np.indices((n, n, n)) + 0.5
    mesh = mesh_level_set(np.tensordot(normal, place, 1) - 20.0, H)
    inside = np.all((mesh.x > H) & (mesh.x < n - H), axis=1)
    away = mesh.x @ normal - 20.0
    assert np.count_nonzero(mesh.surface & inside) > 100
    assert np.abs(away[mesh.surface & inside]).max() < 2e-3
    for phase, sign in ((0, -1.0), (1, 1.0)):
        corners = mesh.cells[mesh.phase == phase]
        held = inside[corners].all(axis=1)
        assert (sign * away[corners[held]]).min() > -2e-3


@pytest.mark.parametrize(("h", "worst"), [(2.0, 0.0025), (1.5, 0.0025)])
def test_a_voxelised_ball_of_radius_16(h: float, worst: float) -> None:
    """Volume that of the voxels to the calibration's tolerance, area within a quarter of a percent.

    The volume of the voxels is off the ball's by up to 0.2 %, by chance, so the mean is judged.
    """
    found = np.array([image_errors("ball", 16, h, seed) for seed in range(4)])
    assert abs(found[:, 0].mean()) < 0.001
    assert np.all(np.abs(found[:, 1]) < worst)


def test_areas_of_voxelised_balls_converge() -> None:
    """From 8 to 32 voxels a radius by order 1.5 and more, on average over offsets."""
    radii = (8, 16, 32)
    seeds = {8: 6, 16: 4, 32: 1}
    found = [[image_errors("ball", n, H, seed)[1] for seed in range(seeds[n])] for n in radii]
    sizes = np.array([np.abs(one).mean() for one in found])
    assert order(radii, sizes) > 1.5
    assert sizes[-1] < 0.001


def test_calibration_meets_the_voxels() -> None:
    """The volume of a phase is that of its voxels, whatever smoothing and chords would make it."""
    body = BODIES["torus"]
    labels = (body.distance(places(body, 10, np.random.default_rng(0))) > 0.0).astype(np.uint8)
    settings = Calibration()
    met = mesh_labels(labels, H, settings)
    voxels = np.count_nonzero(labels)
    assert measured(met.mesh)[0] == pytest.approx(voxels, rel=2.0 * settings.tolerance)
    free = mesh_labels(labels, H, Calibration(passes=1))
    assert abs(measured(free.mesh)[0] / voxels - 1.0) > 10.0 * settings.tolerance
