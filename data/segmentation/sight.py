"""What a network sees of a voxel: values of fields at points around it.

A first network sees the grey values of a ball. A second one sees what the first makes of the
voxels around, close by and, coarser, twice as far: surfaces are smooth over more voxels than the
ball holds (auto-context: Tu, Bai, IEEE Trans. Pattern Anal. Mach. Intell. 32 (2010) 1744,
doi:10.1109/TPAMI.2009.186).
"""

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Labels = NDArray[np.uint8]
Ints = NDArray[np.int64]

_CERTAIN = np.float32(6.0)  # logarithm of the odds of what is taken as certain
_UNIT = np.float32(3.0)  # of these logarithms, as a network sees them


def _ball(radius: int) -> Ints:
    points = np.indices((2 * radius + 1,) * 3).reshape(3, -1) - radius
    return points[:, np.square(points).sum(axis=0) <= radius**2]


_NEAR = _ball(2)
_AROUND = _ball(4)
_FAR = 2 * _ball(4)
_MARGIN = 8  # the farthest of them


@dataclass(frozen=True, eq=False)
class Sight:
    """Voxels and what is seen of each.

    Attributes:
        within: Their places in the flat fields, int64[n].
        fields: Flat fields, with a margin, float32.
        offsets: For each field the distances in memory to the points seen, turned and mirrored in
            48 ways, int64[48, m].
    """

    within: Ints
    fields: tuple[Singles, ...]
    offsets: tuple[Ints, ...]

    @property
    def ways(self) -> int:
        """Number of ways to turn and mirror."""
        return len(self.offsets[0])

    def patches(self, chosen: Ints | slice, way: int) -> Singles:
        """What is seen of some of the voxels, float32[n, inputs]."""
        at = self.within[chosen, None]
        return np.concatenate(
            [
                field[at + offsets[way]]
                for field, offsets in zip(self.fields, self.offsets, strict=True)
            ],
            axis=1,
        )


def inputs_of_grey() -> int:
    """Numbers that the first network sees."""
    return int(_AROUND.shape[1])


def inputs_of_odds(classes: int) -> int:
    """Numbers that the second network sees."""
    near, far = int(_NEAR.shape[1]), int(_FAR.shape[1])
    return near + (classes - 1) * (near + far)


def sight_of_grey(near: NDArray[np.bool_], grey: Singles) -> Sight:
    """Grey values of a ball around each chosen voxel."""
    within, shape = _places(near)
    return Sight(within, (_padded(grey),), (_offsets(shape, _AROUND),))


def sight_of_odds(near: NDArray[np.bool_], grey: Singles, odds: Singles) -> Sight:
    """Grey values close to each chosen voxel, and the odds of classes (`hard_odds`) around it."""
    within, shape = _places(near)
    close, far = _offsets(shape, _NEAR), _offsets(shape, _FAR)
    fields, offsets = [_padded(grey)], [close]
    for one in odds:
        field = _padded(one)
        fields += [field, field]
        offsets += [close, far]
    return Sight(within, tuple(fields), tuple(offsets))


def hard_odds(labels: Labels, classes: int) -> Singles:
    """Odds of known classes, float32[classes - 1, z, y, x]; see `soft_odds`."""
    table = np.full((classes, classes), -_CERTAIN)
    np.fill_diagonal(table, 0.0)
    return ((table[:, 1:] - table[:, :1]) / _UNIT).T[:, labels]


def soft_odds(chances: Singles) -> Singles:
    """Logarithms of the odds of each class against the first, float32[classes - 1, n]."""
    logs = np.log(np.maximum(chances, np.float32(1e-12)))
    odds: Singles = np.clip(logs[:, 1:] - logs[:, :1], -_CERTAIN, _CERTAIN).T / _UNIT
    return odds


def _places(near: NDArray[np.bool_]) -> tuple[Ints, tuple[int, ...]]:
    inside = np.pad(near, _MARGIN)
    return np.flatnonzero(inside), inside.shape


def _padded(field: Singles) -> Singles:
    return np.pad(field, _MARGIN, mode="symmetric").ravel()


def _offsets(shape: tuple[int, ...], points: Ints) -> Ints:
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    ways = product(permutations(range(3)), product((1, -1), repeat=3))
    return np.stack([(strides * signs) @ points[list(order)] for order, signs in ways])
