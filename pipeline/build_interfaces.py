"""From a study's `interfaces` to the charge transfer of each pair of phases."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY, GAS_CONSTANT, Law, arrhenius
from voxtrode.data.phases import Phase
from voxtrode.data.reactions import RATES, Reaction, by_formula, by_rate_constant
from voxtrode.pipeline.build import all_phases
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_interfaces import CLOSED, OPEN, Interface, pair

REFERENCE_SALT = 1000.0
"""c_e0 [mol/m³] of rate constants where the cell holds no salt."""
_PROBES = (0.1, 0.5, 0.9)
"""Stoichiometries at which formulas are tried."""


def build_reactions(study: Study) -> dict[tuple[str, str], Reaction]:
    """Charge transfer by active and ion-conducting phase, where the study says how it differs.

    What a pair says comes before what its active phase says for all its interfaces.

    Raises:
        InputError: A key names phases that exchange no charge, or a formula is no law.
    """
    phases = all_phases(study)
    found: dict[tuple[str, str], Reaction] = {}
    for key, given in sorted(study.interfaces.items(), key=lambda item: len(pair(item[0]))):
        if not given.of_transfer:
            continue
        for active, ionic in _meant(key, phases):
            material = phases[active].active
            assert material is not None
            before = found.get((active, ionic), Reaction.of(material))
            found[active, ionic] = _changed(before, given, study, phases, f"interfaces.{key}")
    return found


def build_contacts(study: Study) -> dict[tuple[str, str], float]:
    """Resistance for lithium [Ω m²] of contacts between active phases, 0: open, inf: closed.

    Raises:
        InputError: A key names no two active phases, or materials that cannot share lithium freely.
    """
    phases = all_phases(study)
    found = {}
    for key, given in study.interfaces.items():
        if given.lithium is None:
            continue
        names, where = pair(key), f"interfaces.{key}"
        if len(names) != 2 or not all(phases[name].stores for name in names):
            raise InputError(f'{where}.lithium: expected a contact of two active phases as "a|b"')
        one, two = (phases[name].active for name in names)
        assert one is not None
        assert two is not None
        if given.lithium == OPEN and one.name != two.name:
            raise InputError(
                f"{where}.lithium: {one.name} and {two.name} are two materials, whose contact"
                " cannot be open; give a resistance, or closed"
            )
        found[names[0], names[1]] = _resistance(given.lithium)
    return found


def build_junctions(study: Study) -> dict[tuple[str, str], float]:
    """Resistance for electrons [Ω m²] of contacts of electron conductors, 0: open, inf: closed.

    Raises:
        InputError: A key names no two electron conductors of one electrode, or particles of a phase
            that has none; or electrons come to the conductors from everywhere.
    """
    phases = all_phases(study)
    found = {}
    for key, given in study.interfaces.items():
        if given.electrons is None:
            continue
        names, where = pair(key), f"interfaces.{key}.electrons"
        if len(names) != 2 or not all(phases[name].conducts_electrons for name in names):
            raise InputError(f'{where}: expected a contact of two electron conductors as "a|b"')
        if names[0] == names[1] and not phases[names[0]].stores:
            raise InputError(
                f"{where}: particles are those of an active phase, and {names[0]} is none; expected"
                ' a contact of two phases as "a|b"'
            )
        if study.negative is not None:
            inside = [name in study.negative.phases for name in names]
            if inside[0] != inside[1]:
                raise InputError(f"{where}: {' and '.join(names)} are in two electrodes; remove it")
        if study.surroundings is not None and study.surroundings.stirred.everywhere:
            raise InputError(
                f"{where}: electrons reach all conductors from everywhere (surroundings: stirred);"
                " remove it, or set surroundings.stirred.contact to collector"
            )
        found[names[0], names[1]] = _resistance(given.electrons)
    return found


def _resistance(given: float | str) -> float:
    """A contact's resistance [Ω m²]."""
    return {OPEN: 0.0, CLOSED: math.inf}[given] if isinstance(given, str) else given


def _meant(key: str, phases: Mapping[str, Phase]) -> list[tuple[str, str]]:
    """Pairs of an active and an ion-conducting phase that a key stands for."""
    names = pair(key)
    ions = [name for name, phase in phases.items() if phase.conducts_ions]
    pairs = [
        (active, ionic)
        for active, ionic in ((a, b) for a in names for b in (ions if len(names) == 1 else names))
        if phases[active].stores and ionic in ions and active != ionic
    ]
    if not pairs:
        raise InputError(
            f"interfaces.{key}: no charge is transferred there; expected an active phase, or an"
            ' active and an ion-conducting phase as "active|ionic"'
        )
    return pairs


def _changed(
    before: Reaction, given: Interface, study: Study, phases: Mapping[str, Phase], where: str
) -> Reaction:
    said = {
        "alpha_a": given.alpha_a,
        "alpha_c": given.alpha_c,
        "rate": None if given.rate is None else RATES[given.rate],
        "film": given.film_resistance,
        "wetted": given.wetted,
    }
    after = before.but(**{key: value for key, value in said.items() if value is not None})
    i0 = _exchange_current(after, given, study, phases, where)
    return after if i0 is None else after.but(i0=i0)


def _exchange_current(
    reaction: Reaction, given: Interface, study: Study, phases: Mapping[str, Phase], where: str
) -> Law | None:
    law = None
    fluids = [phase.liquid for phase in phases.values() if phase.liquid is not None]
    c_e0 = fluids[0].electrolyte.c_e0.value if fluids else REFERENCE_SALT
    if given.rate_constant is not None:
        law = by_rate_constant(given.rate_constant, c_e0, reaction.alpha_a, reaction.alpha_c, where)
    elif given.exchange_current is not None:
        text = str(given.exchange_current)
        _check_positive(text, c_e0, f"{where}.exchange_current", "A/m^2")
        law = by_formula(text, where)
    elif given.charge_transfer_resistance is not None:
        text = str(given.charge_transfer_resistance)
        _check_positive(text, c_e0, f"{where}.charge_transfer_resistance", "ohm*m^2")
        thermal = GAS_CONSTANT * study.temperature / FARADAY
        law = by_formula(f"{thermal!r}/({text})", where)
    if law is None or given.activation_energy is None:
        return law
    factor = arrhenius(given.activation_energy, study.temperature)
    return replace(law, expression=law.expression * factor)


def _check_positive(formula: str, c_e0: float, where: str, unit: str) -> None:
    """Refuse a formula that is not positive where every study passes by."""
    law = by_formula(formula)
    for theta in _PROBES:
        with np.errstate(all="ignore"):
            value = float(law(c_e=c_e0, theta=theta))
        if not 0.0 < value < math.inf:
            raise InputError(
                f"{where}: {formula} is {value:g} {unit} at theta = {theta:g} and c_e ="
                f" {c_e0:g} mol/m^3; expected a positive number"
            )
