"""The integrator's formulas: exactness, order with variable steps, error estimate."""

import numpy as np
import pytest

from voxtrode.solvers import bdf

STEPS = [(1.0, [1.0]), (0.7, [0.4]), (0.3, [1.1]), (2.0, [1.0])]


@pytest.mark.parametrize(("h", "earlier"), STEPS)
@pytest.mark.parametrize("power", [0, 1, 2])
def test_the_derivative_is_exact_on_quadratics(h: float, earlier: list[float], power: int) -> None:
    """Three nodes determine a parabola: rounding only (values of order one)."""
    alpha, coefficients = bdf.derivative(h, earlier)
    nodes = np.array([h, 0.0, -earlier[0]]) + 0.5
    value = np.dot([alpha, *coefficients], nodes**power)
    expected = power * (h + 0.5) ** max(power - 1, 0)
    assert value == pytest.approx(expected, abs=1e-12)


def test_without_history_it_is_implicit_euler() -> None:
    """(u₁ − u₀)/h, digit for digit."""
    assert bdf.derivative(0.25, []) == (4.0, (-4.0,))


@pytest.mark.parametrize("power", [0, 1, 2])
def test_extrapolation_is_exact_on_quadratics(power: int) -> None:
    """Polynomial interpolation through three nodes: rounding only."""
    h, earlier = 0.7, [0.4, 0.9]
    nodes = np.array([0.0, -0.4, -1.3]) + 0.5
    value = np.dot(bdf.extrapolation(h, earlier), nodes**power)
    assert value == pytest.approx((h + 0.5) ** power, abs=1e-12)


def test_the_degree_of_extrapolation_follows_the_history() -> None:
    """One known state is held; two give a straight line (weights by hand)."""
    assert bdf.extrapolation(0.5, []) == (1.0,)
    assert bdf.extrapolation(0.5, [1.0]) == pytest.approx((1.5, -0.5))


def test_second_order_with_variable_steps() -> None:
    """Errors of y' = −y fall by four when all steps are halved.

    The steps alternate by a factor 1.6, so a formula that took them as equal would be of first
    order. The ratio is 4 up to O(h): 3.7 to 4.3 holds at 80 and 160 steps.
    """
    errors = [abs(_decay(n) - np.exp(-1.0)) for n in (80, 160)]
    assert 3.7 < errors[0] / errors[1] < 4.3


def _decay(n: int) -> float:
    """y(1) of y' = −y, y(0) = 1, by n steps in pairs of 1 : 1.6."""
    steps = np.tile([1.0, 1.6], n // 2)
    values, known = [1.0], []
    for h in steps / steps.sum():
        alpha, coefficients = bdf.derivative(h, known)
        past = np.dot(coefficients, values[: len(coefficients)])
        values.insert(0, -past / (alpha + 1.0))
        known = [h]
    return values[0]


@pytest.mark.parametrize(
    ("h", "earlier"), [(1.0, [1.0, 1.0]), (0.7, [0.4, 0.9]), (2.0, [1.0, 0.6]), (0.2, [1.0, 0.5])]
)
def test_the_error_factor_is_exact_on_cubics(h: float, earlier: list[float]) -> None:
    """u̇ = 3t² is solved for u; the third derivative is constant, so Milne's device is exact.

    Rounding only: relative 1e-10 of errors of order one.
    """
    nodes = np.array([0.0, -earlier[0], -earlier[0] - earlier[1]])
    alpha, coefficients = bdf.derivative(h, earlier)
    solution = (3.0 * h**2 - np.dot(coefficients, nodes[:2] ** 3)) / alpha
    guess = np.dot(bdf.extrapolation(h, earlier), nodes**3)
    factor, order = bdf.error_factor(h, earlier)
    assert order == 3
    assert factor * (solution - guess) == pytest.approx(solution - h**3, rel=1e-10)


def test_the_estimate_after_the_restart_is_on_the_safe_side() -> None:
    """On t² BDF2 is exact, while the estimate, that of implicit Euler, is not zero."""
    h, earlier = 0.7, [0.4]
    guess = np.dot(bdf.extrapolation(h, earlier), [0.0, 0.4**2])
    factor, order = bdf.error_factor(h, earlier)
    # Implicit Euler from u(0) = 0: u = 2h·h, so its error is h².
    assert order == 2
    assert factor * abs(2.0 * h * h - guess) == pytest.approx(h * h, rel=1e-12)


def test_nothing_is_known_about_the_first_step() -> None:
    """No history, no estimate."""
    assert bdf.error_factor(0.1, [])[0] == 0.0
