"""Fragments: irregular convex polyhedra, as crushing leaves them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.spatial import ConvexHull

from voxtrode.data.errors import InputError
from voxtrode.data.generation.shape import Floats
from voxtrode.data.generation.shapes_clump import fill_with_balls
from voxtrode.data.generation.shapes_sampling import directions

_SCATTER = 0.3
_FARTHEST = 2.2


@dataclass(frozen=True)
class Fragment:
    """What random planes cut out around their centre, with the volume of the ball of diameter 1.

    The planes face all sides, more or less evenly; the centroid is the origin.

    Attributes:
        seed: The same seed gives the same polyhedron.
        planes: How many planes cut it; most but not all of them become faces.
        irregularity: The planes' distances vary by ± this share, 0 to 0.5.
        ratios: Stretch along (z, y, x), shortest first to make z the short axis.

    Raises:
        InputError: A value is out of range.
    """

    seed: int
    planes: int = 16
    irregularity: float = 0.25
    ratios: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}: expected a whole number from 0")
        if not 6 <= self.planes <= 200:
            raise InputError(f"planes is {self.planes}: expected 6 to 200 for a fragment")
        if not 0.0 <= self.irregularity <= 0.5:
            raise InputError(f"irregularity is {self.irregularity:g}: expected 0 to 0.5")
        if not all(0.0 < r < np.inf for r in self.ratios):
            raise InputError(f"ratios are {self.ratios}: expected three positive numbers")

    @cached_property
    def _faces(self) -> tuple[Floats, float]:
        """Vectors f with gauge = max f·x, and the reach."""
        random = np.random.default_rng(self.seed)
        while True:
            duals, corners = self._cut(random)
            if np.sqrt((corners**2).sum(axis=1)).max() < _FARTHEST:
                break
        stretch = np.asarray(self.ratios)
        corners, duals = corners * stretch, duals / stretch
        volume, centroid = _volume_and_centroid(corners)
        # f·x < 1 about the old origin is f·y < 1 - f·c about the centroid c.
        duals = duals / (1.0 - (duals * centroid).sum(axis=1))[:, None]
        size = float(np.cbrt(np.pi / 6.0 / volume))
        reach = float(np.sqrt(((corners - centroid) ** 2).sum(axis=1)).max()) * size
        return duals / size, reach

    def _cut(self, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Planes f·x = 1 and the corners they cut out; far corners where a side stays open."""
        normals = directions(self.planes) + random.normal(0.0, _SCATTER, (self.planes, 3))
        normals /= np.sqrt((normals**2).sum(axis=1))[:, None]
        spread = self.irregularity * random.uniform(-1.0, 1.0, self.planes)
        duals = normals / (1.0 + spread)[:, None]
        # The faces of the hull of the dual points are the corners of the polyhedron.
        hull = ConvexHull(duals)
        offsets = np.minimum(hull.equations[:, 3], -1e-6)
        return duals, -hull.equations[:, :3] / offsets[:, None]

    @property
    def reach(self) -> float:
        """Distance of the farthest corner."""
        return self._faces[1]

    def gauge(self, points: Floats) -> Floats:
        """The largest of the planes' ratios of distances."""
        return _largest_ratio(np.ascontiguousarray(points), self._faces[0])

    def clump(self) -> tuple[Floats, Floats]:
        """Balls that fill it."""
        return fill_with_balls(self)


def _volume_and_centroid(corners: Floats) -> tuple[float, Floats]:
    hull = ConvexHull(corners)
    inner = corners.mean(axis=0)
    triangles = corners[hull.simplices]
    sides = triangles - inner
    volumes = np.abs((np.cross(sides[:, 0], sides[:, 1]) * sides[:, 2]).sum(axis=1)) / 6.0
    middles = (triangles.sum(axis=1) + inner) / 4.0
    volume = float(volumes.sum())
    return volume, (volumes[:, None] * middles).sum(axis=0) / volume


@njit(cache=True)
def _largest_ratio(points: Floats, faces: Floats) -> Floats:
    values = np.empty(len(points))
    for i in range(len(points)):
        largest = -np.inf
        for j in range(len(faces)):
            ratio = (
                points[i, 0] * faces[j, 0] + points[i, 1] * faces[j, 1] + points[i, 2] * faces[j, 2]
            )
            largest = max(largest, ratio)
        values[i] = largest
    return values
