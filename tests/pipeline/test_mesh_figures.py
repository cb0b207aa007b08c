"""Figures and warnings of the mesh stage: nothing left out, nothing twice, on any ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image as picture
from mpi4py import MPI

from voxtrode.meshing.voxel import kuhn_tetrahedra
from voxtrode.pipeline.mesh_figures.angles_drawing import angles_drawing
from voxtrode.pipeline.mesh_figures.cut_drawing import Extent, cut_drawing
from voxtrode.pipeline.mesh_figures.plane_cut import PlaneCut, gathered, plane_cut
from voxtrode.pipeline.mesh_warnings import mesh_warnings
from voxtrode.pipeline.report.style import style

N = 4
SPACING = np.array([1.0, 0.5, 2.0])  # x, y, z
COLOURS = ("#52657a", "#efd9a7")


def block() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """N³ boxes in six tetrahedra each: points, cells, and the phase, 1 in the upper half of z."""
    axis = np.arange(N + 1)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1) * SPACING
    step = np.array([(N + 1) ** 2, N + 1, 1])
    corner = np.stack(np.meshgrid(*[np.arange(N)] * 3, indexing="ij"), axis=-1) @ step
    cells = (corner.reshape(-1, 1, 1) + (kuhn_tetrahedra() @ step)[None]).reshape(-1, 4)
    phase = (points[cells, 2].mean(axis=1) > 0.5 * N * SPACING[2]).astype(np.int32)
    return points, cells, phase


def areas(cut: PlaneCut) -> np.ndarray:
    """Area of each polygon by the shoelace formula; a crossed quadrangle would come out small."""
    z, x = cut.polygons[..., 0].astype(float), cut.polygons[..., 1].astype(float)
    total = np.sum(z * np.roll(x, -1, axis=1) - x * np.roll(z, -1, axis=1), axis=1)
    result: np.ndarray = 0.5 * np.abs(total)
    return result


@pytest.mark.parametrize("y", [0.1, 0.5, 0.77, 1.0, 1.9])
def test_a_plane_is_filled_once(y: float) -> None:
    """Also where it is a plane of facets (0.5, 1.0): the areas add up to it, and per phase."""
    cut = plane_cut(*block(), y)
    whole = N * N * SPACING[0] * SPACING[2]
    assert areas(cut).sum() == pytest.approx(whole, rel=1e-6)
    assert areas(cut)[cut.phase == 1].sum() == pytest.approx(0.5 * whole, rel=1e-6)
    assert (cut.polygons.min(axis=(0, 1)) >= 0.0).all()
    assert cut.polygons.max(axis=(0, 1)) == pytest.approx([N * SPACING[2], N * SPACING[0]])


def test_angles_are_those_of_the_cells_cut() -> None:
    """Kuhn's tetrahedra of a box are all alike, in cubes 45 degrees."""
    points, cells, phase = block()
    cut = plane_cut(points / SPACING, cells, phase, 1.3)
    assert cut.angle == pytest.approx(45.0, abs=1e-4)


def test_a_plane_beside_the_mesh_cuts_nothing() -> None:
    """And nothing is nothing to gather and to draw, not an error."""
    cut = gathered(plane_cut(*block(), 7.0), MPI.COMM_SELF)
    assert len(cut.polygons) == 0
    with style():
        cut_drawing(cut, Extent((8.0, 4.0), 6.0, 1.0, 7.0), ("a", "b"), COLOURS)


@pytest.mark.mpi
def test_each_rank_cuts_its_own_cells() -> None:
    """Rank 0 gets every polygon, in whatever parts the cells are held; the others none."""
    comm = MPI.COMM_WORLD
    points, cells, phase = block()
    mine = np.arange(len(cells)) % comm.size == comm.rank
    cut = gathered(plane_cut(points, cells[mine], phase[mine], 0.77), comm)
    if comm.rank == 0:
        assert areas(cut).sum() == pytest.approx(N * N * SPACING[0] * SPACING[2], rel=1e-6)
        assert len(cut.polygons) == len(plane_cut(points, cells, phase, 0.77).polygons)
    else:
        assert len(cut.polygons) == 0


