"""Manufactured solutions of the half cell: a smooth field is chosen and made a solution by sources.

What the field lacks to a solution is computed from the equations of the model as they stand in
print, written anew here (`Physics`), and given to the discrete equations as a source in the volume
and on surfaces. The error is then that of the discretisation alone.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from half_cells import FINE, active_material, electrolyte, half_cell, voxel_mesh
from mpi4py import MPI

from voxtrode.data.law import FARADAY
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S, Field
from voxtrode.solvers.stepper import Stepper, StepSettings
from voxtrode.solvers.system import Drive, HalfCellSystem
from voxtrode.solvers.units import CONDUCTANCE, STORAGE, UM, thermal_voltage

THERMAL = thermal_voltage(298.15)
C_MAX, C_E0 = 5e4, 1000.0
MATERIAL = active_material(
    D_s="4e-13*(1 - 0.5*theta)", U="4.3 - theta**2", i0="2 + c_e/1000*theta", c_max=C_MAX
)
FLUID = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e", chi="1 + 5e-4*c_e")
EPS, TAU, SIGMA = 0.5, 1.5, 0.5


def orders(errors: list[float]) -> list[float]:
    """Observed orders between meshes that differ by a factor of two."""
    return [float(np.log2(a / b)) for a, b in pairwise(errors)]


def l2(function: fem.Function, exact: Any) -> float:
    """The L2 norm of an error, by quadrature of degree 4 [as the field, relative to the box]."""
    dx = ufl.Measure("dx", domain=function.function_space.mesh, metadata={"quadrature_degree": 4})
    comm = function.function_space.mesh.comm
    square = comm.allreduce(fem.assemble_scalar(fem.form((function - exact) ** 2 * dx)))
    volume = comm.allreduce(fem.assemble_scalar(fem.form(1.0 * dx(function.function_space.mesh))))
    return float(np.sqrt(square / volume))


T0 = 0.3 + 1e-4 * C_E0
"""Transference number at the initial concentration, which the discrete salt balance subtracts."""


@dataclass(frozen=True)
class Physics:
    """Fluxes of the model's §2 in SI units per µm of gradient, from formulas in print."""

    @staticmethod
    def lithium(theta: Any) -> Any:
        """−F c_max D_s ∇θ: the current that lithium carries in the solid."""
        return -FARADAY * C_MAX * 4e-13 * (1.0 - 0.5 * theta) * ufl.grad(theta)

    @staticmethod
    def electrons(phi_s: Any) -> Any:
        """−σ ∇φ_s."""
        return -SIGMA * ufl.grad(phi_s)

    @staticmethod
    def ions(phi_e: Any, y: Any) -> Any:
        """i_e = −κ_eff [∇φ_e − (2RT/F)(1 − t₊) χ ∇ln c_e]."""
        c = C_E0 * y
        kappa = EPS / TAU * 1e-3 * c * (1.0 - 2e-4 * c)
        chi = 1.0 + 5e-4 * c
        slope = 2.0 * THERMAL * (1.0 - Physics.t_plus(y)) * chi * ufl.grad(ufl.ln(y))
        return -kappa * (ufl.grad(phi_e) - slope)

    @staticmethod
    def t_plus(y: Any) -> Any:
        """t₊(c_e)."""
        return 0.3 + 1e-4 * C_E0 * y

    @staticmethod
    def salt(phi_e: Any, y: Any) -> Any:
        """F N₊ = −F D_eff ∇c_e + t₊ i_e."""
        c = C_E0 * y
        diffusion = FARADAY * EPS / TAU * 3e-10 * ufl.exp(-c / 2000.0) * ufl.grad(c)
        return -diffusion + Physics.t_plus(y) * Physics.ions(phi_e, y)

    @staticmethod
    def reaction(phi_s: Any, phi_e: Any, theta: Any, y: Any) -> Any:
        """J by Butler–Volmer with α = 1/2."""
        i0 = 2.0 + y * theta
        return i0 * 2.0 * ufl.sinh((phi_s - phi_e - 4.3 + theta**2) / (2.0 * THERMAL))


