"""`voxtrode new`: what it says of an image, and the study that it writes."""

import subprocess
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from typer.testing import CliRunner

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout
from voxtrode.pipeline import image_look, validation
from voxtrode.pipeline.check import check
from voxtrode.pipeline.cli import app
from voxtrode.pipeline.image_look import Wanted, look_at
from voxtrode.pipeline.new_study import study_text, write_new
from voxtrode.pipeline.study import load_study

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slabs(values: Sequence[int], edge: int = 16) -> NDArray[np.uint8]:
    """Slabs along x, all from end to end; the last is the thickest."""
    labels = np.full((edge, edge, edge), values[-1], dtype=np.uint8)
    for index, value in enumerate(values[:-1]):
        labels[:, :, 4 * index : 4 * index + 4] = value
    return labels


def grey_shells(levels: Sequence[float]) -> NDArray[np.uint16]:
    """Shells around a corner from dark to bright, blurred by a voxel and noisy.

    Planes along the lattice would give the voxels of a blurred boundary the same few grey values.
    """
    away = np.sqrt((np.indices((32, 32, 32)) ** 2).sum(axis=0))
    sharp = np.asarray(levels)[np.digitize(away, [18.0, 25.0][: len(levels) - 1])]
    noise = 20.0 * np.random.default_rng(0).standard_normal(sharp.shape)
    return np.rint(ndimage.gaussian_filter(sharp, 1.0) + noise).astype(np.uint16)


def written(file: Path, voxel: tuple[str, ...] = (), **said: Any) -> Path:
    """The study for an image, beside it."""
    out = file.with_suffix(".yaml")
    write_new(study_text(look_at(Wanted(file, voxel, **said), out)), out)
    return out


def new(*arguments: str) -> tuple[int, dict[str, str], BaseException | None]:
    """Status, what was printed by name, and the error, of the command within this process."""
    done = CliRunner().invoke(app, ["new", *arguments])
    lines = (line.split(None, 1) for line in done.stdout.splitlines())
    return done.exit_code, dict(line for line in lines if len(line) == 2), done.exception


def test_a_labelled_image(here: Path) -> None:
    """It names what it sees, and the study says the same."""
    tifffile.imwrite("three.tif", slabs([0, 85, 170]))
    status, said, _ = new("three.tif", "--voxel-size", "0.4 um")
    assert status == 0
    assert said["size"] == "16 x 16 x 16 voxels"
    assert said["type"] == "uint8"
    assert said["170"].startswith("50.00 %")
    study = load_study(here / "three.yaml")
    image = study.volume.image
    assert image is not None
    assert image.voxel_size == pytest.approx((4e-7,) * 3)
    assert image.file == here / "three.tif"
    assert image.label_values == {"pore": (0,), "phase1": (85,), "phase2": (170,)}
    assert study.phases["phase1"].material == "cbd"
    assert study.phases["phase2"].material == "nmc811"
    assert study.phases["pore"].porosity == 1.0
    assert study.mesh.size == pytest.approx(8e-7)


