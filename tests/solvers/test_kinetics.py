"""Butler–Volmer fluxes: signs, limits, derivatives, the film's implicit equation."""

import numpy as np
import pytest
from half_cells import active_material, metal

from voxtrode.solvers.kinetics import InsertionKinetics, MetalKinetics, butler_volmer
from voxtrode.solvers.units import thermal_voltage

THERMAL = thermal_voltage(298.15)
STATE = {
    "phi_s": np.array([3.9, 3.6, 3.75, 3.2]),
    "phi_e": np.array([0.0, 0.02, -0.05, -0.1]),
    "theta": np.array([0.5, 0.6, 0.55, 0.98]),
    "c_e": np.array([1000.0, 700.0, 1500.0, 200.0]),
}


def insertion(film: float | None) -> InsertionKinetics:
    return InsertionKinetics.of(active_material(U="4.3 - theta**2", film=film), 298.15)


@pytest.mark.parametrize("film", [None, 0.05])
@pytest.mark.parametrize("name", list(STATE))
def test_derivatives_of_the_insertion_flux(name: str, film: float | None) -> None:
    """Central differences with 1e-6 relative steps: truncation 1e-9, rounding 1e-9 of J's slope.

    1e-6 holds against both with room, and any missing chain-rule term is of order one.
    """
    kinetics = insertion(film)
    step = 1e-6 * np.maximum(np.abs(STATE[name]), 1e-1)
    plus = kinetics.flux(**{**STATE, name: STATE[name] + step}).J
    minus = kinetics.flux(**{**STATE, name: STATE[name] - step}).J
    slope = kinetics.flux(**STATE).by[name]
    np.testing.assert_allclose((plus - minus) / (2 * step), slope, rtol=1e-6)


@pytest.mark.parametrize("name", ["phi_e", "c_e"])
def test_derivatives_of_the_metal_flux(name: str) -> None:
    """As for the insertion flux."""
    kinetics = MetalKinetics.of(metal(), 298.15)
    state = {"phi_e": np.array([-0.1, 0.0, 0.03]), "c_e": np.array([1000.0, 300.0, 2000.0])}
    step = 1e-6 * np.maximum(np.abs(state[name]), 1e-1)
    plus = kinetics.flux(**{**state, name: state[name] + step}).J
    minus = kinetics.flux(**{**state, name: state[name] - step}).J
    slope = kinetics.flux(**state).by[name]
    np.testing.assert_allclose((plus - minus) / (2 * step), slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("film", [1e-4, 0.05, 10.0])
def test_the_film_flux_satisfies_its_equation(film: float) -> None:
    """J = i₀ [...] at η = φ_s − φ_e − U − J R, to 1e-9 of J.

    The inner Newton stops at 1e-14 V, which is 4e-13 of J's exponent; forming J as (drive − η)/R
    loses digits where the film drop is small (1e-4 Ω m²: 1e-16/1e-4 A/m²), so 1e-9 of J and
    1e-10 A/m² beside it.
    """
    kinetics = insertion(film)
    flux = kinetics.flux(**STATE)
    U = 4.3 - STATE["theta"] ** 2
    i0 = 2.0 * np.sqrt(STATE["c_e"] / 1000 * STATE["theta"] * (1 - STATE["theta"]))
    eta = STATE["phi_s"] - STATE["phi_e"] - U - flux.J * film
    expected, _ = butler_volmer(i0, eta, 0.5, 0.5, THERMAL)
    np.testing.assert_allclose(flux.eta, eta, atol=1e-13)
    np.testing.assert_allclose(flux.J, expected, rtol=1e-9, atol=1e-10)


def test_a_film_slows_the_reaction_and_a_thin_one_does_not() -> None:
    """|J| falls with R; at R → 0 it is the flux without a film .

    The drop J R F/2RT at 904 A/m² and 1e-10 Ω m² is 1.8e-6 of J: 1e-5 holds, and so does 1e-5 A/m²
    against the 4e-6 that rounding of η leaves in J.
    """
    bare, thin, thick = (insertion(film).flux(**STATE).J for film in (None, 1e-10, 0.1))
    assert np.all(np.abs(thick) < np.abs(bare))
    np.testing.assert_allclose(thin, bare, rtol=1e-5, atol=1e-5)


def test_lithium_leaves_the_particle_where_the_solid_is_above_equilibrium() -> None:
    """J > 0 (oxidation) for φ_s − φ_e > U, J < 0 below; zero at U."""
    state = {"phi_e": np.zeros(3), "theta": np.full(3, 0.5), "c_e": np.full(3, 1000.0)}
    J = insertion(None).flux(phi_s=4.05 + np.array([0.01, 0.0, -0.01]), **state).J
    assert J[0] > 0.0 > J[2]
    assert J[1] == pytest.approx(0.0, abs=1e-12)


def test_lithium_metal_dissolves_on_discharge() -> None:
    """A current into the electrolyte needs φ_e below the metal's potential."""
    kinetics = MetalKinetics.of(metal(), 298.15)
    J = kinetics.flux(np.array([-0.01, 0.0, 0.01]), np.full(3, 1000.0)).J
    assert J[0] > 0.0 == J[1] > J[2]


def test_the_linear_limit() -> None:
    """J → i₀ F η/RT for α_a = α_c = 1/2; the next term is (Fη/RT)²/24 = 6e-9 at 1e-5 V."""
    J, slope = butler_volmer(np.array([3.0]), np.array([1e-5]), 0.5, 0.5, THERMAL)
    assert J[0] == pytest.approx(3.0 * 1e-5 / THERMAL, rel=1e-7)
    assert slope[0] == pytest.approx(3.0 / THERMAL, rel=1e-6)


def test_a_wild_iterate_stays_finite() -> None:
    """±50 V would overflow an exponential; continued linearly it does not, and stays monotone."""
    eta = np.array([-50.0, -5.0, 5.0, 50.0])
    J, slope = butler_volmer(np.ones(4), eta, 0.5, 0.5, THERMAL)
    assert np.all(np.isfinite(J))
    assert np.all(slope > 0.0)
    assert np.all(np.diff(J) > 0.0)
