"""Starting stages with a launcher: what comes back, whatever the launcher does."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from voxtrode.data.errors import InputError, NumericalError, VoxtrodeError
from voxtrode.pipeline.launch import LAUNCHER, launch, launcher, worker_environment
from voxtrode.pipeline.progress import Event, Reporter
from voxtrode.pipeline.run_folder import RunFolder
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.stages import StageInterruptedError, stage_named
from voxtrode.pipeline.study import parse_study, write_study

type Tree = dict[str, Any]
type FakeLauncher = Callable[[str], None]

MESH, SIMULATE = stage_named("mesh"), stage_named("simulate")


@pytest.fixture
def folder(tmp_path: Path, tree: Tree) -> RunFolder:
    """A run folder ready for an attempt at the stages `mesh` and `simulate`."""
    found = RunFolder(tmp_path / "run")
    for stage in (MESH, SIMULATE):
        found.prepare(stage, "key")
    write_study(parse_study(tree, tmp_path), found.draft)
    return found


@pytest.fixture
def fake_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLauncher:
    """Makes a Python script the launcher; `command` in it is what it should start."""

    def make(body: str) -> None:
        path = tmp_path / "launcher.py"
        head = "import json, os, pathlib, subprocess, sys, time\ncommand = sys.argv[3:]\n"
        path.write_text(head + body, encoding="utf-8")
        monkeypatch.setenv(LAUNCHER, f"{sys.executable} {path}")

    return make


def run(folder: RunFolder, stage: str = "mesh", ranks: int = 2) -> tuple[list[str], list[str]]:
    """Launches a stage; the lines shown, and those only kept."""
    shown: list[str] = []
    kept: list[str] = []

    def show(event: Event) -> None:
        shown.append(event.line())

    launch(stage_named(stage), folder, ranks, False, Reporter((show,)), kept.append)
    return shown, kept


def test_the_launcher_is_beside_python() -> None:
    """In the environment, links not resolved."""
    assert launcher({}) == [str(Path(sys.executable).parent / "mpiexec")]
    assert launcher({LAUNCHER: "srun --mpi=pmi2"}) == ["srun", "--mpi=pmi2"]


def test_one_thread_a_rank_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS threads of every rank would share the same cores."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert worker_environment(MESH, 2)["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert worker_environment(MESH, 2)["OMP_NUM_THREADS"] == "4"


def test_no_such_launcher(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the user's setting."""
    monkeypatch.setenv(LAUNCHER, "/no/such/launcher -q")
    with pytest.raises(InputError, match=r"/no/such/launcher cannot be started"):
        run(folder)


def test_a_launcher_of_another_mpi_is_refused(
    folder: RunFolder, fake_launcher: FakeLauncher
) -> None:
    """As `srun --mpi=none` does, it starts two processes that each see one rank."""
    fake_launcher("sys.exit([subprocess.run(command).returncode for _ in range(2)][-1])")
    with pytest.raises(InputError, match="asked for 2 ranks, but MPI sees 1"):
        run(folder)


def test_events_pass_and_other_output_is_kept(
    folder: RunFolder, fake_launcher: FakeLauncher
) -> None:
    """Events are shown; what libraries print goes to the log alone."""
    fake_launcher(
        'print("chatter")\n'
        'print("@voxtrode " + json.dumps({"kind": "info", "text": "meshed"}))\n'
        'print("@voxtrode {torn")\n'
        'print("a warning", file=sys.stderr)\n'
        'out = pathlib.Path(command[command.index("--out") + 1])\n'
        '(out / ".partial" / "mesh.result").write_text("{}")\n'
    )
    shown, kept = run(folder)
    assert shown == ["meshed"]
    assert sorted(kept) == ["@voxtrode {torn", "a warning", "chatter"]


