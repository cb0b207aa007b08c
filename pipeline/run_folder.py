"""A run folder: results, the keys they were made with, and the folders beside them.

A stage is recomputed in `.partial/<stage>/` and replaces the old results only when it is whole. A
crash while replacing is made good at the next start: a staging folder marked complete is rolled
forward.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxtrode.data.errors import InputError, VoxtrodeError
from voxtrode.pipeline.records import read_json, update_summary, write_json
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.stages import Stage

_COMPLETE = ".complete"
_PATIENCE = 60.0  # seconds
SUMMARY = "summary.json"


@dataclass(frozen=True)
class RunFolder:
    """Paths and replacements in a run folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def hidden(self) -> Path:
        """Folder of keys and lock."""
        return self.path / ".voxtrode"

    @property
    def partial(self) -> Path:
        """Folder of unfinished work."""
        return self.path / ".partial"

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.hidden / "lock"

    @property
    def draft(self) -> Path:
        """The resolved study of a run that is at work."""
        return self.partial / "study.yaml"

    def staging(self, stage: Stage) -> Path:
        """Folder that a stage writes into."""
        return self.partial / stage.name

    def beside(self, stage: Stage, what: str) -> Path:
        """A small file of a stage's attempt (`error`, `result`, `stop`, …), no result of it."""
        return self.partial / f"{stage.name}.{what}"

    def key(self, stage: Stage) -> str:
        """Key that the present results of a stage were made with; empty where there are none."""
        key = read_json(self.hidden / "keys.json").get(stage.name, "")
        whole = all((self.path / output).exists() for output in stage.outputs)
        return str(key) if whole else ""

    def prepare(self, stage: Stage, key: str) -> bool:
        """Makes the staging folder; True where it holds an interrupted attempt of the same key."""
        staging = self.staging(stage)
        mark = self.beside(stage, "key")
        resume = (
            stage.resumable
            and staging.is_dir()
            and mark.is_file()
            and mark.read_text(encoding="utf-8") == key
        )
        if not resume:
            self.discard(stage)
            staging.mkdir(parents=True)
            mark.write_text(key, encoding="utf-8")
        for what in ("error", "result", "stop", "worker"):
            self.beside(stage, what).unlink(missing_ok=True)
        return resume

    def await_orphan(self, stage: Stage) -> None:
        """Waits for a worker whose starter was killed: it saves its state and ends by itself.

        Raises:
            InputError: It is still at work after a while.
        """
        worker = Owner.read(self.beside(stage, "worker"))
        deadline = time.monotonic() + _PATIENCE
        while worker is not None and not worker.is_gone:
            if time.monotonic() > deadline:
                raise InputError(
                    f"{self.path}: process {worker.pid} of an earlier run is still at work on the"
                    f" {stage.name} stage; wait for it, or end it"
                )
            time.sleep(0.2)

    def discard(self, stage: Stage) -> None:
        """Removes what an attempt left."""
        shutil.rmtree(self.staging(stage), ignore_errors=True)
        for path in self.partial.glob(f"{stage.name}.*"):
            if path.is_file():
                path.unlink()

    def accept(self, stage: Stage, key: str) -> None:
        """Moves a stage's outputs into place, the old ones away, and notes the key."""
        staging = self.staging(stage)
        for output in stage.outputs:
            if not (staging / output).exists():
                raise VoxtrodeError(f"the {stage.name} stage left no {output}")
        (staging / _COMPLETE).write_text(key, encoding="utf-8")
        self._replace(stage, key)

    def recover(self, stages: Sequence[Stage]) -> None:
        """Completes replacements that a crash cut short."""
        for stage in stages:
            mark = self.staging(stage) / _COMPLETE
            if mark.is_file():
                self._replace(stage, mark.read_text(encoding="utf-8"))

    def _replace(self, stage: Stage, key: str) -> None:
        staging, retired = self.staging(stage), self.partial / f"{stage.name}.old"
        for output in stage.outputs:
            new, present = staging / output, self.path / output
            if not new.exists():
                continue  # moved before a crash
            if present.exists():
                old = retired / output
                old.parent.mkdir(parents=True, exist_ok=True)
                present.replace(old)
            present.parent.mkdir(parents=True, exist_ok=True)
            new.replace(present)
        addition = staging / SUMMARY
        if addition.exists():  # of a stage that completes the summary without owning it
            update_summary(self.path / SUMMARY, read_json(addition))
        keys = read_json(self.hidden / "keys.json")
        write_json(self.hidden / "keys.json", keys | {stage.name: key})
        shutil.rmtree(retired, ignore_errors=True)
        self.discard(stage)

    def tidy(self) -> None:
        """Removes what a run that left no results would leave: empty folders."""
        for folder in (self.partial, self.hidden, self.path):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def run_folder(path: Path) -> Path:
    """The absolute path of a run folder.

    Raises:
        InputError: It is none.
    """
    folder = path.expanduser().absolute()
    if not (folder / "study.yaml").is_file():
        raise InputError(
            f"{folder} is no run folder of voxtrode (there is no study.yaml in it); expected the"
            " folder that `voxtrode run` wrote"
        )
    return folder
