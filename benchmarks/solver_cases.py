"""Studies that `solver.py` and its companions measure, and their meshes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve()
IMAGES = Path(os.environ.get("VOXTRODE_TEST_IMAGES") or HERE.parents[2] / "shared" / "images")
SCRATCH = Path(os.environ.get("VOXTRODE_BENCHMARKS") or "runs/benchmarks")
"""Where meshes and runs are kept between parts."""
BIN = Path(sys.executable).parent

QUICKSTART: dict[str, Any] = yaml.safe_load(
    (HERE.parents[1] / "data" / "studies" / "quickstart.yaml").read_text(encoding="utf-8")
)
WIDTHS = {"20 k": (12, 12), "65 k": (21, 20), "250 k": (42, 42), "1 M": (84, 82), "3 M": (146, 144)}
"""In-plane edges [µm] of the packing of `quickstart` that make so many unknowns."""


def spheres(size: str) -> dict[str, Any]:
    """`quickstart` in a box of another size."""
    x, y = WIDTHS[size]
    tree = deepcopy(QUICKSTART)
    tree["name"] = f"spheres-{size.replace(' ', '')}"
    tree["volume"]["generate"]["size"] = ["60 um", f"{y} um", f"{x} um"]
    return tree


def ct_crop(voxels: int, depth: int) -> dict[str, Any] | None:
    """A crop of the CT volume of three phases; None, with a message, where it is missing."""
    image = IMAGES / "nmc1cal_xct_cbd.tif"
    if not image.is_file():
        print(f"missing image {image.name}: not in {IMAGES} (set VOXTRODE_TEST_IMAGES)")
        return None
    tree = deepcopy(QUICKSTART)
    tree["name"] = f"ct-{depth}-{voxels}"
    tree["volume"] = {
        "image": {
            "file": str(image),
            "voxel_size": "398 nm",
            "labels": {"pore": 0, "active": 1, "cbd": 2},
            "crop": [[0, depth], [60, 60 + voxels], [60, 60 + voxels]],
        }
    }
    tree["phases"] = {"active": {"material": "nmc622"}, "cbd": {"material": "cbd"}, "pore": {}}
    tree["mesh"] = {"size": "0.8 um"}
    return tree


def varied(tree: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """A study with some of its top-level keys replaced."""
    return {**deepcopy(dict(tree)), **parts}


def written(tree: Mapping[str, Any]) -> Path:
    """The study as a file."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    path = SCRATCH / f"{tree['name']}.yaml"
    path.write_text(yaml.safe_dump(dict(tree), sort_keys=False), encoding="utf-8")
    return path


def voxtrode(
    *arguments: str | Path, patience: float | None = None
) -> subprocess.CompletedProcess[str]:
    """`voxtrode ARGUMENTS…`; TimeoutExpired after so many seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(BIN / "voxtrode"), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=patience
    )


def meshed(tree: Mapping[str, Any]) -> Path:
    """The run folder of a study whose mesh is made (once)."""
    out = SCRATCH / str(tree["name"])
    found = voxtrode("run", written(tree), "--out", out, "--until", "mesh")
    if found.returncode != 0:
        raise RuntimeError(found.stderr)
    return out


def probed(folder: Path, ranks: int, **asked: Any) -> dict[str, Any]:
    """What `solver_probe.py` measures in processes of its own."""
    command = [str(BIN / "mpiexec"), "-n", str(ranks), sys.executable]
    command += [str(HERE.with_name("solver_probe.py")), str(folder), json.dumps(asked)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if found.returncode != 0:
        raise RuntimeError(found.stderr[-2000:])
    result: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return result