@pytest.mark.parametrize(
    ("kind", "status", "raised"),
    [
        ("InputError", 2, InputError),
        ("NumericalError", 3, NumericalError),
        ("PercolationError", 2, VoxtrodeError),
    ],
)
def test_errors_keep_class_and_status(
    folder: RunFolder,
    fake_launcher: FakeLauncher,
    kind: str,
    status: int,
    raised: type[VoxtrodeError],
) -> None:
    """Through a file: launchers spoil streams and statuses."""
    failure = {"kind": kind, "status": status, "message": "no way through"}
    fake_launcher(
        'print("BAD TERMINATION", file=sys.stderr)\n'
        'out = pathlib.Path(command[command.index("--out") + 1])\n'
        f'(out / ".partial" / "mesh.error").write_text(\'{json.dumps(failure)}\')\n'
        "sys.exit(9)\n"
    )
    with pytest.raises(raised, match=r"^no way through$") as caught:
        run(folder)
    assert caught.value.exit_status == status


@pytest.mark.parametrize(("code", "hint"), [(137, "out of memory"), (1, "its last words: oh no")])
def test_a_death_without_words(
    folder: RunFolder, fake_launcher: FakeLauncher, code: int, hint: str
) -> None:
    """The end of standard error, and the usual suspect."""
    fake_launcher(f'print("oh no", file=sys.stderr)\nsys.exit({code})\n')
    with pytest.raises(VoxtrodeError, match=hint) as caught:
        run(folder)
    assert caught.value.exit_status == 1


def test_success_needs_a_result(folder: RunFolder, fake_launcher: FakeLauncher) -> None:
    """A launcher that starts nothing and says so with 0 is no success."""
    fake_launcher("sys.exit(0)")
    with pytest.raises(VoxtrodeError, match="without a message"):
        run(folder)


@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138)]
)
def test_a_signal_waits_for_the_state_to_be_saved(
    folder: RunFolder, fake_launcher: FakeLauncher, signum: signal.Signals, status: int
) -> None:
    """The worker is asked by a file, and given the time it takes."""
    fake_launcher(
        'partial = pathlib.Path(command[command.index("--out") + 1]) / ".partial"\n'
        'while not (partial / "simulate.stop").exists():\n'
        "    time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        '(partial / "simulate" / "saved").touch()\n'
        "sys.exit(1)\n"
    )
    threading.Timer(0.5, os.kill, (os.getpid(), signum)).start()
    with pytest.raises(StageInterruptedError) as caught:
        run(folder, "simulate")
    assert caught.value.exit_status == status
    assert (folder.staging(SIMULATE) / "saved").exists()


@pytest.mark.parametrize(("stage", "signals"), [("mesh", 1), ("simulate", 2)])
def test_a_signal_ends_what_cannot_or_will_not_save(
    folder: RunFolder, fake_launcher: FakeLauncher, stage: str, signals: int
) -> None:
    """A stage that is not resumed is ended at once; a second signal ends any. Well within 30 s."""
    fake_launcher("time.sleep(60)\n")
    for number in range(signals):
        threading.Timer(0.5 + 0.5 * number, os.kill, (os.getpid(), signal.SIGTERM)).start()
    begun = time.monotonic()
    with pytest.raises(StageInterruptedError):
        run(folder, stage)
    assert time.monotonic() - begun < 30.0


def test_signal_handlers_are_put_back(folder: RunFolder, fake_launcher: FakeLauncher) -> None:
    """Whatever happened."""
    before = signal.getsignal(signal.SIGTERM)
    fake_launcher("sys.exit(1)")
    with pytest.raises(VoxtrodeError):
        run(folder)
    assert signal.getsignal(signal.SIGTERM) is before


_WATCHED = """
import json, sys, time
from pathlib import Path
from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.stopping import StopRequest
stop = StopRequest(Serial(), Path("/no/such/file"))
stop.watch(Owner(**json.loads(sys.argv[1])), patient=True)
while not stop():
    time.sleep(0.05)
print("asked to stop")
"""


@pytest.fixture
def starter() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for `voxtrode run`."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_an_orphan_stops(starter: subprocess.Popen[bytes]) -> None:
    """A worker whose starter was killed without a word saves its state, too."""
    owner = json.dumps(asdict(Owner.of(starter.pid)))
    command = [sys.executable, "-P", "-c", _WATCHED, owner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        time.sleep(1.0)
        assert worker.poll() is None
        starter.kill()
        assert worker.communicate(timeout=30.0)[0] == "asked to stop\n"
