"""Running stages: what is stale is recomputed beside the old and replaces it only on success."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from voxtrode.data.errors import InputError, NumericalError
from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.progress import Event, Reporter
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.run_folder import RunFolder
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.runner import run_stages
from voxtrode.pipeline.stages import Stage, StageInterruptedError
from voxtrode.pipeline.study import Study, parse_study

type Tree = dict[str, Any]


def _mesh(study: Study) -> Mapping[str, Any]:
    return {"size": study.mesh.size}


def _solver(study: Study) -> Mapping[str, Any]:
    return {"rtol": study.solver.rtol}


FIRST = Stage("first", "", ("first", "note.txt"), _mesh)
SECOND = Stage("second", "", ("second", "summary.json"), _solver, after=("first",), resumable=True)
THIRD = Stage("third", "", ("third.txt",), lambda study: {}, after=("second",))
DUMMIES = (FIRST, SECOND, THIRD)


@dataclass
class Work:
    """Stands for the work of stages; notes what was run and fails on demand.

    Attributes:
        folder: The run folder.
        tree: The study.
        ran: Names of stages run, `+` where resumed.
        events: What was shown.
        fail: Raised by the stage of that name after it has written half of its outputs.
    """

    folder: Path
    tree: Tree
    ran: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fail: dict[str, BaseException] = field(default_factory=dict)

    def __call__(self, wanted: tuple[Stage, ...] = DUMMIES, **changes: float) -> None:
        """Runs stages with `mesh.size` or `solver.rtol` changed."""
        tree = self.tree
        if "size" in changes:
            tree = {**tree, "mesh": {"size": changes["size"]}}
        if "rtol" in changes:
            tree = {**tree, "solver": {"rtol": changes["rtol"]}}
        self.ran, self.events = [], []
        study = parse_study(tree, self.folder)
        sinks = (lambda event: self.events.append(event.line()),)
        run_stages(study, self.folder, wanted, Serial(), self.execute, sinks, DUMMIES)

    def execute(
        self, stage: Stage, folder: RunFolder, resume: bool, log: Reporter, keep: object
    ) -> None:
        """Writes the outputs of a stage: a text that says how often it was written to."""
        del log, keep
        self.ran.append(stage.name + ("+" if resume else ""))
        for output in stage.outputs:
            path = folder.staging(stage) / output
            if not path.suffix:
                path.mkdir(exist_ok=True)
                path = path / "result.txt"
            old = path.read_text(encoding="utf-8") if path.exists() else ""
            if path.suffix == ".json":
                write_json(path, {"stage": stage.name})
            else:
                path.write_text(f"{old}{stage.name} {len(self.ran)}\n", encoding="utf-8")
            if stage.name in self.fail:
                raise self.fail[stage.name]
        if stage is THIRD:
            write_json(folder.staging(stage) / "summary.json", {"third": {"value": float("nan")}})
        write_json(folder.beside(stage, "result"), {"wall_s": 1.5, "ranks": 2, "versions": {}})


@pytest.fixture
def work(tmp_path: Path, tree: Tree) -> Work:
    """A run folder that is not there yet."""
    return Work(tmp_path / "runs" / "small", tree)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Content of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_everything_then_nothing(work: Work) -> None:
    """A second run changes no result and runs nothing."""
    work()
    assert work.ran == ["first", "second", "third"]
    before = snapshot(work.folder)
    work()
    assert work.ran == []
    assert work.events == ["first: up to date", "second: up to date", "third: up to date"]
    after = snapshot(work.folder)
    assert after.pop("run.log").startswith(before.pop("run.log"))
    assert after == before
    assert not (work.folder / ".partial").exists()


def test_only_what_is_stale(work: Work) -> None:
    """A change of a later stage's input leaves the earlier one alone."""
    work()
    work(rtol=1e-4)
    assert work.ran == ["second", "third"]
    work(size=3e-6, rtol=1e-4)
    assert work.ran == ["first", "second", "third"]


def test_up_to_a_stage(work: Work) -> None:
    """Stages after the wanted ones are not run, and their old results become stale."""
    work()
    work((FIRST,), size=3e-6)
    assert work.ran == ["first"]
    work(size=3e-6)
    assert work.ran == ["second", "third"]


def test_a_lost_result_is_made_again(work: Work) -> None:
    """A key alone is no result."""
    work()
    (work.folder / "third.txt").unlink()
    work()
    assert work.ran == ["third"]


@pytest.mark.parametrize("error", [RuntimeError("bug"), NumericalError("diverged")])
def test_failure_leaves_the_old_results(work: Work, error: Exception) -> None:
    """Every file of the old results is as it was; the log says what happened."""
    work()
    before = snapshot(work.folder)
    work.fail["first"] = error
    with pytest.raises(type(error)):
        work(size=3e-6)
    after = snapshot(work.folder)
    assert str(error) in after.pop("run.log").decode()
    before.pop("run.log")
    assert after == before


