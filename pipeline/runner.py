"""Running stages: what is up to date stays, what is stale is recomputed and then replaced."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from voxtrode.data.errors import InputError, VoxtrodeError
from voxtrode.pipeline.communicator import Communicator, on_root
from voxtrode.pipeline.keys import file_hash, input_files, stage_keys
from voxtrode.pipeline.progress import SILENT, PlainSink, Reporter, Sink, file_writer
from voxtrode.pipeline.provenance import record_stage, wall_times
from voxtrode.pipeline.records import read_json, update_summary
from voxtrode.pipeline.run_folder import SUMMARY, RunFolder
from voxtrode.pipeline.run_lock import locked
from voxtrode.pipeline.stages import STAGES, Stage
from voxtrode.pipeline.study import Study, write_study

PROVENANCE = "provenance.json"


@dataclass
class Session:
    """One process at work in a run folder, which it has locked.

    Attributes:
        folder: The folder.
        study: The study.
        keys: Key of each stage.
        log: Shows progress and keeps it in `run.log`.
        keep: Keeps a line in `run.log` without showing it.
        changed: Whether any result was replaced.
    """

    folder: RunFolder
    study: Study
    keys: dict[str, str]
    log: Reporter
    keep: Callable[[str], None]
    changed: bool = field(default=False)

    def is_current(self, stage: Stage) -> bool:
        """Whether the results in the folder are those of this study and this code."""
        return self.folder.key(stage) == self.keys[stage.name]

    def begin(self, stage: Stage) -> bool | None:
        """Makes ready for an attempt; whether it resumes another, or None where none is needed."""
        if self.is_current(stage):
            self.log.info(f"{stage.name}: up to date")
            return None
        self.folder.await_orphan(stage)
        resume = self.folder.prepare(stage, self.keys[stage.name])
        self.log.info(f"{stage.name}: {'resumed' if resume else 'started'}")
        return resume

    def accept(self, stage: Stage) -> None:
        """Puts a stage's results into place and notes where they come from."""
        path, key = self.folder.path, self.keys[stage.name]
        attempt = read_json(self.folder.beside(stage, "result"))
        self.folder.accept(stage, key)
        self.changed = True
        self.write_study()
        files = {name: file_hash(file) for name, file in input_files(self.study).items()}
        record_stage(path / PROVENANCE, stage.name, key, attempt, files, list(self.keys))
        if (path / SUMMARY).exists():
            update_summary(path / SUMMARY, {"wall_s": wall_times(path / PROVENANCE)})
        self.log.info(f"{stage.name}: done in {attempt.get('wall_s', 0.0):.1f} s")

    def abandon(self, stage: Stage, error: BaseException) -> None:
        """Clears away a failed attempt, unless a later one can go on from it."""
        if _is_bad_input(error) or not stage.resumable:
            self.folder.discard(stage)

    def write_study(self) -> None:
        """Puts the resolved study beside the results, where it differs."""
        present = self.folder.path / "study.yaml"
        if not present.exists() or present.read_bytes() != self.folder.draft.read_bytes():
            write_study(self.study, present)


Execute = Callable[[Stage, RunFolder, bool, Reporter, Callable[[str], None]], None]
"""Does a stage's work, here or in other processes; the last argument keeps stray lines."""


def run_stages(
    study: Study,
    run_dir: Path,
    wanted: Sequence[Stage],
    comm: Communicator,
    execute: Execute,
    sinks: Sequence[Sink] = (),
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Brings stages up to date, in order; collective.

    Rank 0 decides what is stale and moves results into place; `execute` is called on every rank.

    Args:
        study: A validated study, the same on every rank.
        run_dir: The run folder; made if missing.
        wanted: Stages to bring up to date.
        comm: The ranks that call this.
        execute: Does the work of a stage.
        sinks: Who shows progress (rank 0).
        stages: All stages there are.

    Raises:
        VoxtrodeError: A stage failed; results of stages before it are in place, its old ones too.
    """
    folder = RunFolder(run_dir.absolute())
    with ExitStack() as stack:
        here: list[Session] = []  # on rank 0

        def enter() -> None:
            here.append(stack.enter_context(session(folder, study, sinks, stages)))

        on_root(comm, enter)
        log, keep = (here[0].log, here[0].keep) if here else (SILENT, lambda line: None)
        for stage in wanted:
            resume = on_root(comm, partial(_begin, here, stage))
            if resume is None:
                continue
            try:
                execute(stage, folder, resume, log, keep)
            except BaseException as error:
                if here:
                    here[0].abandon(stage, error)
                raise
            on_root(comm, partial(_accept, here, stage))


def _begin(here: Sequence[Session], stage: Stage) -> bool | None:
    return here[0].begin(stage)  # called on rank 0, where there is a session


def _accept(here: Sequence[Session], stage: Stage) -> None:
    here[0].accept(stage)


@contextmanager
def session(
    folder: RunFolder, study: Study, sinks: Sequence[Sink], stages: Sequence[Stage] = STAGES
) -> Iterator[Session]:
    """Locks a run folder for a study; bad input leaves the folder as it was.

    Raises:
        InputError: Another process works in the folder, or it cannot be written to.
    """
    keys = stage_keys(study, stages, log=Reporter(sinks))
    try:
        folder.partial.mkdir(parents=True, exist_ok=True)
        folder.hidden.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder.path} cannot be written to: {error.strerror}") from None
    try:
        with locked(folder.lock):
            folder.recover(stages)
            write_study(study, folder.draft)
            try:
                yield from _logged(folder, study, keys, sinks)
            finally:
                folder.draft.unlink(missing_ok=True)
    finally:
        folder.tidy()


def _logged(
    folder: RunFolder, study: Study, keys: dict[str, str], sinks: Sequence[Sink]
) -> Iterator[Session]:
    log_file = folder.path / "run.log"
    length = log_file.stat().st_size if log_file.exists() else None
    keep = file_writer(log_file)
    here = Session(folder, study, keys, Reporter((*sinks, PlainSink(keep))), keep)
    try:
        yield here
    except BaseException as error:
        keep(f"ended: {' '.join(str(error).split()) or type(error).__name__}")
        if _is_bad_input(error) and not here.changed:
            _restore(log_file, length)
        raise


def _is_bad_input(error: BaseException) -> bool:
    return isinstance(error, VoxtrodeError) and error.exit_status == InputError.exit_status


def _restore(log_file: Path, length: int | None) -> None:
    if length is None:
        log_file.unlink(missing_ok=True)
        return
    with log_file.open("r+b") as stream:
        stream.truncate(length)
