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

from voxtrode.data.law import FARADAY, Law
from voxtrode.data.phases import Phase
from voxtrode.meshing.tagged import ACTIVE, ELECTRONIC, IONIC, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.ufl_operations import law_as_ufl
from voxtrode.solvers.units import thermal_voltage

UM = 1e-6  # the mesh is in µm; everything else in SI
GAMMA, LITHIUM = 10, 11
VERTEX = {"quadrature_rule": "vertex", "quadrature_degree": 1}
CENTROID = {"quadrature_degree": 1}


class BasicHalfCell:
    """State and equations of a half cell.

    Attributes:
        c_s, c_e: Concentrations [mol/m³].
        phi_s, phi_e: Potentials [V] against lithium.
        vertices: Parent vertex of each unknown, by field name.
    """

    def __init__(self, tagged: TaggedMesh, cell: Cell) -> None:  # noqa: PLR0915 (one page)
        """Write down the equations; the state is zero until it is set."""
        mesh = tagged.mesh
        ((_, phase),) = cell.active().items()
        material, metal = phase.active, cell.counter
        ((fluid, _),) = cell.electrolytes()
        assert material is not None
        self.area = tagged.info.area

        # Fields: P1 on the submeshes of the cells that carry them.
        cells = {role: tagged.cells(role) for role in (ACTIVE, ELECTRONIC, IONIC)}
        parts = {role: dmesh.create_submesh(mesh, 3, cells[role]) for role in cells}
        V_s, V_p, V_e = (fem.functionspace(parts[role][0], ("Lagrange", 1)) for role in cells)
        self.c_s, self.phi_s = fem.Function(V_s, name="c_s"), fem.Function(V_p, name="phi_s")
        self.phi_e, self.c_e = fem.Function(V_e, name="phi_e"), fem.Function(V_e, name="c_e")
        self.fields = (self.c_s, self.phi_s, self.phi_e, self.c_e)
        self._last = fem.Function(V_s), fem.Function(V_e)
        roles = (ACTIVE, ELECTRONIC, IONIC, IONIC)
        self.vertices = {
            u.name: _vertices(u.function_space, parts[role][2])
            for u, role in zip(self.fields, roles, strict=True)
        }

        # Integrals: cells by role, Γ with the active side as '+', the face of the metal.
        data = list(cells.items())
        dx = ufl.Measure("dx", mesh, subdomain_data=data, metadata=CENTROID)
        dx_lumped = ufl.Measure("dx", mesh, subdomain_data=data, metadata=VERTEX)
        on_gamma = [(GAMMA, _gamma(tagged))]
        dS = ufl.Measure("dS", mesh, subdomain_data=on_gamma, metadata=VERTEX)(GAMMA)
        on_metal = [(LITHIUM, _top(tagged))]
        ds = ufl.Measure("ds", mesh, subdomain_data=on_metal, metadata=VERTEX)(LITHIUM)

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

        def of_salt(law: Law) -> Any:
            return law_as_ufl(law, c_e=c_e)

        i_e = transport * (
            -of_salt(fluid.kappa) * grad(phi_e)
            + of_salt(fluid.kappa_over_c)
            * (2.0 * RT_F * (1.0 - of_salt(fluid.t_plus)) * of_salt(fluid.chi))
            * grad(c_e)
        )
        theta = c_s / material.c_max.value
        surface = theta("+")
        U = law_as_ufl(material.U, theta=surface)
        i0 = law_as_ufl(material.i0, c_e=c_e("-"), theta=surface)
        J = butler_volmer(i0, phi_s("+") - phi_e("-") - U, material)
        J_metal = butler_volmer(of_salt(metal.i0), -phi_e - metal.potential.value, metal)

        # Weak forms, all in amperes; at the collector the applied current is added to φ_s's row.
        v_s, w_s, w_e, v_e = (ufl.TestFunction(u.function_space) for u in self.fields)
        self._dt = fem.Constant(mesh, 1.0)
        c_s_last, c_e_last = self._last
        D_s, D_e = law_as_ufl(material.D_s, theta=theta), of_salt(fluid.D_e)
        flux_e = FARADAY * transport * D_e * grad(c_e) - of_salt(fluid.t_plus) * i_e
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
        jacobian = [
            [ufl.derivative(F, u, ufl.TrialFunction(u.function_space)) for u in self.fields]
            for F in forms
        ]
        self._residual = fem.form(forms, entity_maps=maps)
        self._jacobian = fem.form(jacobian, entity_maps=maps)

        # The collector is an equipotential: its unknowns share one column of P.
        at_collector = np.isclose(V_p.tabulate_dof_coordinates()[:, 2], 0.0, atol=1e-9)
        self._collector = len(c_s.x.array) + np.flatnonzero(at_collector)
        self._P = _tie(self._collector, sum(len(u.x.array) for u in self.fields))
        self._lu = PETSc.KSP().create(mesh.comm)
        self._lu.setType("preonly")
        self._lu.getPC().setType("lu")
        self._lu.getPC().setFactorSolverType("mumps")

    @property
    def voltage(self) -> float:
        """Potential of the collector [V]."""
        return float(self.phi_s.x.array[self._collector[0] - len(self.c_s.x.array)])

    def step(self, current: float, dt: float, tolerance: float = 1e-9) -> None:
        """One step of implicit Euler at a current density [A/m²], by Newton's method.

        Args:
            current: Positive on discharge.
            dt: [s].
            tolerance: Relative size of the last update; the one after it would be its square.
        """
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
        rows = [fem.assemble_vector(form).array for form in self._residual]
        b = self._P.createVecLeft()
        b.array_w[:] = np.concatenate(rows)
        b.array_w[self._collector[0]] += current * self.area
        reduced, x, full = self._P.createVecRight(), self._P.createVecRight(), b.duplicate()
        self._P.multTranspose(b, reduced)
        self._lu.setOperators(matrix.PtAP(self._P))
        self._lu.solve(reduced, x)
        self._P.mult(x, full)
        largest, start = 0.0, 0
        for u in self.fields:
            change = full.array_r[start : start + len(u.x.array)]
            u.x.array[:] -= change
            largest = max(largest, float(np.max(np.abs(change)) / np.max(np.abs(u.x.array))))
            start += len(u.x.array)
        return largest


