"""Laws and parameters: a formula or a number, with its unit, its source and what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from voxtrode.data.errors import InputError
from voxtrode.data.expression import Expression, Symbol, call, clip, constant, maximum
from voxtrode.data.operations import NUMPY

FARADAY = 96485.33212  # C mol-1, CODATA 2018 (exact from the 2019 SI)
GAS_CONSTANT = 8.31446261815324  # J mol-1 K-1, CODATA 2018 (exact from the 2019 SI)
REFERENCE_TEMPERATURE = 298.15  # K


class Assumed(NamedTuple):
    """A number or formula that no source gives, for the report."""

    name: str
    value: float | str
    unit: str
    note: str


@dataclass(frozen=True)
class Parameter:
    """A number in SI units.

    Attributes:
        value: The number.
        unit: Its unit.
        source: Where it comes from.
        assumed: Whether it is an assumption rather than a published value.
        note: A remark for the reader.
        activation: Activation energy of its temperature dependence [J mol⁻¹], or None.
    """

    value: float
    unit: str
    source: str
    assumed: bool = False
    note: str = ""
    activation: Parameter | None = None

    def at(self, temperature: float) -> Parameter:
        """The number at a temperature [K], by Arrhenius' law from 298.15 K."""
        if self.activation is None:
            return self
        return replace(self, value=self.value * arrhenius(self.activation.value, temperature))

    def assumptions(self, name: str) -> list[Assumed]:
        """What is assumed here, under a name."""
        own = [Assumed(name, self.value, self.unit, self.note)] if self.assumed else []
        energy = self.activation
        return own + ([] if energy is None else energy.assumptions(f"{name}: E_a"))


@dataclass(frozen=True)
class Tail:
    """An assumed, smooth continuation of a potential beyond the range of its fit.

    From `start` the slope changes smoothly (C2) by `slope` until `at`, where the potential is
    `voltage`, and stays changed by it: steep, yet bounded, so that Newton's method can follow it.

    Attributes:
        start: Stoichiometry θ at which the fit ends (unchanged on its other side).
        at: Stoichiometry at which `voltage` is met; beyond `start`, on the tail's side.
        voltage: Potential at `at` [V].
        unit: Unit of `voltage`.
        source: Why these numbers.
        assumed: Always true so far; a measured tail would say so.
        note: A remark for the reader.
    """

    start: float
    at: float
    voltage: float
    unit: str
    source: str
    assumed: bool = True
    note: str = ""

    def applied_to(self, fit: Expression) -> Expression:
        """The fit U(θ) [V], as a tree in `theta`, with this tail."""
        theta = Symbol("theta")
        span = self.at - self.start
        fit_at = float(fit.evaluate({"theta": self.at}, NUMPY))
        slope = 2.0 * (self.voltage - fit_at) / span
        s = (theta - self.start) / span
        t = clip(s, 0.0, 1.0)
        # The integral of the smoothstep 3t² − 2t³, then a straight line of slope 1. With this order
        # of arguments the maximum has derivative 0 at s = 1, where that of the clip is still 1.
        ramp = t**3 - 0.5 * t**4 + maximum(0.0, s - 1.0)
        return fit + slope * span * ramp

    def assumptions(self, name: str) -> list[Assumed]:
        """What is assumed here, under a name."""
        text = f"from θ = {self.start:g} smoothly to {self.voltage:g} V at θ = {self.at:g}"
        return [Assumed(name, text, self.unit, self.note)] if self.assumed else []


