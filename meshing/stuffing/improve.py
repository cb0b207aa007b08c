"""Moves of single points that lift the worst cells of a stuffed mesh.

Stuffing bounds the dihedral angles of most cells; a few at interfaces and where three phases meet
come out flat. Rounds of moves of points that share no cell raise the worst cell around each point,
a local non-smooth optimisation as in Freitag and Ollivier-Gooch (1997), Int. J. Numer. Meth. Eng.
40, 3979. Who moves in a round follows from keys, and a move from the cells around the point, so
the mesh is the same to the last bit on any number of ranks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from voxtrode.meshing.quality import extreme_cosines, shape_measures
from voxtrode.meshing.stuffing.rounds import Body, Cells, Flags, Floats, Keys, Rounds, Rows

Agree = Callable[[Keys, Floats], tuple[Keys, Floats]]

STEPS = (2.0, 5.0, 10.0)  # degrees; the evidence counts cells below each and below the target
MARGIN = 1e-9  # of a cosine: rounding may differ from that of the squared sine


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Attributes:
        target: Cells with a dihedral angle below this or above 180 minus this are worked on
            [degrees].
        rounds: Largest number of rounds; of the points in question each tries about a third.
    """

    target: float = 15.0
    rounds: int = 40


@dataclass(frozen=True)
class Sharing:
    """What one rank of several needs to know.

    Each rank holds all cells around its own points and around the neighbours of its own points.

    Attributes:
        owned: Points whose moves this rank decides; each point is owned by one rank.
        agree: Takes the keys and positions of the own points tried in a round, moved or not, and
            returns those of the other ranks: all, or those held here. Called once in each of
            ``Effort.rounds``, so it may be collective.
    """

    owned: Flags
    agree: Agree


@dataclass(frozen=True)
class Shape:
    """Dihedral angles of a mesh.

    Attributes:
        below: Cells with an angle below 2, 5, 10 degrees and the target, or above 180 degrees
            minus those. A cell counts on the rank that owns its vertex of the smallest key, so
            that the counts add up over ranks.
        smallest, largest: Angles of the cells around own points [degrees].
    """

    below: tuple[int, ...]
    smallest: float
    largest: float


@dataclass(frozen=True)
class ImproveEvidence:
    """What the moves have achieved, on one rank.

    Attributes:
        rounds: Rounds in which a point was tried.
        moved: Own points that have moved.
        displacement: Largest distance from where they started [unit of the points].
        before, after: Shape of the cells.
    """

    rounds: int
    moved: int
    displacement: float
    before: Shape
    after: Shape


def improve(
    points: Floats,
    tets: Cells,
    keys: Keys,
    frozen: Flags,
    reach: Floats,
    effort: Effort,
    sharing: Sharing | None = None,
) -> ImproveEvidence:
    """Move points, in place, so that the worst cells get better.

    A move must raise the worst cell around its point, so right-handed cells stay so.

    Args:
        points: Points in any unit, shape ``(points, 3)``; changed.
        tets: Right-handed cells as rows of ``points``, shape ``(cells, 4)``.
        keys: Key of each point, the same on every rank, no two alike.
        frozen: Components that must not change, shape ``(points, 3)``.
        reach: How far each point may end from where it started [unit of the points]. Around a
            bad cell the freest points are tried first.
        effort: What is aimed at.
        sharing: What this rank decides, or None if the mesh is whole. Collective if it is given.

    Returns:
        Evidence.
    """
    owned = np.ones(len(points), dtype=bool) if sharing is None else sharing.owned
    bad, before = _shape(points, tets, keys, owned, effort.target)
    goal = float(np.sin(np.radians(effort.target))) ** 2
    rounds = Rounds(Body(points, tets, keys, frozen, reach), goal, bad)
    order = np.argsort(keys) if sharing is not None else np.empty(0, dtype=np.int64)
    used = 0
    for turn in range(effort.rounds):
        tried, moved = rounds.advance(owned, turn)
        rounds.note(tried, moved)
        used += len(tried) > 0
        if sharing is not None:
            theirs, positions = sharing.agree(keys[tried], points[tried])
            rows, found = _held(theirs, keys, order, owned)
            rounds.note(rows, rounds.put(rows, positions[found]))
        elif len(tried) == 0:
            break
    _, after = _shape(points, tets, keys, owned, effort.target)
    distance = np.linalg.norm((points - rounds.start)[owned], axis=1)
    moved_far = float(distance.max(initial=0.0))
    return ImproveEvidence(used, int(np.count_nonzero(distance)), moved_far, before, after)


def _held(theirs: Keys, keys: Keys, order: Rows, owned: Flags) -> tuple[Rows, Flags]:
    """Rows of other ranks' points that are held here, and which of the keys they are."""
    place = np.minimum(np.searchsorted(keys, theirs, sorter=order), len(keys) - 1)
    rows = order[place]
    found = (keys[rows] == theirs) & ~owned[rows]
    return rows[found], found


@njit(cache=True)
def _survey(x: Floats, tets: Cells, owned: Flags, limit: float) -> tuple[Flags, float, float]:
    """Cells with an angle whose cosine is beyond the limit, and the extremes around own points."""
    beyond = np.zeros(tets.shape[0], dtype=np.bool_)
    highest, lowest = -1.0, 1.0
    for t in range(tets.shape[0]):
        a, b, c, d = tets[t]
        high, low, _ = extreme_cosines(x, a, b, c, d)
        beyond[t] = max(high, -low) > limit
        if owned[a] or owned[b] or owned[c] or owned[d]:
            highest, lowest = max(highest, high), min(lowest, low)
    return beyond, highest, lowest


def _shape(x: Floats, tets: Cells, keys: Keys, owned: Flags, target: float) -> tuple[Rows, Shape]:
    """Rows of all held cells that may be worse than the target, and the shape of the own ones."""
    beyond, highest, lowest = _survey(x, tets, owned, np.cos(np.radians(target)) - MARGIN)
    bad = np.flatnonzero(beyond)
    corners = tets[bad]
    lowest_key = np.argmin(keys[corners], axis=1)
    own = owned[np.take_along_axis(corners, lowest_key[:, None], axis=1)[:, 0]]
    angles, _ = shape_measures(x[corners[own]])
    flatness = np.minimum(angles[:, 0], 180.0 - angles[:, 1])
    below = tuple(int(np.count_nonzero(flatness < degrees)) for degrees in (*STEPS, target))
    return bad, Shape(
        below, float(np.degrees(np.arccos(highest))), float(np.degrees(np.arccos(lowest)))
    )