@pytest.mark.parametrize(("spacing", "panels"), [(1.0, 2), (0.05, 3)])
def test_large_meshes_are_shown_whole_and_closer(spacing: float, panels: int) -> None:
    """A mesh within the window needs no second picture; a larger one has a frame in the first."""
    points, cells, phase = block()
    cut = plane_cut(points, cells, phase, 1.0)
    extent = Extent((N * SPACING[2], N * SPACING[0]), 6.0, spacing, 1.0)
    with style():
        figure = cut_drawing(cut, extent, ("a", "b"), COLOURS)
    named = [axes for axes in figure.axes if axes.get_ylabel() == "x [µm]"]
    assert len(named) == panels
    (low, high) = extent.window()
    assert low[0] <= 6.0 <= high[0]
    shown = named[-1].get_xlim()
    assert shown == pytest.approx((low[0], high[0]))
    assert shown[1] - shown[0] <= 60.0 * spacing * (1.0 + 1e-9)


def test_phases_have_their_colours_where_they_are(tmp_path: Path) -> None:
    """Left half the one phase, right half the other."""
    cut = plane_cut(*block(), 1.0)
    with style():
        figure = cut_drawing(cut, Extent((8.0, 4.0), 8.0, 1.0, 1.0), ("a", "b"), COLOURS)
        figure.savefig(tmp_path / "cut.png", dpi=60)
    axes = figure.axes[0]
    pixels = picture.imread(tmp_path / "cut.png")[..., :3]
    for z, rest in ((2.0, (0.5, 0.5, 0.55)), (6.0, (0.96, 0.9, 0.76))):
        at = figure.transFigure.inverted().transform(axes.transData.transform((z, 2.0)))
        row, column = int((1.0 - at[1]) * len(pixels)), int(at[0] * pixels.shape[1])
        around = np.median(pixels[row - 5 : row + 5, column - 5 : column + 5], axis=(0, 1))
        assert np.abs(around - rest).max() < 0.12, around


def test_the_histogram_shows_a_single_cell() -> None:
    """Counts are on a logarithmic axis from below 1; without a histogram there is no figure."""
    counts = [0] * 36
    counts[0], counts[9] = 1, 10**6
    mesh = {"dihedral_histogram": {"bin_deg": 5, "smallest": counts, "largest": counts[::-1]}}
    with style():
        figure = angles_drawing(mesh)
        assert angles_drawing({"method": "voxel"}) is None
    assert figure is not None
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] < 1.0


GOOD: dict[str, Any] = {
    "spacing_m": [1e-6, 1e-6, 1e-6],
    "volume_error": {"active": 2e-4, "nsd": -1e-4},
    "components": {"active": 3, "nsd": 1, "separator": 1},
    "image_components": {"active": 3, "nsd": 1},
    "untagged_cells": 0,
}


LOST = {"image": 1, "mesh": 1, "lost": 1, "lost_voxels": 4, "joined": 0, "split": 0, "new": 1}


def test_a_good_mesh_gives_no_warning() -> None:
    """Nor does one whose method writes little."""
    assert mesh_warnings(GOOD, 1e-6) == []
    assert mesh_warnings({"spacing_m": [1e-6] * 3}, 1e-6) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spacing_m": [1e-6, 1.05e-6, 1e-6]}, "1 x 1.05 x 1 um"),
        ({"cropped_voxels": [0, 0, 3]}, "0, 0, 3 voxels"),
        ({"volume_error": {"active": -0.012, "nsd": 1e-4}}, "active -1.2 %"),
        (
            {"components": {"active": 2, "nsd": 1}},
            "3 face-connected regions in the image and 2 on",
        ),
        ({"regions": {"nsd": LOST}}, "1 on the mesh: 1 lost (4 voxels in all), 1 new"),
        ({"regions": {"nsd": LOST | {"lost": 0, "split": 1}}}, "1 on the mesh: 1 split, 1 new"),
        ({"untagged_cells": 7}, "7 cells of active material belong to no particle"),
    ],
)
def test_faults_of_a_mesh_are_said(change: dict[str, Any], words: str) -> None:
    """One line each, with the number that is off."""
    (text,) = mesh_warnings(GOOD | change, 1e-6)
    assert words in text
    assert "\n" not in text
