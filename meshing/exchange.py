"""Values held in contiguous blocks across ranks, read and written by global index.

The only communication pattern of the mesh files: a global array of ``n`` rows is cut into one
contiguous block a rank; any rank reads or writes the rows that it names, whoever holds them.
No rank ever holds more than its own block and its own requests.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI


def gathered_offsets(comm: MPI.Intracomm, rows: int) -> npt.NDArray[np.int64]:
    """Offsets of blocks of any size: first row of every rank's block, and the total at the end.

    Args:
        comm: Communicator; collective.
        rows: Rows of this rank's block.
    """
    return np.concatenate([[0], np.cumsum(comm.allgather(rows))]).astype(np.int64)


def block_offsets(n: int, size: int) -> npt.NDArray[np.int64]:
    """First global row of every rank's block, and ``n`` at the end.

    Args:
        n: Number of rows of the global array.
        size: Number of ranks.

    Returns:
        ``size + 1`` offsets; the blocks differ by one row at most.
    """
    return np.array([n * rank // size for rank in range(size + 1)], dtype=np.int64)


@dataclass(frozen=True)
class Exchange:
    """Who asks whom for which rows; made once, used for any number of arrays.

    Attributes:
        comm: Communicator; every method is collective on it.
        offsets: Block boundaries, ``size + 1`` entries.
        order: Permutation that sorts this rank's requests by owner.
        sent: Number of this rank's requests to each rank.
        received: Number of requests from each rank.
        rows: Requested rows, as indices into this rank's block, in order of asking rank.
    """

    comm: MPI.Intracomm
    offsets: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    sent: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @classmethod
    def create(
        cls, comm: MPI.Intracomm, indices: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]
    ) -> "Exchange":
        """Agree on the requests.

        Args:
            comm: Communicator; collective.
            indices: Global rows that this rank reads or writes, in any order.
            offsets: First row of every rank's block and the number of rows at the end.
        """
        owner = np.searchsorted(offsets, indices, side="right") - 1
        order = np.argsort(owner, kind="stable")
        sent = np.bincount(owner, minlength=comm.size).astype(np.int64)
        received = np.empty_like(sent)
        comm.Alltoall(sent, received)
        rows = np.empty(int(received.sum()), dtype=np.int64)
        asked = np.ascontiguousarray(indices[order], dtype=np.int64)
        comm.Alltoallv([asked, sent], [rows, received])
        return cls(comm, offsets, order, sent, received, rows - offsets[comm.rank])

    @property
    def block(self) -> slice:
        """This rank's rows of the global array."""
        return slice(int(self.offsets[self.comm.rank]), int(self.offsets[self.comm.rank + 1]))

    def get(self, block: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Values of the requested rows.

        Args:
            block: This rank's rows, shape ``(rows of the block, ...)``.

        Returns:
            Shape ``(requests, ...)``, in the order of the requests.
        """
        width = int(np.prod(block.shape[1:], dtype=np.int64))
        answer = np.ascontiguousarray(block[self.rows])
        values = np.empty((self.order.size, *block.shape[1:]), dtype=block.dtype)
        self.comm.Alltoallv([answer, self.received * width], [values, self.sent * width])
        result = np.empty_like(values)
        result[self.order] = values
        return result

    def put(
        self, values: npt.NDArray[np.generic], fill: float | int | bool
    ) -> npt.NDArray[np.generic]:
        """Write rows into the global array; rows named twice must carry equal values.

        Args:
            values: Shape ``(requests, ...)``, in the order of the requests.
            fill: Value of rows that nobody writes.

        Returns:
            This rank's block, shape ``(rows of the block, ...)``.
        """
        width = int(np.prod(values.shape[1:], dtype=np.int64))
        outgoing = np.ascontiguousarray(values[self.order])
        incoming = np.empty((self.rows.size, *values.shape[1:]), dtype=values.dtype)
        self.comm.Alltoallv([outgoing, self.sent * width], [incoming, self.received * width])
        size = int(self.offsets[self.comm.rank + 1] - self.offsets[self.comm.rank])
        block = np.full((size, *values.shape[1:]), fill, dtype=values.dtype)
        block[self.rows] = incoming
        return block
