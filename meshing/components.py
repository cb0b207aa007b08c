"""Connected components of a mask that is cut into slabs along z, one slab a rank."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

_TAG = 7401


@dataclass(frozen=True)
class SlabLabeller:
    """Labels face-connected components across slabs; ids are global.

    Every rank's array holds its own layers and one halo layer on each side where a neighbouring
    rank exists. Every rank has at least one layer of its own.

    Attributes:
        comm: Communicator; ranks are ordered along z.
    """

    comm: MPI.Intracomm

    @property
    def below(self) -> bool:
        """Whether a rank lies below, so that the first layer is a halo."""
        return self.comm.rank > 0

    @property
    def above(self) -> bool:
        """Whether a rank lies above, so that the last layer is a halo."""
        return self.comm.rank < self.comm.size - 1

    def label(self, mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], int]:
        """Face-connected components of ``mask``.

        Args:
            mask: This rank's layers with halos, shape ``(layers, ny, nx)``.

        Returns:
            Global ids (0 outside the mask, components from 1) on the same layers, halos
            included, and the number of components of the whole volume. Collective.
        """
        local, count = ndimage.label(mask)
        before = self.comm.exscan(count) or 0
        total = self.comm.allreduce(count)
        ids = np.where(local > 0, local.astype(np.int64) + before, 0)
        pairs = np.concatenate(self.comm.allgather(self._seams(ids)))
        graph = sparse.coo_matrix(
            (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])),
            shape=(total + 1, total + 1),
        )
        n, merged = connected_components(graph, directed=False)
        # Id 0 (outside) is its own component and comes first: ids of the graph follow the rows.
        return merged[ids].astype(np.int64), int(n) - 1

    def any_of(self, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Logical or over the ranks, entry by entry (for flags kept per global id)."""
        result = np.empty_like(flags)
        self.comm.Allreduce(flags, result, op=MPI.LOR)
        return result

    def _seams(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Pairs of ids that name the same voxel on this rank and on the rank below."""
        pairs = np.empty((0, 2), dtype=np.int64)
        request = None
        if self.above:
            request = self.comm.Isend(np.ascontiguousarray(ids[-2:]), self.comm.rank + 1, _TAG)
        if self.below:
            theirs = np.empty_like(ids[:2])
            self.comm.Recv(theirs, self.comm.rank - 1, _TAG)
            mine = ids[:2]
            both = mine > 0
            pairs = np.unique(np.stack([mine[both], theirs[both]], axis=1), axis=0)
        if request is not None:
            request.Wait()
        return pairs
