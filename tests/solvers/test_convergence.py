"""Orders of convergence against closed forms and independent one-dimensional solutions.

Expected everywhere: order 2 in h, since P1 elements have error O(h²) in the L2 norm, vertex
quadrature of storage and Γ and centroid quadrature of coefficients are exact for linear functions,
and a polyhedral surface differs from a smooth one by O(h²) in place and area. Expected in time:
order 2 for BDF2 (its first step, implicit Euler, has a local error O(h²) once), 1 for Euler.

Instants are graded as k², because the flux that starts at t = 0 leaves a √t behind.
"""

import numpy as np
import numpy.typing as npt
import pytest
from half_cells import (
    active_material,
    electrolyte,
    half_cell,
    integrate,
    metal,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI
from scipy.integrate import solve_ivp

from voxtrode.data.law import FARADAY
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC, MeshBlock, MeshInfo
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.meshing.voxel import kuhn_tetrahedra
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import thermal_voltage

C_MAX, D_S = 5e4, 1e-14
THICK = 10e-6


def graded(end: float, n: int) -> npt.NDArray[np.float64]:
    """N instants up to ``end``, dense at the start."""
    return end * (np.arange(1, n + 1) / n) ** 2


def slab_closed_form(x: npt.NDArray[np.float64], t: float, rise: float) -> npt.NDArray[np.float64]:
    """θ − θ₀ in a slab with a constant flux at x = L (Carslaw & Jaeger, §3.8).

    Args:
        x: Position over L.
        t: Time over L²/D.
        rise: Flux times L over D c_max.
    """
    n = np.arange(1, 200)[:, None]
    series = ((-1.0) ** n / n**2 * np.exp(-((n * np.pi) ** 2) * t) * np.cos(n * np.pi * x)).sum(0)
    return rise * (t + (3.0 * x**2 - 1.0) / 6.0 - 2.0 / np.pi**2 * series)


def planar(layers: int) -> TaggedMesh:
    """An active slab of 10 µm under 10 µm of electrolyte, one voxel wide."""
    h = THICK / layers
    labels = np.ones((layers + 1, 1, 1), dtype=np.uint8)
    labels[-1] = 0
    return voxel_mesh(labels, (h, h, h), [h] * (layers - 1), electronic=(1,), comm=MPI.COMM_SELF)


def test_a_slab_particle_on_the_voxel_mesh() -> None:
    """θ(x, t) against the closed form at t = 0.1 L²/D: errors fall by 4 per halving of h.

    Ratios ≤ 0.28 (0.242 and 0.243 seen). 160 graded BDF2 steps leave 1e-5 of the rise, a tenth of
    the smallest error here.
    """
    current, t = 1.0, 0.1
    rise = current / FARADAY * THICK / (D_S * C_MAX)
    errors = []
    for layers in (8, 16, 32):
        system = HalfCellSystem(planar(layers), half_cell({1: active_material(D_s="1e-14")}))
        set_uniform(system, 0.3, 4.0)
        integrate(system, current, graded(t * THICK**2 / D_S, 160))
        theta = system.fields.theta[1]
        z = theta.layout.region.space.tabulate_dof_coordinates()[:, 2] * 1e-6 / THICK
        error = theta.values - 0.3 - slab_closed_form(z, t, rise)
        errors.append(np.sqrt(np.mean(error**2)) / rise)
    ratios = np.divide(errors[1:], errors[:-1])
    print(f"slab: errors {errors}, ratios {ratios}")
    assert np.all(ratios < 0.28)
    assert errors[-1] < 3e-4


def eighth_of_a_ball(n: int) -> TaggedMesh:
    """A body-fitted eighth of a ball of 5 µm in a cube of 10 µm, n voxels an edge.

    Cubes of edge s are mapped radially: to eighths of balls for s ≤ 1/2, blended into cubes from
    there on. Kuhn's subdivision along the diagonal (1, 1, 1) contains the planes x = y, y = z,
    x = z on which that map has its kinks.
    """
    grid = np.indices((n + 1,) * 3).reshape(3, -1)[::-1].T / n  # x fastest
    s = grid.max(axis=1)
    length = np.linalg.norm(grid, axis=1)
    round_ = grid * (s / np.where(length > 0.0, length, 1.0))[:, None]
    blend = np.clip(2.0 * s - 1.0, 0.0, 1.0)[:, None]
    x = 10.0 * ((1.0 - blend) * round_ + blend * grid)
    step = np.array([(n + 1) ** 2, n + 1, 1])
    corner = (np.indices((n,) * 3).reshape(3, -1).T @ step)[:, None, None]
    cells = (corner + (kuhn_tetrahedra() @ step)[None]).reshape(-1, 4)
    inside = s[cells].max(axis=1) <= 0.5 + 1e-12
    block = MeshBlock(
        x,
        cells,
        inside.astype(np.int32),
        inside.astype(np.int32),
        np.where(inside, ACTIVE | ELECTRONIC, IONIC).astype(np.uint8),
        np.zeros((len(cells), 3)),
    )
    names = ("pore", "active", "separator")
    info = MeshInfo(names, len(x), len(cells), 10e-6, 10e-6, 1e-10, {})
    return distribute(block, info, MPI.COMM_SELF)


def ball_closed_form(r: npt.NDArray[np.float64], t: float) -> npt.NDArray[np.float64]:
    """θ − θ₀ over J R/(F D c_max) in a ball with a constant flux (Carslaw & Jaeger, §9.7).

    Args:
        r: Radius over R.
        t: Time over R²/D.
    """
    alpha = (np.arange(50) + 1.5) * np.pi
    for _ in range(50):  # tan α = α
        alpha = (np.arange(50) + 1.0) * np.pi + np.arctan(alpha)
    x = np.maximum(r, 1e-6)[:, None]
    series = np.sin(alpha * x) / (x * alpha**2 * np.sin(alpha)) * np.exp(-(alpha**2) * t)
    return 3.0 * t + (5.0 * r**2 - 3.0) / 10.0 - 2.0 * series.sum(axis=1)


@pytest.mark.slow
def test_a_ball_on_a_body_fitted_mesh() -> None:
    """θ(r, t) at t = 0.1 R²/D against the closed form, order 2 (ratio ≤ 0.29).

    Root mean square over the vertices: errors of the mean at the surface cancel in part, and fall
    faster.

    Good conductors and a nearly flat U keep J uniform on Γ (1e-5 of it); the radius has 3, 6 and
    12 cells. Ratio 0.234 seen; 60 graded steps leave a few 1e-5 of the rise, a tenth of the
    smallest error. Without facet weights: the surface is the ball's own.
    """
    material = active_material(U="3.8 - 1e-6*theta", D_s="1e-14", i0="1")
    fluid = electrolyte(kappa="100", kappa_over_c="0.1", t_plus="1", chi="1")
    cell = half_cell({1: material}, fluid, nsd=(1.0, 1.0, None), sigma=100.0, counter=metal("1e3"))
    radius, t, current = 5e-6, 0.1, 0.5
    flux = current * 1e-10 / (np.pi * radius**2 / 2.0)
    rise = flux * radius / (FARADAY * D_S * C_MAX)
    errors = []
    for n in (6, 12, 24):
        system = HalfCellSystem(eighth_of_a_ball(n), cell)
        set_uniform(system, 0.3, 3.7)
        integrate(system, current, graded(t * radius**2 / D_S, 60))
        theta = system.fields.theta[1]
        x = theta.layout.region.space.tabulate_dof_coordinates() * 1e-6
        r = np.linalg.norm(x, axis=1) / radius
        error = (theta.values - 0.3) / rise - ball_closed_form(r, t)
        errors.append(np.sqrt(np.mean(error**2)))
    ratios = np.divide(errors[1:], errors[:-1])
    print(f"ball: errors {errors}, ratios {ratios}")
    assert np.all(ratios < 0.29)
    assert errors[-1] < 1e-3


# -- one planar electrode ---------------------------------------------------------------------

PLANAR = active_material(D_s="1e-13*(1 - 0.5*theta)", U="4.3 - theta**2", film=2e-3)
FLUID = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e")
EPS, TAU, SIGMA, CURRENT, START = 0.5, 1.5, 0.5, 20.0, 0.2


def planar_system(layers: int) -> HalfCellSystem:
    cell = half_cell({1: PLANAR}, FLUID, nsd=(EPS, TAU, None), separator=(EPS, TAU), sigma=SIGMA)
    system = HalfCellSystem(planar(layers), cell)
    set_uniform(system, START, 4.2)
    return system


def chebyshev(n: int, length: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Differentiation matrix and nodes on [0, length] (Trefethen, Spectral methods, ch. 6)."""
    x = np.cos(np.pi * np.arange(n + 1) / n)[::-1]
    c = np.ones(n + 1)
    c[0] = c[-1] = 2.0
    c *= (-1.0) ** np.arange(n + 1)
    X = x[:, None] - x[None, :]
    D = np.outer(c, 1.0 / c) / (X + np.eye(n + 1))
    D -= np.diag(D.sum(axis=1))
    return 2.0 / length * D, length * (1.0 + x) / 2.0


def spectral_voltage(end: float, n: int) -> float:
    """V of the same cell, independently: Chebyshev collocation and Radau, laws written anew.

    In one dimension the currents are known everywhere, so that the two concentrations decouple;
    the voltage is the sum of what lies on the way.
    """
    D, _ = chebyshev(n, THICK)
    RT_F = thermal_voltage(298.15)

    def D_e(c: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return EPS / TAU * 3e-10 * np.exp(-c / 2000.0)

    def rates(_: float, y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        theta, c = np.split(y, 2)
        q = -1e-13 * (1.0 - 0.5 * theta) * (D @ theta)
        q[0], q[-1] = 0.0, -CURRENT / FARADAY / C_MAX
        N = -D_e(c) * (D @ c) - (0.3 + 1e-4 * c) * CURRENT / FARADAY
        N[0] = N[-1] = -CURRENT / FARADAY
        return np.concatenate([-(D @ q), -(D @ N) / EPS])

    start = np.concatenate([np.full(n + 1, START), np.full(n + 1, 1000.0)])
    end_state = solve_ivp(rates, (0.0, end), start, method="Radau", rtol=1e-9, atol=1e-11).y[:, -1]
    theta, c = np.split(end_state, 2)
    kappa = EPS / TAU * 1e-3 * c * (1.0 - 2e-4 * c)
    slope = CURRENT / kappa + 2.0 * RT_F * (0.7 - 1e-4 * c) * (1.0 + 5e-4 * c) * (D @ c) / c
    drop = np.linalg.solve(D[1:, 1:], slope[1:])[-1]  # ∫ slope, from 0 at the electrode
    i0_s = 2.0 * np.sqrt(c[0] / 1000.0 * theta[-1] * (1.0 - theta[-1]))
    i0_c = 20.0 * np.sqrt(c[-1] / 1000.0)
    eta_s = -2.0 * RT_F * np.arcsinh(CURRENT / (2.0 * i0_s))
    eta_c = 2.0 * RT_F * np.arcsinh(CURRENT / (2.0 * i0_c))
    potential = 4.3 - theta[-1] ** 2 + eta_s - CURRENT * 2e-3
    return float(potential - eta_c - drop - CURRENT * THICK / SIGMA)


def test_a_planar_electrode_against_a_spectral_solution() -> None:
    """V after 60 s at 20 A/m², every law nonlinear: order 2 in h, ratio ≤ 0.29.

    The spectral solution is its own at 32 and 48 nodes to 1e-7 V. At 60 s the diffusion length in
    the particle is 2 µm, so that 1/8 of 10 µm resolves it. 160 graded steps leave 1e-6 V,
    a hundredth of the smallest error in h. Ratios 0.246 and 0.248 seen.
    """
    end = 60.0
    exact = spectral_voltage(end, 48)
    assert spectral_voltage(end, 32) == pytest.approx(exact, abs=1e-7)
    errors = []
    for layers in (8, 16, 32):
        _, voltages = integrate(planar_system(layers), CURRENT, graded(end, 160))
        errors.append(voltages[-1] - exact)
    ratios = np.divide(errors[1:], errors[:-1])
    print(f"planar: V {exact}, errors {errors}, ratios {ratios}")
    assert np.all(np.abs(ratios) < 0.29)
    assert abs(errors[-1]) < 2e-4


@pytest.mark.parametrize(("second_order", "expected"), [(True, 4.0), (False, 2.0)])
def test_order_in_time(second_order: bool, expected: float) -> None:
    """Differences of V on one mesh with 40, 80, 160 equal steps fall by 4 (BDF2) or 2 (Euler).

    On a fixed mesh the solution is smooth on the scale of the first steps, so that equal steps
    show the order; within 15 %, the next term of the expansion.
    """
    values = []
    for n in (40, 80, 160):
        times = 60.0 * np.arange(1, n + 1) / n
        _, voltages = integrate(planar_system(6), CURRENT, times, second_order)
        values.append(voltages[-1])
    ratio = (values[0] - values[1]) / (values[1] - values[2])
    print(f"time: {values}, ratio {ratio}")
    assert ratio == pytest.approx(expected, rel=0.15)
