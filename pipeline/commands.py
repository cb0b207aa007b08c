"""What the commands that run stages do: in other processes (`run`), or in this one."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from voxtrode.data.errors import InputError
from voxtrode.pipeline.cli_output import shown
from voxtrode.pipeline.communicator import Communicator, Serial, on_root
from voxtrode.pipeline.failure import leave
from voxtrode.pipeline.keys import stage_keys
from voxtrode.pipeline.launch import launch, launcher
from voxtrode.pipeline.progress import SILENT, Event, Reporter, Sink
from voxtrode.pipeline.records import read_json
from voxtrode.pipeline.run_folder import RunFolder, run_folder
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.runner import PROVENANCE, run_stages
from voxtrode.pipeline.stages import STAGES, Stage, stages_up_to
from voxtrode.pipeline.study import Study, load_study
from voxtrode.pipeline.validation import inspect_volume, validate
from voxtrode.pipeline.worker import check_ranks, perform, world


def checked_run_dir(
    study: Study, out: Path | None, stages: Sequence[Stage], log: Reporter = SILENT
) -> Path:
    """The run folder of a study in which no fault is left that shows before anything runs.

    Raises:
        InputError: A fault; nothing was written.
    """
    validate(study)
    run_dir = (out or Path("runs") / study.name).expanduser().absolute()
    if run_dir.exists() and not run_dir.is_dir():
        raise InputError(f"--out {run_dir} is a file; expected a folder")
    image = STAGES[0]
    if RunFolder(run_dir).key(image) != stage_keys(study, log=log)[image.name]:
        names = [stage.name for stage in stages]
        inspect_volume(study, simulated="simulate" in names, meshed="mesh" in names)
    return run_dir


def run_study(study: Study, out: Path | None, ranks: int, until: str, sink: Sink) -> None:
    """Brings the stages of a study up to date, each in processes of its own."""
    stages = stages_up_to(until)
    run_dir = checked_run_dir(study, out, stages, Reporter((sink,)))
    launcher()

    def execute(
        stage: Stage, folder: RunFolder, resume: bool, log: Reporter, keep: Callable[[str], None]
    ) -> None:
        launch(stage, folder, ranks, resume, log, keep)

    run_stages(study, run_dir, stages, Serial(), execute, (sink,))
    report = run_dir / "report" / "report.html"
    if report.exists():
        sink(Event("info", f"report: {report}"))


def stage_here(until: str, name: str, changes: Sequence[str], out: Path | None) -> None:
    """Brings the stages up to one up to date, on the ranks this process is one of."""
    comm = world()
    private = comm.Dup()
    stages = stages_up_to(until)
    try:
        check_ranks(comm)
        study = on_root(comm, lambda: load_study(name, changes))
        with shown() as sink:
            log = Reporter((sink,))
            run_dir = on_root(comm, lambda: checked_run_dir(study, out, stages, log))
            execute = partial(_execute_here, comm, study)
            run_stages(study, run_dir, stages, comm, execute, (sink,))
    except (Exception, KeyboardInterrupt) as error:
        leave(error, private, lambda failure: failure.print())


def _execute_here(
    comm: Communicator,
    study: Study,
    stage: Stage,
    folder: RunFolder,
    resume: bool,
    log: Reporter,
    keep: Callable[[str], None],
) -> None:
    del keep
    perform(stage, study, folder, resume, comm, log)


def run_status(run_dir: Path) -> dict[str, str]:
    """Where a run stands, stage by stage.

    Raises:
        InputError: The folder is no run folder.
    """
    folder = RunFolder(run_folder(run_dir))
    keys = stage_keys(load_study(folder.path / "study.yaml"))
    walls = read_json(folder.path / PROVENANCE).get("stages", {})
    found = {}
    for stage in STAGES:
        key = folder.key(stage)
        state = "missing" if not key else "up to date" if key == keys[stage.name] else "stale"
        wall = walls.get(stage.name, {}).get("wall_s")
        took = f", {wall:.1f} s" if key and wall is not None else ""
        part = ", interrupted" if folder.staging(stage).is_dir() else ""
        found[stage.name] = f"{state}{took}{part}"
    owner = Owner.read(folder.lock)
    if owner is not None and not owner.is_gone:
        found["at work"] = f"process {owner.pid} on {owner.host}"
    return found
