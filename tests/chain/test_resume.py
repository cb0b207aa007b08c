"""A run that is stopped goes on where it was, on another number of ranks too: the same curve."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from runs import command, summary, table

pytestmark = pytest.mark.slow

ROWS = 24  # beyond DoD 0.2 (stored), before DoD 0.5


@pytest.fixture(scope="module")
def stopped(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose simulation got SIGTERM after some rows of its table."""
    out = tmp_path_factory.mktemp("resume") / "run"
    process = subprocess.Popen(
        command("run", study, "--out", out, "--until", "simulate"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    rows = out / ".partial" / "simulate" / "simulate" / "cell.csv"
    deadline = time.monotonic() + 600.0
    while not (rows.exists() and len(rows.read_text(encoding="utf-8").splitlines()) > ROWS):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=300.0)
    assert process.returncode == 143, said
    assert "Traceback" not in said
    assert "the state is saved" in said
    assert not (out / "simulate").exists()
    return out


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_stopped_run_goes_on(
    stopped: Path,
    run_on: Callable[[int], Path],
    study: Path,
    voxtrode: Callable[..., Any],
    tmp_path: Path,
    ranks: int,
) -> None:
    """As many rows at the same times, voltages within 1e-6 V, the same instants stored.

    The state comes back bit by bit; other sums than without the stop (the linear solver's memory,
    other ranks) shift what Newton leaves, 1e-8 V and less. Times are those of the step control,
    which sees such differences times the length of a step.
    """
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    kept = pd.read_csv(out / ".partial" / "simulate" / "simulate" / "cell.csv")
    found = voxtrode("run", study, "--out", out, "--ranks", str(ranks), "--until", "simulate")
    assert found.returncode == 0, found.stderr
    assert "resumed" in found.stdout
    cell, whole = table(out, "cell"), table(run_on(1), "cell")
    n = len(kept)
    assert np.array_equal(cell["Time [s]"][:n], kept["Time [s]"])
    assert len(cell) == len(whole)
    assert np.allclose(cell["Time [s]"], whole["Time [s]"], rtol=1e-6, atol=0.0)
    assert np.allclose(cell["Voltage [V]"][:-1], whole["Voltage [V]"][:-1], rtol=0.0, atol=1e-6)
    mine, theirs = table(out, "particles"), table(run_on(1), "particles")
    assert np.array_equal(mine["Particle"], theirs["Particle"])
    assert np.allclose(mine["SoL"], theirs["SoL"], rtol=0.0, atol=1e-6)
    ends = [summary(run)["areal_capacity_mAh_cm2"] for run in (out, run_on(1))]
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)
    assert summary(out)["lithium_balance"] <= 1e-9
