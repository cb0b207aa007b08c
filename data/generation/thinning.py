"""Bodies taken out of a dense bed, evenly, so that all others stay connected to the collector."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.network import Network, forest, rehung

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CANDIDATES = 24  # looked at before the one goes that evens out profiles and shares best
_WEIGHT_OF_SHARES = 4.0  # against the profiles, whose deviations are larger
_WEIGHT_OF_ORDER = 4.0


class Contents(NamedTuple):
    """What each body adds to the profiles along the axes, to the shares and to the alignment.

    Profiles along z, y and x follow each other in one array; so do, for each piece, its stretches
    along z, y and x.

    Attributes:
        volume: Of each body [voxels], float[n].
        begin: First place of each stretch in the profiles, int[3 m] for m pieces.
        start: Where the slices of each stretch begin in `slices`, int[3 m + 1].
        slices: Volume in each slice from `begin` on [voxels], float[k].
        wanted: Volume to be left in each slice of the window, float[nz + ny + nx].
        kind: Class of each body, int[n].
        wanted_kinds: Volume to be left of each class, float[c].
        finer: Classes from the coarsest to the finest, int[c].
        group: Population of each body, int[n].
        order: (3 u_z² - 1)/2 of each body's short axis u, float[n].
        wanted_order: Its mean in each population; nan where all directions are alike, float[g].
    """

    volume: Floats
    begin: Indices
    start: Indices
    slices: Floats
    wanted: Floats
    kind: Indices
    wanted_kinds: Floats
    finer: Indices
    group: Indices
    order: Floats
    wanted_order: Floats


def thin(net: Network, contents: Contents, excess: float, random: np.random.Generator) -> Mask:
    """The bodies that stay when an excess of volume is taken out.

    A few bodies are looked at in turn at random; the one goes that lies where the profiles and the
    share of its class are fullest, and whose direction its population has too much of. A body
    stays if without it others would lose their path to the collector. A class gives bodies as long
    as each brings it nearer to its share; what the coarse ones cannot meet, the finest makes up
    for. At last the one goes whose volume comes closest to what is left.

    Args:
        net: Pieces, all with a path to the collector.
        contents: Of the bodies.
        excess: Volume to be taken out [voxels].
        random: Source of the order.

    Returns:
        bool[bodies].
    """
    order = random.permutation(net.bodies).astype(np.int64)
    kept: Mask = _thin(
        net.body,
        net.start,
        net.neighbours,
        net.floor,
        contents,
        float(excess),
        order,
    )
    return kept


@njit(cache=True)
def _add(first: int, last: int, sign: float, contents: Contents, profile: Floats) -> None:
    """Adds the volume of the pieces first..last-1 to the profiles."""
    begin, start, slices = contents.begin, contents.start, contents.slices
    for s in range(3 * first, 3 * last):
        for k in range(start[s], start[s + 1]):
            profile[begin[s] + k - start[s]] += sign * slices[k]


@njit(cache=True)
def _surplus(first: int, last: int, contents: Contents, profile: Floats) -> float:
    """Sum over the volume of the pieces first..last-1 of how much too full their slices are."""
    begin, start, slices = contents.begin, contents.start, contents.slices
    surplus = 0.0
    for s in range(3 * first, 3 * last):
        for k in range(start[s], start[s + 1]):
            place = begin[s] + k - start[s]
            surplus += slices[k] * (profile[place] / contents.wanted[place] - 1.0)
    return surplus


@njit(cache=True)
def _spare(
    kinds: Floats, members: Floats, wanted_kinds: Floats, finer: Indices, excess: float
) -> Floats:
    """Volume that each class but the finest gives: a whole number of its mean bodies, float[c].

    The number comes nearest to the share; what is over or short of it is the next finer one's.
    """
    spare = np.zeros(len(kinds))
    total = wanted_kinds.sum()
    more = (kinds.sum() - excess) / total  # is left, over what the shares add up to
    over = 0.0
    for k in finer[:-1]:
        mean = kinds[k] / members[k]
        due = kinds[k] - more * wanted_kinds[k] + over
        spare[k] = max(np.floor(due / mean + 0.5), 0.0) * mean
        over = due - spare[k]
    return spare


@njit(cache=True)
def _sums(values: Floats, kind: Indices, count: int) -> Floats:
    """Sum of values by class."""
    sums = np.zeros(count)
    for b in range(len(kind)):
        sums[kind[b]] += values[b]
    return sums


class _State(NamedTuple):
    """Of a thinning in progress."""

    first: Indices  # piece of each body
    present: Mask
    parent: Indices
    mark: Mask
    hung: Indices
    kept: Mask
    profile: Floats
    kinds: Floats  # volume of each class
    ordered: Floats  # sum of volume times order of each population
    amount: Floats  # volume of each population
    spare: Floats
    slack: Floats
    excess: Floats  # [1]
    left: Indices  # [1]


@njit(cache=True)
def _thin(
    body: Indices,
    start: Indices,
    neighbours: Indices,
    floor: Mask,
    contents: Contents,
    excess: float,
    places: Indices,
) -> Mask:
    volume, kind, finer = contents.volume, contents.kind, contents.finer
    n = len(volume)
    kinds = _sums(volume, kind, len(contents.wanted_kinds))
    members = _sums(np.ones(n), kind, len(kinds))
    state = _State(
        np.searchsorted(body, np.arange(n + 1)).astype(np.int64),
        np.ones(len(body), np.bool_),
        forest(start, neighbours, floor),
        np.zeros(len(body), np.bool_),
        np.empty(len(body), np.int64),
        np.ones(n, np.bool_),
        np.zeros(len(contents.wanted)),
        kinds,
        _sums(contents.order * volume, contents.group, len(contents.wanted_order)),
        _sums(volume, contents.group, len(contents.wanted_order)),
        _spare(kinds, members, contents.wanted_kinds, finer, excess),
        0.25 * kinds / np.maximum(members, 1.0),
        np.array([excess]),
        np.array([n]),
    )
    _add(0, len(body), 1.0, contents, state.profile)
    # Coarse classes give their number, and the finest what that leaves; then the finest also what
    # others, held by their contacts, did not give; then all, what is still too much.
    if len(finer) > 1:
        _stage(places, True, start, neighbours, contents, state)
        state.spare[finer[-1]] = np.inf
        _stage(places, False, start, neighbours, contents, state)
    state.spare[:] = np.inf
    _stage(places, False, start, neighbours, contents, state)
    # The smallest that is too large, if taking too much comes closer.
    for b in np.argsort(volume, kind="mergesort"):
        if state.left[0] == 1 or volume[b] >= 2.0 * state.excess[0]:
            break
        if (
            state.kept[b]
            and volume[b] > state.excess[0]
            and _take_out(b, start, neighbours, contents, state)
        ):
            break
    return state.kept


@njit(cache=True)
def _stage(
    places: Indices,
    strict: bool,
    start: Indices,
    neighbours: Indices,
    contents: Contents,
    state: _State,
) -> None:
    """Takes bodies out while classes have something to spare.

    Args:
        places: Bodies in the order in which they are looked at.
        strict: The finest class leaves to the others what they have to spare.
        start, neighbours: Of the network.
        contents: Of the bodies.
        state: Changed in place.
    """
    finest = contents.finer[-1]
    ring = places[state.kept[places]]
    count, place = len(ring), 0
    while count > 0 and state.left[0] > 1:  # the last one stays
        if strict:
            others = state.spare.sum() - state.spare[finest]
            state.spare[finest] = state.excess[0] - others
        best, best_score = -1, -1e300
        looked = 0
        # A ring of bodies that may still go; refused ones and too large ones leave it.
        while looked < min(_CANDIDATES, count):
            if place >= count:
                place = 0
            b = ring[place]
            k = contents.kind[b]
            allowed = state.spare[k] + (state.slack[k] if k != finest else 0.0)
            if contents.volume[b] > min(state.excess[0], allowed):
                count -= 1
                ring[place] = ring[count]
                best = place if best == count else best
                continue
            score = _score(b, contents, state)
            if score > best_score:
                best, best_score = place, score
            looked += 1
            place += 1
        if best < 0:
            break
        b = ring[best]
        count -= 1
        ring[best] = ring[count]
        _take_out(b, start, neighbours, contents, state)


@njit(cache=True)
def _score(b: int, contents: Contents, state: _State) -> float:
    """How much a body adds to what there is too much of."""
    volume, k, g = contents.volume[b], contents.kind[b], contents.group[b]
    score: float = _surplus(state.first[b], state.first[b + 1], contents, state.profile)
    score /= max(volume, 1e-300)
    score += _WEIGHT_OF_SHARES * (state.kinds[k] / max(contents.wanted_kinds[k], 1e-300) - 1.0)
    wanted = contents.wanted_order[g]
    if not np.isnan(wanted):
        beside = state.ordered[g] / max(state.amount[g], 1e-300) - wanted
        score += _WEIGHT_OF_ORDER * beside * (contents.order[b] - wanted)
    return score


@njit(cache=True)
def _take_out(
    b: int, start: Indices, neighbours: Indices, contents: Contents, state: _State
) -> bool:
    """Takes a body out, unless others would lose their path to the collector."""
    first, last = state.first[b], state.first[b + 1]
    present = state.present
    present[first:last] = False
    if not rehung(first, last, start, neighbours, present, state.parent, state.mark, state.hung):
        present[first:last] = True
        return False
    volume, k, g = contents.volume[b], contents.kind[b], contents.group[b]
    state.kept[b] = False
    state.left[0] -= 1
    state.excess[0] -= volume
    state.spare[k] -= volume
    state.kinds[k] -= volume
    state.ordered[g] -= contents.order[b] * volume
    state.amount[g] -= volume
    _add(first, last, -1.0, contents, state.profile)
    return True
