"""Cells from PyBaMM's parameter sets, by name.

PyBaMM is an optional package (the extra `twin`); it is imported when a set is asked for, with its
telemetry switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any

from voxtrode.data.errors import InputError
from voxtrode.data.law import Parameter
from voxtrode.data.material_kinds import ActiveMaterial, Electrolyte
from voxtrode.data.sources.assembly import (
    Body,
    build_active,
    build_electrolyte,
    by_entropy,
    common_range,
)
from voxtrode.data.sources.pybamm_package import import_pybamm, package_of
from voxtrode.data.sources.pybamm_trees import translate
from voxtrode.data.sources.source import (
    ELECTRODES,
    MaterialSource,
    SeparatorSet,
    StoichiometryWindow,
)

_SIGMA = "of the porous electrode, as the set's model uses it; a study's `conductivity` replaces it"


@cache
def pybamm_set(name: str) -> PybammCell:
    """The cell of a parameter set.

    Raises:
        InputError: PyBaMM is not installed, or has no set of lithium-ion cells of that name.
    """
    version = package_of(name)
    pybamm = import_pybamm()
    given = dict(pybamm.parameter_sets[name])
    chemistry = given.get("chemistry", "lithium_ion")
    if chemistry != "lithium_ion":
        raise InputError(f"PyBaMM: {name} is a {chemistry} set; expected a lithium_ion one")
    return PybammCell(name, version, pybamm, pybamm.ParameterValues(given))


@dataclass(frozen=True, eq=False)
class PybammCell(MaterialSource):
    """A cell as a parameter set describes it.

    Attributes:
        name: Name of the set.
        version: Package and version that hold it.
        pybamm: The module.
        values: Its `ParameterValues`.
    """

    name: str
    version: str
    pybamm: Any
    values: Any

    @property
    def source(self) -> str:
        """Where each number comes from."""
        return f"PyBaMM: {self.name} ({self.version})"

    @property
    def cited(self) -> str:
        """The same with what the set cites."""
        cited = ", ".join(self.values.get("citations", ()))
        return f"{self.source}; {cited}" if cited else self.source

    def active_material(
        self, electrode: str, particle: str | None, temperature: float
    ) -> ActiveMaterial:
        """The active material of an electrode, at a temperature [K]."""
        side, first = self._side(electrode, particle)
        key = f"{first}Maximum concentration in {electrode} electrode [mol.m-3]"
        c_max = self._positive(key, "mol/m^3")
        sigma = self._conductivity(side, temperature)
        theta, c_e = (self.pybamm.InputParameter(name) for name in ("theta", "c_e"))
        T, full = self.pybamm.Scalar(temperature), self.pybamm.Scalar(c_max.value)
        D_s = self._body(f"{first}{side} particle diffusivity [m2.s-1]", "theta", theta, T)
        if D_s.tabulated is not None:
            D_s = D_s.held("theta", *D_s.tabulated)
        i0_key = f"{first}{side} electrode exchange-current density [A.m-2]"
        i0 = self._body(i0_key, "theta", c_e, theta * full, full, T)
        U = self._potential(f"{first}{side} electrode", theta, temperature)
        which = electrode if particle is None else f"{electrode}, {particle}"
        return build_active(
            name=f"{self.name}: {which} electrode",
            source=self.cited,
            electrode=electrode,
            c_max=c_max,
            sigma=sigma,
            laws={
                "D_s": D_s.law(("theta",), "m^2/s", self.source),
                "U": U.law(("theta",), "V", self.source),
                "i0": i0.law(("c_e", "theta"), "A/m^2", self.source),
            },
        )

    def electrolyte(self, temperature: float) -> Electrolyte:
        """The electrolyte, at a temperature [K]."""
        c_e, T = self.pybamm.InputParameter("c_e"), self.pybamm.Scalar(temperature)
        keys = {
            "D_e": "Electrolyte diffusivity [m2.s-1]",
            "kappa": "Electrolyte conductivity [S.m-1]",
            "t_plus": "Cation transference number",
            "chi": "Thermodynamic factor",
        }
        bodies = {law: self._body(key, "c_e", c_e, T) for law, key in keys.items()}
        c_e0 = self._positive("Initial concentration in electrolyte [mol.m-3]", "mol/m^3")
        name = f"{self.name}: electrolyte"
        return build_electrolyte(name, self.cited, self.source, c_e0, bodies)

    def separator(self) -> SeparatorSet:
        """The separator; τ = ε^(1 − b) with Bruggeman's exponent b."""
        porosity = self._positive("Separator porosity", "1")
        exponent = self._positive("Separator Bruggeman coefficient (electrolyte)", "1")
        tortuosity = porosity.value ** (1.0 - exponent.value)
        note = f"porosity to the power 1 - {exponent.value:g}"
        return SeparatorSet(
            self._positive("Separator thickness [m]", "m"),
            porosity,
            Parameter(tortuosity, "1", self.source, note=note),
        )

    def window(self, electrode: str, particle: str | None) -> StoichiometryWindow:
        """The stoichiometries at 0 % and at 100 % state of charge, as PyBaMM computes them."""
        _, first = self._side(electrode, particle)
        if first:
            raise InputError(f"{self.source}: the limits of one particle of a blend are not given")
        try:
            limits = self.pybamm.lithium_ion.get_min_max_stoichiometries(self.values)
        except (KeyError, ValueError, self.pybamm.SolverError) as error:
            text = " ".join(str(error).split())[:200]
            raise InputError(f"{self.source}: no stoichiometric limits: {text}") from None
        x_0, x_100, y_100, y_0 = (float(value) for value in limits)
        empty, full = (x_0, x_100) if electrode == "negative" else (y_0, y_100)
        start, c_max = (
            self._positive(f"{what} concentration in {electrode} electrode [mol.m-3]", "mol/m^3")
            for what in ("Initial", "Maximum")
        )
        return StoichiometryWindow(
            Parameter(empty, "1", self.source),
            Parameter(full, "1", self.source),
            Parameter(start.value / c_max.value, "1", self.source),
        )

    def _side(self, electrode: str, particle: str | None) -> tuple[str, str]:
        """How the set calls an electrode, and what it puts before the names of a particle."""
        if electrode not in ELECTRODES:
            raise InputError(f"the electrode is {electrode!r}, expected negative or positive")
        side = electrode.capitalize()
        blend = [first for first in ("Primary", "Secondary") if self._blended(side, f"{first}: ")]
        known = [first.lower() for first in blend]
        if (particle is None and not blend) or particle in known:
            return side, f"{particle.capitalize()}: " if particle else ""
        raise InputError(
            f"{self.source}: the {electrode} electrode has no particle {particle!r};"
            f" particles: {', '.join(known) or 'none, it is no blend'}"
        )

    def _blended(self, side: str, first: str) -> bool:
        return f"{first}{side} particle diffusivity [m2.s-1]" in self.values.keys()  # noqa: SIM118

    def _potential(self, electrode: str, theta: Any, temperature: float) -> Body:
        """U(T) = U(T_ref) + (T − T_ref) ∂U/∂T, without the asymptotes that PyBaMM's models add."""
        body = self._body(f"{electrode} OCP [V]", "theta", theta)
        shift = temperature - self._positive("Reference temperature [K]", "K").value
        if shift == 0.0:
            return body
        change = self._body(f"{electrode} OCP entropic change [V.K-1]", "theta", theta)
        return by_entropy(body, change, shift, temperature)

    def _conductivity(self, side: str, temperature: float) -> Parameter:
        """σ: a number, or a function of T or of θ and T, then taken at θ = 0.5."""
        key = f"{side} electrode conductivity [S.m-1]"
        given = self.values.get(key)
        count = len(signature(given).parameters) if callable(given) else 0
        state = (0.5, temperature)[2 - min(count, 2) :]
        return self._positive(key, "S/m", *state, note=_SIGMA)

    def _positive(self, key: str, unit: str, *arguments: float, note: str = "") -> Parameter:
        """The positive number at a key; called with `arguments` where it is a function."""
        symbols = [self.pybamm.Scalar(value) for value in arguments]
        value = self._body(key, "", *symbols).expression.constant
        if value is None or not value > 0.0:
            raise InputError(f"{self.source}: {key!r} is {value}, expected a positive number")
        return Parameter(value, unit, self.source, note=note)

    def _body(self, key: str, symbol: str, *arguments: Any) -> Body:
        """The function at a key, of inputs and numbers, as a tree."""
        if key not in self.values.keys():  # noqa: SIM118
            raise InputError(f"{self.source}: the set has no {key!r}")
        given = self.values[key]
        try:
            node = given(*arguments) if callable(given) else given
            node = self.values.process_symbol(self.pybamm.convert_to_symbol(node))
        except (TypeError, ValueError, KeyError) as error:
            text = " ".join(str(error).split())[:200]
            raise InputError(f"{self.source}: cannot use {key!r}: {text}") from None
        try:
            found = translate(node)
        except InputError as error:
            raise InputError(f"{self.source}: {key!r}: {error}") from None
        name = getattr(given, "__name__", key) if callable(given) else f"{given}"
        return Body(found.expression, name, common_range(found.ranges.get(symbol, [])))
