"""Functions of a source, put together into materials: ranges, what is held, what is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from voxtrode.data.errors import InputError
from voxtrode.data.expression import Expression, Symbol, clip, maximum
from voxtrode.data.law import Law, Parameter
from voxtrode.data.material_kinds import ActiveMaterial, Electrolyte

FloatArray = npt.NDArray[np.float64]

C_LOW = 1e-3
"""Concentration [mol m-3] below which an electrolyte's laws are held constant: keeps roots and
quotients, and their derivatives, finite in Newton iterates."""

BEYOND = 2.0
"""Formulas without a stated range are held constant above this many times c_e0 (assumed)."""

DENSITIES = {"negative": (2260.0, "graphite"), "positive": (4700.0, "typical of layered oxides")}
"""Densities of active materials [kg m-3], by electrode: sources give those of porous electrodes."""


@dataclass(frozen=True)
class Body:
    """A function of a source as a tree.

    Attributes:
        expression: The tree.
        text: The formula, or how its table was made.
        tabulated: Range of the argument that its tables cover; None for a formula.
        constants: Named numbers that went into it.
        note: A remark for the reader.
    """

    expression: Expression
    text: str
    tabulated: tuple[float, float] | None = None
    constants: Mapping[str, Parameter] = field(default_factory=dict)
    note: str = ""

    def scaled(self, factor: float, energy: Parameter, temperature: float) -> Body:
        """The function times a constant Arrhenius factor."""
        return replace(
            self,
            expression=self.expression * factor,
            constants={**self.constants, "E_a": energy},
            note=f"at {temperature:g} K, by its Arrhenius factor {factor:.6g}",
        )

    def held(self, symbol: str, low: float, high: float) -> Body:
        """The function with its argument held inside a range."""
        held = {symbol: clip(Symbol(symbol), low, high)}
        return replace(self, expression=self.expression.substitute(held))

    def law(self, arguments: tuple[str, ...], unit: str, source: str) -> Law:
        """The function as a law."""
        return Law(
            expression=self.expression,
            arguments=arguments,
            unit=unit,
            source=source,
            valid={} if self.tabulated is None else {arguments[-1]: self.tabulated},
            note=self.note,
            formula=self.text,
            constants=self.constants,
        )


def common_range(ranges: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Where all of several ranges overlap; None is unlimited."""
    given = [limits for limits in ranges if limits is not None]
    if not given:
        return None
    return max(low for low, _ in given), min(high for _, high in given)


def by_entropy(U: Body, change: Body, shift: float, temperature: float) -> Body:
    """U(T) = U(T_ref) + (T − T_ref) ∂U/∂T.

    Args:
        U: At the reference temperature [V].
        change: ∂U/∂T [V/K].
        shift: T − T_ref [K].
        temperature: T [K].
    """
    return replace(
        U,
        expression=U.expression + shift * change.expression,
        text=f"{U.text}; plus {shift:g} K times {change.text}",
        tabulated=common_range([U.tabulated, change.tabulated]),
        note=f"at {temperature:g} K, by the entropic change",
    )


def assumed_density(electrode: str) -> Parameter:
    """A density of the electrode's active material, assumed."""
    value, what = DENSITIES[electrode]
    note = "sources of this kind give the density of the porous electrode or of the cell"
    return Parameter(value, "kg/m^3", what, assumed=True, note=note)


def build_active(
    name: str,
    source: str,
    electrode: str,
    c_max: Parameter,
    sigma: Parameter,
    laws: Mapping[str, Law],
) -> ActiveMaterial:
    """An active material with symmetric Butler-Volmer kinetics.

    Args:
        name, source: As in the library.
        electrode: `negative` or `positive`.
        c_max, sigma: Its numbers.
        laws: `D_s`, `U` and `i0`.

    Raises:
        InputError: A law has no finite value in 0 < θ < 1, or is not positive where it must be.
    """
    theta = np.linspace(0.005, 0.995, 199)
    _check(name, "the diffusivity", laws["D_s"], {"theta": theta}, positive=True)
    _check(name, "the potential", laws["U"], {"theta": theta}, positive=False)
    state = {"theta": theta, "c_e": np.full(theta.shape, 1000.0)}
    _check(name, "the exchange current density", laws["i0"], state, positive=True)
    half = Parameter(0.5, "1", "symmetric Butler-Volmer kinetics, the convention of the source")
    return ActiveMaterial(
        name=name,
        source=source,
        c_max=c_max,
        density=assumed_density(electrode),
        sigma=sigma,
        D_s=laws["D_s"],
        U=laws["U"],
        i0=laws["i0"],
        alpha_a=half,
        alpha_c=half,
    )


def build_electrolyte(
    name: str, cited: str, source: str, c_e0: Parameter, bodies: Mapping[str, Body]
) -> Electrolyte:
    """An electrolyte whose laws are held constant beyond what their tables cover.

    Args:
        name: As in the library.
        cited: Where the set comes from, with what it cites.
        source: Where each number comes from.
        c_e0: Initial salt concentration.
        bodies: `D_e`, `kappa`, `t_plus` and `chi`, functions of `c_e`.

    Raises:
        InputError: A law has no finite value in its range, or is not positive where it must be.
    """
    covered = common_range([body.tabulated for body in bodies.values()])
    if covered is None:
        low = C_LOW
        limit = Parameter(
            BEYOND * c_e0.value,
            "mol/m^3",
            f"{BEYOND:g} times c_e0",
            assumed=True,
            note="the source states no range for its formulas",
        )
    else:
        low = max(C_LOW, covered[0])
        limit = Parameter(covered[1], "mol/m^3", f"{source}; the end of its tables")
    high = limit.value
    if not low < c_e0.value <= high:
        raise InputError(
            f"{name}: the tables cover {low:g} to {high:g} mol/m3, which leaves out the initial"
            f" concentration {c_e0.value:g}; extend the tables"
        )
    held = {key: body.held("c_e", low, high) for key, body in bodies.items()}
    laws = {key: held[key].law(("c_e",), unit, source) for key, unit in _UNITS.items()}
    salt = np.linspace(max(low, 0.01 * high), high, 200)
    for key, what in _NAMES.items():
        _check(name, what, laws[key], {"c_e": salt}, positive=True)
    # Above C_LOW this is the quotient; below, both are held, so that it stays finite at c_e = 0.
    quotient = held["kappa"].expression / maximum(Symbol("c_e"), C_LOW)
    per_salt = replace(
        laws["kappa"], expression=quotient, unit="S*m^2/mol", note="kappa divided by c_e"
    )
    return Electrolyte(
        name=name, source=cited, c_e0=c_e0, c_max_fit=limit, kappa_over_c=per_salt, **laws
    )


_UNITS = {"D_e": "m^2/s", "kappa": "S/m", "t_plus": "1", "chi": "1"}
_NAMES = {"D_e": "the diffusivity", "kappa": "the conductivity", "chi": "the thermodynamic factor"}


def _check(name: str, what: str, law: Law, state: Mapping[str, FloatArray], positive: bool) -> None:
    with np.errstate(all="ignore"):
        values = law(**state)
    bad = ~np.isfinite(values) | (positive & ~(values > 0.0))
    if bad.any():
        first = int(np.argmax(bad))
        place = ", ".join(f"{symbol} = {at[first]:g}" for symbol, at in state.items())
        expected = "a positive number" if positive else "a finite number"
        raise InputError(
            f"{name}: {what} is {values[first]:g} at {place}, expected {expected};"
            " correct the function"
        )
