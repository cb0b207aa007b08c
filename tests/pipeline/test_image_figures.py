"""Figures of the image stage: right colours at right places, any box, nothing lost silently."""

import ctypes.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from matplotlib import image as picture
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from voxtrode.data.characterisation.summary import characterise
from voxtrode.data.volume import Grains, Volume, VolumeHeader, read_header, write_volume
from voxtrode.pipeline.image_figures import draw, rendering
from voxtrode.pipeline.image_figures.arrangement import arrange
from voxtrode.pipeline.image_figures.asked import Pair, asked_and_met, asked_sizes
from voxtrode.pipeline.image_figures.colours import particle_colours, strong
from voxtrode.pipeline.image_figures.distributions import distributions_drawing
from voxtrode.pipeline.image_figures.draw import Drawn, draw_figures
from voxtrode.pipeline.image_figures.planes import read_planes
from voxtrode.pipeline.image_figures.profiles import profiles_drawing
from voxtrode.pipeline.image_figures.slices import slices_drawing
from voxtrode.pipeline.report import picture as drawer
from voxtrode.pipeline.report.solids import nearest_ids, thinned
from voxtrode.pipeline.report.style import UM, WIDTH, phase_colours, style

ABLE = {
    "active": {"stores": True, "electrons": True, "ions": False},
    "cbd": {"stores": False, "electrons": True, "ions": True},
    "pore": {"stores": False, "electrons": False, "ions": True},
}
PHASES = ("active", "cbd", "pore")
_DPI = 50
VOXEL = (1e-6, 2e-6, 0.5e-6)


def write(
    folder: Path,
    labels: NDArray[Any],
    particles: NDArray[Any] | None = None,
    voxel: tuple[float, float, float] = VOXEL,
    grains: Grains | None = None,
) -> tuple[VolumeHeader, dict[str, Any]]:
    """Write a volume's files; its header and what its `image.json` would say."""
    ids = np.zeros(labels.shape, np.int32) if particles is None else particles.astype(np.int32)
    volume = Volume(labels.astype(np.uint8), PHASES, voxel, ids, grains=grains)
    write_volume(volume, folder)
    numbers = np.unique(ids[ids > 0])
    volumes = np.bincount(ids.ravel())[numbers] * float(np.prod(voxel))
    inner = np.pad(np.ones(tuple(max(n - 2, 0) for n in ids.shape), bool), 1)[
        tuple(slice(n) for n in ids.shape)
    ]
    pd.DataFrame(
        {
            "id": numbers,
            "phase": "active",
            "volume_m3": volumes,
            "diameter_m": np.cbrt(6.0 / np.pi * volumes),
            "touches_box": np.isin(numbers, ids[~inner]),
            "dead": False,
        }
    ).to_csv(folder / "particles.csv", index=False)
    shares = np.bincount(labels.ravel(), minlength=3) / labels.size
    fractions = {name: {"fraction": share} for name, share in zip(PHASES, shares, strict=True)}
    found = characterise(volume.labels, PHASES, voxel, ids)
    return volume.header, {"phases": fractions, **found}


