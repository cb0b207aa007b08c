"""How grains fill a particle."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.generation.grains_regions import Ints, Region, cells, unit
from voxtrode.data.generation.grains_textures import Texture, random_axes, tangential
from voxtrode.data.generation.shape import Floats

Division = tuple[Ints, Floats]
"""Grain 0..n-1 of each voxel of a region, and the c axis of each grain, float[n, 3]."""


class Arrangement(Protocol):
    """A way to divide a region into grains."""

    @property
    def grain_sizes(self) -> tuple[float, ...]:
        """Asked equivalent diameters [m]; none where the particle is the grain."""
        ...

    def divide(self, region: Region, random: np.random.Generator) -> Division:
        """Divide a region; a grain may come in several pieces or have no voxel."""
        ...


@dataclass(frozen=True)
class SingleCrystal:
    """One grain a particle.

    Attributes:
        c_axis: Direction of its c axis; "radius" is the first axis of the region here.
    """

    c_axis: Texture = random_axes
    grain_sizes: tuple[float, ...] = ()

    def divide(self, region: Region, random: np.random.Generator) -> Division:
        """Everything is grain 0."""
        first = np.eye(3)[[region.axes[0]]]
        return np.zeros(len(region), dtype=np.intp), self.c_axis(first, region.normal, random)


@dataclass(frozen=True)
class Voronoi:
    """Equiaxed grains: evened Voronoi cells.

    Attributes:
        grain_size: Equivalent diameter of the mean grain [m] (of the disc in a section).
        c_axis: Direction of c axes.

    Raises:
        InputError: The size is not positive.
    """

    grain_size: float
    c_axis: Texture = random_axes

    def __post_init__(self) -> None:
        _check_size(self.grain_size)

    @property
    def grain_sizes(self) -> tuple[float, ...]:
        """The one that was asked for."""
        return (self.grain_size,)

    def divide(self, region: Region, random: np.random.Generator) -> Division:
        """Cells of random seeds."""
        count = region.count(self.grain_size)
        return _with_axes(region, cells(region.points, count, random), self.c_axis, count, random)


@dataclass(frozen=True)
class Radial:
    """Grains that are long along the radius and widen outwards.

    Cells are evened Voronoi cells after the map r -> r^(1/elongation) of the distance r from the
    particle's centroid, which shrinks radial lengths against tangential ones by that factor
    everywhere.

    Attributes:
        grain_size: Equivalent diameter of the mean grain [m].
        elongation: Radial over tangential length, from 1; less is met where the grain is as long
            as the radius.
        c_axis: Direction of c axes; `tangential` (the default) is what NMC of radial texture has:
            its fast planes run radially, so that c is perpendicular to the radius.

    Raises:
        InputError: A value is out of range.
    """

    grain_size: float
    elongation: float = 3.0
    c_axis: Texture = tangential

    def __post_init__(self) -> None:
        _check_size(self.grain_size)
        if not 1.0 <= self.elongation <= 20.0:
            raise InputError(
                f"elongation is {self.elongation:g}: expected 1 to 20 (radial over tangential)"
            )

    @property
    def grain_sizes(self) -> tuple[float, ...]:
        """The one that was asked for."""
        return (self.grain_size,)

    def divide(self, region: Region, random: np.random.Generator) -> Division:
        """Cells of random seeds in the contracted space."""
        count = region.count(self.grain_size)
        distance = np.sqrt(((region.points - region.centre) ** 2).sum(axis=1))
        far = max(float(distance.max()), np.finfo(float).tiny)
        mapped = region.radial * ((distance / far) ** (1.0 / self.elongation))[:, None]
        return _with_axes(region, cells(mapped, count, random), self.c_axis, count, random)


@dataclass(frozen=True)
class DoubleLayer:
    """A shell and a core, arranged each in its way.

    Attributes:
        shell: Of the outer part; radial grains as a rule.
        core: Of the inner part.
        outer: Thickness of the shell over the particle's largest inscribed radius.

    Raises:
        InputError: The thickness is not between 0 and 1.
    """

    shell: Arrangement
    core: Arrangement
    outer: float = 1.0 / 3.0

    def __post_init__(self) -> None:
        if not 0.0 < self.outer < 1.0:
            raise InputError(f"outer is {self.outer:g}: expected a share of the radius in (0, 1)")

    @property
    def grain_sizes(self) -> tuple[float, ...]:
        """Of the shell, then of the core."""
        return self.shell.grain_sizes + self.core.grain_sizes

    def divide(self, region: Region, random: np.random.Generator) -> Division:
        """The shell's grains first."""
        outside = region.depth <= self.outer * region.depth.max()
        grains = np.zeros(len(region), dtype=np.intp)
        axes: list[Floats] = []
        for which, arrangement in ((outside, self.shell), (~outside, self.core)):
            if which.any():
                own, own_axes = arrangement.divide(region.part(which), random)
                grains[which] = own + sum(map(len, axes))
                axes.append(own_axes)
        return grains, np.concatenate(axes)


def _with_axes(
    region: Region, grains: Ints, texture: Texture, count: int, random: np.random.Generator
) -> Division:
    sizes = np.maximum(np.bincount(grains, minlength=count), 1)
    middles = np.stack(
        [np.bincount(grains, region.points[:, axis], count) / sizes for axis in range(3)], axis=1
    )
    radial = unit(middles - region.centre, region.axes[0])
    return grains, texture(radial, region.normal, random)


def _check_size(grain_size: float) -> None:
    if not 0.0 < grain_size < np.inf:
        raise InputError(f"grain_size is {grain_size:g} m: expected a positive length")
