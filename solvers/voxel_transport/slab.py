"""What a slab of layers needs from the others: its ghosts filled, and sums over all layers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.line import Alone, Line
from voxtrode.solvers.voxel_transport.storage import Cells


@dataclass(frozen=True)
class Slab:
    """The layers at hand.

    Attributes:
        periodic: Which of the axes z, y, x are periodic.
        line: The slabs along z.
    """

    periodic: tuple[bool, bool, bool]
    line: Line

    def fill(self, cells: Cells) -> None:
        """Copy the neighbours' cells, in other slabs and across periodic sides, into the ghosts."""
        self.line.exchange(cells, self.periodic[0])
        if self.periodic[1]:
            cells[:, 0], cells[:, -1] = cells[:, -2], cells[:, 1]
        if self.periodic[2]:
            cells[:, :, 0], cells[:, :, -1] = cells[:, :, -2], cells[:, :, 1]

    def total(self, layers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over the layers of the whole volume, in their order; float64[…]."""
        return np.asarray(np.sum(np.ascontiguousarray(self.line.join(layers)), axis=-1))

    def added(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over the slabs, in their order."""
        return np.asarray(np.sum(self.line.collect(values), axis=0))

    def ends(self, axis: int) -> tuple[bool, bool]:
        """Whether the layers at hand touch the first and the last face of the volume."""
        if axis != 0:
            return True, True
        return self.line.rank == 0, self.line.rank == len(self.line.starts) - 2

    def halved(self, half: int) -> "Slab":
        """The slabs on the next coarser level, whose layers are the aggregates of two of these."""
        starts = tuple(-(-start // (1 + half)) for start in self.line.starts)
        return Slab(self.periodic, self.line.at(starts))

    @property
    def lasting(self) -> bool:
        """Whether slabs hold whole aggregates of two layers, so that each can coarsen its own."""
        return len(self.line.starts) == 2 or not any(start % 2 for start in self.line.starts[1:-1])

    def whole(self) -> "Slab":
        """All layers in one slab."""
        return Slab(self.periodic, Alone((0, self.line.starts[-1])))
