"""Fluxes at points of Γ and of the counter face, with their derivatives.

A flux law takes the states at a point and returns the current density J and its partial
derivatives; the derivatives of U and i₀ are taken from their expression trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.data.law import Law
from voxtrode.data.materials import ActiveMaterial, MetalElectrode
from voxtrode.solvers.units import thermal_voltage

Array = npt.NDArray[np.float64]
THETA_EDGE = 1e-6
C_EDGE = 1e-3
"""i₀ is held within θ ∈ [1e-6, 1 − 1e-6] and c_e ≥ 1e-3 mol/m³: its roots lose their slope."""
_EXPONENT = 80.0


@dataclass(frozen=True, eq=False)
class Flux:
    """Current density at points, positive when it enters the electrolyte, and its derivatives.

    Attributes:
        J: [A/m²].
        by: Its derivatives by the states it depends on: ``phi_s``, ``phi_e`` [S/m²], ``theta``
            [A/m²], ``c_e`` [A m/mol].
        eta: Activation overpotential η [V].
    """

    J: Array
    by: Mapping[str, Array]
    eta: Array


def butler_volmer(
    i0: Array, eta: Array, alpha_a: float, alpha_c: float, thermal: float
) -> tuple[Array, Array]:
    """J = i₀ [exp(α_a η F/RT) − exp(−α_c η F/RT)] and ∂J/∂η.

    Exponents are continued linearly beyond ±80, far outside any physical state, so that a wild
    Newton iterate stays finite.
    """
    rise, rise_slope = _exponential(alpha_a * eta / thermal)
    fall, fall_slope = _exponential(-alpha_c * eta / thermal)
    return i0 * (rise - fall), i0 * (alpha_a * rise_slope + alpha_c * fall_slope) / thermal


def _exponential(x: Array) -> tuple[Array, Array]:
    held = np.minimum(x, _EXPONENT)
    slope = np.exp(held)
    return slope * (1.0 + x - held), slope


@dataclass(frozen=True, eq=False)
class InsertionKinetics:
    """Butler–Volmer kinetics of an active material, with U(θ) and an optional film resistance.

    Attributes:
        U, dU: Open-circuit potential [V] and its derivative.
        i0, i0_by_theta, i0_by_c_e: Exchange current density [A/m²] and its derivatives.
        alpha_a, alpha_c: Transfer coefficients.
        film: Film resistance [Ω m²].
        thermal: RT/F [V].
    """

    U: Law
    dU: Law
    i0: Law
    i0_by_theta: Law
    i0_by_c_e: Law
    alpha_a: float
    alpha_c: float
    film: float
    thermal: float

    @classmethod
    def of(cls, material: ActiveMaterial, temperature: float) -> "InsertionKinetics":
        """The kinetics of a material at a temperature [K]."""
        i0 = material.i0.held(theta=(THETA_EDGE, 1.0 - THETA_EDGE), c_e=(C_EDGE, 1e6))
        film = material.film_resistance
        return cls(
            U=material.U,
            dU=material.U.derivative("theta"),
            i0=i0,
            i0_by_theta=i0.derivative("theta"),
            i0_by_c_e=i0.derivative("c_e"),
            alpha_a=material.alpha_a.value,
            alpha_c=material.alpha_c.value,
            film=0.0 if film is None else film.value,
            thermal=thermal_voltage(temperature),
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
        unit, slope = butler_volmer(i0, eta, self.alpha_a, self.alpha_c, self.thermal)
        per_i0 = unit / i0
        # J = i₀ h(drive − R J): dJ (1 + R i₀ h') = h di₀ + i₀ h' d(drive).
        damping = 1.0 / (1.0 + self.film * slope)
        by_drive = slope * damping
        by_theta = per_i0 * self.i0_by_theta(**state) * damping - by_drive * self.dU(theta=theta)
        by_c_e = per_i0 * self.i0_by_c_e(**state) * damping
        by = {"phi_s": by_drive, "phi_e": -by_drive, "theta": by_theta, "c_e": by_c_e}
        return Flux(J, by, eta)

    def _current(self, i0: Array, drive: Array) -> tuple[Array, Array]:
        """Solve J = i₀ h(drive − R J) by Newton's method in η; monotone, so it converges."""
        if self.film == 0.0:
            return butler_volmer(i0, drive, self.alpha_a, self.alpha_c, self.thermal)[0], drive
        # g(η) = η + R J(η) − drive is increasing; steps are held to a few thermal voltages.
        eta = np.clip(drive, -10 * self.thermal, 10 * self.thermal)
        for _ in range(100):
            J, slope = butler_volmer(i0, eta, self.alpha_a, self.alpha_c, self.thermal)
            step = (drive - eta - self.film * J) / (1.0 + self.film * slope)
            eta = eta + np.clip(step, -5 * self.thermal, 5 * self.thermal)
            if np.max(np.abs(step), initial=0.0) < 1e-14:
                break
        # Of the two equal forms the one that does not cancel.
        J, slope = butler_volmer(i0, eta, self.alpha_a, self.alpha_c, self.thermal)
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