THICK, END = 10.0, 100.0
"""Thickness of solid and of electrolyte [µm], duration [s]."""


@dataclass(frozen=True)
class Chosen:
    """The chosen fields at a place [µm] and a time [s], as UFL expressions."""

    x: Any
    t: Any

    @property
    def theta(self) -> Any:
        """θ."""
        wave = (
            ufl.cos(0.25 * self.x[0] + 0.4) * ufl.cos(0.2 * self.x[1]) * ufl.sin(0.15 * self.x[2])
        )
        return 0.5 + 0.08 * wave * ufl.cos(0.03 * self.t)

    @property
    def phi_s(self) -> Any:
        """φ_s [V]; an equipotential at z = 0."""
        wave = 1.0 + 0.3 * ufl.cos(0.2 * self.x[0] + 0.1 * self.x[1])
        return 4.05 + (0.01 + 4e-4 * self.x[2] * wave) * ufl.sin(0.02 * self.t)

    @property
    def phi_e(self) -> Any:
        """φ_e [V]."""
        return 0.01 * ufl.cos(0.2 * self.x[0]) * ufl.cos(0.12 * self.x[2] + 0.02 * self.t)

    @property
    def y(self) -> Any:
        """c_e/c_e0."""
        wave = ufl.sin(0.2 * self.x[0] + 0.5) * ufl.cos(0.15 * self.x[1] - 0.1 * self.x[2])
        return 1.0 + 0.2 * wave * ufl.cos(0.025 * self.t)

    @property
    def J(self) -> Any:
        """J on Γ [A/m²]."""
        return Physics.reaction(self.phi_s, self.phi_e, self.theta, self.y)

    @property
    def J_counter(self) -> Any:
        """J on the counter face [A/m²]."""
        return 20.0 * ufl.sqrt(self.y) * 2.0 * ufl.sinh(-self.phi_e / (2.0 * THERMAL))

    def by_name(self, name: str) -> Any:
        """A field by the solver's name."""
        known = {PHI_S: self.phi_s, PHI_E: self.phi_e, C_E: self.y}
        return known.get(name, self.theta)


