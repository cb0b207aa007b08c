"""A volume that bodies are painted on, and balls at random places in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.generation.composite_paint import Ids, Labels, paint_ball
from voxtrode.data.interfaces import Triple

_BATCH = 1024


@dataclass(frozen=True, eq=False)
class Canvas:
    """What is painted on.

    Attributes:
        labels: Label of each voxel, changed in place, uint8[z, y, x].
        particles: Particle of each voxel, 0 outside, int32[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        free: Label that may be painted over.
    """

    labels: Labels
    particles: Ids
    voxel: Triple
    free: int

    @property
    def unit(self) -> float:
        """The smallest edge length [m]: the unit of lengths while painting."""
        return min(self.voxel)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edge lengths in that unit, float[3]."""
        return np.asarray(self.voxel) / self.unit


def scatter_balls(
    canvas: Canvas,
    what: str,
    diameter: float,
    count: int,
    value: int,
    random: np.random.Generator,
) -> int:
    """Paint balls at random places until exactly `count` free voxels are painted.

    Centres are drawn evenly from the free voxels of the box and of its mirror images within a
    radius, so that the balls are as many at its sides as inside. A ball loses what is not free.

    Args:
        canvas: With `count` free voxels at least.
        what: Name of the balls in messages.
        diameter: [m].
        count: Number of voxels.
        value: Label that is painted.
        random: Source of the centres.

    Returns:
        The number of balls that painted something.

    Raises:
        InputError: The voxels are too coarse for the diameter.
    """
    check_resolved(what, diameter, canvas.voxel)
    edges, radius = canvas.edges, 0.5 * diameter / canvas.unit
    margin = np.ceil(radius / edges).astype(np.int64)
    number = painted = 0
    while painted < count:
        mirrored = np.pad(canvas.labels, [(m, m) for m in margin], mode="symmetric")
        sites = np.flatnonzero(mirrored == canvas.free)
        missed = 0
        # What was painted since is missed; when that is half of the draws, the sites are stale.
        while painted < count and missed <= _BATCH // 2:
            missed = 0
            chosen = sites[random.integers(len(sites), size=_BATCH)]
            cells = (
                np.stack(np.unravel_index(chosen, mirrored.shape), axis=1).astype(np.int64) - margin
            )
            centres = cells + random.random((_BATCH, 3))
            cells = _reflected(cells, np.asarray(canvas.labels.shape, dtype=np.int64))
            for centre, cell in zip(centres, cells, strict=True):
                if painted == count:
                    break
                if canvas.labels[cell[0], cell[1], cell[2]] != canvas.free:
                    missed += 1
                    continue
                new = paint_ball(
                    canvas.labels, centre, radius, edges, count - painted, canvas.free, value
                )
                painted += new
                number += new > 0
    return number


def _reflected(cells: NDArray[np.int64], shape: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of voxels in the box, of which those given are mirror images; int[n, 3]."""
    cells = np.mod(cells, 2 * shape)
    inside: NDArray[np.int64] = np.where(cells < shape, cells, 2 * shape - 1 - cells)
    return inside


def check_resolved(what: str, diameter: float, voxel: Triple) -> None:
    """Refuse bodies thinner than a voxel.

    Raises:
        InputError: The diameter is below the largest edge length.
    """
    if diameter < max(voxel) * (1.0 - 1e-9):
        raise InputError(
            f"{what} of diameter {diameter:g} m in voxels of up to {max(voxel):g} m: expected a "
            "voxel per diameter at least; give smaller voxels or a larger diameter"
        )
