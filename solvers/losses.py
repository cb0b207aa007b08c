"""Where the voltage is lost: powers that add up to I A (U(θ̄) − V), exact in the discrete system."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from mpi4py import MPI

from voxtrode.solvers import forms, particles
from voxtrode.solvers.kinetics import Flux
from voxtrode.solvers.surfaces import ActiveSurface
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import CONDUCTANCE, thermal_voltage

Array = npt.NDArray[np.float64]

PARTS = (
    "Ohmic",
    "Concentration",
    "Electronic",
    "Contact",
    "Kinetic",
    "Film",
    "Solid diffusion",
    "Particle-to-particle",
    "Counter",
)
"""Parts of U(θ̄) − V, in the order of :meth:`Losses.powers`."""


class Losses:
    """Powers of the present state of a system: its equations tested with the solution.

    The concentration part is −∫ i_e·(2RT/F)(1 − t₊)χ∇ln c_e.
    """

    def __init__(
        self, system: HalfCellSystem, shares: Mapping[int, particles.Shares], count: int
    ) -> None:
        """Prepare forms.

        Args:
            system: The system.
            shares: Volumes of the unknowns of each active phase by particle, by label.
            count: Number of particle ids.
        """
        self._system = system
        self._shares = shares
        self._count = count
        self._volume = _power_forms(system)

    def powers(self, at_rest: Mapping[int, float]) -> tuple[float, ...]:
        """Power of each of the `PARTS` [pA V]; collective.

        Args:
            at_rest: Potential that the electrode of each active phase has at rest [V], by label.
        """
        system = self._system
        comm = system.comm
        surface = np.zeros(4)
        for s in system.active:
            surface += self._surface_power(s, system.flux(s), at_rest[s.label])
        ohmic, concentration, electronic = (
            comm.allreduce(sum(float(np.real(fem.assemble_scalar(f))) for f in part), op=MPI.SUM)
            for part in self._volume
        )
        contact = comm.allreduce(system.junctions.power(system.fields.phi_s.values), op=MPI.SUM)
        counter = 0.0
        if system.counter is not None:
            flux = system.flux(system.counter)
            local = float(np.sum(system.counter.points.area * flux.J * flux.eta))
            counter = comm.allreduce(local, op=MPI.SUM)
        return (ohmic, concentration, electronic, contact, *map(float, surface), counter)

    def _surface_power(self, surface: ActiveSurface, flux: Flux, at_rest: float) -> Array:
        """Kinetic, film, diffusion and inter-particle power [pA V] on Γ.

        Args:
            surface: Γ of one active phase.
            flux: Its flux.
            at_rest: Potential of the electrode at rest [V].
        """
        U = surface.material.U
        share = self._shares[surface.label]
        values = self._system.fields.theta[surface.label].values
        mean, _, _, _ = particles.spread(self._system.mesh, share, values, self._count)
        at_surface = U(theta=values[surface.dofs[surface.theta]])
        of_particle = U(theta=np.clip(mean, 1e-6, 1.0))[surface.points.particle]
        weighted = surface.points.area * flux.J
        power = [
            np.sum(weighted * flux.eta),
            np.sum(weighted * flux.film),
            np.sum(weighted * (at_surface - of_particle)),
            np.sum(weighted * (of_particle - at_rest)),
        ]
        total = np.array(power, dtype=np.float64)
        self._system.comm.Allreduce(MPI.IN_PLACE, total)
        return total


def _power_forms(system: HalfCellSystem) -> list[list[fem.Form[np.float64]]]:
    """Ohmic, concentration and electronic power [pA V], each a sum of scalar forms."""
    f = system.fields
    phi = f.phi_e.function
    dx = forms.volume_measure(f.phi_e.layout.region.mesh)
    ohmic = [_dissipation(phi, f.kappa, dx)]
    concentration = []
    if f.salt:
        thermal = thermal_voltage(system.cell.temperature)
        y, fluid = f.c_e.function, f.electrolyte
        current = forms.ionic_current(y, phi, fluid, thermal)
        kappa = forms.conductivity(y, fluid)
        ohmic.append(CONDUCTANCE * f.transport * ufl.inner(current, current) / kappa * dx)
        drop = forms.diffusion_current(y, fluid, thermal) / kappa
        concentration.append(-CONDUCTANCE * f.transport * ufl.inner(current, drop) * dx)
    dx = forms.volume_measure(f.phi_s.layout.region.mesh)
    electronic = [_dissipation(f.phi_s.function, f.sigma, dx)]
    return [[fem.form(form) for form in part] for part in (ohmic, concentration, electronic)]


def _dissipation(phi: Any, sigma: Any, dx: Any) -> Any:
    """∫ σ |∇φ|² [pA V]."""
    return forms.conduction(phi, phi, sigma, dx)
