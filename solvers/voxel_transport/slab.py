"""What a slab of layers needs from the others: its ghosts filled, and sums over all layers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voxtrode.solvers.voxel_transport.kernels import Cells, Layers

Total = Callable[[Layers], float]


def add_layers(layers: Layers) -> float:
    """The sum over the layers of the whole volume, in their order."""
    return float(np.sum(layers))


@dataclass(frozen=True)
class Slab:
    """The layers at hand, here all of them.

    Attributes:
        periodic: Which of the axes z, y, x are periodic.
        total: Adds up a number per layer over all slabs.
    """

    periodic: tuple[bool, bool, bool]
    total: Total = add_layers

    def fill(self, cells: Cells) -> None:
        """Copy the cells at periodic sides into the ghosts opposite."""
        for axis, periodic in enumerate(self.periodic):
            if periodic:
                turned = np.moveaxis(cells, axis, 0)
                turned[0], turned[-1] = turned[-2], turned[1]
