"""Dihedral angles of tetrahedra against closed forms and against a slow way to find them."""

from itertools import combinations

import numpy as np
import pytest

from voxtrode.meshing.quality import angle_histogram, shape_measures


def angles_by_projection(p: np.ndarray) -> np.ndarray:
    """The six angles [degrees]: at each edge between the other two vertices seen along it."""
    found = []
    for i, j in combinations(range(4), 2):
        k, m = (n for n in range(4) if n not in (i, j))
        edge = (p[j] - p[i]) / np.linalg.norm(p[j] - p[i])
        u, v = (p[n] - p[i] - np.dot(p[n] - p[i], edge) * edge for n in (k, m))
        found.append(np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), np.dot(u, v))))
    return np.array(found)


def test_angles_and_volumes_of_any_tetrahedra() -> None:
    """Either orientation; slivers among them, whose cosines leave about ten digits of an angle."""
    points = np.random.default_rng(0).normal(size=(60, 4, 3))
    points[30:, :, 2] *= 0.01
    angles, volumes = shape_measures(points)
    slow = np.array([angles_by_projection(p) for p in points])
    assert angles[:, 0] == pytest.approx(slow.min(axis=1), abs=1e-8)
    assert angles[:, 1] == pytest.approx(slow.max(axis=1), abs=1e-8)
    assert np.any(volumes < 0.0)
    assert volumes == pytest.approx(np.linalg.det(points[:, 1:] - points[:, :1]) / 6.0, rel=1e-9)


def test_a_flat_cell_has_angles_of_0_and_180_degrees() -> None:
    """Four points in a plane, and four of which three lie on a line."""
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    line = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 1]]
    angles, volumes = shape_measures(np.array([square, line], dtype=np.float64))
    assert np.array_equal(angles, [[0.0, 180.0], [0.0, 180.0]])
    assert np.array_equal(volumes, [0.0, 0.0])


def test_histogram_of_angles() -> None:
    """Every cell is counted once in each column, in the bin of its own angle."""
    points = np.random.default_rng(1).normal(size=(200, 3))
    cells = np.arange(200, dtype=np.int32).reshape(50, 4)
    angles, _ = shape_measures(points[cells])
    expected = [np.histogram(column, 36, (0.0, 180.0))[0] for column in angles.T]
    assert np.array_equal(angle_histogram(points, cells, 36), np.transpose(expected))
    flat = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float64)
    counts = angle_histogram(flat, np.arange(4, dtype=np.int32)[None])
    assert counts[0, 0] == counts[179, 1] == counts.sum() / 2 == 1