def blobs(shape: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cubes of four voxels, active ones numbered, between binder and pore."""
    z, y, x = np.indices(shape) // 4
    labels = (z + 2 * y + x) % 3
    return labels, np.where(labels == 0, 1 + z + 100 * y + 7 * x, 0)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No drawing in three dimensions, which takes seconds, and few pixels."""
    monkeypatch.setattr(draw, "DPI", _DPI)
    monkeypatch.setattr(rendering, "draw_apart", lambda *_: "not drawn in this test")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "shape",
    [(12, 16, 20), (10, 60, 30), (30, 1, 24), (1, 20, 20), (1, 1, 9), (1, 1, 1), (300, 4, 4)],
    ids=str,
)
def test_any_box_is_drawn(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    """Thin, flat, long and tiny boxes of unequal voxels: every figure, within a page."""
    header, image = write(tmp_path, *blobs(shape))
    drawn = draw_figures(tmp_path, header, image, ABLE)
    names = [file.name for file in drawn.files]
    assert names == ["slices.png", "distributions.png", "profiles.png"]
    for file in drawn.files:
        height, width, _ = picture.imread(file).shape
        assert width == pytest.approx(WIDTH * _DPI, abs=1.0)
        assert 1.0 * _DPI < height < 11.0 * _DPI
    assert drawn.warnings == (f"No 3D picture: not drawn in this test. {drawer.HINT}",)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_single_phase_is_drawn(tmp_path: Path, label: int) -> None:
    """No interface, no particles, nothing to halve by surface: no fault."""
    labels = np.full((6, 7, 8), label)
    header, image = write(tmp_path, labels)
    names = [file.name for file in draw_figures(tmp_path, header, image, ABLE).files]
    assert {"slices.png", "profiles.png"} <= set(names)


@pytest.mark.usefixtures("undrawn")
def test_an_old_record_is_drawn(tmp_path: Path) -> None:
    """Neither particles.csv nor anything in image.json: the sections remain."""
    header, _ = write(tmp_path, *blobs((8, 8, 8)))
    (tmp_path / "particles.csv").unlink()
    assert [file.name for file in draw_figures(tmp_path, header, {}, ABLE).files] == ["slices.png"]


def test_planes_are_those_of_the_volume(tmp_path: Path) -> None:
    """The middle planes, z to the right, at the middles of their voxels; slabs of 16 do not show.

    40 layers are read in three slabs, the middle one in the second.
    """
    labels, particles = blobs((40, 10, 14))
    header, _ = write(tmp_path, labels, particles)
    zy, zx, yx = read_planes(tmp_path, header)
    np.testing.assert_array_equal(zy.labels, labels[:, :, 7].T)
    np.testing.assert_array_equal(zx.particles, particles[:, 5, :].T)
    np.testing.assert_array_equal(yx.labels, labels[20])
    assert (zy.up, zy.across, zx.up, zx.across) == ("y", "z", "x", "z")
    assert zy.size == pytest.approx((20e-6, 40e-6))
    assert zx.normal == ("y", pytest.approx(11e-6))
    assert yx.normal == ("z", pytest.approx(20.5e-6))


def test_large_planes_are_thinned(tmp_path: Path) -> None:
    """At most 900 pixels along an edge; here every third voxel of 2000."""
    labels = np.zeros((2, 2000, 3), int)
    header, _ = write(tmp_path, labels)
    assert read_planes(tmp_path, header)[0].labels.shape == (667, 2)


def test_sections_are_to_one_scale(tmp_path: Path) -> None:
    """All pictures have the same number of inches a micrometre, and the scale bar has it too."""
    header, image = write(tmp_path, *blobs((12, 20, 32)))
    with style():
        figure = slices_drawing(
            tmp_path, header, image, ABLE, pd.read_csv(tmp_path / "particles.csv")
        )
    inches = figure.get_size_inches()
    depth, height, width = (edge * UM for edge in header.size)
    expected = [(depth, height), (depth, width), (width, height)]
    places = [axes.get_position() for axes in figure.axes]
    for place, (across, up) in zip(places, np.repeat(expected, 2, axis=0), strict=True):
        assert place.width * inches[0] / across == pytest.approx(
            places[0].height * inches[1] / height, rel=1e-9
        )
        assert place.height * inches[1] / up == pytest.approx(
            places[0].width * inches[0] / depth, rel=1e-9
        )
    (bar,) = figure.artists
    assert isinstance(bar, Line2D)
    length = float(np.ptp(bar.get_xdata())) * inches[0] / (places[0].width * inches[0] / depth)
    assert any(text.get_text() == f"{length:g} µm" for text in figure.texts)


def test_sections_show_phases_and_particles(tmp_path: Path) -> None:
    """Phases have just their colours; particles each its own, between pale phases, none white."""
    header, image = write(tmp_path, *blobs((12, 20, 32)))
    table = pd.read_csv(tmp_path / "particles.csv")
    with style():
        figure = slices_drawing(tmp_path, header, image, ABLE, table)
    phases, particles = (axes.images[0].get_array() for axes in figure.axes[:2])
    wanted = {
        tuple(np.rint(255 * np.array(to_rgb(c))).astype(int)) for c in phase_colours(ABLE).values()
    }
    assert {tuple(row) for row in np.asarray(phases).reshape(-1, 3).tolist()} == wanted
    found = {tuple(row) for row in np.asarray(particles).reshape(-1, 3).tolist()}
    own = particle_colours(int(table["id"].max()))
    shown = np.unique(read_planes(tmp_path, header)[0].particles)
    assert {tuple(own[number].tolist()) for number in shown[shown > 0]} <= found
    assert not found & {tuple(np.rint(255 * np.array(to_rgb(c))).astype(int)) for c in ("white",)}


def test_grain_boundaries_are_drawn(tmp_path: Path) -> None:
    """Two grains of one particle are parted by a light line where they meet, and only there."""
    labels = np.zeros((8, 8, 8), int)
    ids = np.ones((8, 8, 8), np.int32)
    ids[:, 4:] = 2
    quaternions = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
    grains = Grains(ids, np.array([1, 1], np.int32), quaternions)
    header, image = write(tmp_path, labels, np.ones((8, 8, 8)), (1e-6,) * 3, grains)
    with style():
        figure = slices_drawing(tmp_path, header, image, ABLE, None)
    pixels = np.asarray(figure.axes[1].images[0].get_array())
    white = (pixels == 255).all(axis=2)
    middle = len(white) // 2
    assert white[middle - 1 : middle + 1].all()
    assert not white[: middle - 1].any()
    assert not white[middle + 1 :].any()


def test_colours_tell_particles_apart() -> None:
    """Equal for equal ids, never white, and any two of 24 differ by more than a shade."""
    colours = particle_colours(24).astype(int)
    assert colours[0].tolist() == [255, 255, 255]
    np.testing.assert_array_equal(particle_colours(24), colours)
    apart = np.abs(colours[1:, None] - colours[None, 1:]).sum(axis=2) + 999 * np.eye(24, dtype=int)
    assert apart.min() > 12


@pytest.mark.parametrize("colour", ["#dceaf3", "#efd9a7", "#ffffff", "#262626", "#52657a"])
def test_lines_are_seen_on_white(colour: str) -> None:
    """Lightness of at most about a half, whatever the phase's own colour."""
    rgb = strong(colour)
    assert 0.5 * (max(rgb) + min(rgb)) <= 0.53


@pytest.mark.parametrize("sizes", [[(1.0, 40.0)] * 6, [(40.0, 1.0)] * 6, [(9.0, 10.0)] * 6])
def test_pictures_fit_on_the_sheet(sizes: list[tuple[float, float]]) -> None:
    """Inside the sheet, to scale, and none upon another."""
    each = [(p, k) for p in range(3) for k in range(2)]
    ways = [each, [(k, p) for p, k in each], [(0, 2 * p + k) for p, k in each]]
    sheet = arrange(sizes, ways, 7.6, 8.0)
    boxes = np.array(sheet.boxes)
    assert sheet.height <= 8.0 + 1e-9
    assert boxes[:, :2].min() >= 0.0
    assert (boxes[:, 0] + boxes[:, 2]).max() <= 7.6 + 1e-9
    np.testing.assert_allclose(boxes[:, 2:], sheet.scale * np.array(sizes)[:, ::-1])
    for k, (left, bottom, wide, high) in enumerate(sheet.boxes):
        others = np.delete(boxes, k, axis=0)
        apart = (
            (others[:, 0] >= left + wide)
            | (others[:, 0] + others[:, 2] <= left)
            | (others[:, 1] >= bottom + high)
            | (others[:, 1] + others[:, 3] <= bottom)
        )
        assert apart.all()


def test_only_whole_particles_have_a_size() -> None:
    """Volume-weighted shares of the whole ones add up to 100 %; the cut one is left out."""
    table = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "phase": "active",
            "diameter_m": [4e-6, 8e-6, 30e-6],
            "volume_m3": [4.0**3, 8.0**3, 30.0**3],
            "touches_box": [False, False, True],
            "dead": False,
            "made_diameter_m": [4.1e-6, 8.1e-6, 30e-6],
        }
    )
    header = VolumeHeader((4, 4, 4), VOXEL, PHASES)
    evidence = {"evidence": {"volume": {"asked": {"diameters_m": [4e-6, 8e-6]}}}}
    with style():
        figure = distributions_drawing(header, evidence, ABLE, table)
    assert figure is not None
    bars, curves = figure.axes[:2]
    assert "2 whole of 3" in bars.get_title(loc="left")
    by_volume, by_number = (patch.get_data() for patch in bars.patches)
    for shares in (by_volume, by_number):
        assert shares.values.sum() == pytest.approx(100.0)
        assert shares.edges[-1] < 30.0
    largest = by_volume.values[by_volume.values > 0].max()
    assert largest == pytest.approx(100.0 * 8**3 / (8**3 + 4**3))
    assert by_number.values[by_number.values > 0].tolist() == [50.0, 50.0]
    labels = [line.get_label() for line in curves.lines]
    assert labels[:4] == ["by volume", "by number", "made", "asked"]