def test_bad_input_leaves_no_trace(work: Work) -> None:
    """A new folder vanishes, an old one is as it was to the byte, its log too."""
    work.fail["first"] = InputError("no percolation")
    with pytest.raises(InputError):
        work()
    assert not work.folder.exists()
    work.fail = {}
    work()
    before = snapshot(work.folder)
    work.fail["second"] = InputError("no percolation")
    with pytest.raises(InputError):
        work(rtol=1e-4)
    assert snapshot(work.folder) == before


@pytest.mark.parametrize("error", [StageInterruptedError("stopped"), NumericalError("diverged")])
def test_an_interrupted_stage_resumes(work: Work, error: Exception) -> None:
    """What it left is still there; with other inputs it starts anew."""
    work.fail["second"] = error
    with pytest.raises(type(error)):
        work()
    work.fail = {}
    work()
    assert work.ran == ["second+", "third"]
    assert (work.folder / "second" / "result.txt").read_text().splitlines() == [
        "second 2",  # its first attempt, after `first`
        "second 1",
    ]
    work.fail["second"] = error
    with pytest.raises(type(error)):
        work(rtol=1e-4)
    work.fail = {}
    work(rtol=1e-5)
    assert work.ran == ["second", "third"]


def test_other_stages_start_anew(work: Work) -> None:
    """What a stage that cannot resume has left is cleared away."""
    work.fail["first"] = RuntimeError("bug")
    with pytest.raises(RuntimeError):
        work()
    work.fail = {}
    work()
    assert (work.folder / "note.txt").read_text() == "first 1\n"


def test_the_study_beside_the_results_is_theirs(work: Work) -> None:
    """It is replaced with the first result of a new study, not before."""
    work()
    old = (work.folder / "study.yaml").read_text()
    work.fail["first"] = RuntimeError("bug")
    with pytest.raises(RuntimeError):
        work(size=3e-6)
    assert (work.folder / "study.yaml").read_text() == old
    work.fail = {}
    work(size=3e-6)
    assert "size: 3.0e-06" in (work.folder / "study.yaml").read_text()


def test_summary_and_provenance(work: Work) -> None:
    """Wall times reach the summary; a later stage completes it; NaN becomes null."""
    work()
    summary = json.loads((work.folder / "summary.json").read_text())
    assert summary == {
        "stage": "second",
        "third": {"value": None},
        "wall_s": {"first": 1.5, "second": 1.5, "third": 1.5},
    }
    record = json.loads((work.folder / "provenance.json").read_text())
    assert list(record["stages"]) == ["first", "second", "third"]
    assert record["ranks"] == 2
    assert len(record["code_sha256"]) == 64


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_crash_while_replacing_is_rolled_forward(work: Work, moved: int) -> None:
    """Whatever was moved before the crash, the next start finds new results, and whole ones."""
    work((FIRST,))
    folder = RunFolder(work.folder)
    work.execute(FIRST, folder_prepared(folder), False, Reporter(), None)
    staging, retired = folder.staging(FIRST), folder.partial / "first.old"
    (staging / ".complete").write_text("new key")
    retired.mkdir()
    for output in FIRST.outputs[:moved]:
        (folder.path / output).rename(retired / output)
        (staging / output).rename(folder.path / output)
    folder.recover(DUMMIES)
    assert folder.key(FIRST) == "new key"
    assert (folder.path / "note.txt").read_text() == "first 2\n"
    assert (folder.path / "first" / "result.txt").read_text() == "first 2\n"
    folder.tidy()
    assert not folder.partial.exists()


def folder_prepared(folder: RunFolder) -> RunFolder:
    """The folder, ready for an attempt at the first stage."""
    folder.prepare(FIRST, "new key")
    return folder


def test_a_folder_in_use_is_refused(work: Work) -> None:
    """A living process holds it; the folder is not touched."""
    work()
    lock = RunFolder(work.folder).lock
    parent = Owner.of(os.getppid())
    parent.write(lock)
    before = snapshot(work.folder)
    with pytest.raises(InputError, match=f"in use by process {parent.pid}"):
        work()
    assert snapshot(work.folder) == before
    lock.unlink()
    work()


@pytest.mark.parametrize(
    "owner",
    [
        lambda: Owner(Owner.this().host, 2**22 + 1, 1),  # above the largest process number
        lambda: Owner(Owner.this().host, os.getpid(), 1),  # this number, of another process
    ],
)
def test_a_stale_lock_is_taken_over(work: Work, owner: Callable[[], Owner]) -> None:
    """Its process is gone, or its number belongs to another one now."""
    work.folder.mkdir(parents=True)
    RunFolder(work.folder).hidden.mkdir()
    owner().write(RunFolder(work.folder).lock)
    work()
    assert work.ran == ["first", "second", "third"]


def test_a_lock_of_another_machine_is_respected(work: Work) -> None:
    """Whether its process lives cannot be known here."""
    RunFolder(work.folder).hidden.mkdir(parents=True)
    Owner("elsewhere", 1, 1).write(RunFolder(work.folder).lock)
    with pytest.raises(InputError, match="on elsewhere"):
        work()


def test_events_have_lines() -> None:
    """Progress reads as a percentage with its note."""
    assert Event("progress", "time stepping", 0.3, 1.2, "3.9 V").line() == (
        "time stepping: 25 %, 3.9 V"
    )
