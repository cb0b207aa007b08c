"""The half cell on one page: the model's equations in plain DOLFINx, solved directly.

Nothing here is clever: one active material, one rank, implicit Euler, LU by MUMPS. It is the
oracle that the modular solver is tested against, and the place to read what that solver computes.

    active       ∂c_s/∂t = ∇·(D_s ∇c_s)                       −F D_s ∇c_s·n_s = J on Γ
    electrons    ∇·(σ ∇φ_s) = 0                               the current jumps by J on Γ
    electrolyte  ∇·i_e = 0,  i_e = −κ ∇φ_e + (κ/c_e)(2RT/F)(1 − t₊)χ ∇c_e     J enters on Γ
                 ε ∂c_e/∂t = ∇·(D_e ∇c_e) − ∇·(t₊ i_e)/F                      J/F enters on Γ
    on Γ         J = i₀ [exp(α_a F η/RT) − exp(−α_c F η/RT)],  η = φ_s − φ_e − U(c_s/c_max)

Storage and J are lumped by vertex quadrature, coefficients are taken at centroids. Facets of Γ
count with their plain area, and there is no film.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from voxtrode.data.law import FARADAY
from voxtrode.data.materials import MetalElectrode
from voxtrode.data.phases import Phase
from voxtrode.meshing.tagged import ACTIVE, ELECTRONIC, IONIC, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.ufl_operations import law_as_ufl
from voxtrode.solvers.units import thermal_voltage

UM = 1e-6  # the mesh is in µm; everything else in SI
VERTEX = {"quadrature_rule": "vertex", "quadrature_degree": 1}
CENTROID = {"quadrature_degree": 1}


class BasicHalfCell:
    """State and equations: c_s, c_e [mol/m³], phi_s, phi_e [V] against lithium."""

    def __init__(self, tagged: TaggedMesh, cell: Cell) -> None:  # noqa: PLR0915 (one page)
        """Write down the equations; the state is zero until it is set."""
        mesh = tagged.mesh
        ((_, phase),) = cell.active().items()
        material, metal = phase.active, cell.counter
        assert isinstance(metal, MetalElectrode)
        ((fluid, _),) = cell.electrolytes()
        assert material is not None
        self.area = tagged.info.area

        # Fields: P1 on the submeshes of the cells that carry them.
        cells = {role: tagged.cells(role) for role in (ACTIVE, ELECTRONIC, IONIC)}
        parts = {role: dmesh.create_submesh(mesh, 3, cells[role]) for role in cells}
        V_s, V_p, V_e = (fem.functionspace(parts[role][0], ("Lagrange", 1)) for role in cells)
        self.fields = tuple(fem.Function(V) for V in (V_s, V_p, V_e, V_e))
        self.c_s, self.phi_s, self.phi_e, self.c_e = self.fields
        self._last = fem.Function(V_s), fem.Function(V_e)

        # Integrals: cells by role, Γ with the active side as '+', the face of the metal.
        data = list(cells.items())
        dx = ufl.Measure("dx", mesh, subdomain_data=data, metadata=CENTROID)
        dx_lumped = ufl.Measure("dx", mesh, subdomain_data=data, metadata=VERTEX)
        dS = ufl.Measure("dS", mesh, subdomain_data=[(1, _gamma(tagged))], metadata=VERTEX)(1)
        ds = ufl.Measure("ds", mesh, subdomain_data=[(1, _top(tagged))], metadata=VERTEX)(1)

        def grad(u: Any) -> Any:
            return ufl.grad(u) / UM

        def per_phase(value: Callable[[Phase], float]) -> Any:
            f = fem.Function(fem.functionspace(mesh, ("DG", 0)))
            table = np.array([value(p) for _, p in sorted(cell.phases.items())])
            f.x.array[:] = table[tagged.phase]
            return f

        sigma = per_phase(lambda p: p.sigma or 0.0)
        porosity = per_phase(lambda p: p.liquid.porosity if p.liquid else 0.0)
        transport = per_phase(lambda p: p.liquid.transport if p.liquid else 0.0)  # ε/τ

        # Fluxes.
        c_s, phi_s, phi_e, c_e = self.fields
        RT_F = thermal_voltage(cell.temperature)

        def butler_volmer(i0: Any, eta: Any, kinetics: Any) -> Any:
            a, c = kinetics.alpha_a.value, kinetics.alpha_c.value
            return i0 * (ufl.exp(a * eta / RT_F) - ufl.exp(-c * eta / RT_F))

        salt = (fluid.D_e, fluid.kappa, fluid.kappa_over_c, fluid.t_plus, fluid.chi, metal.i0)
        D_e, kappa, kappa_c, t_plus, chi, i0_metal = (law_as_ufl(law, c_e=c_e) for law in salt)
        diffusion_potential = 2.0 * RT_F * (1.0 - t_plus) * chi * grad(c_e)  # times c_e
        i_e = transport * (-kappa * grad(phi_e) + kappa_c * diffusion_potential)
        flux_e = FARADAY * transport * D_e * grad(c_e) - t_plus * i_e
        theta = c_s / material.c_max.value
        D_s = law_as_ufl(material.D_s, theta=theta)
        surface = theta("+")
        U = law_as_ufl(material.U, theta=surface)
        i0 = law_as_ufl(material.i0, c_e=c_e("-"), theta=surface)
        J = butler_volmer(i0, phi_s("+") - phi_e("-") - U, material)
        J_metal = butler_volmer(i0_metal, -phi_e - metal.potential.value, metal)

        # Weak forms, all in amperes; at the collector the applied current is added to φ_s's row.
        v_s, w_s, w_e, v_e = (ufl.TestFunction(u.function_space) for u in self.fields)
        self._dt = fem.Constant(mesh, 1.0)
        c_s_last, c_e_last = self._last
        rate_s, rate_e = (c_s - c_s_last) / self._dt, (c_e - c_e_last) / self._dt
        forms = [
            UM**3 * FARADAY * rate_s * v_s * dx_lumped(ACTIVE)
            + UM**3 * FARADAY * D_s * ufl.inner(grad(c_s), grad(v_s)) * dx(ACTIVE)
            + UM**2 * J * v_s("+") * dS,
            UM**3 * sigma * ufl.inner(grad(phi_s), grad(w_s)) * dx(ELECTRONIC)
            + UM**2 * J * w_s("+") * dS,
            -(UM**3) * ufl.inner(i_e, grad(w_e)) * dx(IONIC)
            - UM**2 * J * w_e("-") * dS
            - UM**2 * J_metal * w_e * ds,
            UM**3 * FARADAY * porosity * rate_e * v_e * dx_lumped(IONIC)
            + UM**3 * ufl.inner(flux_e, grad(v_e)) * dx(IONIC)
            - UM**2 * J * v_e("-") * dS
            - UM**2 * J_metal * v_e * ds,
        ]
        maps = [parts[role][1] for role in cells]
        trials = [(u, ufl.TrialFunction(u.function_space)) for u in self.fields]
        jacobian = [[ufl.derivative(F, u, du) for u, du in trials] for F in forms]
        self._residual = fem.form(forms, entity_maps=maps)
        self._jacobian = fem.form(jacobian, entity_maps=maps)

        # The collector is an equipotential: its unknowns share one column of P.
        at_collector = np.isclose(V_p.tabulate_dof_coordinates()[:, 2], 0.0, atol=1e-9)
        self._collector = len(c_s.x.array) + np.flatnonzero(at_collector)
        self._P = _tie(self._collector, sum(len(u.x.array) for u in self.fields))
        self._lu = PETSc.KSP().create(mesh.comm)
        self._lu.setType("preonly")
        self._lu.pc.setType("lu")
        self._lu.pc.setFactorSolverType("mumps")

    @property
    def voltage(self) -> float:
        """Potential of the collector [V]."""
        return float(self.phi_s.x.array[self._collector[0] - len(self.c_s.x.array)])

    def step(self, current: float, dt: float, tolerance: float = 1e-9) -> None:
        """Implicit Euler over dt [s] at a current [A/m²]; Newton to a relative last update."""
        self._dt.value = np.asarray(dt)
        for past, present in zip(self._last, (self.c_s, self.c_e), strict=True):
            past.x.array[:] = present.x.array
        for _ in range(30):
            if self._update(current) < tolerance:
                return
        raise RuntimeError("Newton's method did not converge")

    def _update(self, current: float) -> float:
        matrix = fem_petsc.assemble_matrix(self._jacobian)
        matrix.assemble()
        b = self._P.createVecLeft()
        b.array_w[:] = np.concatenate([fem.assemble_vector(form).array for form in self._residual])
        b.array_w[self._collector[0]] += current * self.area
        reduced, x, full = self._P.createVecRight(), self._P.createVecRight(), b.duplicate()
        self._P.multTranspose(b, reduced)
        self._lu.setOperators(matrix.PtAP(self._P))
        self._lu.solve(reduced, x)
        self._P.mult(x, full)
        sizes = np.cumsum([len(u.x.array) for u in self.fields])
        changes, largest = np.split(full.array_r, sizes[:-1]), []
        for u, change in zip(self.fields, changes, strict=True):
            u.x.array[:] -= change
            largest.append(np.abs(change).max() / np.abs(u.x.array).max())
        return float(max(largest))


def _gamma(tagged: TaggedMesh) -> npt.NDArray[np.int32]:
    """Γ as rows (active cell, its local facet, ionic cell, its local facet), flattened."""
    topology = tagged.mesh.topology
    topology.create_connectivity(2, 3)
    topology.create_connectivity(3, 2)
    facets = np.arange(topology.index_map(2).size_local, dtype=np.int32)
    inner = np.setdiff1d(facets, dmesh.exterior_facet_indices(topology))
    kind = fem.IntegralType.interior_facet
    rows = fem.compute_integration_domains(kind, topology, inner).reshape(-1, 4)
    both: npt.NDArray[np.int32] = np.concatenate([rows, rows[:, [2, 3, 0, 1]]])
    active, ionic = tagged.alive[both[:, 0]] & ACTIVE, tagged.alive[both[:, 2]] & IONIC
    return np.ravel(both[(active > 0) & (ionic > 0)])


def _top(tagged: TaggedMesh) -> npt.NDArray[np.int32]:
    """The face z = height as rows (cell, its local facet), flattened."""
    z = tagged.info.height / UM
    facets = dmesh.locate_entities_boundary(tagged.mesh, 2, lambda x: np.isclose(x[2], z))
    kind, topology = fem.IntegralType.exterior_facet, tagged.mesh.topology
    return np.asarray(fem.compute_integration_domains(kind, topology, facets), dtype=np.int32)


def _tie(tied: npt.NDArray[np.integer], n: int) -> PETSc.Mat:
    """P with x_full = P x, where all tied unknowns share the first of them."""
    column = np.arange(n)
    column[tied] = tied[0]
    _, column = np.unique(column, return_inverse=True)
    P = PETSc.Mat().createAIJ((n, int(column.max()) + 1), nnz=1)
    P.setValuesCSR(np.arange(n + 1, dtype=PETSc.IntType), column.astype(PETSc.IntType), np.ones(n))
    P.assemble()
    return P
