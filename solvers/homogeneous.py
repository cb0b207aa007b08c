"""A homogeneous ball (or long cylinder) in a stirred electrolyte, and the solid-state tortuosity.

At constant current diffusion decouples from the voltage (`radial`), which ends it at the cut-off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq

from voxtrode.data.law import FARADAY
from voxtrode.data.materials import ActiveMaterial
from voxtrode.data.radial import CELLS, Array, Radial
from voxtrode.solvers.kinetics import InsertionKinetics

RANGE = (1e-3, 1e3)
"""Factors on D_s between which the homogeneous particle is looked for."""
INSENSITIVE = 1e-3
"""d ln capacity / d ln D_s below which a capacity says nothing about diffusion."""


@dataclass(frozen=True, eq=False)
class Homogeneous:
    """A round particle of one isotropic material.

    Attributes:
        material: Its material.
        kinetics: Its charge transfer, film included.
        c_e: Salt concentration around it [mol/m³].
        volume: [m³].
        length: None for a ball; of a cylinder, between faces that nothing crosses [m].
        start: Initial stoichiometry.
        cells: Finite volumes along the radius.
    """

    material: ActiveMaterial
    kinetics: InsertionKinetics
    c_e: float
    volume: float
    length: float | None
    start: float
    cells: int = CELLS

    @property
    def dimension(self) -> int:
        """3 for a ball, 2 for a cylinder."""
        return 3 if self.length is None else 2

    @property
    def radius(self) -> float:
        """That of the volume [m]."""
        if self.length is None:
            return float(np.cbrt(3.0 * self.volume / (4.0 * np.pi)))
        return float(np.sqrt(self.volume / (np.pi * self.length)))

    @property
    def area(self) -> float:
        """Surface [m²]."""
        return self.dimension * self.volume / self.radius

    def capacity(self, current: float, lower: float, factor: float = 1.0) -> float:
        """Charge [A s] delivered to a cut-off.

        Args:
            current: Current of the whole particle [A], positive on discharge.
            lower: The cut-off [V].
            factor: On D_s.
        """
        J = -current / self.area
        radial = self._radial
        beginning = radial.surface(np.full(radial.cells, self.start), J, factor)
        if self._voltage(beginning, J) <= lower:
            return 0.0
        full = self._full(J, lower)

        def room(theta: Array) -> float:
            return full - radial.surface(theta, J, factor)

        longest = (1.0 - self.start) * FARADAY * self.material.c_max.value * self.volume / current
        end, _ = radial.run(J, longest, room, factor)
        return current * end

    def _full(self, J: float, lower: float) -> float:
        """The first θ at the surface, from the start upwards, at which the voltage is the cut-off.

        At constant current that θ rises all the time.
        """

        def excess(theta: float) -> float:
            return self._voltage(theta, J) - lower

        low = self.start
        for high in np.linspace(self.start, 1.0, 33)[1:]:
            if excess(float(high)) <= 0.0:
                return float(brentq(excess, low, float(high), xtol=1e-12))
            low = float(high)
        return low

    def _voltage(self, theta: float, J: float) -> float:
        """Potential against the electrolyte [V] at the surface's θ; −∞ where it is full."""
        if not 0.0 < theta < 1.0:
            return -1e3
        at = (np.zeros(1), np.full(1, theta), np.full(1, self.c_e))
        U = float(self.material.U(theta=theta))

        def off(drive: float) -> float:
            return float(self.kinetics.flux(np.full(1, U + drive), *at).J[0]) - J

        far = 0.05
        while off(-far) > 0.0 or off(far) < 0.0:
            far *= 2.0
        return U + float(brentq(off, -far, far, xtol=1e-12))

    @cached_property
    def _radial(self) -> Radial:
        return Radial(self.material, self.radius, self.dimension, self.start, self.cells)


@dataclass(frozen=True)
class Tortuosity:
    """Solid-state tortuosity of a particle.

    Attributes:
        ratio: D_primary/D_secondary: D_s of the material over that with which the homogeneous
            particle delivers the same capacity; None where no factor does.
        capacity, homogeneous: Charge [A s] delivered by the particle, and by the homogeneous one
            with the material's own D_s.
        sensitivity: d ln capacity / d ln D_s of the homogeneous particle there; None without.
        reason: Why there is no ratio.
    """

    ratio: float | None
    capacity: float
    homogeneous: float
    sensitivity: float | None
    reason: str = ""


def solid_tortuosity(
    particle: Homogeneous, capacity: float, current: float, lower: float
) -> Tortuosity:
    """The ratio of diffusivities at which the homogeneous particle delivers the same capacity.

    Args:
        particle: The homogeneous one, with the material's D_s.
        capacity: Charge that the particle delivered [A s].
        current: [A].
        lower: Cut-off [V].
    """

    def excess(log: float) -> float:
        return particle.capacity(current, lower, float(np.exp(log))) / capacity - 1.0

    own = particle.capacity(current, lower)
    low, high = _bracket(excess)
    if not excess(low) < 0.0 < excess(high):
        why = f"no homogeneous particle with D_s between {RANGE[0]:g} and {RANGE[1]:g} times the "
        return Tortuosity(None, capacity, own, None, why + "material's delivers the same")
    log = float(brentq(excess, low, high, xtol=1e-4))
    slope = (excess(log + 0.05) - excess(log - 0.05)) / 0.1
    if slope < INSENSITIVE:
        why = "the capacity hardly depends on D_s; discharge faster"
        return Tortuosity(None, capacity, own, slope, why)
    return Tortuosity(float(np.exp(-log)), capacity, own, slope)


def _bracket(excess: Callable[[float], float]) -> tuple[float, float]:
    """Logarithms of two factors, by powers of four from 1, with the answer between or none."""
    step = float(np.log(4.0))
    low = high = 0.0
    if excess(0.0) > 0.0:
        while low > np.log(RANGE[0]) and excess(low) > 0.0:
            high, low = low, low - step
    else:
        while high < np.log(RANGE[1]) and excess(high) < 0.0:
            low, high = high, high + step
    return low, high
