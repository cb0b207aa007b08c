"""The kinds of material: what each is made of, in which units, and how its file is read."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voxtrode.data.entries import Entry
from voxtrode.data.expression import Expression, Symbol, constant
from voxtrode.data.law import (
    FARADAY,
    GAS_CONSTANT,
    REFERENCE_TEMPERATURE,
    Law,
    Parameter,
    arrhenius_tree,
)


@dataclass(frozen=True)
class ActiveMaterial:
    """A material that stores lithium.

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        c_max: Largest lithium concentration c_max [mol m-3].
        density: Mass density [kg m-3].
        sigma: Electronic conductivity σ [S m-1].
        D_s: Lithium diffusivity D_s(θ) [m2 s-1].
        U: Open-circuit potential U(θ) against lithium [V], tails included;
            `U.without_tails()` is the published fit.
        i0: Exchange current density i₀(c_e, θ) [A m-2].
        alpha_a, alpha_c: Anodic and cathodic transfer coefficients.
        film_resistance: Area-specific resistance of the surface film [Ω m2], or None.
    """

    name: str
    source: str
    c_max: Parameter
    density: Parameter
    sigma: Parameter
    D_s: Law
    U: Law
    i0: Law
    alpha_a: Parameter
    alpha_c: Parameter
    film_resistance: Parameter | None = None


@dataclass(frozen=True)
class Electrolyte:
    """A liquid electrolyte (binary salt in a solvent).

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        c_e0: Initial salt concentration [mol m-3].
        c_max_fit: Concentration beyond which the laws are held constant [mol m-3].
        D_e: Salt diffusivity D_e(c_e) [m2 s-1].
        kappa: Ionic conductivity κ(c_e) [S m-1].
        kappa_over_c: κ/c_e [S m2 mol-1], finite at c_e → 0, for the diffusion potential.
        t_plus: Transference number t₊(c_e) of lithium.
        chi: Thermodynamic factor χ(c_e) = 1 + ∂ln f±/∂ln c_e.
    """

    name: str
    source: str
    c_e0: Parameter
    c_max_fit: Parameter
    D_e: Law
    kappa: Law
    kappa_over_c: Law
    t_plus: Law
    chi: Law


@dataclass(frozen=True)
class MetalElectrode:
    """A counter electrode of constant potential.

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        potential: Its potential against lithium [V].
        i0: Exchange current density i₀(c_e) [A m-2].
        alpha_a, alpha_c: Anodic and cathodic transfer coefficients.
    """

    name: str
    source: str
    potential: Parameter
    i0: Law
    alpha_a: Parameter
    alpha_c: Parameter


@dataclass(frozen=True)
class Conductor:
    """A porous conductor such as the carbon-binder domain; values inside it (intrinsic).

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        porosity: Volume fraction ε of electrolyte inside it.
        tortuosity: Tortuosity factor τ of that electrolyte.
        conductivity: Effective electronic conductivity σ inside it [S m-1].
    """

    name: str
    source: str
    porosity: Parameter
    tortuosity: Parameter
    conductivity: Parameter


@dataclass(frozen=True)
class SolidElectrolyte:
    """A single-ion conductor (t₊ = 1).

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        kappa: Conductivity of lithium ions κ [S m-1].
        density: Mass density [kg m-3].
    """

    name: str
    source: str
    kappa: Parameter
    density: Parameter


@dataclass(frozen=True)
class ElectronConductor:
    """A conductor of electrons alone, such as carbon.

    Attributes:
        name: Name in study files.
        source: Where the set comes from, in one line.
        conductivity: Electronic conductivity σ [S m-1].
        density: Mass density [kg m-3].
    """

    name: str
    source: str
    conductivity: Parameter
    density: Parameter


Material = (
    ActiveMaterial | Electrolyte | MetalElectrode | Conductor | SolidElectrolyte | ElectronConductor
)


def dilute_electrolyte(
    name: str, source: str, c_e0: Parameter, D_plus: Parameter, D_minus: Parameter
) -> Electrolyte:
    """The dilute limit of the electrolyte's equations, the Nernst–Planck system of two ions.

    χ = 1, D_e = 2 D₊D₋/(D₊ + D₋), t₊ = D₊/(D₊ + D₋), κ = F² c_e (D₊ + D₋)/(RT) after Nernst and
    Einstein. It has no range beyond which it would be held.

    Args:
        name, source: As in the library.
        c_e0: Initial salt concentration.
        D_plus, D_minus: Diffusivities of the cation and the anion [m2 s-1], which may follow
            Arrhenius' law each.
    """
    plus, minus = _of_temperature(D_plus), _of_temperature(D_minus)
    parts: dict[str, Parameter] = {"D_plus": D_plus, "D_minus": D_minus}
    t_plus = plus / (plus + minus)
    thermal = FARADAY**2 * (plus + minus) / GAS_CONSTANT / Symbol("T")

    def law(tree: Expression, unit: str, formula: str) -> Law:
        with_T = tree if "T" in tree.symbols() else None
        fixed = tree.substitute({"T": constant(REFERENCE_TEMPERATURE)})
        return Law(fixed, ("c_e",), unit, source, formula=formula, constants=parts, with_T=with_T)

    return Electrolyte(
        name=name,
        source=source,
        c_e0=c_e0,
        c_max_fit=Parameter(1e6, "mol/m^3", "a limit law has no end of its range"),
        D_e=law(2.0 * minus * t_plus, "m^2/s", "2*D_plus*D_minus/(D_plus + D_minus)"),
        kappa=law(thermal * Symbol("c_e"), "S/m", "F**2*c_e*(D_plus + D_minus)/(R*T)"),
        kappa_over_c=law(thermal, "S*m^2/mol", "F**2*(D_plus + D_minus)/(R*T)"),
        t_plus=law(t_plus, "1", "D_plus/(D_plus + D_minus)"),
        chi=law(constant(1.0), "1", "1"),
    )


def _of_temperature(parameter: Parameter) -> Expression:
    """A parameter's value as a tree, of T where it has an activation energy."""
    value = constant(parameter.value)
    if parameter.activation is None:
        return value
    return value * arrhenius_tree(parameter.activation.value)


