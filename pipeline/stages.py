"""The stages of a run, in order, and what each is handed.

A stage reads the results of earlier stages from `run_dir` and writes only below `staging`, a mirror
of the run folder (`staging/mesh/mesh.json` becomes `run_dir/mesh/mesh.json`). Its outputs replace
the old ones when it has returned on every rank, and never before.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtrode.data.errors import InputError, VoxtrodeError
from voxtrode.pipeline.build import build_phases, capabilities
from voxtrode.pipeline.progress import Reporter
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_base import nearest

if TYPE_CHECKING:
    from mpi4py import MPI


class StageInterruptedError(VoxtrodeError):
    """The stage saved its state and stopped because it was asked to (signal)."""

    exit_status = 130


@dataclass(frozen=True)
class StageContext:
    """What a stage is handed, on every rank.

    Attributes:
        study: The study, SI units.
        run_dir: The run folder; results of earlier stages are read from here.
        staging: Folder that the stage writes into, a mirror of the run folder; it exists.
        comm: `MPI.COMM_WORLD`; for stages that are not parallel `Serial`, which can do what
            `Communicator` says and no more.
        resume: `staging` holds what an interrupted attempt with the same inputs left.
        log: Progress and messages; silent on ranks other than 0.
        stop_requested: Whether the stage should save its state and raise `StageInterruptedError`.
            Collective: every rank gets the same answer, so every rank must ask equally often.
    """

    study: Study
    run_dir: Path
    staging: Path
    comm: "MPI.Intracomm"
    resume: bool
    log: Reporter
    stop_requested: Callable[[], bool]


@dataclass(frozen=True)
class Stage:
    """One step from files to files.

    Attributes:
        name: Name on the command line.
        module: Module whose `run(context)` does the work; imported only where it is done.
        outputs: Files and folders it leaves in the run folder.
        inputs: The part of a study that its result depends on, as JSON-able values.
        after: Stages whose results it reads.
        parallel: Runs on all ranks; otherwise on one, without MPI.
        resumable: What an interrupted attempt left is worth keeping.
    """

    name: str
    module: str
    outputs: tuple[str, ...]
    inputs: Callable[[Study], Mapping[str, Any]]
    after: tuple[str, ...] = ()
    parallel: bool = False
    resumable: bool = False

    def run(self, context: StageContext) -> None:
        """Does the work; collective where the stage is parallel."""
        import_module(self.module).run(context)


def _image_inputs(study: Study) -> dict[str, Any]:
    volume = study.volume.model_dump(mode="json")
    volume.get("image", {}).pop("file", None)  # its content counts, not where it lies
    surroundings = study.resolved()["surroundings"]  # whence electrons and electrolyte come
    return {
        "volume": volume,
        "capabilities": capabilities(study),
        "far": study.far,
        "surroundings": surroundings,
    }


def _mesh_inputs(study: Study) -> dict[str, Any]:
    return {"mesh": study.resolved()["mesh"], "separator": study.separator_thickness}


def _resolved(study: Study) -> dict[str, Any]:
    """The resolved study, with the content of material files in the place of their paths."""
    tree = study.resolved()
    for keys, source in study.sources.items():
        section = reduce(getitem, keys[:-1], tree)
        section[keys[-1]] = source.identity
    return tree


def _transport_inputs(study: Study) -> dict[str, Any]:
    tree = _resolved(study)
    keys = ["phases", "transport"]
    # Solids are compared with the free liquid, several liquids with each other.
    solid = any(phase.kappa is not None for phase in build_phases(study).values())
    if solid or {str(entry.electrolyte) for entry in study.phases.values()} - {"None"}:
        keys += ["electrolyte", "temperature"]
    return {key: tree[key] for key in keys}


def _simulation_inputs(study: Study) -> dict[str, Any]:
    tree = _resolved(study)
    if study.initial.checkpoint is not None:
        tree["initial"] = {"run": state_hash(study.initial.checkpoint)}  # content, not place
    return {key: tree[key] for key in tree if key not in ("name", "volume", "mesh", "transport")}


def _report_inputs(study: Study) -> dict[str, Any]:
    tree = _resolved(study)
    return {key: tree[key] for key in tree if key != "volume"}  # through the stages before it


def state_hash(checkpoint: Path) -> str:
    """Hash of a state that another run ended in.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with checkpoint.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"initial.run: {checkpoint} cannot be read ({error.strerror}); expected the folder of"
            " a run whose simulation has ended"
        ) from None


STAGES = (
    Stage(
        "image",
        "voxtrode.pipeline.stage_image",
        ("image",),
        _image_inputs,
    ),
    Stage(
        "mesh",
        "voxtrode.pipeline.stage_mesh",
        ("mesh",),
        _mesh_inputs,
        after=("image",),
        parallel=True,
    ),
    Stage(
        "transport",
        "voxtrode.pipeline.stage_transport",
        ("transport.json", "transport"),
        _transport_inputs,
        after=("image", "mesh"),
        parallel=True,
    ),
    Stage(
        "simulate",
        "voxtrode.pipeline.stage_simulate",
        ("simulate", "summary.json"),
        _simulation_inputs,
        after=("image", "mesh"),
        parallel=True,
        resumable=True,
    ),
    Stage(
        "report",
        "voxtrode.pipeline.stage_report",
        ("report",),
        _report_inputs,
        after=("image", "mesh", "transport", "simulate"),
    ),
)


def stage_named(name: str) -> Stage:
    """The stage of a name.

    Raises:
        InputError: There is none.
    """
    for stage in STAGES:
        if stage.name == name:
            return stage
    names = [stage.name for stage in STAGES]
    raise InputError(f'there is no stage "{name}"; {nearest(name, names, "stages")}')


def stages_up_to(name: str) -> tuple[Stage, ...]:
    """Every stage up to and including the one of a name, in order."""
    return STAGES[: STAGES.index(stage_named(name)) + 1]
