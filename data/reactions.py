"""Charge transfer at an interface: J = i₀(c_e, θ) h(x), x = Fη/RT, film and wetted fraction.

A rate h is an expression tree in ``x``: the solvers evaluate it and derive it, and know no law by
name. A new law is one function here and its line in `RATES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voxtrode.data.expression import Expression, Symbol, call, minimum
from voxtrode.data.law import FARADAY, Law
from voxtrode.data.parsing import parse

if TYPE_CHECKING:
    from voxtrode.data.material_kinds import ActiveMaterial

SCALED = "x"
"""Name of the rate's argument, the overpotential in thermal voltages Fη/RT."""
_LARGEST_EXPONENT = 80.0

Rate = Callable[[float, float], Expression]


def butler_volmer(alpha_a: float, alpha_c: float) -> Expression:
    """Butler and Volmer's law, h = exp(α_a x) − exp(−α_c x).

    Exponents are continued linearly beyond 80, far outside any physical state, so that a wild
    Newton iterate stays finite.
    """
    x = Symbol(SCALED)
    return _exponential(alpha_a * x) - _exponential(-alpha_c * x)


def linear(alpha_a: float, alpha_c: float) -> Expression:
    """Linear kinetics, h = (α_a + α_c) x: the limit of Butler and Volmer's law at small x."""
    return (alpha_a + alpha_c) * Symbol(SCALED)


def _exponential(exponent: Expression) -> Expression:
    held = minimum(exponent, _LARGEST_EXPONENT)
    return call("exp", held) * (1.0 + (exponent - held))


RATES: Mapping[str, Rate] = {"butler-volmer": butler_volmer, "linear": linear}
"""The laws a study may name. All are increasing: the film's equation then has one solution."""


@dataclass(frozen=True, eq=False)
class Reaction:
    """The charge transfer of an active material into an ion conductor.

    Attributes:
        i0: Exchange current density i₀(c_e, θ) [A m⁻²].
        alpha_a, alpha_c: Transfer coefficients.
        rate: The law h by its transfer coefficients.
        film: Area-specific resistance of the surface film [Ω m²].
        wetted: Share of the interface that takes part; J is per area of that share.
    """

    i0: Law
    alpha_a: float
    alpha_c: float
    rate: Rate = butler_volmer
    film: float = 0.0
    wetted: float = 1.0

    @classmethod
    def of(cls, material: ActiveMaterial) -> Reaction:
        """What the material's own set says."""
        film = material.film_resistance
        return cls(
            i0=material.i0,
            alpha_a=material.alpha_a.value,
            alpha_c=material.alpha_c.value,
            film=0.0 if film is None else film.value,
        )

    def but(self, **changes: object) -> Reaction:
        """The reaction with some attributes replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def h(self) -> Expression:
        """The rate as a tree in ``x``."""
        return self.rate(self.alpha_a, self.alpha_c)


def by_rate_constant(
    k: float, c_e0: float, alpha_a: float, alpha_c: float, source: str = "study"
) -> Law:
    """i₀ = F k (c_e/c_e0)^α_a (1 − θ)^α_a θ^α_c, the convention of BPX.

    Args:
        k: Rate constant [mol m⁻² s⁻¹].
        c_e0: Reference salt concentration [mol m⁻³].
        alpha_a, alpha_c: Transfer coefficients.
        source: Where k comes from.
    """
    text = f"{FARADAY * k!r}*(c_e/{c_e0!r}*(1 - theta))**{alpha_a!r}*theta**{alpha_c!r}"
    return by_formula(text, source)


def by_formula(
    text: str, source: str = "study", symbols: tuple[str, ...] = ("c_e", "theta")
) -> Law:
    """i₀ [A m⁻²] as a formula of ``theta`` and ``c_e`` [mol m⁻³].

    Args:
        text: The formula.
        source: Where it comes from.
        symbols: Those of the two that it may depend on.

    Raises:
        InputError: The text is no formula of these.
    """
    arguments = ("c_e", "theta")
    return Law(parse(text, symbols, {}), arguments, "A/m^2", source, formula=text)
