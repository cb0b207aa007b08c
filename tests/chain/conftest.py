"""A tiny study run through the command line, as a user does, once for all tests of the chain."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from runs import STUDY, command

type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def voxtrode() -> Command:
    """Runs `voxtrode ARGUMENTS…` to its end."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            capture_output=True,
            text=True,
            timeout=900.0,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return call


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's file."""
    path = tmp_path_factory.mktemp("chain") / "tiny.yaml"
    path.write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def run_on(study: Path, voxtrode: Command) -> Callable[[int], Path]:
    """Runs the study on a number of ranks up to the simulation, once; returns its folder."""
    done: dict[int, Path] = {}

    def run(ranks: int) -> Path:
        if ranks not in done:
            out = study.parent / f"ranks-{ranks}"
            found = voxtrode(
                "run", study, "--out", out, "--ranks", str(ranks), "--until", "simulate"
            )
            assert found.returncode == 0, found.stderr
            done[ranks] = out
        return done[ranks]

    return run
