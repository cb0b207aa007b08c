"""Where carbon-binder goes: films on particles, bridges between them, or both."""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtri

from voxtrode.data.connectivity import neighbours
from voxtrode.data.errors import InputError
from voxtrode.data.generation.binder_space import Mask, Space
from voxtrode.data.interfaces import Triple

Scores = NDArray[np.floating[Any]]

_BLURS = 3  # box blurs in a row: near to a Gaussian, and made of sums alone


class Morphology(Protocol):
    """An order in which free voxels fill with binder."""

    def grow(self, space: Space, open_: Mask, count: int, random: np.random.Generator) -> Mask:
        """Choose `count` voxels out of `open_` (which has at least as many).

        Args:
            space: Where each voxel lies among the particles; there is one at least.
            open_: Free voxels that may be chosen, bool[z, y, x].
            count: Number of voxels.
            random: Breaks ties, and draws patches.
        """
        ...


@dataclass(frozen=True)
class Film:
    """A film on the particles: free voxels fill in the order of their distance to a particle.

    Attributes:
        coverage: Share of the particles' free surface that the film may cover, 0 < coverage <= 1.
            Beyond its patches it goes only when they have no room left.
        patch: Mean chord of the patches [m], or above a coverage of 1/2, of the bare spots;
            wanted where coverage < 1.
    """

    coverage: float = 1.0
    patch: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.coverage <= 1.0:
            raise InputError(f"coverage of the film is {self.coverage:g}: expected 0 < value <= 1")
        if self.coverage < 1.0 and not (self.patch is not None and 0.0 < self.patch < np.inf):
            raise InputError(
                f"film of coverage {self.coverage:g} with patch {self.patch}: give the mean length "
                "of its patches in m"
            )

    def grow(self, space: Space, open_: Mask, count: int, random: np.random.Generator) -> Mask:
        """Choose the voxels nearest to particles, on the patches first."""
        if self.coverage == 1.0 or self.patch is None:
            return lowest(space.first, open_, count, random)
        patches = film_patches(space, self.coverage, self.patch, random)
        return _in_turn((patches & open_, open_), (space.first, space.first), count, random)


@dataclass(frozen=True)
class Bridges:
    """Bridges at contacts and across narrow gaps, like the menisci of a drying liquid.

    Voxels fill in the order of the sum of the distances to their two nearest particles: at two
    balls its level sets are ellipsoids about the middle of the gap, so that necks fill first and
    every gap fills across before it fills wide.
    """

    def grow(self, space: Space, open_: Mask, count: int, random: np.random.Generator) -> Mask:
        """Choose the voxels nearest to two particles; where there is only one, nearest to it."""
        between = space.first + space.second
        return _in_turn(
            (open_ & np.isfinite(between), open_), (between, space.first), count, random
        )


@dataclass(frozen=True)
class Mixed:
    """Bridges first, then a film with the rest.

    Attributes:
        share_of_bridges: Share of the binder in bridges, 0 to 1.
        film: The film.
        bridges: The bridges.
    """

    share_of_bridges: float
    film: Film = field(default_factory=Film)
    bridges: Bridges = field(default_factory=Bridges)

    def __post_init__(self) -> None:
        if not 0.0 <= self.share_of_bridges <= 1.0:
            raise InputError(f"share_of_bridges is {self.share_of_bridges:g}: expected 0 to 1")

    def grow(self, space: Space, open_: Mask, count: int, random: np.random.Generator) -> Mask:
        """Choose bridges, then a film among what is left."""
        first = round(self.share_of_bridges * count)
        bridging = self.bridges.grow(space, open_, first, random)
        return bridging | self.film.grow(space, open_ & ~bridging, count - first, random)


