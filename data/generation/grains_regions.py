"""Pieces of a particle that are to be divided into grains, and their division into cells."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from voxtrode.data.generation.shape import Floats

Ints = NDArray[np.intp]

_ROUNDS = 3
_SAMPLE_PER_CELL = 80
_SAMPLE = 60_000


@dataclass(frozen=True, eq=False)
class Region:
    """Voxels of one particle.

    Attributes:
        points: Centres of its voxels (z, y, x) [m], float[m, 3].
        depth: Distance of each to the particle's surface [m], float[m].
        centre: Centroid of the particle (z, y, x) [m].
        volume: Of one voxel [m³]; where there is a normal, its area across that [m²].
        normal: Axis across a section one voxel thick; None in a volume.
    """

    points: Floats
    depth: Floats
    centre: Floats
    volume: float
    normal: int | None

    def __len__(self) -> int:
        return len(self.points)

    def part(self, which: NDArray[np.bool_]) -> "Region":
        """Some of the voxels."""
        return Region(self.points[which], self.depth[which], self.centre, self.volume, self.normal)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes in which the region extends."""
        return tuple(axis for axis in range(3) if axis != self.normal)

    @cached_property
    def radial(self) -> Floats:
        """Unit vectors from the centre, float[m, 3]; along the first axis at the centre itself."""
        return unit(self.points - self.centre, self.axes[0])

    def count(self, grain_size: float) -> int:
        """How many grains of an equivalent diameter fill the region; at least one."""
        dimensions = len(self.axes)
        ball = np.pi / (2 * dimensions) * grain_size**dimensions
        return max(1, round(len(self) * self.volume / ball))


def unit(vectors: Floats, fallback: int) -> Floats:
    """Vectors of length 1; the basis vector of an axis where the length is nothing."""
    lengths = np.sqrt((vectors**2).sum(axis=1))
    result = np.zeros_like(vectors)
    np.divide(vectors, lengths[:, None], out=result, where=lengths[:, None] > 0.0)
    result[lengths == 0.0, fallback] = 1.0
    return result


def cells(points: Floats, count: int, random: np.random.Generator) -> Ints:
    """Voronoi cells of points, evened out by three of Lloyd's rounds on a sample of the points.

    Args:
        points: In whatever space their distances are to be judged, float[m, k].
        count: Number of seeds, drawn from the points.
        random: Draws the seeds and the sample.

    Returns:
        Cell 0..count-1 of each point, int[m]; a cell may be empty.
    """
    if count == 1:
        return np.zeros(len(points), dtype=np.intp)
    count = min(count, len(points))
    wanted = min(len(points), max(_SAMPLE, _SAMPLE_PER_CELL * count))
    sample = points[np.sort(random.permutation(len(points))[:wanted])]
    seeds = sample[random.permutation(len(sample))[:count]]
    for _ in range(_ROUNDS):
        owner = cKDTree(seeds).query(sample)[1]
        sizes = np.bincount(owner, minlength=count)
        for axis in range(points.shape[1]):
            sums = np.bincount(owner, weights=sample[:, axis], minlength=count)
            seeds[:, axis] = np.where(sizes > 0, sums / np.maximum(sizes, 1), seeds[:, axis])
    return np.asarray(cKDTree(seeds).query(points)[1], dtype=np.intp)
