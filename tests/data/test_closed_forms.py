"""Errors and orders of convergence on voxelised bodies whose volume, area and lines are known.

The bodies are those of `benchmarks/closed_forms.py`, each moved and turned at random. Bounds are
about twice the errors seen over these and other seeds.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from voxtrode.data.interfaces import voxel_face_areas

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from closed_forms import CASES, order, ratios, rms

RESOLUTIONS = (5, 10, 20)
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def measured():
    """Ratios of measured to exact by case, then resolution, then quantity."""
    return {case: {n: ratios(case, n, SEEDS) for n in RESOLUTIONS} for case in CASES}


def errors(measured, case, quantity):
    return np.array([rms(measured[case][n][quantity]) for n in RESOLUTIONS])


@pytest.mark.parametrize(
    ("case", "quantity"), [("ball", "volume"), ("two balls", "volume of union")]
)
def test_volumes_converge(measured, case, quantity):
    """Lattice points of a ball: the error falls faster than the voxels' share at its surface."""
    found = errors(measured, case, quantity)
    assert order(RESOLUTIONS, found) > 1.4
    assert found[-1] < 0.002


@pytest.mark.parametrize(
    ("case", "quantity"), [("slabs", "volume of two"), ("cylinders", "volume")]
)
def test_volumes_of_slabs_and_cylinders(measured, case, quantity):
    """Errors of the ends alone: too small from the first resolution on to show an order."""
    assert (errors(measured, case, quantity) < 0.005).all()


@pytest.mark.parametrize(
    ("case", "quantity", "bounds", "least"),
    [
        ("ball", "area, projected faces", (0.03, 0.01, 0.003), 1.5),
        ("two balls", "area of union, projected faces", (0.03, 0.01, 0.004), 1.0),
        ("slabs", "area, projected faces", (0.02, 0.015, 0.006), 0.5),
        ("cylinders", "area, projected faces", (0.01, 0.006, 0.004), 0.4),
    ],
)
def test_projected_faces_converge(measured, case, quantity, bounds, least):
    """Second order on balls, where the Gaussian averages all directions; first and less on planes.

    A plane or cylinder has one direction, whose steps may be longer than the Gaussian is wide.
    """
    found = errors(measured, case, quantity)
    assert (found < bounds).all()
    assert order(RESOLUTIONS, found) > least


@pytest.mark.parametrize(
    ("case", "quantity"),
    [
        ("two balls", "area of neck, projected faces"),
        ("two balls", "contact of particles"),
        ("two balls", "three-phase line"),
        ("half-sunk ball", "three-phase line"),
    ],
)
def test_necks_and_lines_converge(measured, case, quantity):
    """First order: voxels fill the groove round a neck, so that it is a fraction of one wider."""
    found = errors(measured, case, quantity)
    assert order(RESOLUTIONS, found) > 0.7
    # Relative errors of some 0.3 voxels in the radius 0.8 n, twice that for areas.
    assert (found < (1.2 if "line" not in quantity else 0.5) / np.array(RESOLUTIONS)).all()


@pytest.mark.parametrize("case", ["two balls", "half-sunk ball"])
def test_lines_at_a_radius_of_fifteen_voxels(case):
    """2 % in the mean over orientations; the two balls' circle has a radius of 0.8."""
    n = 15 if case == "half-sunk ball" else 19
    assert ratios(case, n, tuple(range(6)))["three-phase line"].mean() == pytest.approx(1, abs=0.02)


def test_marching_cubes_do_not_converge(measured):
    """Its Gaussian is one voxel wide at any resolution: some of the steps stay, up to 1 %."""
    last = measured["ball"][20]["area, marching cubes"]
    assert (last > 1.003).all()
    assert (last < 1.015).all()


@pytest.mark.parametrize("n", [5, 10, 20, 40])
def test_voxel_faces_of_a_ball_are_half_too_large(n):
    """Projected area 2 π r² along each of three axes: 6/4 of 4 π r², at every resolution.

    The mean over ten places; a single one differs by the lattice points in a disc, 2 % at n = 5.
    """
    random = np.random.default_rng(5)
    side = np.arange(2 * n + 4) + 0.5
    found = []
    for centre in n + 1.5 + random.random((10, 3)):
        z, y, x = np.meshgrid(*(side - middle for middle in centre), indexing="ij", sparse=True)
        labels = (z**2 + y**2 + x**2 < n**2).astype(np.uint8)
        found.append(voxel_face_areas(labels, 2, (1.0, 1.0, 1.0))[0, 1] / (4 * np.pi * n**2))
    assert np.mean(found) == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("case", ["two balls", "half-sunk ball"])
def test_voxel_edges_of_lines_do_not_converge(measured, case):
    """Of a circle in random orientation 3/2 (mean of |t_z| + |t_y| + |t_x|), and never less than 1.

    The factor is 4/π for a circle along two axes and less than √3 for any.
    """
    for n in RESOLUTIONS:
        ratio = measured[case][n]["three-phase line, voxel edges"]
        assert (ratio > 1.2).all()
        assert (ratio < 1.8).all()


@pytest.mark.slow
def test_orders_up_to_forty_voxels():
    """Once more with the finest grid: errors below a third of a per cent, lines below one."""
    found = {case: ratios(case, 40, SEEDS) for case in ("ball", "half-sunk ball", "two balls")}
    assert rms(found["ball"]["area, projected faces"]) < 0.001
    assert rms(found["two balls"]["area of union, projected faces"]) < 0.003
    assert rms(found["half-sunk ball"]["three-phase line"]) < 0.01
    assert rms(found["two balls"]["three-phase line"]) < 0.01