@dataclass(frozen=True)
class Kind:
    """How the file of one kind of material is read: units, and arguments of the laws."""

    build: Callable[..., Material]
    parameters: Mapping[str, str]
    laws: Mapping[str, tuple[str, tuple[str, ...]]]
    optional: Mapping[str, str]


# Where a number must lie, unless it must just be positive: from, to (both allowed).
_RANGES = {
    "potential": (-math.inf, math.inf),
    "film_resistance": (0.0, math.inf),
    "porosity": (1e-6, 1.0),
    "tortuosity": (1.0, math.inf),
}
_TRANSFER = {"alpha_a": "1", "alpha_c": "1"}

KINDS: dict[str, Kind] = {
    "active material": Kind(
        ActiveMaterial,
        {"c_max": "mol/m^3", "density": "kg/m^3", "sigma": "S/m", **_TRANSFER},
        {
            "D_s": ("m^2/s", ("theta",)),
            "U": ("V", ("theta",)),
            "i0": ("A/m^2", ("c_e", "theta")),
        },
        {"film_resistance": "ohm*m^2"},
    ),
    "electrolyte": Kind(
        Electrolyte,
        {"c_e0": "mol/m^3", "c_max_fit": "mol/m^3"},
        {
            "D_e": ("m^2/s", ("c_e",)),
            "kappa": ("S/m", ("c_e",)),
            "kappa_over_c": ("S*m^2/mol", ("c_e",)),
            "t_plus": ("1", ("c_e",)),
            "chi": ("1", ("c_e",)),
        },
        {},
    ),
    "metal electrode": Kind(
        MetalElectrode, {"potential": "V", **_TRANSFER}, {"i0": ("A/m^2", ("c_e",))}, {}
    ),
    "dilute electrolyte": Kind(
        dilute_electrolyte,
        {"c_e0": "mol/m^3", "D_plus": "m^2/s", "D_minus": "m^2/s"},
        {},
        {},
    ),
    "solid electrolyte": Kind(SolidElectrolyte, {"kappa": "S/m", "density": "kg/m^3"}, {}, {}),
    "electron conductor": Kind(
        ElectronConductor, {"conductivity": "S/m", "density": "kg/m^3"}, {}, {}
    ),
    "conductor": Kind(
        Conductor, {"porosity": "1", "tortuosity": "1", "conductivity": "S/m"}, {}, {}
    ),
}


def kind_name(material: Material) -> str:
    """What kind a material is, as its file would say."""
    return next(kind for kind, spec in KINDS.items() if spec.build is type(material))


def kind_of(entry: Entry) -> Kind:
    """The kind that a material file names (InputError where there is none of that name)."""
    kind = KINDS.get(entry.text("kind"))
    if kind is None:
        entry.fail(f"the kind is {entry.text('kind')!r}, expected one of {', '.join(KINDS)}")
    return kind


def check_range(entry: Entry, key: str, value: float) -> None:
    """Refuse a number that its quantity cannot have."""
    low, high = _RANGES.get(key, (sys.float_info.min, math.inf))
    if not low <= value <= high:
        expected = "a positive number" if key not in _RANGES else f"{low:g} to {high:g}"
        entry.fail(f"{key} is {value:g}, expected {expected}")