def test_all_particles_cut_is_said() -> None:
    """No histogram of nothing."""
    table = pd.DataFrame({"id": [1], "phase": "active", "touches_box": [True]})
    with style():
        figure = distributions_drawing(VolumeHeader((2, 2, 2), VOXEL, PHASES), {}, ABLE, table)
    assert figure is not None
    assert "No whole particle" in figure.axes[0].texts[0].get_text()


def test_profile_lines_are_the_fractions(tmp_path: Path) -> None:
    """A layered box: lines of 0 and 1, and halves where they are; without halves one panel."""
    labels = np.zeros((8, 4, 4), int)
    labels[4:] = 2
    header, image = write(tmp_path, labels)
    with style():
        figure = profiles_drawing(header, image, ABLE)
        alone = profiles_drawing(header, {"profiles": image["profiles"]}, ABLE)
    assert figure is not None
    assert alone is not None
    assert len(figure.axes) == 2
    assert len(alone.axes) == 1
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 8]
    np.testing.assert_array_equal(lines[0].get_ydata(), [1.0] * 4 + [0.0] * 4)
    np.testing.assert_array_equal(lines[2].get_ydata(), [0.0] * 4 + [1.0] * 4)
    np.testing.assert_allclose(lines[0].get_xdata(), np.arange(8) + 0.5)
    halves = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert [float(line.get_ydata()[0]) for line in halves] == [1.0, 0.0, 0.0, 1.0]


