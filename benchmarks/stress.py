"""Hard cases, each run by the command line to its end or to an honest failure.

    python benchmarks/stress.py [--here] [CASE...]

`--here` runs the stages in this process rather than each in processes of its own: less to load.
A case passes if it ends by itself with status 0 and sound results (0 < θ < 1, finite numbers,
balances within 1e-9), or with status 3 or 2 and one line that names a cause; and, after a 3, with
its state saved. Runs go to a folder of their own below $VOXTRODE_BENCHMARKS (`runs/benchmarks`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from solver_cases import SCRATCH, voxtrode, written
from stress_cases import CASES, volume_of

from voxtrode.pipeline.failure import Failure
from voxtrode.pipeline.progress import Reporter
from voxtrode.pipeline.run_folder import RunFolder
from voxtrode.pipeline.runner import run_stages
from voxtrode.pipeline.stages import Stage, stages_up_to
from voxtrode.pipeline.study import load_study
from voxtrode.pipeline.validation import validate
from voxtrode.pipeline.worker import perform

type Until = Callable[[str, Path, Path], subprocess.CompletedProcess[str]]

FOLDER = SCRATCH / "stress"
PATIENCE = 900
BALANCE = 1e-9
REFUSED = ("no path to the collector",)
"""Cases that are bad input, and must be said to be."""


def fault_of(name: str, out: Path, found: subprocess.CompletedProcess[str]) -> str:
    """What is wrong with how a case ended; empty where nothing is."""
    said = found.stderr.strip().splitlines()
    if "Traceback" in found.stderr or "Traceback" in found.stdout:
        return "traceback"
    if found.returncode == 0:
        return _unsound(out)
    if found.returncode not in (2, 3) or (found.returncode == 2 and name not in REFUSED):
        return f"status {found.returncode}"
    errors = [line for line in said if line.startswith("voxtrode: error: ")]
    if len(errors) != 1:
        return f"{len(errors)} error lines"
    folder = out / ".partial" / "simulate"
    saved = folder / "simulate" / "checkpoint.h5"
    return "state not saved" if folder.exists() and not saved.exists() else ""


def _unsound(out: Path) -> str:
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    balances = [summary[f"{name}_balance"] for name in ("lithium", "salt", "charge")]
    if not max(balances) <= BALANCE:
        return f"balances {balances}"
    for name, (low, high) in summary["extremes"].items():
        if not (low > 0.0 and (high < 1.0 or not name.startswith("theta"))):
            return f"{name} from {low:g} to {high:g}"
    tables = [pd.read_csv(out / "simulate" / f"{name}.csv") for name in ("cell", "particles")]
    needed = [tables[0][["Time [s]", "Voltage [V]", "SoL"]], tables[1][["SoL"]]]
    if not all(np.isfinite(table.to_numpy(float)).all() for table in needed):
        return "numbers that are not finite"
    return ""


def until(stage: str, study: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """`voxtrode run` up to a stage."""
    return voxtrode("run", study, "--out", out, "--until", stage, patience=PATIENCE)


def here(stage: str, file: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """The same stages in this process, but for transport; what it says as an error."""
    from mpi4py import MPI

    def execute(
        one: Stage, folder: RunFolder, resume: bool, log: Reporter, keep: Callable[[str], None]
    ) -> None:
        del keep
        perform(one, study, folder, resume, MPI.COMM_SELF, log)

    wanted = [one for one in stages_up_to(stage) if one.name != "transport"]
    status, said = 0, ""
    try:
        study = load_study(file)
        validate(study)
        run_stages(study, out, wanted, MPI.COMM_SELF, execute)
    except Exception as error:  # what the command line would turn into an exit status
        failure = Failure.of(error)
        status, said = failure.status, f"voxtrode: error: {failure.message}"
    return subprocess.CompletedProcess([], status, "", said)


def run(name: str, tree: Mapping[str, Any], template: Path, until: Until) -> str:
    """Run a case and return its row."""
    out = FOLDER / re.sub(r"[^A-Za-z0-9.]+", "-", name)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(template, out)
    before = _spent()
    try:
        found = until("simulate", written({**tree, "name": out.name}), out)
    except subprocess.TimeoutExpired:
        return f"| {name} | **hangs** | | | |"
    spent = _spent() - before
    fault = fault_of(name, out, found)
    if found.returncode == 0:
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        words = f"{summary['stop_reason']}, {summary['steps']} ({summary['rejected_steps']}) steps"
        words += f", Krylov {summary['krylov_mean']:.0f}/{summary['krylov_max']}"
    else:
        words = found.stderr.strip().splitlines()[-1].removeprefix("voxtrode: error: ")
    verdict = f"**{fault}**" if fault else "ok"
    return f"| {name} | {found.returncode} | {verdict} | {spent:.0f} s | {words} |"


def _spent() -> float:
    """Processor seconds of this process and those it has waited for."""
    return sum(os.times()[:4])


def main() -> None:
    """Run all cases, or those named."""
    do = here if "--here" in sys.argv else until
    names = [name for name in sys.argv[1:] if name != "--here"] or list(CASES)
    print("| case | status | verdict | CPU | what it said |\n| --- | --- | --- | --- | --- |")
    templates: dict[str, Path] = {}
    for name in names:
        key, tree = volume_of(CASES[name], FOLDER)
        if key not in templates:
            templates[key] = FOLDER / f"volume-{len(templates)}"
            shutil.rmtree(templates[key], ignore_errors=True)
            study = written({**tree, "name": templates[key].name})
            do("transport", study, templates[key])
            templates[key].mkdir(exist_ok=True)
        print(run(name, tree, templates[key], do), flush=True)


if __name__ == "__main__":
    main()
