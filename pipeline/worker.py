"""One stage in a process of its own, under a launcher: `python -m voxtrode.pipeline.worker`.

Not for users: `voxtrode run` starts it. Files beside the staging folder carry what the starter
needs whatever the launcher does to streams and exit statuses: `<stage>.result`, `<stage>.error`.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from voxtrode.data.errors import InputError
from voxtrode.pipeline.communicator import Communicator, Serial, on_root
from voxtrode.pipeline.failure import leave
from voxtrode.pipeline.progress import SILENT, Reporter, json_sink
from voxtrode.pipeline.provenance import loaded_versions, machine
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.run_folder import RunFolder
from voxtrode.pipeline.run_lock import Owner
from voxtrode.pipeline.stages import Stage, StageContext, StageInterruptedError, stage_named
from voxtrode.pipeline.stopping import StopRequest
from voxtrode.pipeline.study import Study, load_study

if TYPE_CHECKING:
    from mpi4py import MPI

RANKS = "VOXTRODE_RANKS"
STARTER = "VOXTRODE_STARTER"


def perform(
    stage: Stage,
    study: Study,
    folder: RunFolder,
    resume: bool,
    comm: Communicator,
    log: Reporter,
    starter: Owner | None = None,
) -> None:
    """Does a stage's work on every rank and notes beside its results how it went.

    Collective; a stage that is not parallel runs on rank 0 while the others wait.
    """
    stop = StopRequest(comm, folder.beside(stage, "stop"))
    if starter is not None and comm.rank == 0:
        stop.watch(starter, patient=stage.resumable)
    context = StageContext(
        study=study,
        run_dir=folder.path,
        staging=folder.staging(stage),
        comm=cast("MPI.Intracomm", comm),
        resume=resume,
        log=log if comm.rank == 0 else SILENT,
        stop_requested=stop,
    )
    started, clock = time.time(), time.monotonic()
    if stage.resumable:
        with stop.listening():
            _run_to_stop(stage, context, stop)
    elif stage.parallel:
        stage.run(context)
    else:
        alone = replace(context, comm=cast("MPI.Intracomm", Serial()), stop_requested=lambda: False)
        on_root(comm, lambda: stage.run(alone))
    _note_result(stage, folder, comm, started, time.monotonic() - clock)


def _run_to_stop(stage: Stage, context: StageContext, stop: StopRequest) -> None:
    try:
        stage.run(context)
    except StageInterruptedError as error:
        if stop.signum:
            error.exit_status = 128 + stop.signum
        raise


def _note_result(
    stage: Stage, folder: RunFolder, comm: Communicator, started: float, wall: float
) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux
    everyone = comm.allgather((platform.node(), peak))
    if comm.rank == 0:
        result: dict[str, Any] = {
            "wall_s": wall,
            "ranks": comm.size if stage.parallel else 1,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(started)),
            "machine": machine() | {"hosts": sorted({host for host, _ in everyone})},
            "peak_memory_GiB": sum(gib for _, gib in everyone),
            "versions": loaded_versions(),
        }
        write_json(folder.beside(stage, "result"), result)
    comm.barrier()


def check_ranks(comm: Communicator) -> None:
    """Refuses a communicator of another size than asked for.

    Raises:
        InputError: A launcher started separate processes, as `srun --mpi=none` does.
    """
    asked = int(os.environ.get(RANKS, "0")) or comm.size
    if comm.size == 1:  # under srun, with or without voxtrode's own launcher
        asked = max(asked, int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")))
    if comm.size != asked:
        raise InputError(
            f"asked for {asked} ranks, but MPI sees {comm.size}: the launcher does not belong to"
            " this MPI; use the mpiexec beside python, or set VOXTRODE_MPIEXEC, e.g."
            ' "srun --mpi=pmi2"'
        )


def world() -> Any:
    """`MPI.COMM_WORLD`."""
    from mpi4py import MPI

    return MPI.COMM_WORLD


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one stage and leaves with the exit status of its error, if any."""
    parser = argparse.ArgumentParser(prog="python -m voxtrode.pipeline.worker")
    parser.add_argument("stage")
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args(arguments)
    stage, folder = stage_named(given.stage), RunFolder(given.out)
    comm: Any = world() if stage.parallel else Serial()
    private = comm.Dup() if stage.parallel else None
    try:
        check_ranks(comm)
        study = on_root(comm, lambda: load_study(given.study))
        if comm.rank == 0:
            write_json(folder.beside(stage, "worker"), asdict(Owner.this()))
        starter = Owner(**json.loads(os.environ[STARTER])) if STARTER in os.environ else None
        perform(
            stage, study, folder, given.resume, comm, Reporter((json_sink(sys.stdout),)), starter
        )
    except (Exception, KeyboardInterrupt) as error:
        leave(error, private, lambda failure: failure.write(folder.beside(stage, "error")))


if __name__ == "__main__":
    main()
