"""Where results come from: versions, commit, machine, ranks, hashes, wall times."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import voxtrode
from voxtrode.pipeline.keys import code_hash, package_root
from voxtrode.pipeline.records import read_json, write_json

_PROBE = """
import json, sys
from voxtrode.solvers import _platform
sys.stdout.write(json.dumps(_platform.versions()))
"""
_LIBRARIES = ("numpy", "scipy", "numba", "porespy", "scikit-image", "tifffile", "pyvista")


def probed_versions() -> dict[str, str]:
    """Versions of DOLFINx, PETSc and MPI, asked in another process, which alone imports them."""
    command = [sys.executable, "-P", "-c", _PROBE]
    unknown = dict.fromkeys(("DOLFINx", "PETSc", "MPI", "hypre"), "unknown")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120.0, check=True)
        lines = done.stdout.strip().splitlines()
    except (subprocess.SubprocessError, OSError):
        return unknown
    return unknown | _json_line(lines[-1] if lines else "")


def _json_line(text: str) -> dict[str, str]:
    try:
        return dict(json.loads(text))
    except ValueError:
        return {}


def loaded_versions() -> dict[str, str]:
    """Versions of what this process has loaded, and of installed libraries that shape results."""
    found = {"voxtrode": voxtrode.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if "dolfinx" in sys.modules:  # this process computes: it may ask
        from voxtrode.solvers import _platform

        found |= _platform.versions()
    return found


def machine() -> dict[str, Any]:
    """The machine this process runs on."""
    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
    }


def commit() -> str | None:
    """Commit of the git checkout voxtrode runs from, `-dirty` where it differs; None without."""
    folder = (package_root() / "pipeline").resolve().parent
    if not (folder / ".git").exists():
        return None
    describe = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(describe, capture_output=True, text=True, timeout=30.0, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip() or None


def record_stage(
    path: Path,
    stage: str,
    key: str,
    attempt: Mapping[str, Any],
    files: Mapping[str, str],
    order: Sequence[str],
) -> None:
    """Notes in `provenance.json` how the present results of a stage were made.

    Args:
        path: The file.
        stage: Name of the stage.
        key: Its key.
        attempt: What the worker says: `wall_s`, `ranks`, `versions`, `machine`, `started`.
        files: Hashes of the input files by dotted key.
        order: Names of all stages in order.
    """
    record = read_json(path)
    details = {name: value for name, value in attempt.items() if name != "versions"}
    stages = record.get("stages", {}) | {
        stage: {"key": key, "code": code_hash(), "commit": commit(), **details}
    }
    write_json(
        path,
        {
            "versions": record.get("versions", {}) | attempt.get("versions", {}),
            "commit": commit(),
            "code_sha256": code_hash(),
            "input_sha256": dict(files),
            "ranks": max((entry.get("ranks", 1) for entry in stages.values()), default=1),
            "machine": attempt.get("machine", machine()),
            "stages": {name: stages[name] for name in order if name in stages},
        },
    )


def wall_times(path: Path) -> dict[str, float]:
    """Wall time of each stage [s], from `provenance.json`."""
    stages = read_json(path).get("stages", {})
    return {name: entry["wall_s"] for name, entry in stages.items() if "wall_s" in entry}
