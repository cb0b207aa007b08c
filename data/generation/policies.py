"""What becomes of the volume that particles share: lost, or kept by growing where there is room."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.generation.voxelise import Particles, Scene

Floats = NDArray[np.float64]

LARGEST_CHANGE = 0.01
"""Largest uniform change of all diameters by which a volume fraction is met."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pieces of bodies in voxels.

    Attributes:
        owner: 1 + index of the piece, 0 outside all, int32[z, y, x].
        scale: Factor on all diameters.
        levels: Factor on each piece's radius, float[m].
        volume_error_max: Largest relative error of a piece's volume; None where none is kept.
    """

    owner: Particles
    scale: float
    levels: Floats
    volume_error_max: float | None


class Contacts(Protocol):
    """A way to treat the volume in which particles overlap."""

    @property
    def name(self) -> str:
        """For the evidence."""
        ...

    @property
    def growth(self) -> float:
        """Largest factor on a radius that a scene is drawn with."""
        ...

    def volumes(self, scene: Scene, owner: Particles) -> Floats:
        """Volume that each piece will fill [voxels], from a drawing at factor 1, float[m]."""
        ...

    def fit(self, scene: Scene, kept: NDArray[np.bool_], target: float) -> Drawn:
        """Draws pieces so that they fill a volume together.

        Args:
            scene: The pieces.
            kept: Those drawn, bool[m].
            target: Volume [voxels].
        """
        ...


@dataclass(frozen=True)
class Overlapping:
    """Particles keep their shape; what two of them share is theirs only once."""

    name: str = "overlapping"
    growth: float = 1.0 + LARGEST_CHANGE

    def volumes(self, scene: Scene, owner: Particles) -> Floats:
        """What each piece owns [voxels]."""
        return scene.voxels_of(owner).astype(np.float64)

    def fit(self, scene: Scene, kept: NDArray[np.bool_], target: float) -> Drawn:
        """Changes all diameters alike until the union of the pieces has the volume."""
        levels = kept.astype(np.float64)
        scale, low, high = 1.0, 1.0 - LARGEST_CHANGE, 1.0 + LARGEST_CHANGE
        owner = scene.draw(levels)
        best, error = Drawn(owner, 1.0, levels, None), _filled(owner) - target
        for _ in range(8):
            filled = _filled(owner)
            if abs(filled - target) <= max(1e-4 * target, 0.5):
                break
            if filled < target:
                low = scale
            else:
                high = scale
            if high - low < 1e-6:
                break
            guess = scale * (target / max(filled, 1)) ** (1.0 / 3.0)
            # The union grows more slowly than the balls: a bisection where the guess falls short.
            scale = guess if low < guess < high else 0.5 * (low + high)
            owner = scene.draw(scale * levels)
            if abs(_filled(owner) - target) < abs(error):
                best, error = Drawn(owner, scale, scale * levels, None), _filled(owner) - target
        return best


@dataclass(frozen=True)
class Flattened:
    """Particles keep their volume: what contacts cut off is filled in where there is room.

    Attributes:
        tolerance: On the volume of each particle, relative.
        rounds: Of adjusting the radii, at most.
    """

    tolerance: float = 0.008
    rounds: int = 12
    name: str = "flattened"
    growth: float = 1.35

    def volumes(self, scene: Scene, owner: Particles) -> Floats:
        """What each piece would have alone [voxels]."""
        del owner
        return scene.nominal()

    def fit(self, scene: Scene, kept: NDArray[np.bool_], target: float) -> Drawn:
        """Changes all diameters alike so that the volumes add up, then each radius to meet its own.

        A ball that loses much to its neighbours is drawn with a larger radius: it then takes more
        of the free space around it, and the planes to its neighbours move away from it.
        """
        nominal = np.where(kept, scene.nominal(), 0.0)
        scale = float((target / nominal.sum()) ** (1.0 / 3.0))
        scale = min(max(scale, 1.0 - LARGEST_CHANGE), 1.0 + LARGEST_CHANGE)
        wanted = nominal * scale**3
        # Pieces cut off a body are measured by the whole body: a small cap has no size of its own.
        whole = np.pi / 6.0 * (2.0 * scale * scene.radii) ** 3
        levels: Floats = scale * kept.astype(np.float64)
        for step in range(self.rounds):
            owner = scene.draw(levels)
            missing = np.where(kept, wanted - scene.voxels_of(owner), 0.0)
            if np.abs(missing / whole).max() <= self.tolerance or step == self.rounds - 1:
                break
            # A ball whose surface is all free would need a third; the rest of it is not.
            grown = levels + 0.4 * missing / whole
            levels = np.where(kept, np.clip(grown, 0.5, self.growth), 0.0)
        wanted = np.where(kept, wanted, 0.0)
        tolerance = 0.1 * self.tolerance * whole
        missing = level_off(scene, owner, wanted, tolerance)
        # What pieces without free surface could not take, single voxels of the largest make up for.
        rest = round(float(missing.sum()))
        spread = np.zeros(len(wanted))
        spread[np.argsort(-wanted, kind="stable")[: abs(rest)]] = np.sign(rest)
        level_off(scene, owner, np.maximum(wanted - missing + spread, 0.0), tolerance)
        missing = wanted - scene.voxels_of(owner)
        return Drawn(owner, scale, levels, float(np.abs(missing / whole).max()))


def level_off(scene: Scene, owner: Particles, wanted: Floats, tolerance: Floats) -> Floats:
    """Gives single voxels at the free surface of pieces back, or adds them, to meet volumes.

    A ball whose centre lies near that of a voxel gains and loses voxels by the dozen as its radius
    changes; only here can it stop in between.

    Args:
        scene: The pieces.
        owner: 1 + index of the piece of each voxel, int32[z, y, x]; changed in place.
        wanted: Volume of each piece [voxels], float[m].
        tolerance: Difference that is left alone [voxels], float[m].

    Returns:
        What each piece still lacks [voxels], float[m].
    """
    flat = owner.ravel()
    for _ in range(3):
        missing = wanted - scene.voxels_of(owner)
        todo = np.flatnonzero((np.abs(missing) > tolerance) & (wanted > 0.0))
        if len(todo) == 0:
            break
        for piece in todo:
            count = round(abs(float(missing[piece])))
            voxels, squared = scene.around(int(piece))
            gains = missing[piece] > 0.0
            mine, other = (0, piece + 1) if gains else (piece + 1, 0)
            voxels, squared = voxels[flat[voxels] == mine], squared[flat[voxels] == mine]
            beside = scene.touches(flat, voxels, int(other))
            voxels, squared = voxels[beside], squared[beside]
            order = np.argsort(squared if gains else -squared, kind="stable")[:count]
            flat[voxels[order]] = piece + 1 if gains else 0
    return np.where(wanted > 0.0, wanted - scene.voxels_of(owner), 0.0)


def _filled(owner: Particles) -> int:
    return int(np.count_nonzero(owner))
