"""A run that is killed again and again, stopped by signals, and out of disk: the same curve.

    python benchmarks/restart.py [KILLS]

A tiny half cell by the command line; every restart on another number of ranks (1, 2, 3). Kills are
SIGKILL to all processes of the simulation at random instants, from before its first checkpoint on.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from solver_cases import BIN, SCRATCH, voxtrode, written
from stress_cases import BASE

FOLDER = SCRATCH / "restart"
STUDY = {
    **BASE,
    "name": "restart",
    "store": {"every_dod": 0.05},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}, {"rest": "5 min"}],
}


def started(out: Path, ranks: int, limit: int | None = None) -> subprocess.Popen[str]:
    """The run in the background, its files no larger than a limit [bytes]."""
    bound = [] if limit is None else ["prlimit", f"--fsize={limit}"]
    command = [*bound, BIN / "voxtrode", "run", written(STUDY), "--out", out, "--until", "simulate"]
    return subprocess.Popen(
        [*map(str, command), "--ranks", str(ranks)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def rows(out: Path) -> int:
    """Rows that the run's table holds now."""
    table = out / ".partial" / "simulate" / "simulate" / "cell.csv"
    return table.read_bytes().count(b"\n") if table.exists() else 0


def checkpoint(out: Path) -> Path:
    """The checkpoint of an unfinished run."""
    return out / ".partial" / "simulate" / "simulate" / "checkpoint.h5"


def kill(process: subprocess.Popen[str], out: Path) -> None:
    """SIGKILL to every process of the simulation, at once."""
    note = out / ".partial" / "simulate.worker"
    if note.exists():
        pid = int(json.loads(note.read_text(encoding="utf-8"))["pid"])
        os.killpg(os.getpgid(pid), signal.SIGKILL)
    process.kill()
    process.communicate()


def until(process: subprocess.Popen[str], out: Path, count: int) -> bool:
    """Wait until the table has so many rows; whether the run is still going."""
    while process.poll() is None and rows(out) < count:
        time.sleep(0.02)
    return process.poll() is None


def difference(out: Path, whole: pd.DataFrame) -> str:
    """How far a run's curve is from the whole one's, at equal times."""
    mine = pd.read_csv(out / "simulate" / "cell.csv")
    if len(mine) != len(whole):
        return f"{len(mine)} rows instead of {len(whole)}"
    # Row by row: where a step of the protocol begins a time has two voltages.
    off = np.abs(mine["Voltage [V]"] - whole["Voltage [V]"]).max()
    times = np.abs(mine["Time [s]"] - whole["Time [s]"]).max()
    return f"{len(mine)} rows, times within {times:.1e} s, voltages within {off:.1e} V"


def killed(template: Path, whole: pd.DataFrame, kills: int) -> None:
    """SIGKILL at random instants, restarts on 1, 2, 3 ranks in turn."""
    out, rng = FOLDER / "killed", random.Random(1)
    shutil.copytree(template, out)
    at, done = [], 0
    for number in range(kills):
        process = started(out, 1 + number % 3)
        before = rows(out)
        if not until(process, out, before + rng.randint(1, 6)):
            break
        time.sleep(rng.random() * 0.3)
        at.append(rows(out))
        kill(process, out)
        done += 1
    found = voxtrode("run", written(STUDY), "--out", out, "--until", "simulate", "--ranks", "2")
    print(f"{done} kills at rows {at}: status {found.returncode}, {difference(out, whole)}")


def signalled(template: Path, whole: pd.DataFrame) -> None:
    """SIGTERM and SIGUSR1, restarted on another number of ranks."""
    for number, ranks, then in ((signal.SIGTERM, 3, 1), (signal.SIGUSR1, 1, 2)):
        out = FOLDER / f"signal-{number}"
        shutil.copytree(template, out)
        process = started(out, ranks)
        until(process, out, 15)
        process.send_signal(number)
        said = process.communicate()[0]
        kept = rows(out)
        study = written(STUDY)
        found = voxtrode("run", study, "--out", out, "--until", "simulate", "--ranks", str(then))
        print(
            f"{number.name} on {ranks} ranks at row {kept}: status {process.returncode}, "
            f"{'saved' if 'the state is saved' in said else said[-200:]}; then on {then}: status "
            f"{found.returncode}, {difference(out, whole)}"
        )


def full(template: Path, whole: pd.DataFrame) -> None:
    """No room for a checkpoint: the last one stays."""
    out = FOLDER / "full"
    shutil.copytree(template, out)
    process = started(out, 1)
    until(process, out, 15)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    size, before = checkpoint(out).stat().st_size, digest(checkpoint(out))
    process = started(out, 1, size // 2)
    said = process.communicate()[0].strip().splitlines()[-1]
    same = digest(checkpoint(out)) == before
    print(f"no room: status {process.returncode}, checkpoint {'kept' if same else 'LOST'}: {said}")
    found = voxtrode("run", written(STUDY), "--out", out, "--until", "simulate", "--ranks", "2")
    print(f"with room again: status {found.returncode}, {difference(out, whole)}")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """The whole run, then the interrupted ones."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    template, reference = FOLDER / "mesh", FOLDER / "whole"
    voxtrode("run", written(STUDY), "--out", template, "--until", "mesh")
    shutil.copytree(template, reference)
    voxtrode("run", written(STUDY), "--out", reference, "--until", "simulate")
    whole = pd.read_csv(reference / "simulate" / "cell.csv")
    killed(template, whole, int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    signalled(template, whole)
    full(template, whole)


if __name__ == "__main__":
    main()
