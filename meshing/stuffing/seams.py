"""What ranks with neighbouring windows tell each other: moved points, and numbers of points."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.exchange import gathered_offsets
from voxtrode.meshing.stuffing.window import Window

Keys = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seams:
    """Which ranks hold which points.

    Attributes:
        comm: Communicator; every method is collective on it.
        own: First key of every rank's own points; those of a rank end where the next one's begin.
        held: Key range that every rank holds, shape ``(ranks, 2)``.
    """

    comm: MPI.Intracomm
    own: Keys
    held: Keys

    @classmethod
    def between(cls, comm: MPI.Intracomm, window: Window) -> "Seams":
        """Tell each other the windows; collective."""
        ranges = comm.allgather((window.own, window.held))
        box = window.box
        own = np.array([box.key_range(*own)[0] for own, _ in ranges], dtype=np.int64)
        held = np.array([box.key_range(lo, hi + 1) for _, (lo, hi) in ranges], dtype=np.int64)
        return cls(comm, own, held)

    def agree(self, keys: Keys, places: Floats) -> tuple[Keys, Floats]:
        """Send points to the ranks that hold them, too; returns what others sent."""
        outgoing: list[tuple[Keys, Floats]] = []
        for rank in range(self.comm.size):
            low, high = self.held[rank]
            there = (keys >= low) & (keys < high) & (rank != self.comm.rank)
            outgoing.append((keys[there], places[there]))
        incoming = self.comm.alltoall(outgoing)
        return (
            np.concatenate([part for part, _ in incoming]),
            np.concatenate([part for _, part in incoming]),
        )

    def numbers(self, own: Keys, wanted: Keys) -> npt.NDArray[np.int64]:
        """Global numbers of points: rank by rank, ascending with their keys.

        Args:
            own: Keys of this rank's own points, ascending.
            wanted: Keys of points on any rank.
        """
        first = int(gathered_offsets(self.comm, len(own))[self.comm.rank])
        owner = np.searchsorted(self.own, wanted, side="right") - 1
        asked = [wanted[owner == rank] for rank in range(self.comm.size)]
        answers = [np.searchsorted(own, keys) + first for keys in self.comm.alltoall(asked)]
        result = np.empty(len(wanted), dtype=np.int64)
        for rank, part in enumerate(self.comm.alltoall(answers)):
            result[owner == rank] = part
        return result
