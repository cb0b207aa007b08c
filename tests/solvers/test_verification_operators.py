"""Manufactured solutions: each weak form alone, and the half cell with a planar interface.

Expected: order 2 in L2 for P1 elements, as vertex and centroid quadrature are exact for linear
functions, and order 2 of BDF2 in time; at least 1.9 is asked for. See `manufactured`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import ufl
from dolfinx import fem
from dolfinx import mesh as dmesh
from manufactured import (
    C_MAX,
    EPS,
    FLUID,
    MATERIAL,
    SIGMA,
    T0,
    TAU,
    THERMAL,
    Manufactured,
    Physics,
    advance,
    l2,
    orders,
)
from mpi4py import MPI

from voxtrode.solvers import forms
from voxtrode.solvers.units import CONDUCTANCE

ORDER = 1.9


def smooth(x: Any, mean: float, size: float, phase: float) -> Any:
    """A field without symmetries on a box of a few µm."""
    return mean + size * ufl.sin(0.31 * x[0] + phase) * ufl.cos(0.23 * x[1]) * ufl.exp(0.1 * x[2])


def electrons_form(u: Any, v: Any, x: Any, space: Any, dx: Any) -> tuple[Any, Any]:
    """Left side of the discrete equation, and the physical flux of the chosen field."""
    return forms.conduction(u, v, SIGMA, dx), Physics.electrons(smooth(x, 0.1, 0.05, 0.2))


def lithium_form(u: Any, v: Any, x: Any, space: Any, dx: Any) -> tuple[Any, Any]:
    form = forms.particle_diffusion(u, v, C_MAX, MATERIAL.D_s, dx)
    return form, Physics.lithium(smooth(x, 0.5, 0.2, 0.2))


def charge_form(u: Any, v: Any, x: Any, space: Any, dx: Any) -> tuple[Any, Any]:
    y = smooth(x, 1.0, 0.3, 0.7)
    form = forms.charge_conservation(nodal(space, y), u, v, FLUID, EPS / TAU, THERMAL, dx)
    return form, Physics.ions(smooth(x, 0.1, 0.05, 0.2), y)


def salt_form(u: Any, v: Any, x: Any, space: Any, dx: Any) -> tuple[Any, Any]:
    phi, y = smooth(x, 0.0, 0.05, 0.7), smooth(x, 1.0, 0.3, 0.2)
    form = forms.salt_transport(u, nodal(space, phi), v, FLUID, EPS / TAU, THERMAL, dx)
    return form, Physics.salt(phi, y) - T0 * Physics.ions(phi, y)


def nodal(space: Any, expression: Any) -> fem.Function:
    """A field at the vertices."""
    function = fem.Function(space)
    function.interpolate(fem.Expression(expression, space.element.interpolation_points))
    return function


CASES: dict[str, tuple[Callable[..., tuple[Any, Any]], tuple[float, float]]] = {
    "electrons": (electrons_form, (0.1, 0.05)),
    "lithium": (lithium_form, (0.5, 0.2)),
    "charge": (charge_form, (0.1, 0.05)),
    "salt": (salt_form, (1.0, 0.3)),
}


@pytest.mark.parametrize("case", list(CASES))
def test_each_operator_is_of_second_order(case: str) -> None:
    """Errors in L2 on 4, 8, 16 cells an edge with the field prescribed on the boundary.

    Order ≥ 1.9 on the last pair and ≥ 1.8 on the first; the coefficients are those of the
    coupled problem, nonlinear all but the electrons'.
    """
    build, (mean, size) = CASES[case]
    errors = []
    for n in (4, 8, 16):
        mesh = dmesh.create_box(MPI.COMM_SELF, [[0.0] * 3, [10.0, 9.0, 8.0]], [n, n, n])
        space = fem.functionspace(mesh, ("Lagrange", 1))
        x = ufl.SpatialCoordinate(mesh)
        exact = smooth(x, mean, size, 0.2)
        u, v = nodal(space, exact), ufl.TestFunction(space)
        form, flux = build(u, v, x, space, forms.volume_measure(mesh))
        fine = ufl.Measure("dx", domain=mesh, metadata={"quadrature_degree": 4})
        form -= CONDUCTANCE * ufl.div(flux) * v * fine
        mesh.topology.create_connectivity(2, 3)
        rim = fem.locate_dofs_topological(space, 2, dmesh.exterior_facet_indices(mesh.topology))
        bc = fem.dirichletbc(nodal(space, exact), rim)
        options = {"snes_rtol": 1e-12, "ksp_type": "preonly", "pc_type": "lu"}
        problem = fem.petsc.NonlinearProblem(
            form, u, bcs=[bc], petsc_options_prefix=f"mms_{case}_", petsc_options=options
        )
        free = np.setdiff1d(np.arange(len(u.x.array)), rim)
        u.x.array[free] = mean  # a start that is not the answer
        problem.solve()
        assert problem.solver.getConvergedReason() > 0
        errors.append(l2(u, exact))
    print(f"{case}: errors {errors}, orders {orders(errors)}")
    assert orders(errors)[-1] >= ORDER
    assert orders(errors)[0] >= 1.8
    assert errors[-1] < 0.02 * size


@pytest.mark.slow
def test_the_coupled_problem_is_of_second_order_in_space_and_time() -> None:
    """θ, φ_s, φ_e, c_e in L2 with h and Δt halved together: order ≥ 1.9 between the last meshes."""
    errors = []
    for n, steps in ((3, 5), (6, 10), (12, 20)):
        system = Manufactured(n)
        advance(system, steps)
        errors.append(system.errors())
    found = {name: orders([one[name] for one in errors]) for name in errors[0]}
    print(f"coupled: errors {errors}, orders {found}")
    for name, order in found.items():
        assert order[-1] >= ORDER, name


def test_the_coupled_problem_is_of_second_order_in_time() -> None:
    """States on one mesh with 20, 40, 80 equal steps: differences fall with order ≥ 1.9."""
    states = []
    for steps in (20, 40, 80):
        system = Manufactured(3)
        advance(system, steps)
        system.rebase([])
        states.append(system.state() | {"V": np.array([system.voltage()])})
    for name in states[0]:
        first, second = (
            float(np.linalg.norm(states[k][name] - states[k + 1][name])) for k in (0, 1)
        )
        print(f"time: {name} order {np.log2(first / second)}")
        assert np.log2(first / second) >= ORDER, name
