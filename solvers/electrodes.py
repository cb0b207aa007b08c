"""Electrodes as wholes: the lithium they hold, and the potential they have when it is at rest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from voxtrode.data.law import FARADAY, stoichiometry_at
from voxtrode.data.materials import ActiveMaterial

EDGE = 1e-9
"""Stoichiometries are looked for between this and one less this."""


@dataclass(frozen=True)
class Window:
    """Stoichiometries of a material at the study's two cut-offs.

    Attributes:
        empty: θ₀, SoL 0.
        full: θ₁₀₀, SoL 1.
    """

    empty: float
    full: float

    @classmethod
    def of(cls, material: ActiveMaterial, upper: float, lower: float) -> "Window":
        """The window between two potentials against lithium [V]: empty at the upper one."""
        return cls(stoichiometry_at(material.U, upper), stoichiometry_at(material.U, lower))

    def sol[T: (float, npt.NDArray[np.float64])](self, theta: T) -> T:
        """State of lithiation (θ − θ₀)/(θ₁₀₀ − θ₀)."""
        return (theta - self.empty) / (self.full - self.empty)

    def capacity(self, material: ActiveMaterial) -> float:
        """Charge per volume of material [A s/m³]."""
        return FARADAY * material.c_max.value * abs(self.full - self.empty)


class Side(Protocol):
    """What one terminal of a cell is joined to."""

    @property
    def capacity(self) -> float:
        """Charge per area [A s/m²] that it takes between a full and an empty cell."""
        ...

    def gauge(self, passed: float) -> float:
        """Potential at rest against lithium [V] of what the solver's potentials are zero at.

        Args:
            passed: As for :meth:`potential`.
        """
        ...

    def potential(self, passed: float) -> float:
        """Potential at rest against lithium [V].

        Args:
            passed: Charge per area [A s/m²] that has passed since the cell was fully charged.
        """
        ...


@dataclass(frozen=True)
class ConstantSide:
    """A metal, whose potential does not depend on how much of it is left.

    Attributes:
        against_lithium: Its potential [V].
    """

    against_lithium: float

    @property
    def capacity(self) -> float:
        """See :class:`Side`; without bound."""
        return math.inf

    def gauge(self, passed: float) -> float:
        """See :class:`Side`; the metal itself."""
        return self.potential(passed)

    def potential(self, passed: float) -> float:
        """See :class:`Side`."""
        del passed
        return self.against_lithium


@dataclass(frozen=True)
class Share:
    """One active material of an electrode.

    Attributes:
        label: Label of its phase.
        material: The material.
        window: Its stoichiometries at SoL 0 and 1.
        capacity: Charge per area of the cell [A s/m²] between them.
    """

    label: int
    material: ActiveMaterial
    window: Window
    capacity: float

    def lithium(self, theta: float) -> float:
        """Charge per area [A s/m²] of lithium above SoL 0."""
        return self.capacity * self.window.sol(theta)


@dataclass(frozen=True)
class Electrode:
    """Active materials that share a collector.

    Attributes:
        shares: The materials.
        positive: Whether discharge fills it.
        grounded: Whether its collector is the zero of the solver's potentials.
    """

    shares: tuple[Share, ...]
    positive: bool = True
    grounded: bool = False

    @property
    def capacity(self) -> float:
        """Charge per area [A s/m²] between SoL 0 and 1."""
        return sum(share.capacity for share in self.shares)

    def gauge(self, passed: float) -> float:
        """See :class:`Side`; lithium, or the collector of an electrode in the volume."""
        return self.potential(passed) if self.grounded else 0.0

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of its active phases."""
        return tuple(share.label for share in self.shares)

    def lithium(self, theta: Mapping[int, float]) -> float:
        """Charge per area [A s/m²] of lithium above SoL 0, from mean stoichiometries by label."""
        return sum(share.lithium(theta[share.label]) for share in self.shares)

    def lithium_after(self, passed: float) -> float:
        """Lithium above SoL 0 [A s/m²] when a charge has passed since the cell was full."""
        return passed if self.positive else self.capacity - passed

    def passed(self, lithium: float) -> float:
        """The inverse of :meth:`lithium_after`."""
        return lithium if self.positive else self.capacity - lithium

    def potential(self, passed: float) -> float:
        """See :class:`Side`."""
        return self.at_rest(self.lithium_after(passed))[0]

    def at_rest(self, lithium: float) -> tuple[float, dict[int, float]]:
        """Potential against lithium [V] and stoichiometries by label when all is evened out.

        Several materials share the lithium so that they have one potential.

        Args:
            lithium: Charge per area above SoL 0 [A s/m²]; held between what the materials can
                hold empty and full.
        """
        if len(self.shares) == 1:
            (only,) = self.shares
            width = only.window.full - only.window.empty
            theta = only.window.empty + width * lithium / only.capacity
            theta = min(max(theta, EDGE), 1.0 - EDGE)
            return float(only.material.U(theta=theta)), {only.label: theta}

        def excess(potential: float) -> float:
            return self.lithium(self._at(potential)) - lithium

        ends = [
            [float(one.material.U(theta=theta)) for one in self.shares]
            for theta in (EDGE, 1.0 - EDGE)
        ]
        low, high = min(ends[1]), max(ends[0])
        if excess(low) <= 0.0:
            return low, self._at(low)
        if excess(high) >= 0.0:
            return high, self._at(high)
        found = float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))
        return found, self._at(found)

    def _at(self, potential: float) -> dict[int, float]:
        return {one.label: _held(one.material, potential) for one in self.shares}


def _held(material: ActiveMaterial, potential: float) -> float:
    """Stoichiometry at a potential [V], at an end where the material does not reach it."""
    if potential >= float(material.U(theta=EDGE)):
        return EDGE
    if potential <= float(material.U(theta=1.0 - EDGE)):
        return 1.0 - EDGE
    return stoichiometry_at(material.U, potential)
