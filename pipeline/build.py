"""From a study's entries to the objects of `voxtrode.data` that the solvers take."""

from collections.abc import Callable

from voxtrode.data.errors import InputError
from voxtrode.data.materials import (
    Electrolyte,
    MetalElectrode,
    active_material,
    catalogue,
    conductor,
    electrolyte,
    metal_electrode,
)
from voxtrode.data.phases import Liquid, Phase
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_base import nearest
from voxtrode.pipeline.study_phases import DEFAULT_ELECTROLYTE, PhaseEntry, tortuosity_value


def build_phases(study: Study) -> dict[str, Phase]:
    """Every phase of the volume by name, in the order of the volume's labels.

    Raises:
        InputError: A material or an electrolyte is not known, or cannot be what a phase is made of.
    """
    return {name: _phase(study, name, entry) for name, entry in study.phases.items()}


def build_separator(study: Study) -> Phase:
    """The separator: liquid, no electrons."""
    entry = study.separator
    liquid = Liquid(
        electrolyte=_electrolyte(study, entry.electrolyte, "separator"),
        porosity=entry.porosity,
        tortuosity=tortuosity_value(entry.tortuosity, entry.porosity),
    )
    return Phase(name="separator", liquid=liquid)


def build_counter(study: Study) -> MetalElectrode:
    """The counter electrode."""
    return _found(metal_electrode, study.counter, "counter")


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
    kind = _kind_of(entry.material, f"{where}.material")
    return _BUILDERS[kind](study, name, entry, where)


def _active_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    del study
    if entry.holds_liquid:
        raise InputError(
            f"{where}: {entry.material} is an active material and holds no electrolyte;"
            " remove porosity, tortuosity and electrolyte"
        )
    material = _found(active_material, str(entry.material), where)
    sigma = material.sigma.value if entry.conductivity is None else entry.conductivity
    return Phase(name, active=material, sigma=sigma)


def _conductor_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    material = _found(conductor, str(entry.material), where)
    sigma = material.conductivity.value if entry.conductivity is None else entry.conductivity
    liquid = _liquid(
        study,
        where,
        entry.model_copy(update={"electrolyte": entry.electrolyte or DEFAULT_ELECTROLYTE}),
        material.porosity.value,
        material.tortuosity.value,
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


def _electrolyte(study: Study, name: str, where: str) -> Electrolyte:
    if name == DEFAULT_ELECTROLYTE:
        return _found(electrolyte, study.electrolyte, "electrolyte")
    return _found(electrolyte, name, f"{where}.electrolyte")


def _kind_of(material: str, where: str) -> str:
    kinds = {entry.name: entry.kind for entry in catalogue()}
    usable = {name for name, kind in kinds.items() if kind in _BUILDERS}
    if material not in usable:
        hint = nearest(material, usable, "known materials")
        came = f"is an {kinds[material]}" if material in kinds else "is not in the library"
        raise InputError(f'{where}: "{material}" {came}; {hint}')
    return kinds[material]


def _found[T](load: Callable[[str], T], name: str, where: str) -> T:
    try:
        return load(name)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