class Manufactured(HalfCellSystem):
    """The half cell with the sources that make the chosen fields its solution.

    Attributes:
        clocks: The time of each region [s].
        chosen: The chosen fields on each field's region.
    """

    def __init__(self, n: int) -> None:
        h = 1e-6 * THICK / n
        labels = np.ones((n + 1, n, n), dtype=np.uint8)
        labels[-1] = 0
        mesh = voxel_mesh(labels, (h, h, h), [h] * (n - 1), electronic=(1,), comm=MPI.COMM_SELF)
        super().__init__(
            mesh, half_cell({1: MATERIAL}, FLUID, (EPS, TAU, None), (EPS, TAU), sigma=SIGMA)
        )
        self.clocks = {f.name: fem.Constant(f.layout.region.mesh, 0.0) for f in self.blocks}
        self.chosen = {
            name: _chosen(self._by_name[name], clock) for name, clock in self.clocks.items()
        }
        self._sources = {f.name: self._source(f) for f in self.blocks}
        self.at(0.0)
        for field in self.blocks:
            space = field.function.function_space
            expression = self.chosen[field.name].by_name(field.name)
            points = space.element.interpolation_points
            field.function.interpolate(fem.Expression(expression, points))

    def at(self, time: float) -> None:
        """Set the time of the sources."""
        for clock in self.clocks.values():
            clock.value = time

    def applied(self, time: float) -> float:
        """I [A/m²]: σ ∂φ_s/∂z at the collector, the mean over x and y."""
        x, y = (np.linspace(0.0, THICK, 2001) for _ in range(2))
        wave = np.mean(np.trapezoid(np.cos(0.2 * x[:, None] + 0.1 * y), x, axis=0)) / THICK
        return float(UM * SIGMA * 4e-4 * (1.0 + 0.3 * wave) * np.sin(0.02 * time))

    def residual(self, drive: Drive) -> dict[str, Any]:
        """Rows of the half cell, less the sources."""
        rows = super().residual(drive)
        for name, source in self._sources.items():
            layout = self._by_name[name].layout
            local = np.zeros(layout.region.n_local)
            fem.assemble_vector(local, source)
            vector = layout.vector()
            layout.gather_rows(local, vector)
            rows[name].axpy(-1.0, vector)
        return rows

    def errors(self) -> dict[str, float]:
        """L2 errors of the fields."""
        self.rebase([])
        self.fields.phi_s.values[:] += self.reference
        found = {f.name: l2(f.function, self.chosen[f.name].by_name(f.name)) for f in self.blocks}
        self.fields.phi_s.values[:] -= self.reference
        return found

    def _source(self, field: Field) -> fem.Form:
        mesh = field.layout.region.mesh
        v, n = ufl.TestFunction(field.layout.region.space), ufl.FacetNormal(mesh)
        u, (flux, storage, reaction, counter) = self.chosen[field.name], self._terms(field.name)
        dx = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": 4})
        ds = ufl.Measure("ds", domain=mesh, subdomain_data=_faces(mesh))(
            metadata={"quadrature_degree": 4}
        )
        rate = ufl.diff(u.by_name(field.name), u.t)
        form = (CONDUCTANCE * ufl.div(flux) + STORAGE * storage * rate) * v * dx
        outer = -CONDUCTANCE * ufl.dot(flux, n) * v
        form += outer * ds(SIDE if field.name == PHI_S else (SIDE, COLLECTOR))
        form += (outer + reaction * u.J * v) * ds(GAMMA)
        form += (outer + counter * u.J_counter * v) * ds(COUNTER)
        return fem.form(form)

    def _terms(self, name: str) -> tuple[Any, float, float, float]:
        """Flux, storage, and shares of J on Γ and on the counter face in a field's balance."""
        u = self.chosen[name]
        if name == PHI_S:
            return Physics.electrons(u.phi_s), 0.0, 1.0, 0.0
        if name == PHI_E:
            return Physics.ions(u.phi_e, u.y), 0.0, -1.0, -1.0
        if name == C_E:
            rest = Physics.salt(u.phi_e, u.y) - T0 * Physics.ions(u.phi_e, u.y)
            return rest, FARADAY * EPS * C_E0, -(1.0 - T0), -(1.0 - T0)
        return Physics.lithium(u.theta), FARADAY * C_MAX, 1.0, 0.0


COLLECTOR, SIDE, GAMMA, COUNTER = range(4)


def _faces(mesh: dmesh.Mesh) -> dmesh.MeshTags:
    """Outer facets of a region: Γ at z = L, the counter face at 2 L, the collector, the sides."""
    mesh.topology.create_connectivity(2, 3)
    facets = dmesh.exterior_facet_indices(mesh.topology)
    z = dmesh.compute_midpoints(mesh, 2, facets)[:, 2]
    tags = np.full(len(facets), SIDE, dtype=np.int32)
    for value, height in ((COLLECTOR, 0.0), (GAMMA, THICK), (COUNTER, 2.0 * THICK)):
        tags[np.abs(z - height) < 1e-9] = value
    return dmesh.meshtags(mesh, 2, facets, tags)


def _chosen(field: Field, clock: fem.Constant) -> Chosen:
    return Chosen(ufl.SpatialCoordinate(field.layout.region.mesh), ufl.variable(clock))


def advance(system: Manufactured, steps: int) -> None:
    """Equal steps to the end."""
    stepper = Stepper(system, 10.0, StepSettings(), FINE)
    h = END / steps
    for step in range(1, steps + 1):
        system.at(step * h)
        stepper.history.current = system.applied(step * h)
        attempt = stepper.attempt(h)
        assert attempt is not None, stepper.failure
        stepper.accept(attempt)