def test_asked_and_met_are_paired() -> None:
    """Every way in which generators write them; what has no partner is left out."""
    evidence = {
        "asked": {"active_fraction": 0.5, "seed": 1, "layers": {"a": 2.0}},
        "met": {"active_fraction": 0.49, "layers": {"a": 2.5}},
        "binder": {"fraction_asked": 0.1, "fraction": 0.12, "other": 3},
        "composite": {"fraction_asked": {"carbon": 0.2}, "fraction": {"carbon": 0.21}},
        "layers": [{"asked": {"d50_m": 4e-6}, "d50_m": 4.1e-6}],
        "sizes": [{"asked_m": {"d50": 4e-6}, "bodies_m": {"d50": 4e-6}, "inside_m": {"d50": 3e-6}}],
        "seed_asked": 3,
        "classes": [{"share_asked": 0.5, "share": 0.4}],
    }
    assert asked_and_met(evidence) == [
        Pair(("active_fraction",), 0.5, 0.49),
        Pair(("layers", "a"), 2.0, 2.5),
        Pair(("binder", "fraction"), 0.1, 0.12),
        Pair(("composite", "fraction", "carbon"), 0.2, 0.21),
        Pair(("layers 1", "d50_m"), 4e-6, 4.1e-6),
        Pair(("sizes 1", "d50_m"), 4e-6, 3e-6),
    ]
    sizes = asked_sizes(evidence | {"asked": {"diameters_m": (8e-6, 4e-6)}})
    assert sizes.diameters == (8e-6, 4e-6)
    assert sizes.percentiles == ((4e-6, 50.0),)
    two = {"sizes": [{"asked_m": {"d50": 4e-6}}, {"asked_m": {"d50": 8e-6}}]}
    assert asked_sizes(two).percentiles == ()
    assert asked_and_met({}) == []