@dataclass(frozen=True, eq=False)
class Law:
    """A material law in SI units.

    Attributes:
        expression: The tree, evaluated by NumPy and UFL alike.
        arguments: Names of its arguments: `theta` (c_s/c_max), `c_e` [mol m-3], `T` [K].
        unit: Unit of the value.
        source: Where the formula comes from.
        assumed: Whether it is (in part) an assumption.
        valid: Range of each argument that the source covers, where it states one.
        note: A remark for the reader.
        formula: The formula as it stands in its file, or how its table was made.
        constants: The named numbers in it.
        tails: Assumed continuations that `expression` contains.
        fit: The tree without the tails; None where there are none.
        with_T: The tree in ``T`` as well, for `at`; None where temperature changes nothing.
    """

    expression: Expression
    arguments: tuple[str, ...]
    unit: str
    source: str
    assumed: bool = False
    valid: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""
    formula: str = ""
    constants: Mapping[str, Parameter] = field(default_factory=dict)
    tails: tuple[Tail, ...] = ()
    fit: Expression | None = None
    with_T: Expression | None = None

    def at(self, temperature: float) -> Law:
        """The law at a temperature [K]; as it stands it is that at 298.15 K."""
        if self.with_T is None:
            return self
        fixed = self.with_T.substitute({"T": constant(temperature)})
        return replace(self, expression=fixed)

    def __call__(self, **env: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Values at the arguments (arrays that broadcast, by name), in their common shape."""
        missing = set(self.arguments) - set(env)
        if missing:
            raise TypeError(f"the law needs {', '.join(sorted(missing))} as well")
        arrays = {name: np.asarray(env[name], dtype=np.float64) for name in self.arguments}
        value: Any = self.expression.evaluate(arrays, NUMPY)
        shape = np.broadcast_shapes(*(np.shape(entry) for entry in env.values()))
        return np.array(np.broadcast_to(value, shape), dtype=np.float64)

    def derivative(self, name: str) -> Law:
        """The partial derivative by an argument, again a law."""
        return replace(
            self,
            expression=self.expression.derivative(name),
            unit=f"({self.unit})/({ARGUMENT_UNITS[name]})",
            formula=f"d/d{name} of {self.formula}",
            tails=(),
            fit=None,
            with_T=None,
        )

    def without_tails(self) -> Law:
        """The law as its source fitted it."""
        return replace(
            self, expression=self.fit or self.expression, tails=(), fit=None, with_T=None
        )

    def held(self, **ranges: tuple[float, float]) -> Law:
        """The law with arguments held inside ranges: constant beyond them.

        Meant for weak forms: Newton iterates may leave 0 < θ < 1 or c_e > 0 for a moment, and a
        square root must not see that.
        """
        replacements = {name: clip(Symbol(name), *bounds) for name, bounds in ranges.items()}
        held = self.expression.substitute(replacements)
        return replace(self, expression=held, with_T=None)

    def assumptions(self, name: str) -> list[Assumed]:
        """What is assumed here, under a name: the formula, and each constant in it."""
        own = [Assumed(name, self.formula, self.unit, self.note)] if self.assumed else []
        parts = [p.assumptions(f"{name}: {key}") for key, p in self.constants.items()]
        parts += [tail.assumptions(f"{name}: tail") for tail in self.tails]
        return own + [entry for part in parts for entry in part]


def arrhenius(activation: float, temperature: float) -> float:
    """exp(E_a/R (1/T₀ − 1/T)) with T₀ = 298.15 K.

    Args:
        activation: E_a [J mol⁻¹].
        temperature: T [K].
    """
    return float(arrhenius_tree(activation).evaluate({"T": temperature}, NUMPY))


def arrhenius_tree(activation: float) -> Expression:
    """`arrhenius` as a tree in ``T``."""
    exponent = activation / GAS_CONSTANT * (1.0 / REFERENCE_TEMPERATURE - 1.0 / Symbol("T"))
    return call("exp", exponent)


ARGUMENT_UNITS = {"theta": "1", "c_e": "mol/m^3", "T": "K"}


def stoichiometry_at(U: Law, voltage: float) -> float:
    """Stoichiometry θ in (0, 1) at which a potential U(θ) has a value [V].

    Raises:
        InputError: If U does not reach the voltage between 0 and 1.
    """
    low, high = 1e-9, 1.0 - 1e-9

    def excess(theta: float) -> float:
        return float(U(theta=theta)) - voltage

    if not excess(low) >= 0.0 >= excess(high):
        raise InputError(
            f"the open-circuit potential does not reach {voltage:g} V: it runs from "
            f"{excess(low) + voltage:.3f} V (no lithium) to {excess(high) + voltage:.3f} V (full); "
            "choose a cut-off between them"
        )
    return float(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))