def lowest(scores: Scores, open_: Mask, count: int, random: np.random.Generator) -> Mask:
    """The `count` voxels of the lowest scores among the open ones, ties drawn at random.

    Args:
        scores: float[z, y, x].
        open_: Voxels that may be chosen, bool[z, y, x], at least `count` of them.
        count: Number of voxels.
        random: Draws among the voxels of the last score.
    """
    chosen = np.zeros(open_.shape, dtype=bool)
    if count == 0:
        return chosen
    values = scores[open_]
    highest = np.partition(values, count - 1)[count - 1]
    taken = values < highest
    ties = np.flatnonzero(values == highest)
    missing = count - int(np.count_nonzero(taken))
    taken[random.permutation(ties)[:missing]] = True
    chosen[open_] = taken
    return chosen


def film_patches(space: Space, coverage: float, patch: float, random: np.random.Generator) -> Mask:
    """Free voxels over a share of the particles' surface, in patches.

    White noise is blurred to a near Gaussian field, and cut at the level that `coverage` of the
    area of the particles' free voxel faces lies above. For a Gaussian field of covariance
    exp(-r²/4s²) cut at u standard deviations, the mean chord of what lies above is
    2 pi sqrt(2) s (1 - Phi(u)) exp(u²/2) (Rice, Bell Syst. Tech. J. 24, 46, 1945), which gives the
    width s of the blur. A voxel away from the surface goes with the voxel at the surface that is
    nearest to it, so that patches are as wide above the surface as on it.

    Args:
        space: The particles.
        coverage: Share of the surface, 0 < coverage < 1.
        patch: Mean chord of the patches [m]; above a coverage of 1/2, of the bare spots.
        random: Source of the noise.

    Returns:
        bool[z, y, x].
    """
    share = min(coverage, 1.0 - coverage)
    cut = float(ndtri(1.0 - share))
    width = patch / (2.0 * math.pi * math.sqrt(2.0) * share * math.exp(0.5 * cut**2))
    noise = _noise(space.particles.shape, width, space.voxel, random)
    area = _face_areas(space)
    sites = area > 0.0
    if not sites.any():
        return space.free
    levels, weights = noise[sites], area[sites]
    order = np.argsort(-levels, kind="stable")
    covered = np.cumsum(weights[order])
    last = int(np.searchsorted(covered, coverage * covered[-1]))
    at_surface = sites & (noise >= levels[order[last]])
    edges = np.asarray(space.voxel) / min(space.voxel)
    nearest = ndimage.distance_transform_edt(
        ~sites, sampling=edges, return_distances=False, return_indices=True
    )
    patches: Mask = at_surface[tuple(nearest)] & space.free
    return patches


def _noise(
    shape: tuple[int, ...], width: float, voxel: Triple, random: np.random.Generator
) -> NDArray[np.float32]:
    """White noise blurred by a near Gaussian of a standard deviation [m], mirrored at the box."""
    noise = random.random(shape, dtype=np.float32)
    for axis, edge in enumerate(voxel):
        # Variance of `_BLURS` boxes of w voxels: _BLURS (w² - 1) / 12.
        box = round(math.sqrt(12.0 / _BLURS * (width / edge) ** 2 + 1.0))
        for _ in range(_BLURS if box > 1 else 0):
            noise = ndimage.uniform_filter1d(noise, box, axis=axis, mode="reflect")
    return noise


def _face_areas(space: Space) -> NDArray[np.float64]:
    """Area of the faces that each free voxel has with particles, in smallest faces."""
    solid, free = ~space.free, space.free
    area = np.zeros(free.shape)
    voxel: Triple = space.voxel
    for (here, there), edge in zip(neighbours(), voxel, strict=True):
        face = max(voxel) / edge
        area[here] += face * (free[here] & solid[there])
        area[there] += face * (free[there] & solid[here])
    return area


def _in_turn(
    sets: tuple[Mask, Mask], scores: tuple[Scores, Scores], count: int, random: np.random.Generator
) -> Mask:
    """The lowest of the first set, and where it is too small, of the second beside it."""
    first, second = sets
    room = min(count, int(np.count_nonzero(first)))
    chosen = lowest(scores[0], first, room, random)
    return chosen | lowest(scores[1], second & ~chosen, count - room, random)
