"""Starting a stage with the launcher of the environment, and following it to its end."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from voxtrode.data.errors import InputError, VoxtrodeError
from voxtrode.pipeline.failure import Failure
from voxtrode.pipeline.progress import Event, Reporter, parse_event
from voxtrode.pipeline.run_folder import RunFolder
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.stages import Stage, StageInterruptedError
from voxtrode.pipeline.stopping import SIGNALS
from voxtrode.pipeline.worker import RANKS, STARTER

LAUNCHER = "VOXTRODE_MPIEXEC"
_KEPT_LINES = 40  # of a worker's standard error, for a failure that left no message


def launcher(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The command that starts MPI processes: $VOXTRODE_MPIEXEC, or the mpiexec beside python.

    Raises:
        InputError: There is none.
    """
    if environment.get(LAUNCHER):
        return shlex.split(environment[LAUNCHER])
    beside = Path(sys.executable).parent / "mpiexec"  # links unresolved: of the environment
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise InputError(
            f"no mpiexec beside {sys.executable} or on PATH; install the extra 'fem', or set"
            f' {LAUNCHER}, e.g. "srun --mpi=pmi2"'
        )
    return [found]


def worker_command(stage: Stage, folder: RunFolder, ranks: int, resume: bool) -> list[str]:
    """The command line that runs a stage; serial stages need no launcher."""
    start = [*launcher(), "-n", str(ranks)] if stage.parallel else []
    module = [sys.executable, "-P", "-m", "voxtrode.pipeline.worker", stage.name]
    where = [str(folder.draft), "--out", str(folder.path)]
    return [*start, *module, *where, *(["--resume"] if resume else [])]


def worker_environment(stage: Stage, ranks: int) -> dict[str, str]:
    """Environment of a worker: one BLAS thread a rank, and who started it."""
    return {
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        RANKS: str(ranks if stage.parallel else 1),
        STARTER: json.dumps(asdict(Owner.this())),
    }


@dataclass
class _Stopper:
    """Passes a request to stop on to a worker: kindly first, then by force."""

    stage: Stage
    folder: RunFolder
    log: Reporter
    process: subprocess.Popen[str] | None = None
    signum: int = 0

    def __call__(self, signum: int, _: object) -> None:
        again, self.signum = bool(self.signum), signum
        if self.process is None or self.process.poll() is not None:
            return
        if again or not self.stage.resumable:
            os.killpg(self.process.pid, signal.SIGKILL if again else signal.SIGTERM)
            return
        self.folder.beside(self.stage, "stop").touch()
        self.log.info(f"stopping: the {self.stage.name} stage saves its state (again to kill it)")

    @contextmanager
    def listening(self) -> Iterator[None]:
        before = {number: signal.signal(number, self) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass
class _Errors:
    """Standard error of a worker: to the log, and its end kept."""

    write: Callable[[str], None]
    lines: list[str] = field(default_factory=list)

    def follow(self, stream: IO[str]) -> None:
        for line in stream:
            self.write(line.rstrip())
            self.lines = [*self.lines, line.rstrip()][-_KEPT_LINES:]


def launch(
    stage: Stage,
    folder: RunFolder,
    ranks: int,
    resume: bool,
    log: Reporter,
    keep: Callable[[str], None],
) -> None:
    """Runs a stage in processes of its own and waits for it.

    Args:
        stage: The stage; its staging folder and `.partial/study.yaml` are ready.
        folder: The run folder.
        ranks: Number of ranks of a parallel stage.
        resume: Whether the staging folder holds an interrupted attempt.
        log: Gets the worker's events.
        keep: Gets what the worker writes otherwise, line by line (the log file).

    Raises:
        VoxtrodeError: The stage failed, with the class and exit status it failed with there.
    """
    stopper = _Stopper(stage, folder, log)
    errors = _Errors(keep)
    with stopper.listening():
        process = _start(worker_command(stage, folder, ranks, resume), stage, ranks)
        stopper.process = process
        if stopper.signum:
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout is not None
        assert process.stderr is not None
        follower = threading.Thread(target=errors.follow, args=(process.stderr,), daemon=True)
        follower.start()
        for line in process.stdout:
            _pass_on(line.rstrip(), log, keep)
        status = process.wait()
        follower.join(timeout=5.0)
    failure = Failure.read(folder.beside(stage, "error"))
    if stopper.signum:
        saved = failure is not None and failure.kind == StageInterruptedError.__name__
        more = f": {failure.message}" if failure is not None and saved else ""
        stopped = StageInterruptedError(f"interrupted in the {stage.name} stage{more}")
        stopped.exit_status = 128 + stopper.signum
        raise stopped
    if failure is not None:
        raise failure.error()
    if status != 0 or not folder.beside(stage, "result").exists():
        raise VoxtrodeError(_unexplained(stage, status, errors.lines))


def _start(command: list[str], stage: Stage, ranks: int) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=worker_environment(stage, ranks),
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"the launcher {command[0]} cannot be started: {error.strerror}; see {LAUNCHER}"
        ) from None


def _pass_on(line: str, log: Reporter, keep: Callable[[str], None]) -> None:
    try:
        event: Event | None = parse_event(line)
    except (ValueError, TypeError):
        event = None  # two ranks wrote at once
    if event is not None:
        log.emit(event)
    elif line:
        keep(line)


def _unexplained(stage: Stage, status: int, lines: list[str]) -> str:
    memory = "; it may have run out of memory" if status in (-9, 9, 137) else ""
    last = f"; its last words: {' | '.join(lines[-5:])}" if lines else ""
    return f"the {stage.name} stage ended with status {status} without a message{memory}{last}"
