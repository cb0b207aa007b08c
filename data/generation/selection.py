"""A window cut from a bed, thinned until its voxels meet a volume fraction."""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.network import Network, network
from voxtrode.data.generation.policies import Contacts, Drawn
from voxtrode.data.generation.thinning import Contents, thin
from voxtrode.data.generation.voxelise import Scene, contacts, scene

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Particles = NDArray[np.int32]
Indices = NDArray[np.int64]

_CAP = 0.02  # pieces below this share of their body, cut off by the sides, are left out
_COARSE = 8  # rounds of thinning with the contacts across periodic sides
_NEAR = 0.1  # volume above the wanted one that is left to the others
_BODIES = 3.0  # of the largest, at least as much
_HELD = 0.3  # of the excess, at least as much, since pieces at the sides come loose
_ROUNDS = 3  # of thinning to the end: each frees overlaps that fall to neighbours
_NONE: Indices = np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Target:
    """What a window is to hold.

    Attributes:
        shape: Voxels along (z, y, x).
        layers: Active fraction of each voxel layer from the collector, float[nz].
    """

    shape: tuple[int, int, int]
    layers: Floats

    @property
    def volume(self) -> float:
        """Active volume [voxels]."""
        return float(self.layers.sum()) * self.shape[1] * self.shape[2]

    @property
    def cells(self) -> int:
        """Voxels of the window."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @property
    def fraction(self) -> float:
        """Active fraction."""
        return float(self.layers.mean())


@dataclass(frozen=True, eq=False)
class Selection:
    """Bodies chosen in a window, and their voxels.

    Attributes:
        bed: The dense bed, moved so that the window begins in its corner.
        scene: Pieces of the chosen bodies; `scene.body` are bodies of `bed`.
        drawn: Their voxels.
        available: Volume that the dense bed had in the window [voxels].
        target: What was to be held.
    """

    bed: Bed
    scene: Scene
    drawn: Drawn
    available: float
    target: Target

    @property
    def error(self) -> float:
        """Active fraction that was met, less the one wanted."""
        filled = np.count_nonzero(self.drawn.owner)
        return filled / self.drawn.owner.size - self.target.fraction


def select(bed: Bed, target: Target, policy: Contacts, random: np.random.Generator) -> Selection:
    """Cuts a window at a random place out of a periodic bed and thins what is in it.

    Pieces that hang on nothing inside the window, and small caps, are left out first. Then bodies
    go as `thinning.thin` says. Where the window is as wide as the bed, contacts across its sides
    count at first, since bodies there would be spared otherwise; pieces that are loose without them
    go too. At last all diameters change alike to meet the fraction.

    Args:
        bed: The dense bed.
        target: What the window is to hold.
        policy: What becomes of the volume that particles share.
        random: Of the place and the choice.
    """
    moved = bed.bodies.centres.copy()
    moved[:, 1:] = (moved[:, 1:] - random.random(2) * bed.box[1:]) % bed.box[1:]
    bed = replace(bed, bodies=replace(bed.bodies, centres=moved))
    pieces = scene(bed, target.shape, 1.0)
    kept = np.ones(len(pieces), dtype=bool)
    owner = pieces.draw(kept.astype(np.float64))
    voxels = pieces.voxels_of(owner)
    kept = (voxels > 0) & ((pieces.share == 1.0) | (pieces.share >= _CAP))
    kept = connected(owner, kept)
    owner, volumes = _filled(pieces, kept, policy)
    available = float(volumes.sum())
    periodic = np.asarray(target.shape[1:]) == bed.box[1:]
    for _ in range(_COARSE):
        excess = float(volumes.sum()) - target.volume
        # The end needs room for a few of the largest bodies to keep the shares.
        near = max(_NEAR * target.volume, _BODIES * float(volumes.max()))
        part = excess - max(_HELD * excess, near)
        if part <= 0.5 * near:
            break
        pairs = _across(owner, pieces, kept, periodic, bed.box)
        kept = _thinned(pieces, owner, kept, volumes, pairs, part, target, bed, random)
        kept = connected(pieces.draw(kept.astype(np.float64)), kept)
        owner, volumes = _filled(pieces, kept, policy)
    # What a body that goes has shared with others falls to them: to be taken out again.
    for _ in range(_ROUNDS):
        excess = float(volumes.sum()) - target.volume
        if excess < 1e-4 * target.volume:
            break
        kept = _thinned(pieces, owner, kept, volumes, _NONE, excess, target, bed, random)
        owner, volumes = _filled(pieces, kept, policy)
    chosen = scene(bed, target.shape, policy.growth, (pieces.body[kept], pieces.centres[kept]))
    if len(chosen) == 0:
        nothing = Drawn(np.zeros(target.shape, dtype=np.int32), 1.0, np.zeros(0), None)
        return Selection(bed, chosen, nothing, available, target)
    everything = np.ones(len(chosen), dtype=bool)
    drawn = policy.fit(chosen, everything, target.volume)
    reached = connected(drawn.owner, everything)
    if not reached.all():
        chosen = scene(
            bed, target.shape, policy.growth, (chosen.body[reached], chosen.centres[reached])
        )
        drawn = policy.fit(chosen, np.ones(len(chosen), dtype=bool), target.volume)
    return Selection(bed, chosen, drawn, available, target)


def _filled(pieces: Scene, kept: Mask, policy: Contacts) -> tuple[Particles, Floats]:
    """The kept pieces drawn, and the volume that each will fill [voxels]."""
    owner = pieces.draw(kept.astype(np.float64))
    return owner, np.where(kept, policy.volumes(pieces, owner), 0.0)


def _across(owner: Particles, pieces: Scene, kept: Mask, periodic: Mask, box: Floats) -> Indices:
    """Pairs of kept pieces that belong together across the window's periodic sides, int[k, 2].

    Pieces of one body, and those that share voxel faces there.
    """
    body, centres = pieces.body[kept], pieces.centres[kept]
    index = np.flatnonzero(kept)
    same = np.flatnonzero(np.diff(body) == 0)
    apart = np.abs(centres[same + 1] - centres[same])[:, 1:] > 0.5 * box[1:]
    same = same[~(apart & ~periodic).any(axis=1)]
    found = [np.stack([index[same], index[same + 1]], axis=1)]
    for axis in 1 + np.flatnonzero(periodic):
        ends = np.stack([owner.take(0, axis).ravel(), owner.take(-1, axis).ravel()], axis=1)
        pairs = np.unique(ends[(ends > 0).all(axis=1)], axis=0).astype(np.int64) - 1
        found.append(pairs[pairs[:, 0] != pairs[:, 1]])
    return np.concatenate(found)


def _network(owner: Particles, kept: Mask, body: NDArray[np.intp], more: Indices) -> Network:
    """The network of the kept pieces that share voxel faces; they are numbered anew.

    Args:
        owner: 1 + index of the piece of each voxel, int32[z, y, x].
        kept: Pieces that count, bool[m].
        body: Of each piece, int[m].
        more: Pairs of pieces that are linked besides, int[k, 2].
    """
    number = np.cumsum(kept) - 1
    pairs = np.concatenate([contacts(owner)[0], more])
    pairs = number[pairs[kept[pairs].all(axis=1)]]
    floor = np.zeros(len(kept) + 1, dtype=bool)
    floor[owner[0]] = True
    return network(body[kept], pairs, floor[1:][kept])


def connected(owner: Particles, kept: Mask) -> Mask:
    """The kept pieces with a path of shared voxel faces to the collector, bool[m].

    Args:
        owner: 1 + index of the piece of each voxel, int32[z, y, x].
        kept: Pieces that count, bool[m].
    """
    reached = kept.copy()
    reached[kept] = _network(owner, kept, np.arange(len(kept)), _NONE).grounded()
    return reached


def _thinned(
    pieces: Scene,
    owner: Particles,
    kept: Mask,
    volumes: Floats,
    more: Indices,
    excess: float,
    target: Target,
    bed: Bed,
    random: np.random.Generator,
) -> Mask:
    """One round of thinning of the pieces that are kept."""
    bodies, number = np.unique(pieces.body[kept], return_inverse=True)
    compact = np.zeros(len(kept), dtype=np.intp)
    compact[kept] = number
    net = _network(owner, kept, compact, more)
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    slices, begin, start = _profiles(owner, place, len(number))
    # Along each axis the slices of a piece add up to what it will fill.
    owned = np.bincount(place[owner[owner > 0] - 1], minlength=len(number))
    share = np.repeat(volumes[kept] / np.maximum(owned, 1.0), 3)
    wanted = np.concatenate(
        [
            target.layers * target.shape[1] * target.shape[2],
            *(np.full(n, target.volume / n) for n in target.shape[1:]),
        ]
    )
    volume = np.bincount(number, weights=volumes[kept], minlength=len(bodies))
    kind = bed.members.kind[bodies]
    contents = Contents(
        volume,
        begin,
        start,
        slices * np.repeat(share, np.diff(start)),
        wanted,
        kind.astype(np.int64),
        bed.shares * target.volume,
        _finer(kind, volume, len(bed.shares)),
        bed.members.population[bodies].astype(np.int64),
        1.5 * bed.bodies.rotations[bodies, 0, 0] ** 2 - 0.5,
        bed.orders,
    )
    left = kept.copy()
    left[kept] = thin(net, contents, excess, random)[number]
    return left


def _finer(kind: NDArray[np.intp], volume: Floats, classes: int) -> Indices:
    """The classes that have bodies, from the largest mean volume to the smallest."""
    count = np.bincount(kind, minlength=classes)
    mean = np.bincount(kind, weights=volume, minlength=classes) / np.maximum(count, 1)
    order = np.argsort(-mean, kind="stable").astype(np.int64)
    finer: Indices = order[count[order] > 0]
    return finer


@njit(cache=True)
def _profiles(
    owner: Particles, number: NDArray[np.intp], pieces: int
) -> tuple[Floats, Indices, Indices]:
    """Voxels of pieces in each slice along z, y and x; a piece's three stretches follow each other.

    Returns:
        The voxels, where each stretch begins along the axes put end to end, and in the first array.
    """
    nz, ny, nx = owner.shape
    first = np.full(3 * pieces, nz + ny + nx, np.int64)
    last = np.full(3 * pieces, -1, np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if owner[z, y, x] > 0:
                    p = 3 * number[owner[z, y, x] - 1]
                    if p >= 0:
                        first[p] = min(first[p], z)
                        last[p] = max(last[p], z)
                        first[p + 1] = min(first[p + 1], nz + y)
                        last[p + 1] = max(last[p + 1], nz + y)
                        first[p + 2] = min(first[p + 2], nz + ny + x)
                        last[p + 2] = max(last[p + 2], nz + ny + x)
    start = np.zeros(3 * pieces + 1, np.int64)
    for s in range(3 * pieces):
        start[s + 1] = start[s] + max(last[s] - first[s] + 1, 0)
    slices = np.zeros(start[3 * pieces])
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if owner[z, y, x] > 0:
                    p = 3 * number[owner[z, y, x] - 1]
                    if p >= 0:
                        slices[start[p] + z - first[p]] += 1.0
                        slices[start[p + 1] + nz + y - first[p + 1]] += 1.0
                        slices[start[p + 2] + nz + ny + x - first[p + 2]] += 1.0
    return slices, first, start