def test_a_large_image(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every n-th layer is looked at, and `check` reads some in the middle; both say so."""
    tifffile.imwrite("large.tif", np.tile(slabs([0, 1]), (4, 1, 1)))
    monkeypatch.setattr(image_look, "_LARGE", 5000)
    monkeypatch.setattr(validation, "_READ_EARLY", 5000)
    status, said, _ = new("large.tif", "--voxel-size", "1 um")
    assert status == 0
    assert said["looked"] == "at one layer of 4: the file is large"
    assert said["1"].startswith("75.00 %")
    study = load_study(here / "large.yaml")
    found = validation.inspect_volume(study, simulated=True)
    assert found.layers == (31, 32)
    assert found.header.shape == (64, 16, 16)
    assert found.shares == {"pore": 0.25, "phase1": 0.75}
    assert "(in layers 31 to 32: the file is large)" in check(study)["phases"]


@pytest.mark.slow
def test_the_study_passes_check_unchanged(voxtrode: Command, here: Path) -> None:
    tifffile.imwrite("two.tif", slabs([0, 1]))
    assert voxtrode("new", "two.tif", "--voxel-size", "1 um").returncode == 0
    done = voxtrode("check", "two.yaml")
    assert done.stderr == ""
    assert "pore 0.250, phase1 0.750" in done.stdout
    again = voxtrode("new", "two.tif", "--voxel-size", "1 um")
    assert again.returncode == 2
    assert again.stderr == (
        "voxtrode: error: two.yaml exists and is kept: give another name with --out\n"
    )
    assert sorted(path.name for path in here.iterdir()) == ["two.tif", "two.yaml"]


@pytest.mark.slow
def test_the_study_of_a_real_image_passes_check(
    voxtrode: Command, here: Path, image_file: Callable[[str], Path]
) -> None:
    file = image_file("nmc1cal_xct_cbd.tif")
    done = voxtrode("new", file, "--voxel-size", "398 nm", "--out", here / "real.yaml")
    assert done.stderr == ""
    assert "49.95 %" in done.stdout
    done = voxtrode("check", here / "real.yaml")
    assert done.stderr == ""
    assert "pore 0.401, phase1 0.499, phase2 0.100" in done.stdout


def test_the_file_states_the_voxel_size(here: Path) -> None:
    """Along three axes it goes into the study; along two it is not enough."""
    whole = {"spacing": 0.5, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite("whole.tif", slabs([0, 1]), imagej=True, resolution=(4, 2), metadata=whole)
    image = load_study(written(here / "whole.tif")).volume.image
    assert image is not None
    assert image.voxel_size == pytest.approx((0.5e-6, 0.5e-6, 0.25e-6))
    tifffile.imwrite(
        "partly.tif", slabs([0, 1]), resolution=(1e4, 1e4), resolutionunit="CENTIMETER"
    )
    look = look_at(Wanted(here / "partly.tif"), here / "x.yaml")
    assert look.edges is None
    assert "axis 0: nothing" in look.voxel_text
    with pytest.raises(InputError, match=r"axis 1, but .* says 1 um"):
        look_at(Wanted(here / "partly.tif", ("2 um",)), here / "x.yaml")


def test_without_a_voxel_size_the_study_is_refused(here: Path) -> None:
    """It says at which key."""
    tifffile.imwrite("bare.tif", slabs([0, 1]))
    with pytest.raises(InputError, match=r'voxel_size.*"FILL_IN" is no quantity'):
        load_study(written(here / "bare.tif"))
    filled = (here / "bare.yaml").read_text(encoding="utf-8").replace("FILL_IN", "2 um")
    (here / "bare.yaml").write_text(filled, encoding="utf-8")
    assert load_study(here / "bare.yaml").mesh.size == pytest.approx(2e-6)


@pytest.mark.parametrize(
    ("levels", "classes"),
    [((1000.0, 2000.0), ("pore", "active")), ((1e3, 2e3, 3e3), ("pore", "cbd", "active"))],
)
def test_grey_images(here: Path, levels: Sequence[float], classes: tuple[str, ...]) -> None:
    """As many classes as the histogram shows."""
    np.save("grey.npy", grey_shells(levels))
    look = look_at(Wanted(here / "grey.npy", ("1 um",)), here / "grey.yaml")
    assert look.segment is not None
    middles = [0.5 * (a + b) for a, b in pairwise(levels)]
    assert [float(text) for text in look.segment.thresholds] == pytest.approx(middles, abs=150.0)
    study = load_study(written(here / "grey.npy", ("1 um",)))
    image = study.volume.image
    assert image is not None
    assert image.segment is not None
    assert image.segment.classes == classes
    assert image.segment.thresholds is None
    assert study.volume.phase_names == classes
    assert study.phases["active"].material == "nmc811"


def test_raw_files_and_datasets(here: Path) -> None:
    """What the user had to say is in the study, too."""
    labels = slabs([1, 2])
    labels[:8].tofile("raw.bin")
    status, _, _ = new("raw.bin", "--raw-shape", "8,16,16", "--voxel-size", "1 um, 2 um, 2 um")
    assert status == 0
    image = load_study(here / "raw.yaml").volume.image
    assert image is not None
    assert image.raw is not None
    assert image.raw.shape == (8, 16, 16)
    assert image.voxel_size == pytest.approx((1e-6, 2e-6, 2e-6))
    assert image.label_values == {"pore": (1,), "phase1": (2,)}
    with h5py.File("two.h5", "w") as file:
        file["a/labels"], file["b"] = labels, labels
    assert new("two.h5", "--dataset", "a/labels", "--voxel-size", "1 um")[0] == 0
    image = load_study(here / "two.yaml").volume.image
    assert image is not None
    assert image.dataset == "a/labels"


def test_awkward_names(here: Path) -> None:
    """Spaces, quotes and colons in a path; a study has a plain name."""
    folder = here / "a folder: 'x'"
    folder.mkdir()
    tifffile.imwrite(folder / "_my #1: image.tif", slabs([0, 1]))
    out = here / "study.yaml"
    look = look_at(Wanted(folder / "_my #1: image.tif", ("1 um",)), out)
    write_new(study_text(look), out)
    study = load_study(out)
    assert study.name == "my-1-image"
    assert study.volume.image is not None
    assert study.volume.image.file.samefile(folder / "_my #1: image.tif")


def test_one_voxel_thick(here: Path) -> None:
    """The mesh fits into the volume."""
    tifffile.imwrite("thin.tif", slabs([0, 1])[:1], photometric="minisblack", metadata=None)
    np.save("thin.npy", slabs([0, 1])[:1])
    assert load_study(written(here / "thin.npy", ("1 um",))).mesh.size == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.zeros((4, 4, 4), dtype=np.uint8), "all values are 0"),
        (np.where(np.arange(64.0) == 3, np.nan, 1.5).reshape(4, 4, 4), "1 of 64 values are not"),
        (np.full((4, 4, 4), np.inf), "64 of 64 values are not finite"),
    ],
)
def test_nothing_to_simulate(here: Path, values: Any, fault: str) -> None:
    np.save("bad.npy", values)
    with pytest.raises(InputError, match=fault):
        look_at(Wanted(here / "bad.npy"), here / "bad.yaml")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["none.tif"], "no image at none.tif"),
        (["two.npy", "--voxel-size", "3 V"], "--voxel-size"),
        (["two.npy", "--voxel-size", "1 um, 2 um"], "one or three positive lengths"),
        (["two.npy", "--voxel-size", "-1 um"], "one or three positive lengths"),
        (["two.npy", "--raw-shape", "4,4"], "--raw-shape"),
        (["two.npy", "--out", "nowhere/study.yaml"], "cannot be written"),
    ],
)
def test_misuse(here: Path, arguments: list[str], fault: str) -> None:
    """One line, and nothing is written."""
    np.save("two.npy", slabs([0, 1]))
    status, _, error = new(*arguments)
    assert status != 0
    assert isinstance(error, InputError)
    assert fault in str(error)
    assert "\n" not in str(error)
    assert [path.name for path in here.iterdir()] == ["two.npy"]


def test_every_key_is_commented(here: Path) -> None:
    """A user finds at each choice what to look at."""
    np.save("grey.npy", grey_shells((1e3, 2e3, 3e3)))
    slabs([0, 1]).tofile("raw.bin")
    layout = RawLayout((16, 16, 16), "uint8")
    texts = [
        written(here / "grey.npy").read_text(encoding="utf-8"),
        written(here / "raw.bin", raw=layout).read_text(encoding="utf-8"),
    ]
    plain = ("name:", "volume:", "image:", "segment:", "counter:", "protocol:", "mesh:")
    for line in "\n".join(texts).splitlines():
        said = line.strip()
        assert not said or "#" in said or said.startswith(plain)