def _vertices(space: Any, vertex_map: Any) -> npt.NDArray[np.int32]:
    """Parent vertex of each P1 unknown of a submesh."""
    corner = np.zeros(len(space.tabulate_dof_coordinates()), dtype=np.int32)
    corner[space.dofmap.list.ravel()] = space.mesh.topology.connectivity(3, 0).array
    return np.asarray(vertex_map.sub_topology_to_topology(corner, False))


def _gamma(tagged: TaggedMesh) -> npt.NDArray[np.int32]:
    """Γ as rows (active cell, its local facet, ionic cell, its local facet), flattened."""
    topology = tagged.mesh.topology
    topology.create_connectivity(2, 3)
    rows: list[int] = []
    for facet in range(topology.index_map(2).size_local):
        pair = topology.connectivity(2, 3).links(facet)
        for active, ionic in (pair, pair[::-1]) if len(pair) == 2 else ():
            if tagged.alive[active] & ACTIVE and tagged.alive[ionic] & IONIC:
                rows += [active, _place(topology, active, facet)]
                rows += [ionic, _place(topology, ionic, facet)]
    return np.array(rows, dtype=np.int32)


def _top(tagged: TaggedMesh) -> npt.NDArray[np.int32]:
    """The face z = height as rows (cell, local facet), flattened."""
    top, topology = tagged.info.height / UM, tagged.mesh.topology
    rows: list[int] = []
    for facet in dmesh.locate_entities_boundary(tagged.mesh, 2, lambda x: np.isclose(x[2], top)):
        cell = topology.connectivity(2, 3).links(facet)[0]
        rows += [cell, _place(topology, cell, facet)]
    return np.array(rows, dtype=np.int32)


def _place(topology: dmesh.Topology, cell: int, facet: int) -> int:
    """Local number of a facet in a cell."""
    topology.create_connectivity(3, 2)
    return int(np.flatnonzero(topology.connectivity(3, 2).links(cell) == facet)[0])


def _tie(tied: npt.NDArray[np.integer], n: int) -> PETSc.Mat:
    """P with x_full = P x, where all tied unknowns share the first of them."""
    first = tied[0]
    column = np.arange(n)
    column[tied] = first
    _, column = np.unique(column, return_inverse=True)
    P = PETSc.Mat().createAIJ((n, int(column.max()) + 1), nnz=1)
    P.setValuesCSR(np.arange(n + 1, dtype=PETSc.IntType), column.astype(PETSc.IntType), np.ones(n))
    P.assemble()
    return P
