"""Numbers that fail: exit status 3, one line that names the cause, the state kept, results kept."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import stamps

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "changes",
    [
        ("protocol.0.discharge=500C",),
        ("solver.min_dt=20 s", "solver.first_dt=30 s", "solver.rtol=1e-7"),
    ],
)
def test_a_failure_is_told_and_keeps_what_was_there(
    run_on: Callable[[int], Path],
    study: Path,
    voxtrode: Callable[..., Any],
    tmp_path: Path,
    changes: tuple[str, ...],
) -> None:
    """A current that nothing can carry, and steps that must not be as short as they need to be."""
    out = tmp_path / "run"
    shutil.copytree(run_on(1), out)
    before = stamps(out)
    sets = [text for change in changes for text in ("--set", change)]
    found = voxtrode("run", study, "--out", out, "--until", "simulate", *sets)
    assert found.returncode == 3, found.stdout + found.stderr
    lines = found.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("voxtrode: error: ")
    assert "t = " in lines[0]
    assert (out / ".partial" / "simulate" / "simulate" / "checkpoint.h5").exists()
    kept = {name: stamp for name, stamp in stamps(out).items() if not name.startswith(".partial")}
    assert kept == before

    again = voxtrode("run", study, "--out", out, "--until", "simulate")
    assert again.returncode == 0, again.stderr
    assert "simulate: up to date" in again.stdout
