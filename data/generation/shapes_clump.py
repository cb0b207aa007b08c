"""Balls that fill a body of any shape, to stand for it while it is packed."""

from functools import cache

import numpy as np
from scipy import ndimage

from voxtrode.data.generation.shape import Floats, Shape
from voxtrode.data.generation.shapes_sampling import directions, lattice

MOST_BALLS = 40
GOAL = 0.92
"""Share of the body's volume at which no more balls are added."""
_POINTS = 24_000
_CANDIDATES = 800
_DENSE = 3_000


@cache
def fill_with_balls(shape: Shape) -> tuple[Floats, Floats]:
    """Fill a body greedily with overlapping balls that lie inside it.

    Each ball is the one, of all largest balls about the points of a lattice, that covers most of
    what is not covered yet. At most `MOST_BALLS` are given: they cover 75 to 90 % of a compact
    body (sharp corners and narrow bumps stay out), 70 % of a plate five times as wide as thick and
    a quarter of one ten times as wide, whose balls are no wider than its thickness.

    Args:
        shape: Hashable; the answer is kept.

    Returns:
        Centres (z, y, x), float[k, 3], and radii, float[k], biggest gain first; read-only.
    """
    points, step = lattice(shape, _POINTS)
    inside = (shape.gauge(points.reshape(-1, 3)) < 1.0).reshape(points.shape[:3])
    depth = ndimage.distance_transform_edt(inside)[inside] * step - 0.5 * step
    places = points[inside]
    # A candidate every so many points; the deepest are the best ones, so that none of them is lost.
    order = np.argsort(-depth, kind="stable")
    chosen = np.unique(
        np.concatenate([order[:64], np.arange(0, len(places), _stride(len(places)))])
    )
    # The centre is the best of all in a symmetric body, but need not be a point of the lattice.
    candidates = np.vstack([places[chosen], np.zeros((1, 3))])
    ways = directions(400)
    radii = np.append(depth[chosen], _largest_radius(shape, np.zeros(3), 2.0 * depth.max(), ways))
    covers = _squares(places, candidates) < radii**2
    gain = covers.sum(axis=0)
    open_points = np.ones(len(places), dtype=bool)
    found: list[tuple[Floats, float]] = []
    while len(found) < MOST_BALLS and open_points.sum() > (1.0 - GOAL) * len(places):
        best = int(gain.argmax())
        radius = _largest_radius(shape, candidates[best], radii[best] + step, ways)
        gained = ((places - candidates[best]) ** 2).sum(axis=1) < radius**2
        gained &= open_points
        if not gained.any():
            break
        found.append((candidates[best], radius))
        open_points &= ~gained
        gain -= covers[gained].sum(axis=0)
        gain[best] = 0
    centres = np.array([centre for centre, _ in found])
    sizes = np.array([radius for _, radius in found])
    centres.flags.writeable = sizes.flags.writeable = False
    return centres, sizes


def _stride(count: int) -> int:
    return max(1, count // _CANDIDATES)


def _squares(points: Floats, others: Floats) -> Floats:
    """Squared distance of each point to each other, float[n, m], without a dot product's errors."""
    squares = np.zeros((len(points), len(others)))
    for axis in range(3):
        squares += (points[:, axis, None] - others[:, axis]) ** 2
    return squares


def _largest_radius(shape: Shape, centre: Floats, most: float, ways: Floats) -> float:
    """Radius of the largest ball about a point inside a body, judged in many directions."""
    low, high = 0.0, most
    for _ in range(14):
        middle = 0.5 * (low + high)
        if (shape.gauge(centre + middle * ways) < 1.0).all():
            low = middle
        else:
            high = middle
    # Few directions miss corners: they are looked for once the radius is nearly known.
    dense = directions(_DENSE)
    while (shape.gauge(centre + low * dense) > 1.0).any():
        low *= 0.997
    return low
