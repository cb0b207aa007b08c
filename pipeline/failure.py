"""Errors that end a process: said once, in one line, with the right exit status, on any rank count.

When every rank fails (a fault that all see alike) they leave together and nothing else is printed.
When only some fail, the others may wait for them for ever: after a short patience the failing rank
speaks and aborts the job.
"""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from voxtrode.data.errors import InputError, NotAvailableError, NumericalError, VoxtrodeError
from voxtrode.pipeline.records import read_json, write_json

PATIENCE = 3.0  # seconds that a failing rank waits for the others to fail, too
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """An error as it reaches the user.

    Attributes:
        kind: Class of the error.
        status: Exit status.
        message: One line for errors raised on purpose; a traceback for others.
    """

    kind: str
    status: int
    message: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """The failure that an exception means."""
        if isinstance(error, KeyboardInterrupt):
            return cls("KeyboardInterrupt", INTERRUPTED, "interrupted")
        if isinstance(error, VoxtrodeError):
            text = str(error)
            line = text if error.exit_status == 1 else " ".join(text.split())
            return cls(type(error).__name__, error.exit_status, line)
        return cls(type(error).__name__, 1, "".join(traceback.format_exception(error)).rstrip())

    @classmethod
    def read(cls, path: Path) -> "Failure | None":
        """The failure in a file; None where there is none."""
        tree = read_json(path)
        return cls(**tree) if tree else None

    def write(self, path: Path) -> None:
        """Writes the failure to a file, unless another rank has."""
        if not path.exists():
            write_json(path, asdict(self))

    def print(self) -> None:
        """Says what went wrong on standard error."""
        sys.stdout.flush()
        sys.stderr.write(f"voxtrode: error: {self.message}\n")
        sys.stderr.flush()

    def error(self) -> VoxtrodeError:
        """An exception that means this failure again, in another process."""
        known = {kind.__name__: kind for kind in (InputError, NotAvailableError, NumericalError)}
        found = known.get(self.kind, VoxtrodeError)(self.message)
        found.exit_status = self.status
        return found


def leave(error: BaseException, comm: Any, announce: Callable[[Failure], None]) -> NoReturn:
    """Ends this process after an error; collective where it can be, safe where it cannot.

    Args:
        error: What went wrong on this rank.
        comm: A communicator of all ranks that nothing else uses, or None for one process.
        announce: Tells the user; called on one rank where all ranks fail.
    """
    failure = Failure.of(error)
    if comm is None or comm.size == 1:
        announce(failure)
        sys.exit(failure.status)
    if not _all_arrive(comm):
        announce(failure)
        comm.Abort(failure.status)
    telling = min(comm.allgather(failure), key=lambda each: each.status == 1)
    if comm.rank == 0:
        announce(telling)
    comm.Barrier()
    sys.exit(telling.status)


def _all_arrive(comm: Any) -> bool:
    request = comm.Ibarrier()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if request.Test():
            return True
        time.sleep(0.01)
    return False
