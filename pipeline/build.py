"""From a study's entries to the objects of `voxtrode.data` that the solvers take."""

from collections.abc import Callable

from voxtrode.data.errors import InputError
from voxtrode.data.materials import (
    ActiveMaterial,
    Electrolyte,
    Material,
    MetalElectrode,
    active_material,
    catalogue,
    conductor,
    electrolyte,
    material,
    metal_electrode,
)
from voxtrode.data.phases import Liquid, Phase
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_base import nearest
from voxtrode.pipeline.study_material import ElectrolyteFrom, MaterialFrom
from voxtrode.pipeline.study_phases import DEFAULT_ELECTROLYTE, PhaseEntry, tortuosity_value


def build_phases(study: Study) -> dict[str, Phase]:
    """Every phase of the volume by name, in the order of the volume's labels.

    Raises:
        InputError: A material or an electrolyte is not known, or cannot be what a phase is made of.
    """
    return {name: _phase(study, name, entry) for name, entry in study.phases.items()}


def build_separator(study: Study) -> Phase:
    """The separator: liquid, no electrons; without one, a phase that no cell is of."""
    entry = study.separator
    if entry is None:
        return Phase(name="separator")
    liquid = Liquid(
        electrolyte=_electrolyte(study, entry.electrolyte, "separator"),
        porosity=entry.porosity,
        tortuosity=tortuosity_value(entry.tortuosity, entry.porosity),
    )
    return Phase(name="separator", liquid=liquid)


def build_electrolyte(study: Study) -> Electrolyte:
    """The electrolyte of every liquid phase that names none."""
    return _electrolyte(study, DEFAULT_ELECTROLYTE, "")


def build_counter(study: Study) -> MetalElectrode:
    """The counter electrode."""
    return _found(metal_electrode, study.counter, "counter")


def materials(study: Study) -> dict[str, Material]:
    """Every material, electrolyte and counter electrode of a study, by name."""
    phases = study.phases.items()
    salts: list[str | ElectrolyteFrom] = [study.electrolyte]
    if study.separator is not None:
        salts.append(study.separator.electrolyte)
    salts += [entry.electrolyte for _, entry in phases if entry.electrolyte is not None]
    found: list[Material] = [
        _material(study, entry.material, f"phases.{name}.material")
        for name, entry in phases
        if entry.material is not None
    ]
    found += [_electrolyte(study, salt, "electrolyte") for salt in salts]
    if study.surroundings is None:
        found.append(build_counter(study))
    return {one.name: one for one in found}


def capabilities(study: Study) -> dict[str, dict[str, bool]]:
    """What each phase can do, by name: `stores`, `electrons`, `ions`."""
    return {
        name: {
            "stores": phase.stores,
            "electrons": phase.conducts_electrons,
            "ions": phase.conducts_ions,
        }
        for name, phase in build_phases(study).items()
    }


def _phase(study: Study, name: str, entry: PhaseEntry) -> Phase:
    where = f"phases.{name}"
    if entry.material is None:
        return Phase(name, sigma=entry.conductivity, liquid=_liquid(study, where, entry, 1.0, 1.0))
    kind = "active material"
    if isinstance(entry.material, str):
        kind = _kind_of(entry.material, f"{where}.material")
    return _BUILDERS[kind](study, name, entry, where)


def _active_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    if entry.holds_liquid:
        raise InputError(
            f"{where}: {entry.material} is an active material and holds no electrolyte;"
            " remove porosity, tortuosity and electrolyte"
        )
    assert entry.material is not None
    active = _active(study, entry.material, f"{where}.material")
    sigma = active.sigma.value if entry.conductivity is None else entry.conductivity
    return Phase(name, active=active, sigma=sigma)


def _conductor_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    found = _found(conductor, str(entry.material), where)
    sigma = found.conductivity.value if entry.conductivity is None else entry.conductivity
    liquid = _liquid(
        study,
        where,
        entry.model_copy(update={"electrolyte": entry.electrolyte or DEFAULT_ELECTROLYTE}),
        found.porosity.value,
        found.tortuosity.value,
    )
    return Phase(name, sigma=sigma, liquid=liquid)


_BUILDERS: dict[str, Callable[[Study, str, PhaseEntry, str], Phase]] = {
    "active material": _active_phase,
    "conductor": _conductor_phase,
}


def _liquid(
    study: Study, where: str, entry: PhaseEntry, porosity: float, tortuosity: float
) -> Liquid | None:
    if not entry.holds_liquid:
        return None
    if entry.porosity is not None:
        porosity = entry.porosity
    if entry.tortuosity is not None:
        tortuosity = tortuosity_value(entry.tortuosity, porosity)
    named = entry.electrolyte or DEFAULT_ELECTROLYTE
    return Liquid(_electrolyte(study, named, where), porosity, tortuosity)


def _electrolyte(study: Study, given: str | ElectrolyteFrom, where: str) -> Electrolyte:
    key = f"{where}.electrolyte"
    if given == DEFAULT_ELECTROLYTE:
        given, key = study.electrolyte, "electrolyte"
    if isinstance(given, str):
        return _found(electrolyte, given, key)
    return _found(lambda source: source.load(study.temperature), given, key)


def _material(study: Study, given: str | MaterialFrom, where: str) -> Material:
    return (
        _found(material, given, where) if isinstance(given, str) else _active(study, given, where)
    )


def _active(study: Study, given: str | MaterialFrom, where: str) -> ActiveMaterial:
    if isinstance(given, str):
        return _found(active_material, given, where)
    return _found(lambda one: one.load(study.temperature, study.voltage_window), given, where)


def _kind_of(name: str, where: str) -> str:
    kinds = {entry.name: entry.kind for entry in catalogue()}
    usable = {name for name, kind in kinds.items() if kind in _BUILDERS}
    if name not in usable:
        hint = nearest(name, usable, "known materials")
        came = f"is an {kinds[name]}" if name in kinds else "is not in the library"
        raise InputError(f'{where}: "{name}" {came}; {hint}')
    return kinds[name]


def _found[G, T](load: Callable[[G], T], given: G, where: str) -> T:
    try:
        return load(given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