def test_samples_are_about_equally_far_apart(tmp_path: Path) -> None:
    """400 voxels of 1 µm beside 40 of 8 µm: every third one of the former, all of the latter.

    At most 192 along the longest edge: 400 / 3 = 134 is the first number below it.
    """
    labels = np.zeros((400, 40, 6), int)
    header, _ = write(tmp_path, labels, voxel=(1e-6, 8e-6, 1e-6))
    samples = thinned(tmp_path, header)
    assert samples.labels.shape == (134, 40, 6)
    np.testing.assert_allclose(samples.spacing, [3e-6, 8e-6, 1e-6])


def test_surfaces_take_the_nearest_particle() -> None:
    """Distances count in metres, not in voxels; outside the box the nearest voxel decides."""
    ids = np.zeros((5, 5, 1), np.int32)
    ids[0, 2], ids[2, 0] = 1, 2
    spacing = np.array([3e-6, 1e-6, 1e-6])
    points = np.array([[2.5, 2.5, 0.5], [0.5, 2.5, 0.5], [2.5, 0.5, 9.0]]) * spacing
    assert nearest_ids(ids, spacing, points).tolist() == [2, 1, 2]
    assert nearest_ids(np.zeros_like(ids), spacing, points).tolist() == [0, 0, 0]


def test_a_drawing_that_dies_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without libEGL: no file, one line that says what to install, and the other figures."""
    dies = [sys.executable, "-c", "import os; os.abort()"]
    monkeypatch.setattr(
        rendering, "draw_apart", lambda scene, out: drawer.draw_apart(scene, out, dies)
    )
    header, image = write(tmp_path, *blobs((8, 8, 8)))
    drawn = draw_figures(tmp_path, header, image, ABLE)
    assert not (tmp_path / "rendering.png").exists()
    (warning,) = drawn.warnings
    assert "exit status -6" in warning
    assert "libegl1" in warning
    assert len(warning.splitlines()) == 1


def _real(tmp_path: Path, labels: NDArray[Any], particles: NDArray[Any]) -> Drawn:
    header, image = write(tmp_path, labels, particles, (0.4e-6,) * 3)
    return draw_figures(tmp_path, header, image, ABLE)


@pytest.mark.slow
def test_a_piece_of_a_real_electrode(tmp_path: Path, image_file: Callable[[str], Path]) -> None:
    """All four figures of a tomogram; the rendering shows many colours on white."""
    if ctypes.util.find_library("EGL") is None:
        pytest.skip("no libEGL (Debian: libegl1 libegl-mesa0): nothing can be drawn off-screen")
    labels = (tifffile.imread(image_file("nmc1cal_xct_cbd.tif"))[:64, :80, :80].astype(int) + 2) % 3
    z, y, x = np.indices(labels.shape) // 16
    drawn = _real(tmp_path, labels, np.where(labels == 0, 1 + x + 10 * y + 100 * z, 0))
    assert drawn.warnings == ()
    assert [file.name for file in drawn.files] == [
        "slices.png",
        "rendering.png",
        "distributions.png",
        "profiles.png",
    ]
    assert read_header(tmp_path).shape == (64, 80, 80)
    pixels = picture.imread(tmp_path / "rendering.png")[..., :3]
    assert (pixels.min(axis=2) > 0.99).mean() > 0.1
    hues = np.unique((8 * pixels[np.ptp(pixels, axis=2) > 0.3]).astype(int), axis=0)
    assert len(hues) > 30
