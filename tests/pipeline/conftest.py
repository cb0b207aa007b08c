"""A small study as a mapping, and the command line as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml

sys.path.insert(0, str(Path(__file__).parent))

type Tree = dict[str, Any]
type Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tree() -> Tree:
    """A study without a fault: a few spheres in a box of 16 x 16 x 16 voxels."""
    return {
        "name": "small",
        "volume": {
            "generate": {
                "diameters": ["8 um"],
                "active_fraction": 0.4,
                "size": ["16 um", "16 um", "16 um"],
                "voxel": "1 um",
            }
        },
        "phases": {
            "active": {"material": "nmc622"},
            "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
        },
        "separator": {"thickness": "5 um", "porosity": 0.5, "tortuosity": 1.5},
        "protocol": [{"discharge": "1C", "until": ["3.0 V", "1 % DoD"]}],
        "mesh": {"size": "2 um"},
    }


@pytest.fixture
def image_tree(tree: Tree, tmp_path: Path) -> Tree:
    """The same on an image, quick to make ready: half NMC, half pore, both from end to end."""
    write_halves(tmp_path / "halves.tif")
    image = {"file": "halves.tif", "voxel_size": "1 um", "labels": {"pore": 0, "nmc": 1}}
    return {**tree, "volume": {"image": image}, "phases": {"nmc": {"material": "nmc622"}}}


def write_halves(path: Path, **options: Any) -> None:
    """Writes 16 x 16 x 16 voxels: 0 where x < 8, else 1."""
    labels = np.zeros((16, 16, 16), dtype=np.uint8)
    labels[:, :, 8:] = 1
    tifffile.imwrite(path, labels, **options)


@pytest.fixture
def write_tree(tmp_path: Path) -> Callable[[Tree], Path]:
    """Writes a study file and returns its path."""

    def write(content: Tree) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def voxtrode() -> Command:
    """Runs `voxtrode ARGUMENTS…` as a process of its own."""

    def call(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "voxtrode.pipeline.cli", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=300.0,
            check=False,
            env={**os.environ, **environment},
        )

    return call
