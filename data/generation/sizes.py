"""Distributions of particle size by volume, and diameters drawn from them."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from voxtrode.data.errors import InputError

Floats = NDArray[np.float64]

TAIL = 0.001
"""Share of the volume that is cut off each tail of a log-normal distribution."""

_DIGITS = 10  # of a diameter


_END = float(ndtri(0.99))  # of a distribution that is known by percentiles
# Points from 0 to 1, dense at both ends.
_UNIT: Floats = np.concatenate([[0.0], np.round(ndtr(np.linspace(-4.5, 4.5, 2001)), 12), [1.0]])


class SizeDistribution(Protocol):
    """How a powder's volume is spread over the diameters of its particles."""

    @property
    def breaks(self) -> tuple[float, ...]:
        """Volume quantiles between which `diameter` is smooth; from 0 to 1, rising."""
        ...

    def diameter(self, quantile: Floats) -> Floats:
        """Diameter below which a share of the volume lies [m].

        Args:
            quantile: That share, 0 to 1, float[n].
        """
        ...


@dataclass(frozen=True)
class Discrete:
    """One or several sizes by their share of the volume.

    Attributes:
        diameters: [m].
        shares: Of the volume; 0 is allowed; scaled to add up to 1.
    """

    diameters: tuple[float, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        _positive(self.diameters)
        _shares(self.shares, len(self.diameters), "diameters")

    @cached_property
    def _classes(self) -> tuple[Floats, Floats]:
        order = np.argsort(self.diameters, kind="stable")
        order = order[np.asarray(self.shares)[order] > 0.0]
        limits = np.cumsum(np.asarray(self.shares)[order])
        return np.asarray(self.diameters)[order], limits / limits[-1]

    @property
    def breaks(self) -> tuple[float, ...]:
        """Where the size changes."""
        return (0.0, *self._classes[1].tolist())

    def diameter(self, quantile: Floats) -> Floats:
        """Diameter at a volume quantile [m]."""
        diameters, limits = self._classes
        found = np.searchsorted(limits, quantile, side="left")
        taken: Floats = diameters[np.minimum(found, len(diameters) - 1)]
        return taken


@dataclass(frozen=True)
class LogNormal:
    """Log-normal by volume, without the outermost 0.1 % of the volume at either tail.

    Attributes:
        d50: Median by volume [m].
        sigma: Standard deviation of ln(diameter).
    """

    d50: float
    sigma: float

    breaks: ClassVar[tuple[float, ...]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        _positive((self.d50, self.sigma))

    def diameter(self, quantile: Floats) -> Floats:
        """Diameter at a volume quantile [m]."""
        inner = TAIL + (1.0 - 2.0 * TAIL) * np.asarray(quantile)
        found: Floats = self.d50 * np.exp(self.sigma * ndtri(inner))
        return found


@dataclass(frozen=True)
class Percentiles:
    """A smooth distribution through three percentiles by volume.

    The logarithm of the diameter is a monotone cubic (PCHIP) of the standard normal quantile
    through the three points; beyond D10 and D90 it goes on as between them and D50, so that
    percentiles of a log-normal distribution give that distribution. It ends at the volume quantiles
    0.01 and 0.99.

    Attributes:
        d10: A tenth of the volume lies in particles below this diameter [m].
        d50: Half of it [m].
        d90: Nine tenths of it [m].
    """

    d10: float
    d50: float
    d90: float

    def __post_init__(self) -> None:
        _positive((self.d10, self.d50, self.d90))
        if not self.d10 < self.d50 < self.d90:
            raise InputError(
                f"d10, d50, d90 are {self.d10:g}, {self.d50:g}, {self.d90:g} m: expected rising"
            )

    @property
    def breaks(self) -> tuple[float, ...]:
        """The percentiles and the ends."""
        return (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0)

    @cached_property
    def _curve(self) -> PchipInterpolator:
        unit = float(ndtri(0.9))
        low, middle, high = (math.log(d) for d in (self.d10, self.d50, self.d90))
        further = (_END - unit) / unit
        logs = [
            low - (middle - low) * further,
            low,
            middle,
            high,
            high + (high - middle) * further,
        ]
        return PchipInterpolator([-_END, -unit, 0.0, unit, _END], logs)

    def diameter(self, quantile: Floats) -> Floats:
        """Diameter at a volume quantile [m]."""
        found: Floats = np.exp(self._curve(np.clip(ndtri(np.asarray(quantile)), -_END, _END)))
        return found


@dataclass(frozen=True)
class Table:
    """A measured histogram: the volume is spread evenly over each class of diameters.

    Attributes:
        diameters: Rising limits of the classes [m], one more than there are shares.
        shares: Share of the volume in each class; scaled to add up to 1.
    """

    diameters: tuple[float, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        _positive(self.diameters)
        _shares(self.shares, len(self.diameters) - 1, "classes")
        if any(b <= a for a, b in zip(self.diameters, self.diameters[1:], strict=False)):
            raise InputError("the limits of the classes of a size table: expected rising diameters")

    @cached_property
    def _cumulated(self) -> tuple[Floats, Floats]:
        shares = np.asarray(self.shares)
        cumulated = np.concatenate([[0.0], np.cumsum(shares)]) / np.sum(shares)
        filled = np.flatnonzero(shares > 0.0)
        kept = slice(filled[0], filled[-1] + 2)
        return cumulated[kept], np.asarray(self.diameters)[kept]

    @property
    def breaks(self) -> tuple[float, ...]:
        """The classes' limits."""
        return tuple(np.unique(self._cumulated[0]).tolist())

    def diameter(self, quantile: Floats) -> Floats:
        """Diameter at a volume quantile [m]."""
        cumulated, diameters = self._cumulated
        found: Floats = np.interp(quantile, cumulated, diameters)
        return found


@dataclass(frozen=True)
class Statistics:
    """Characteristic diameters [m]: mean by number, percentiles by volume."""

    mean: float
    d10: float
    d50: float
    d90: float


def statistics(distribution: SizeDistribution) -> Statistics:
    """Characteristic diameters of a distribution [m]."""
    quantile, weight = _quadrature(distribution)
    diameter = distribution.diameter(quantile)
    count = weight / diameter**3
    mean = float(np.sum(count * diameter) / np.sum(count))
    d10, d50, d90 = distribution.diameter(np.array([0.1, 0.5, 0.9])).tolist()
    return Statistics(mean, d10, d50, d90)


def sample_statistics(diameters: Floats, weights: Floats | None = None) -> Statistics:
    """Characteristic diameters of particles [m].

    Args:
        diameters: [m], float[n], n > 0.
        weights: Number that each stands for (the part inside a box), float[n]; default 1.
    """
    count = np.ones(len(diameters)) if weights is None else weights
    order = np.argsort(diameters, kind="stable")
    volume = (count * diameters**3)[order]
    middle = (np.cumsum(volume) - 0.5 * volume) / np.sum(volume)
    d10, d50, d90 = np.interp([0.1, 0.5, 0.9], middle, diameters[order]).tolist()
    return Statistics(float(np.sum(count * diameters) / np.sum(count)), d10, d50, d90)


def share_below(distribution: SizeDistribution, diameter: float) -> float:
    """Share of the volume in particles below a diameter [m]."""
    share = 0.0
    for low, high in pairwise(distribution.breaks):
        quantile, sizes = _smooth(distribution, low, high)
        if diameter > sizes[-1]:
            share += high - low
        elif diameter > sizes[0]:
            share += float(np.interp(diameter, sizes, quantile)) - low
    return share


def draw(distribution: SizeDistribution, total: float) -> Floats:
    """Diameters of particles that fill a volume, stratified by volume.

    The total is cut into pieces as large as a particle of the size in its middle, from the
    largest on, so that the volume below any diameter is right to about one particle.

    Args:
        distribution: By volume.
        total: Volume of all particles together [m³].

    Returns:
        Falling diameters [m], float[n].
    """
    limits = distribution.breaks
    drawn = [np.zeros(0)]
    left = 0.0  # volume that larger classes have left over
    for low, high in zip(limits[-2::-1], limits[:0:-1], strict=True):
        quantile, diameter = _smooth(distribution, low, high)
        left += (high - low) * total
        most = int(2.0 * left / (np.pi / 6.0 * diameter.min() ** 3)) + 2
        sizes, left = _march(quantile, diameter, total, left, most)
        drawn.append(sizes)
    return np.concatenate(drawn)


def _smooth(distribution: SizeDistribution, low: float, high: float) -> tuple[Floats, Floats]:
    """Quantiles from one break to the next, and the diameters there [m]."""
    quantile = low + (high - low) * _UNIT
    # Inside the class: a distribution may jump at its limits.
    inner = np.clip(quantile, low + 1e-9 * (high - low), high - 1e-9 * (high - low))
    return quantile, _rounded(distribution.diameter(inner))


def _rounded(diameters: Floats) -> Floats:
    """To ten digits: what a processor does to the last bits must not reach a packing."""
    unit = 10.0 ** (math.floor(math.log10(float(diameters[0]))) - _DIGITS)
    rounded: Floats = np.round(diameters / unit) * unit
    return rounded


@njit(cache=True)
def _march(
    quantile: Floats, diameter: Floats, total: float, volume: float, most: int
) -> tuple[Floats, float]:
    """Particles of one smooth class, from its upper limit down, and the volume left over."""
    sizes = np.empty(most)
    count = 0
    place = quantile[-1]
    cell = len(quantile) - 1
    while count < most:
        # The piece is as large as the particle in its middle.
        low = 0.0
        high = 2.0 * (place - quantile[0]) + 1e-300
        for _ in range(50):
            step = 0.5 * (low + high)
            size = _size(quantile, diameter, max(place - 0.5 * step, quantile[0]), cell)
            if np.pi / 6.0 * size**3 > step * total:
                low = step
            else:
                high = step
        step = high
        size = _size(quantile, diameter, max(place - 0.5 * step, quantile[0]), cell)
        particle = np.pi / 6.0 * size**3
        if volume < 0.5 * particle:
            break
        sizes[count] = size
        count += 1
        volume -= particle
        place = max(place - step, quantile[0])
        while cell > 0 and quantile[cell] > place:
            cell -= 1
        cell = min(cell + 1, len(quantile) - 1)
    return sizes[:count].copy(), volume


@njit(cache=True)
def _size(quantile: Floats, diameter: Floats, at: float, cell: int) -> float:
    """Diameter at a quantile, by linear interpolation, from a cell above it downwards."""
    k = cell
    while k > 1 and quantile[k - 1] > at:
        k -= 1
    width = quantile[k] - quantile[k - 1]
    part = (at - quantile[k - 1]) / width if width > 0.0 else 0.0
    return float(diameter[k - 1] + (diameter[k] - diameter[k - 1]) * min(max(part, 0.0), 1.0))


def _quadrature(distribution: SizeDistribution) -> tuple[Floats, Floats]:
    """Midpoints and weights that refine towards the tails."""
    grid = ndtr(np.linspace(-4.5, 4.5, 4001))
    grid = np.concatenate([[0.0], grid, [1.0]])
    grid = np.unique(np.concatenate([grid, distribution.breaks]))
    return 0.5 * (grid[1:] + grid[:-1]), np.diff(grid)


def _positive(lengths: tuple[float, ...]) -> None:
    for length in lengths:
        if not (math.isfinite(length) and length > 0.0):
            raise InputError(f"a size distribution has the value {length:g}: expected above 0")


def _shares(shares: tuple[float, ...], count: int, what: str) -> None:
    if len(shares) != count:
        raise InputError(f"{len(shares)} shares for {count} {what}: expected as many")
    if any(not (math.isfinite(s) and s >= 0.0) for s in shares) or sum(shares) <= 0.0:
        raise InputError(f"shares {shares}: expected none below 0, not all 0")
