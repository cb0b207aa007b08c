"""The image stage end to end: every kind of volume, every way of preparing an image."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from kinds import CELL, ENTRIES, KINDS, Tree, kind_tree

from voxtrode.data.errors import InputError
from voxtrode.data.volume import read_header, read_slab
from voxtrode.pipeline import stage_image
from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.progress import Reporter
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import parse_study

type Stage = Callable[[Tree], Path]


@pytest.fixture
def image_stage(tmp_path: Path) -> Stage:
    """Runs the image stage of a study and returns the folder it wrote."""

    def run(tree: Tree, name: str = "run") -> Path:
        study = parse_study(tree, tmp_path)
        context: Any = StageContext(
            study=study,
            run_dir=tmp_path / name,
            staging=tmp_path / name,
            comm=Serial(),  # type: ignore[arg-type]
            resume=False,
            log=Reporter(),
            stop_requested=lambda: False,
        )
        stage_image.run(context)
        return tmp_path / name / "image"

    return run


def _json(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "image.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str, image_stage: Stage) -> None:
    """The files of each kind agree with each other and with what was asked for."""
    generate, names = KINDS[name]
    tree = kind_tree(generate, names)
    source = parse_study(tree, Path("/nowhere")).volume.generate
    assert source is not None
    folder = image_stage(tree)
    header, image = read_header(folder), _json(folder)
    labels, particles = read_slab(folder, 0, header.shape[0])
    assert header.phases == names
    if "secondary" not in name:
        assert header.shape == source.shape
    counts = np.bincount(labels.ravel(), minlength=len(names))
    for value, phase in enumerate(names):
        share = counts[value] / labels.size
        assert image["phases"][phase]["fraction"] == pytest.approx(share)
    active = [names.index(phase) for phase in names if phase in ("active", "fine", "coarse")]
    np.testing.assert_array_equal(particles > 0, np.isin(labels, active))
    if "secondary" not in name:  # its box is about known beforehand only
        asked = sum(source.expected_shares[names[value]] for value in active)
        # 0.5 % absolute is what is promised for any volume that is not refused.
        assert counts[active].sum() / labels.size == pytest.approx(asked, abs=0.005)
    table = pd.read_csv(folder / "particles.csv")
    voxel = float(np.prod(header.voxel))
    assert table["volume_m3"].sum() == pytest.approx(counts[active].sum() * voxel)
    assert sorted(table["id"]) == np.unique(particles[particles > 0]).tolist()
    found = image["evidence"]["volume"]["watershed"]["adjusted_rand_index"]
    # Chance alone gives 0, and so does a single particle by definition.
    assert found > 0.3 or ("secondary" in name and found >= 0.0)
    assert (folder / "slices.png").stat().st_size > 10_000
    assert ("grains" in generate) == (folder / "grains.tif").is_file()


def test_same_seed_same_voxels(image_stage: Stage) -> None:
    """The seed decides every voxel; another one gives other voxels."""
    generate, names = KINDS["log-normal with cracks and binder"]
    found = []
    for number, seed in enumerate((3, 3, 4)):
        tree = kind_tree(generate | {"seed": seed}, names)
        volume = parse_study(tree, Path("/nowhere")).volume.generate
        assert volume is not None
        made = volume.make()
        found.append((number, made.labels.tobytes(), made.particles.tobytes()))
    assert found[0][1:] == found[1][1:]
    assert found[0][1:] != found[2][1:]


def _image_tree(image: Tree) -> Tree:
    phases = {name: ENTRIES[name] for name in ("active", "pore")}
    return copy.deepcopy(CELL | {"volume": {"image": image}, "phases": phases})


def _balls(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """1 inside balls of radius 6 at random places, 0 outside."""
    random = np.random.default_rng(seed)
    centres = random.uniform(0.0, 1.0, (12, 3)) * shape
    points = np.stack(np.indices(shape), axis=-1) + 0.5
    inside = np.zeros(shape, dtype=bool)
    for centre in centres:
        inside |= ((points - centre) ** 2).sum(axis=-1) < 36.0
    return inside.astype(np.uint8)


@pytest.mark.slow
def test_preparation_of_an_image(image_stage: Stage, tmp_path: Path) -> None:
    """Axis, end, crop, padding and down-sampling reach volume.tif in that order."""
    labels = _balls((30, 40, 24))
    np.save(tmp_path / "image.npy", labels)
    folder = image_stage(
        _image_tree(
            {
                "file": "image.npy",
                "voxel_size": ["1 um", "2 um", "1 um"],
                "labels": {"pore": 0, "active": 1},
                "thickness_axis": 1,
                "collector": "last",
                "crop": [[0, 28], [2, 38], [0, 24]],
                "padding": {"mode": "mirror", "x": 4},
            }
        )
    )
    expected = labels[:28, 2:38].transpose(1, 0, 2)[::-1]
    expected = np.pad(expected, ((0, 0), (0, 0), (4, 4)), mode="symmetric")
    header = read_header(folder)
    assert header.voxel == pytest.approx((2e-6, 1e-6, 1e-6))
    np.testing.assert_array_equal(read_slab(folder, 0, header.shape[0])[0], expected)


@pytest.mark.slow
def test_segmentation_in_a_study(image_stage: Stage, tmp_path: Path) -> None:
    """A blurred and noisy image comes back as labels, and the study's file says how."""
    from scipy.ndimage import gaussian_filter

    labels = _balls((36, 36, 36))
    grey = gaussian_filter(50.0 + 100.0 * labels, 1.0)
    grey += np.random.default_rng(1).normal(0.0, 100.0 / 3.0, grey.shape)
    tifffile.imwrite(tmp_path / "grey.tif", grey.astype(np.float32))
    folder = image_stage(
        _image_tree(
            {
                "file": "grey.tif",
                "voxel_size": "1 um",
                "segment": {"classes": ["pore", "active"]},
            }
        )
    )
    found, _ = read_slab(folder, 0, 36)
    # Blur leaves a layer of doubt at the balls' surface; most of the voxels are far from it.
    assert np.mean(found != labels) < 0.03
    evidence = _json(folder)["evidence"]["volume"]["segmentation"]
    assert set(evidence["sensitivity"]) >= {"low", "base", "high"}
    assert (folder / "segmentation.png").stat().st_size > 10_000


def test_a_phase_without_voxels_is_refused(image_stage: Stage, tmp_path: Path) -> None:
    """Down-sampling that leaves nothing of a phase is no volume to go on with."""
    labels = np.zeros((8, 8, 8), dtype=np.uint8)
    labels[3, 3, 3] = 1
    np.save(tmp_path / "image.npy", labels)
    with pytest.raises(InputError, match="leaves no voxel of 'active'"):
        image_stage(
            _image_tree(
                {
                    "file": "image.npy",
                    "voxel_size": "1 um",
                    "labels": {"pore": 0, "active": 1},
                    "downsample": 2,
                }
            )
        )
