"""What a stage may ask of a communicator: mpi4py's, or the serial stand-in for one process."""

from collections.abc import Callable
from typing import Any, Protocol, cast


class Communicator(Protocol):
    """The part of `mpi4py.MPI.Comm` that the pipeline uses itself (lower-case, any object)."""

    @property
    def rank(self) -> int:
        """Rank of this process."""
        ...

    @property
    def size(self) -> int:
        """Number of processes."""
        ...

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """The root's object, on every rank."""
        ...

    def allgather(self, sendobj: Any) -> list[Any]:
        """Every rank's object, in the order of ranks, on every rank."""
        ...

    def barrier(self) -> None:
        """Waits for every rank."""
        ...


class Serial:
    """One process that has not started MPI."""

    rank = 0
    size = 1

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """The object itself."""
        del root
        return obj

    def allgather(self, sendobj: Any) -> list[Any]:
        """A list of the one object."""
        return [sendobj]

    def barrier(self) -> None:
        """Returns at once."""


def on_root[T](comm: Communicator, function: Callable[[], T]) -> T:
    """Calls `function` on rank 0 alone; every rank returns its result or raises its error."""
    result: T | None = None
    error: Exception | None = None
    if comm.rank == 0:
        try:
            result = function()
        except Exception as raised:  # handed to every rank, so that none waits for ever
            error = raised
    result, error = comm.bcast((result, error))
    if error is not None:
        raise error
    return cast(T, result)
