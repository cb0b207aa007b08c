"""What is up to date is left alone; what is stale is made again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import stamps, summary

pytestmark = pytest.mark.slow


def test_the_same_study_is_not_run_again(
    run_on: Callable[[int], Path], study: Path, voxtrode: Callable[..., Any]
) -> None:
    """On other ranks too: not one file is written."""
    out = run_on(1)
    before = stamps(out)
    found = voxtrode("run", study, "--out", out, "--ranks", "2", "--until", "simulate")
    assert found.returncode == 0, found.stderr
    assert stamps(out) == before
    for stage in ("image", "mesh", "transport", "simulate"):
        assert f"{stage}: up to date" in found.stdout


def test_another_separator_makes_mesh_and_simulation_stale(
    run_on: Callable[[int], Path], study: Path, voxtrode: Callable[..., Any], tmp_path: Path
) -> None:
    """The image is kept; a short discharge, so that the new one is quick."""
    out = tmp_path / "run"
    shutil.copytree(run_on(1), out)
    before, end = stamps(out), summary(out)["voltage_end_V"]
    changes = ["--set", "separator.thickness=8 um", "--set", "protocol.0.until=1 % DoD"]
    found = voxtrode("run", study, "--out", out, "--until", "simulate", *changes)
    assert found.returncode == 0, found.stderr
    after = stamps(out)
    for name, stamp in before.items():
        if name.startswith("image/"):
            assert after[name] == stamp
    for name in ("mesh/mesh.json", "mesh/mesh.h5", "simulate/cell.csv", "summary.json"):
        assert after[name] > before[name]
    assert summary(out)["voltage_end_V"] > end
    assert "thickness: 8" in (out / "study.yaml").read_text(encoding="utf-8")
