"""The 3D picture: its surfaces, and the drawing in a process of its own."""

import ctypes.util
from pathlib import Path

import numpy as np
import pytest
from made_run import Run
from matplotlib import image
from synthetic import BALLS, EDGE

from voxtrode.pipeline.report.picture import draw_apart
from voxtrode.pipeline.report.results import read_results
from voxtrode.pipeline.report.scene import make_scene
from voxtrode.pipeline.report.solids import Scene, write_scene


def _scene(run: Run) -> Scene:
    results = read_results(run.folder, run.study)
    assert results.header is not None
    return make_scene(results, results.header)


def test_surfaces_are_closed_and_inside_the_box(run: Run) -> None:
    """Every edge has two triangles; nothing leaves the box; SoL stays in its range on the mesh.

    The cut-away corner takes the ball at (11, 11, 8) in half, so the volume inside is below that of
    the three balls; the other two keep theirs to the accuracy of 16 voxels (10 %).
    """
    scene = _scene(run)
    (surface,) = scene.surfaces
    edges = np.sort(surface.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert set(np.unique(edges, axis=0, return_counts=True)[1]) == {2}
    assert surface.points.min() > -1e-9
    assert surface.points.max() < EDGE + 1e-9
    assert scene.what == "SoL"
    assert 0.15 < scene.limits[0] < scene.limits[1] < 0.35
    a, b, c = (surface.points[surface.triangles[:, k]] for k in range(3))
    volume = abs(float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum())) / 6.0
    balls = [4.19 * radius**3 for _, radius in BALLS]
    assert 0.9 * (balls[0] + balls[2]) < volume < sum(balls)


def test_scene_without_a_solution_has_no_values(run: Run) -> None:
    """Before the simulation every particle has a colour of its own, on every triangle."""
    (run.folder / "simulate" / "fields.pvd").unlink()
    scene = _scene(run)
    assert scene.what == ""
    assert scene.time is None
    (surface,) = scene.surfaces
    assert len(surface.values) == 0
    assert len(surface.paint) == len(surface.triangles)
    assert len(np.unique(surface.paint, axis=0)) == len(BALLS)


def test_drawing(run: Run, tmp_path: Path) -> None:
    """PyVista draws the scene off-screen: a picture with colours on white, nothing cut off."""
    if ctypes.util.find_library("EGL") is None:
        pytest.skip("no libEGL (Debian: libegl1 libegl-mesa0): nothing can be drawn off-screen")
    write_scene(_scene(run), tmp_path / "scene.npz")
    assert draw_apart(tmp_path / "scene.npz", tmp_path / "scene.png") == ""
    pixels = image.imread(tmp_path / "scene.png")[..., :3]
    assert (pixels.min(axis=2) > 0.99).mean() > 0.2
    assert (np.ptp(pixels, axis=2) > 0.3).mean() > 0.02
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert rim.min() > 0.99


def test_a_missing_command_is_said(tmp_path: Path) -> None:
    """The report goes on without a picture."""
    fault = draw_apart(tmp_path / "none.npz", tmp_path / "out.png", ["/nowhere/python"])
    assert "FileNotFoundError" in fault
