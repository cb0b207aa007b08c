"""Errors on several ranks: said once, nothing hangs, the right exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from voxtrode.data.errors import InputError, NumericalError
from voxtrode.pipeline.failure import Failure
from voxtrode.pipeline.launch import launcher

_PROGRAM = """
import sys
from mpi4py import MPI
from voxtrode.data.errors import InputError
from voxtrode.pipeline.communicator import on_root
from voxtrode.pipeline.failure import leave

comm = MPI.COMM_WORLD
private = comm.Dup()

def everywhere():
    raise InputError("no way\\nthrough")

def on_one_rank():
    if comm.rank == 1:
        raise InputError("no way through")
    comm.barrier()

def on_rank_zero():
    on_root(comm, everywhere)

def cause_and_consequence():
    if comm.rank == 1:
        raise InputError("no way through")
    raise RuntimeError("a consequence")

try:
    globals()[sys.argv[1]]()
except Exception as error:
    leave(error, private, lambda failure: failure.print())
"""


@pytest.mark.parametrize(
    "case", ["everywhere", "on_one_rank", "on_rank_zero", "cause_and_consequence"]
)
def test_one_line_and_no_hang(tmp_path: Path, case: str) -> None:
    """The line comes once; where all ranks leave together, the launcher has nothing to add.

    One rank that fails alone aborts the job after three seconds; a hang would run into the timeout.
    """
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    command = [*launcher(), "-n", "2", sys.executable, "-P", str(program), case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120.0, check=False)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "Abort(" not in line]
    assert lines == ["voxtrode: error: no way through"]
    assert (case == "on_one_rank") == ("Abort(" in done.stderr)


def test_failures_of_exceptions() -> None:
    """Errors raised on purpose are one line; others keep their traceback."""
    assert Failure.of(InputError("a\nb")) == Failure("InputError", 2, "a b")
    assert Failure.of(NumericalError("diverged")).status == 3
    assert Failure.of(KeyboardInterrupt()).status == 130
    bug = Failure.of(ZeroDivisionError("division by zero"))
    assert bug.status == 1
    assert "ZeroDivisionError: division by zero" in bug.message


def test_the_first_failure_in_a_file_stays(tmp_path: Path) -> None:
    """Later ranks fail of the first one's fault."""
    path = tmp_path / "mesh.error"
    Failure("InputError", 2, "the cause").write(path)
    Failure("RuntimeError", 1, "a consequence").write(path)
    assert Failure.read(path) == Failure("InputError", 2, "the cause")
