"""Fluxes at points of Γ and of the counter face, with their derivatives.

A flux law takes the states at a point and returns the current density J and its partial
derivatives; the derivatives of U and i₀ are taken from their expression trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.data import reactions
from voxtrode.data.expression import Expression
from voxtrode.data.law import Law
from voxtrode.data.materials import ActiveMaterial, MetalElectrode
from voxtrode.data.operations import NUMPY
from voxtrode.data.reactions import SCALED, Reaction
from voxtrode.solvers.units import thermal_voltage

Array = npt.NDArray[np.float64]
THETA_EDGE = 1e-6
C_EDGE = 1e-6
"""i₀ is held within θ ∈ [1e-6, 1 − 1e-6] and c_e ≥ 1e-6 mol/m³: its roots lose their slope."""


@dataclass(frozen=True, eq=False)
class Flux:
    """Current density at points, positive when it enters the electrolyte, and its derivatives.

    Attributes:
        J: [A/m²].
        by: Its derivatives by the states it depends on: ``phi_s``, ``phi_e`` [S/m²], ``theta``
            [A/m²], ``c_e`` [A m/mol].
        eta: Activation overpotential η [V].
        film: Drop over the surface film J R [V].
    """

    J: Array
    by: Mapping[str, Array]
    eta: Array
    film: Array | float = 0.0


@dataclass(frozen=True, eq=False)
class RateLaw:
    """J = i₀ h(Fη/RT) and ∂J/∂η of a rate h given as an expression tree.

    Attributes:
        h, slope: The tree and its derivative, both in ``x`` = Fη/RT.
        thermal: RT/F [V].
    """

    h: Expression
    slope: Expression
    thermal: float

    @classmethod
    def of(cls, h: Expression, temperature: float) -> "RateLaw":
        """The law of a tree at a temperature [K]."""
        return cls(h, h.derivative(SCALED), thermal_voltage(temperature))

    def __call__(self, i0: Array, eta: Array) -> tuple[Array, Array]:
        """J [A/m²] and ∂J/∂η [S/m²] at points."""
        x = {SCALED: eta / self.thermal}
        return i0 * self.h.evaluate(x, NUMPY), i0 * self.slope.evaluate(x, NUMPY) / self.thermal


def butler_volmer(
    i0: Array, eta: Array, alpha_a: float, alpha_c: float, thermal: float
) -> tuple[Array, Array]:
    """J = i₀ [exp(α_a η F/RT) − exp(−α_c η F/RT)] and ∂J/∂η."""
    h = reactions.butler_volmer(alpha_a, alpha_c)
    return RateLaw(h, h.derivative(SCALED), thermal)(i0, eta)


@dataclass(frozen=True, eq=False)
class InsertionKinetics:
    """Charge transfer of an active material, with U(θ) and an optional film resistance.

    Attributes:
        U, dU: Open-circuit potential [V] and its derivative.
        i0, i0_by_theta, i0_by_c_e: Exchange current density [A/m²] and its derivatives.
        rate: The law J(i₀, η).
        film: Film resistance [Ω m²].
    """

    U: Law
    dU: Law
    i0: Law
    i0_by_theta: Law
    i0_by_c_e: Law
    rate: RateLaw
    film: float

    @classmethod
    def of(
        cls, material: ActiveMaterial, temperature: float, reaction: Reaction | None = None
    ) -> "InsertionKinetics":
        """The kinetics of a material at a temperature [K]; its own reaction by default."""
        reaction = reaction or Reaction.of(material)
        i0 = reaction.i0.held(theta=(THETA_EDGE, 1.0 - THETA_EDGE), c_e=(C_EDGE, 1e6))
        return cls(
            U=material.U,
            dU=material.U.derivative("theta"),
            i0=i0,
            i0_by_theta=i0.derivative("theta"),
            i0_by_c_e=i0.derivative("c_e"),
            rate=RateLaw.of(reaction.h(), temperature),
            film=reaction.film,
        )

    def flux(self, phi_s: Array, phi_e: Array, theta: Array, c_e: Array) -> Flux:
        """Current density at points.

        Args:
            phi_s, phi_e: Potentials [V].
            theta: Surface stoichiometry.
            c_e: Salt concentration [mol/m³].
        """
        state = {"theta": theta, "c_e": c_e}
        i0 = self.i0(**state)
        drive = phi_s - phi_e - self.U(theta=theta)
        J, eta = self._current(i0, drive)
        unit, slope = self.rate(i0, eta)
        per_i0 = unit / i0
        # J = i₀ h(drive − R J): dJ (1 + R i₀ h') = h di₀ + i₀ h' d(drive).
        damping = 1.0 / (1.0 + self.film * slope)
        by_drive = slope * damping
        by_theta = per_i0 * self.i0_by_theta(**state) * damping - by_drive * self.dU(theta=theta)
        by_c_e = per_i0 * self.i0_by_c_e(**state) * damping
        by = {"phi_s": by_drive, "phi_e": -by_drive, "theta": by_theta, "c_e": by_c_e}
        return Flux(J, by, eta, self.film * J)

    def _current(self, i0: Array, drive: Array) -> tuple[Array, Array]:
        """Solve J = i₀ h(drive − R J) by Newton's method in η; monotone, so it converges."""
        if self.film == 0.0:
            return self.rate(i0, drive)[0], drive
        # g(η) = η + R J(η) − drive is increasing; steps are held to a few thermal voltages.
        thermal = self.rate.thermal
        eta = np.clip(drive, -10 * thermal, 10 * thermal)
        for _ in range(100):
            J, slope = self.rate(i0, eta)
            step = (drive - eta - self.film * J) / (1.0 + self.film * slope)
            eta = eta + np.clip(step, -5 * thermal, 5 * thermal)
            if np.max(np.abs(step), initial=0.0) < 1e-14:
                break
        # Of the two equal forms the one that does not cancel.
        J, slope = self.rate(i0, eta)
        return np.where(self.film * slope < 1.0, J, (drive - eta) / self.film), eta


@dataclass(frozen=True, eq=False)
class MetalKinetics:
    """Butler–Volmer kinetics of a metal counter electrode, whose potential is the zero.

    Attributes:
        potential: Potential of the metal against lithium [V].
        i0, i0_by_c_e: Exchange current density [A/m²] and its derivative.
        alpha_a, alpha_c: Transfer coefficients.
        thermal: RT/F [V].
    """

    potential: float
    i0: Law
    i0_by_c_e: Law
    alpha_a: float
    alpha_c: float
    thermal: float

    @classmethod
    def of(cls, metal: MetalElectrode, temperature: float) -> "MetalKinetics":
        """The kinetics of a metal at a temperature [K]."""
        i0 = metal.i0.held(c_e=(C_EDGE, 1e6))
        return cls(
            potential=metal.potential.value,
            i0=i0,
            i0_by_c_e=i0.derivative("c_e"),
            alpha_a=metal.alpha_a.value,
            alpha_c=metal.alpha_c.value,
            thermal=thermal_voltage(temperature),
        )

    def flux(self, phi_e: Array, c_e: Array) -> Flux:
        """Current density from the metal into the electrolyte at points."""
        i0 = self.i0(c_e=c_e)
        eta = -phi_e - self.potential
        J, slope = butler_volmer(i0, eta, self.alpha_a, self.alpha_c, self.thermal)
        return Flux(J, {"phi_e": -slope, "c_e": J / i0 * self.i0_by_c_e(c_e=c_e)}, eta)
