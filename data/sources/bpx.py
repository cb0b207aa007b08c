"""Cells from BPX files (Battery Parameter eXchange, https://github.com/FaradayInstitution/BPX).

Kinetics in its convention: i₀ = F k √((c_e/c_e0) θ (1 − θ)), k in mol m⁻² s⁻¹, c_e0 the initial
concentration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from voxtrode.data.entries import Entry
from voxtrode.data.expression import Symbol, call, constant
from voxtrode.data.law import FARADAY, Parameter
from voxtrode.data.material_kinds import ActiveMaterial, Electrolyte
from voxtrode.data.sources import bpx_keys
from voxtrode.data.sources.assembly import (
    Body,
    build_active,
    build_electrolyte,
    by_entropy,
    common_range,
)
from voxtrode.data.sources.bpx_file import BpxFile, open_bpx
from voxtrode.data.sources.bpx_functions import at_temperature, read_body
from voxtrode.data.sources.source import MaterialSource, SeparatorSet, StoichiometryWindow

_SIGMA = "effective, of the porous electrode; a study's `conductivity` replaces it"
_ENTROPIC = "Entropic change coefficient [V.K-1]"
_RATE = "Reaction rate constant [mol.m-2.s-1]"


def read_bpx(path: Path) -> BpxCell:
    """The cell of a BPX file; its sections are read when they are asked for.

    Raises:
        InputError: The file cannot be read, is no JSON, or no BPX file of version 0 or 1.
    """
    return BpxCell(open_bpx(path))


@dataclass(frozen=True)
class BpxCell(MaterialSource):
    """A cell as a BPX file describes it.

    Attributes:
        file: The file.
    """

    file: BpxFile

    def particles(self, electrode: str) -> tuple[str, ...]:
        """Names of the particles of a blended electrode; empty where it is no blend."""
        return self.file.particles(electrode)

    def active_material(
        self, electrode: str, particle: str | None, temperature: float
    ) -> ActiveMaterial:
        """The active material of an electrode, at a temperature [K]."""
        section = self.file.particle(electrode, particle)
        sigma = self.file.positive(
            self.file.electrode(electrode), "Conductivity [S.m-1]", "S/m", _SIGMA
        )
        D_s = self._body(section, "Diffusivity [m2.s-1]", "theta", temperature)
        if D_s.tabulated is not None:
            D_s = D_s.held("theta", *D_s.tabulated)
        window = self.window(electrode, particle)
        used = (
            min(window.empty.value, window.full.value),
            max(window.empty.value, window.full.value),
        )
        U = self._potential(section, temperature)
        U = replace(U, tabulated=common_range([U.tabulated, used]))
        i0 = self._exchange_current(section, temperature)
        which = electrode if particle is None else f"{electrode}, {particle}"
        source = self.file.source
        return build_active(
            name=f"{self.file.name}: {which} electrode",
            source=self.file.cited,
            electrode=electrode,
            c_max=self.file.positive(section, "Maximum concentration [mol.m-3]", "mol/m^3"),
            sigma=sigma,
            laws={
                "D_s": D_s.law(("theta",), "m^2/s", source),
                "U": U.law(("theta",), "V", source),
                "i0": i0.law(("c_e", "theta"), "A/m^2", source),
            },
        )

    def electrolyte(self, temperature: float) -> Electrolyte:
        """The electrolyte, at a temperature [K]."""
        section = self.file.section("Electrolyte")
        section.check_keys((), bpx_keys.ELECTROLYTE)
        bodies = {
            "D_e": self._body(section, "Diffusivity [m2.s-1]", "c_e", temperature),
            "kappa": self._body(section, "Conductivity [S.m-1]", "c_e", temperature),
            "t_plus": read_body(section, "Cation transference number", "c_e"),
            "chi": Body(constant(1.0), "1", note="BPX has no thermodynamic factor"),
        }
        name = f"{self.file.name}: electrolyte"
        source = self.file
        return build_electrolyte(name, source.cited, source.source, source.concentration(), bodies)

    def separator(self) -> SeparatorSet:
        """The separator."""
        section = self.file.section("Separator")
        section.check_keys(bpx_keys.SEPARATOR)
        porosity = self.file.positive(section, "Porosity", "1")
        efficiency = self.file.positive(section, "Transport efficiency", "1")
        tortuosity = porosity.value / efficiency.value
        if porosity.value > 1.0 or tortuosity < 1.0:
            section.fail(
                f"the porosity {porosity.value:g} and the transport efficiency"
                f" {efficiency.value:g} make no tortuosity factor of at least 1"
            )
        note = "porosity over transport efficiency"
        return SeparatorSet(
            self.file.positive(section, "Thickness [m]", "m"),
            porosity,
            Parameter(tortuosity, "1", self.file.source, note=note),
        )

    def window(self, electrode: str, particle: str | None) -> StoichiometryWindow:
        """The stoichiometries at 0 % and at 100 % state of charge."""
        section = self.file.particle(electrode, particle)
        section.check_keys(("Minimum stoichiometry", "Maximum stoichiometry"), section.content)
        low = section.number("Minimum stoichiometry")
        high = section.number("Maximum stoichiometry")
        if not 0.0 <= low < high <= 1.0:
            section.fail(
                f"the stoichiometries run from {low:g} to {high:g}; expected 0 <= minimum <"
                " maximum <= 1"
            )
        empty, full = (low, high) if electrode == "negative" else (high, low)
        conditions, key = self.file.initial_conditions(), "Initial state-of-charge"
        initial = None
        if conditions.content.get(key) is not None:
            charge = conditions.number(key)
            initial = Parameter(empty + (full - empty) * charge, "1", self.file.source)
        return StoichiometryWindow(
            Parameter(empty, "1", self.file.source), Parameter(full, "1", self.file.source), initial
        )

    def _body(self, section: Entry, key: str, symbol: str, temperature: float) -> Body:
        body = read_body(section, key, symbol)
        reference = self.file.reference_temperature()
        return at_temperature(body, section, key, reference, temperature)

    def _potential(self, section: Entry, temperature: float) -> Body:
        """U(T) = U(T_ref) + (T − T_ref) ∂U/∂T."""
        body, shift = read_body(section, "OCP [V]", "theta"), self.file.shift(temperature)
        if section.content.get(_ENTROPIC) is None or shift == 0.0:
            return body
        change = read_body(section, _ENTROPIC, "theta")
        return by_entropy(body, change, shift, temperature)

    def _exchange_current(self, section: Entry, temperature: float) -> Body:
        k = self.file.positive(section, _RATE, "mol/(m^2*s)")
        c_e0 = self.file.concentration()
        theta = Symbol("theta")
        root = call("sqrt", Symbol("c_e") / c_e0.value * theta * (1.0 - theta))
        body = Body(
            FARADAY * k.value * root,
            "F*k*sqrt(c_e/c_e0*theta*(1 - theta))",
            constants={"k": k, "c_e0": c_e0},
        )
        reference = self.file.reference_temperature()
        return at_temperature(body, section, _RATE, reference, temperature)
