"""A window cut from a bed, thinned until its voxels meet a volume fraction."""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.policies import Contacts, Drawn
from voxtrode.data.generation.thinning import Contents, Network, network, thin
from voxtrode.data.generation.voxelise import Scene, contacts, scene

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Particles = NDArray[np.int32]
Indices = NDArray[np.int64]

_CAP = 0.02  # pieces below this share of their body, cut off by the sides, are left out
_ROUNDS = 3  # of thinning: each frees overlaps that fall to neighbours


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
    go as `thinning.thin` says. At last all diameters change alike to meet the fraction.

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
    available = 0.0
    # What a body that goes has shared with others falls to them: to be taken out again.
    for step in range(_ROUNDS):
        owner = pieces.draw(kept.astype(np.float64))
        volumes = np.where(kept, policy.volumes(pieces, owner), 0.0)
        total = float(volumes.sum())
        available = total if step == 0 else available
        if total - target.volume < 1e-4 * target.volume:
            break
        kept = _thinned(pieces, owner, kept, volumes, target, bed, random)
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


def _network(owner: Particles, kept: Mask, body: NDArray[np.intp]) -> Network:
    """The network of the kept pieces that share voxel faces; they are numbered anew."""
    number = np.cumsum(kept) - 1
    pairs, _ = contacts(owner)
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
    reached[kept] = _network(owner, kept, np.arange(len(kept))).grounded()
    return reached


def _thinned(
    pieces: Scene,
    owner: Particles,
    kept: Mask,
    volumes: Floats,
    target: Target,
    bed: Bed,
    random: np.random.Generator,
) -> Mask:
    """One round of thinning of the pieces that are kept."""
    bodies, number = np.unique(pieces.body[kept], return_inverse=True)
    compact = np.zeros(len(kept), dtype=np.intp)
    compact[kept] = number
    net = _network(owner, kept, compact)
    layers, begin, start = _profiles(owner, np.where(kept, compact, -1), len(bodies))
    volume = np.bincount(number, weights=volumes[kept], minlength=len(bodies))
    owned = np.bincount(
        np.repeat(np.arange(len(bodies)), np.diff(start)), weights=layers, minlength=len(bodies)
    )
    layers = layers * np.repeat(volume / np.maximum(owned, 1.0), np.diff(start))
    kind = bed.members.kind[bodies]
    wanted_layers = target.layers * target.shape[1] * target.shape[2]
    contents = Contents(
        volume,
        begin,
        start,
        layers,
        kind.astype(np.int64),
        wanted_layers,
        bed.shares * target.volume,
    )
    stay = thin(net, contents, float(volume.sum()) - target.volume, random)
    left = kept.copy()
    left[kept] = stay[number]
    return left


@njit(cache=True)
def _profiles(
    owner: Particles, body: NDArray[np.intp], bodies: int
) -> tuple[Floats, Indices, Indices]:
    """Voxels of each body in each voxel layer, its first layer, and where its layers begin."""
    first = np.full(bodies, owner.shape[0], np.int64)
    last = np.full(bodies, -1, np.int64)
    nz, ny, nx = owner.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if owner[z, y, x] > 0:
                    b = body[owner[z, y, x] - 1]
                    if b >= 0:
                        first[b] = min(first[b], z)
                        last[b] = max(last[b], z)
    start = np.zeros(bodies + 1, np.int64)
    for b in range(bodies):
        start[b + 1] = start[b] + max(last[b] - first[b] + 1, 0)
    layers = np.zeros(start[bodies])
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if owner[z, y, x] > 0:
                    b = body[owner[z, y, x] - 1]
                    if b >= 0:
                        layers[start[b] + z - first[b]] += 1.0
    return layers, first, start
