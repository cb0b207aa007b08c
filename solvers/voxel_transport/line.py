"""How the layers of a volume lie on ranks, one slab of them each, in order along z."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from voxtrode.data.errors import InputError, VoxtrodeError

IMBALANCE = 1.15
"""A slab may be thicker than the mean by this factor, so that more levels keep whole aggregates."""

_TAG = 7402


class Line(Protocol):
    """The slabs of a volume."""

    @property
    def starts(self) -> tuple[int, ...]:
        """First layer of each slab, and the number of layers at the end."""

    @property
    def rank(self) -> int:
        """Which slab is at hand."""

    def exchange(self, cells: NDArray[Any], periodic: bool) -> None:
        """Fill the ghost layers below and above from the neighbours."""

    def join(self, layers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers per layer of this slab become those of the volume, float64[…, layers]."""

    def collect(self, item: Any) -> list[Any]:
        """One small thing of each slab, in order."""

    def spread(self, cells: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
        """Layers of all slabs, without ghosts, float32[layers, y, x], for every rank."""

    def at(self, starts: tuple[int, ...]) -> "Line":
        """The same ranks on a coarser level."""


@dataclass(frozen=True)
class Alone:
    """One slab, without neighbours."""

    starts: tuple[int, ...]
    rank: int = 0

    def exchange(self, cells: NDArray[Any], periodic: bool) -> None:
        """Copy the outer layers across, where they are neighbours."""
        if periodic:
            cells[0], cells[-1] = cells[-2], cells[1]

    def join(self, layers: NDArray[np.float64]) -> NDArray[np.float64]:
        """As they are."""
        return layers

    def collect(self, item: Any) -> list[Any]:
        """As it is."""
        return [item]

    def spread(self, cells: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
        """As they are."""
        whole[:] = cells

    def at(self, starts: tuple[int, ...]) -> "Alone":
        """One slab still."""
        return Alone(starts)


@dataclass(frozen=True)
class Ranks:
    """One slab a rank; every method is collective.

    Attributes:
        starts: First layer of each slab, and the number of layers at the end.
        comm: Communicator of as many ranks as there are slabs.
    """

    starts: tuple[int, ...]
    comm: MPI.Comm

    @property
    def rank(self) -> int:
        """Which slab is at hand."""
        return int(self.comm.rank)

    def exchange(self, cells: NDArray[Any], periodic: bool) -> None:
        """Send the outer layers to the neighbours, and receive theirs."""
        rank, size = self.comm.rank, self.comm.size
        below = (rank - 1) % size if periodic or rank > 0 else MPI.PROC_NULL
        above = (rank + 1) % size if periodic or rank < size - 1 else MPI.PROC_NULL
        self.comm.Sendrecv(cells[-2], above, _TAG, cells[0], below, _TAG)
        self.comm.Sendrecv(cells[1], below, _TAG, cells[-1], above, _TAG)

    def join(self, layers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gather a number or a few per layer."""
        whole = np.empty((self.starts[-1], *layers.shape[:-1]))
        counts = np.diff(self.starts) * int(np.prod(layers.shape[:-1], dtype=np.int64))
        mine = np.ascontiguousarray(np.moveaxis(layers, -1, 0))
        self.comm.Allgatherv(mine, [whole, counts])
        return np.moveaxis(whole, 0, -1)

    def collect(self, item: Any) -> list[Any]:
        """Gather it."""
        return list(self.comm.allgather(item))

    def spread(self, cells: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
        """Gather the layers of a level that is coarse enough for every rank to hold all of it."""
        counts = np.diff(self.starts) * int(np.prod(cells.shape[1:]))
        self.comm.Allgatherv(np.array(cells), [whole, counts])  # a copy: cells may lie in whole

    def at(self, starts: tuple[int, ...]) -> "Ranks":
        """The same ranks."""
        return Ranks(starts, self.comm)


def slab_starts(layers: int, ranks: int) -> tuple[int, ...]:
    """Where slabs begin: at multiples of a power of two, so that coarser levels keep whole cells.

    Args:
        layers: Of the volume, at least one.
        ranks: How many there are; some get no layer where the volume has fewer than ranks.

    Returns:
        First layer of each rank's slab, and `layers` at the end: ``ranks + 1`` numbers. Empty slabs
        come last.
    """
    used = min(layers, ranks)
    thickest = IMBALANCE * layers / used
    block = 1
    while used > 1 and layers > 2 * block * (used - 1):
        if _thickest(layers, used, 2 * block) > thickest:
            break
        block *= 2
    blocks = -(-layers // block)
    starts = [min(blocks * i // used * block, layers) for i in range(used + 1)]
    return (*starts, *[layers] * (ranks - used))


def _thickest(layers: int, ranks: int, block: int) -> int:
    blocks = -(-layers // block)
    return max(blocks * (i + 1) // ranks - blocks * i // ranks for i in range(ranks)) * block


def on_slabs[T](
    work: Callable[[Line], T], labels: NDArray[np.uint8], comm: MPI.Intracomm | None
) -> T | None:
    """Do something on the ranks that have layers; collective.

    Args:
        work: What; collective on the line it is given.
        labels: The layers at hand.
        comm: All ranks; None: this process alone.

    Returns:
        What came of it; None on ranks without layers.

    Raises:
        InputError: The layers at hand are not those of `slab_starts`.
        VoxtrodeError: Any that the work raises, on all ranks.
    """
    if comm is None or comm.size == 1:
        if len(labels) == 0:
            raise InputError("labels have no layer: give a non-empty uint8[z, y, x]")
        return work(Alone((0, len(labels))))
    counts = comm.allgather(len(labels))
    starts = slab_starts(max(sum(counts), 1), comm.size)
    if list(np.diff(starts)) != counts:
        raise InputError(
            f"slabs of {counts} layers on {comm.size} ranks: give those of slab_starts, which are "
            f"{[int(n) for n in np.diff(starts)]}"
        )
    used = comm.size - counts.count(0)
    part = comm.Split(int(comm.rank >= used), comm.rank)
    result: T | None = None
    error: VoxtrodeError | None = None
    try:
        if comm.rank < used:
            result = work(Ranks(starts[: used + 1], part))
    except VoxtrodeError as raised:  # on all ranks that take part; the others hear of it
        error = raised
    finally:
        part.Free()
    error = comm.bcast(error)
    if error is not None:
        raise error
    return result
