"""Charge transfer by pair of phases: its laws, the wetted share, what each limit must give."""

from dataclasses import replace

import numpy as np
import pytest
from half_cells import (
    TIGHT,
    active_material,
    ball_labels,
    half_cell,
    integrate,
    set_uniform,
    voxel_mesh,
)

from voxtrode.data.law import FARADAY, GAS_CONSTANT
from voxtrode.data.reactions import RATES, Reaction, by_formula, by_rate_constant
from voxtrode.data.reactions import linear as linear_law
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.kinetics import InsertionKinetics
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.system import HalfCellSystem

T = 298.15
OXIDE = active_material(D_s="2e-14", i0="2")
OWN = Reaction.of(OXIDE)


def discharged(reaction: Reaction | None, current: float, cell: Cell | None = None) -> list[float]:
    """Voltages of a ball over 60 s of a constant current with a reaction at its interface."""
    cell = cell or half_cell({1: OXIDE})
    if reaction is not None:
        cell = replace(cell, reactions={(1, 0): reaction, (1, 2): reaction})
    system = HalfCellSystem(voxel_mesh(ball_labels((4, 4, 4), (2.0, 2.0, 2.0), 1.9)), cell)
    set_uniform(system, 0.3, 4.0)
    return integrate(system, current, [1.0, 10.0, 30.0, 60.0], newton=TIGHT)[1]


@pytest.mark.mpi
def test_a_wetted_share_is_a_smaller_exchange_current() -> None:
    """J per wetted area times the share: without a film the same equations, to 1e-9 V."""
    wetted = discharged(OWN.but(wetted=0.3), 5.0)
    assert wetted == pytest.approx(discharged(OWN.but(i0=by_formula("0.6")), 5.0), abs=1e-9)
    assert max(np.abs(np.subtract(wetted, discharged(None, 5.0)))) > 1e-3


def test_linear_kinetics_is_the_limit_of_small_overpotentials() -> None:
    """With α_a = α_c the laws part with x³/24: by 1e-3 of η where η is 4 mV, a sixteenth at half.

    At 0.02 A/m² η is some 0.05 mV and the difference below a nanovolt.
    """
    linear = OWN.but(rate=linear_law)
    assert discharged(linear, 0.02) == pytest.approx(discharged(None, 0.02), abs=1e-9)
    eta = np.array([4e-3, 2e-3])
    state = {"phi_e": np.zeros(2), "theta": np.full(2, 0.3), "c_e": np.full(2, 1000.0)}
    laws = [InsertionKinetics.of(OXIDE, T, reaction) for reaction in (OWN, linear)]
    curved, straight = (law.flux(phi_s=4.0 + eta, **state).J for law in laws)
    off = (curved - straight) / straight
    x = eta * FARADAY / (GAS_CONSTANT * T)
    np.testing.assert_allclose(off, x**2 / 24.0, rtol=1e-2)


def test_an_exchange_current_from_a_resistance() -> None:
    """∂η/∂J at η = 0 is the resistance R in i₀ = RT/(F R), with α_a + α_c = 1."""
    i0 = by_formula(repr(GAS_CONSTANT * T / (FARADAY * 5e-3)))
    law = InsertionKinetics.of(OXIDE, T, OWN.but(i0=i0))
    state = {"phi_e": np.zeros(1), "theta": np.full(1, 0.3), "c_e": np.full(1, 1000.0)}
    flux = law.flux(phi_s=np.full(1, 4.0), **state)
    assert 1.0 / flux.by["phi_s"][0] == pytest.approx(5e-3, rel=1e-12)


@pytest.mark.parametrize("alphas", [(0.5, 0.5), (0.3, 0.7)])
def test_an_exchange_current_from_a_rate_constant(alphas: tuple[float, float]) -> None:
    """F k (c_e/c_e0)^α_a (1 − θ)^α_a θ^α_c, and at θ = 1/2, c_e = c_e0 with α = 1/2: F k/2."""
    law = by_rate_constant(1e-6, 1200.0, *alphas)
    a, c = alphas
    expected = FARADAY * 1e-6 * (600.0 / 1200.0 * 0.8) ** a * 0.2**c
    assert float(law(c_e=600.0, theta=0.2)) == pytest.approx(expected, rel=1e-12)
    half = by_rate_constant(1e-6, 1200.0, 0.5, 0.5)
    assert float(half(c_e=1200.0, theta=0.5)) == pytest.approx(0.5 * FARADAY * 1e-6, rel=1e-12)


@pytest.mark.parametrize("rate", list(RATES))
@pytest.mark.parametrize("alphas", [(0.5, 0.5), (0.3, 0.6)])
def test_every_rate_law_increases_and_knows_its_slope(
    rate: str, alphas: tuple[float, float]
) -> None:
    """Zero at equilibrium with slope α_a + α_c, increasing, its derivative that of differences."""
    reaction = Reaction(by_formula("1"), *alphas, rate=RATES[rate])
    law = InsertionKinetics.of(OXIDE, T, reaction).rate
    eta = np.linspace(-0.5, 0.5, 101)
    J, slope = law(np.ones(101), eta)
    assert np.all(np.diff(J) > 0.0)
    assert np.all(slope > 0.0)
    zero, at_zero = law(np.ones(1), np.zeros(1))
    assert zero[0] == 0.0
    assert at_zero[0] * law.thermal == pytest.approx(sum(alphas), rel=1e-12)
    step = 1e-7
    high, low = (law(np.ones(101), eta + sign * step)[0] for sign in (1, -1))
    np.testing.assert_allclose((high - low) / (2 * step), slope, rtol=1e-5)


@pytest.mark.mpi
def test_pairs_have_their_own_laws_and_balances_hold() -> None:
    """The ball against liquid and separator with laws of their own: charge, lithium, parts.

    Without any exchange at the separator's side nothing passes there.
    """
    labels = np.zeros((3, 4, 4), dtype=np.uint8)
    labels[:, 1:3, 1:3] = 1
    cell = half_cell({1: active_material(film=2e-3)})
    own = Reaction.of(active_material(film=2e-3))
    slow = own.but(i0=by_formula("1e-9"), film=0.0)
    other = own.but(rate=linear_law, film=1e-2, wetted=0.5, alpha_a=0.4)
    cell = replace(cell, reactions={(1, 2): slow, (1, 0): other})
    system = HalfCellSystem(voxel_mesh(labels), cell)
    set_uniform(system, 0.3, 4.0)
    quantities = Quantities(system)
    stepper, _ = integrate(system, 4.0, [1.0, 10.0, 30.0])
    (surface,) = system.active
    J = system.flux(surface).J
    at_separator = surface.points.beyond == 2
    assert np.all(np.abs(J[at_separator]) < 1e-5)  # i₀ exp(αFη/RT) at η = 0.4 V
    balances = quantities.balances(4.0, stepper.history.charges[0])
    assert max(balances.lithium, balances.charge, balances.salt) < 1e-9
    row = quantities.cell(4.0)
    split = sum(row[f"{name} overpotential [V]"] for name in PARTS)
    assert split == pytest.approx(row["Total overpotential [V]"], abs=1e-6)
    assert row["Film overpotential [V]"] > 1e-3
