"""From a study's entries to the objects of `voxtrode.data` that the solvers take."""

from collections.abc import Callable

from voxtrode.data.errors import InputError
from voxtrode.data.materials import (
    ActiveMaterial,
    Electrolyte,
    Material,
    MetalElectrode,
    active_material,
    at_temperature,
    catalogue,
    conductor,
    electrolyte,
    electron_conductor,
    material,
    metal_electrode,
    solid_electrolyte,
)
from voxtrode.data.phases import Anisotropy, Liquid, Phase
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_base import nearest
from voxtrode.pipeline.study_counter import CounterMaterial
from voxtrode.pipeline.study_material import ElectrolyteFrom, MaterialFrom
from voxtrode.pipeline.study_phases import DEFAULT_ELECTROLYTE, PhaseEntry, tortuosity_value


def build_phases(study: Study) -> dict[str, Phase]:
    """Every phase of the volume by name, in the order of the volume's labels.

    Raises:
        InputError: A material or an electrolyte is not known, or cannot be what a phase is made of.
    """
    return {name: _phase(study, name, entry) for name, entry in study.phases.items()}


def build_separator(study: Study) -> Phase | None:
    """The separator: liquid or solid electrolyte, no electrons; None where there is none."""
    entry = study.separator
    if entry.thickness == 0.0:
        return None
    if entry.porosity is None or entry.tortuosity is None:
        return Phase(
            "separator", kappa=_kappa(study, entry.material, entry.ionic_conductivity, "separator")
        )
    liquid = Liquid(
        electrolyte=_electrolyte(study, entry.electrolyte or DEFAULT_ELECTROLYTE, "separator"),
        porosity=entry.porosity,
        tortuosity=tortuosity_value(entry.tortuosity, entry.porosity),
    )
    return Phase(name="separator", liquid=liquid)


def all_phases(study: Study) -> dict[str, Phase]:
    """Every phase of the cell by name: those of the volume, and the separator where there is one.

    Raises:
        InputError: As of `build_phases`.
    """
    separator = build_separator(study)
    extra = {} if separator is None else {separator.name: separator}
    return {**build_phases(study), **extra}


def build_electrolyte(study: Study) -> Electrolyte:
    """The electrolyte of every liquid phase that names none."""
    return _electrolyte(study, DEFAULT_ELECTROLYTE, "")


def build_counter(study: Study) -> MetalElectrode | ActiveMaterial | None:
    """The counter electrode: a metal, the material of a balanced electrode, or none."""
    if study.counter is None:
        return None
    if isinstance(study.counter, CounterMaterial):
        given = study.counter
        cutoffs = given.potentials
        return _active(study, given.material, "counter.material", cutoffs)
    found = _found(metal_electrode, study.counter, "counter")
    return at_temperature(found, study.temperature)


def counter_ends(study: Study) -> tuple[float, float]:
    """Potentials of the counter electrode against lithium [V], cell charged and discharged."""
    if isinstance(study.counter, CounterMaterial):
        return study.counter.potentials
    if study.negative is not None:
        return study.negative.potentials
    assert study.counter is not None
    potential = _found(metal_electrode, study.counter, "counter").potential.value
    return potential, potential


def potential_window(study: Study) -> tuple[float, float]:
    """Lower and upper potential against lithium [V] of the electrode that discharge fills."""
    charged, discharged = counter_ends(study)
    lower, upper = study.voltage_window
    return lower + discharged, upper + charged


def windows(study: Study) -> dict[str, tuple[float, float]]:
    """Lower and upper potential against lithium [V] of each phase, by name."""
    own = study.negative
    return {
        name: own.potentials if own is not None and name in own.phases else potential_window(study)
        for name in study.phases
    }


def materials(study: Study) -> dict[str, Material]:
    """Every material, electrolyte and counter electrode of a study, by name."""
    window = windows(study)
    found: list[Material] = [
        _material(study, entry.material, f"phases.{name}.material", window[name])
        for name, entry in study.phases.items()
        if entry.material is not None
    ]
    if study.separator_thickness > 0.0 and study.separator.material is not None:
        found.append(_material(study, study.separator.material, "separator.material"))
    phases = all_phases(study).values()
    found += [phase.liquid.electrolyte for phase in phases if phase.liquid is not None]
    counter = build_counter(study) if study.surroundings is None else None
    return {one.name: one for one in [*found, *([] if counter is None else [counter])]}


def holds_salt(study: Study) -> bool:
    """Whether any part of the cell holds a liquid electrolyte."""
    return any(phase.holds_salt for phase in all_phases(study).values())


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
    build: Callable[[Study, str, PhaseEntry, str], Phase] = _plain_phase
    if entry.material is not None:
        kind = "active material"
        if isinstance(entry.material, str):
            kind = _kind_of(entry.material, f"{where}.material")
        build = _BUILDERS[kind]
    if entry.anisotropy is not None and build is not _active_phase:
        raise InputError(f"{where}.anisotropy: only an active material has one; remove the key")
    return build(study, name, entry, where)


def _plain_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    return Phase(
        name,
        sigma=entry.conductivity,
        liquid=_liquid(study, where, entry, 1.0, 1.0),
        kappa=entry.ionic_conductivity,
    )


def _active_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    if entry.holds_liquid:
        raise InputError(
            f"{where}: {entry.material} is an active material and holds no electrolyte;"
            " remove porosity, tortuosity and electrolyte"
        )
    if entry.ionic_conductivity is not None:
        raise InputError(
            f"{where}.ionic_conductivity: {entry.material} exchanges lithium with ion conductors at"
            " its surface, and has none inside; make the conductor a phase of its own"
        )
    assert entry.material is not None
    active = _active(study, entry.material, f"{where}.material", windows(study)[name])
    sigma = active.sigma.value if entry.conductivity is None else entry.conductivity
    return Phase(name, active=active, sigma=sigma, anisotropy=_anisotropy(study, entry, where))


def _anisotropy(study: Study, entry: PhaseEntry, where: str) -> Anisotropy | None:
    given = entry.anisotropy
    if given is None:
        return None
    if given.axis is None:
        generate = study.volume.generate
        if generate is None or getattr(generate, "grains", None) is None:
            raise InputError(
                f"{where}.anisotropy: the volume has no grains to take the axis from; give axis,"
                " e.g. [1, 0, 0] for z"
            )
        return Anisotropy(given.ratio)
    length = sum(part**2 for part in given.axis) ** 0.5
    z, y, x = (part / length for part in given.axis)
    return Anisotropy(given.ratio, (x, y, z))


def _solid_electrolyte_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    _refuse_liquid(entry, where, "is a solid electrolyte")
    kappa = _kappa(study, str(entry.material), entry.ionic_conductivity, where)
    return Phase(name, sigma=entry.conductivity, kappa=kappa)


def _electron_conductor_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    _refuse_liquid(entry, where, "conducts electrons alone")
    found = at_temperature(
        _found(electron_conductor, str(entry.material), where), study.temperature
    )
    sigma = found.conductivity.value if entry.conductivity is None else entry.conductivity
    return Phase(name, sigma=sigma, kappa=entry.ionic_conductivity)


def _refuse_liquid(entry: PhaseEntry, where: str, what: str) -> None:
    if entry.holds_liquid:
        raise InputError(
            f"{where}: {entry.material} {what} and holds no liquid;"
            " remove porosity, tortuosity and electrolyte"
        )


def _kappa(study: Study, material: str | None, given: float | None, where: str) -> float:
    """κ of a solid electrolyte: as given, else the library's at the study's temperature."""
    if material is None:
        assert given is not None
        return given
    found = _found(solid_electrolyte, material, f"{where}.material")
    return at_temperature(found, study.temperature).kappa.value if given is None else given


def _conductor_phase(study: Study, name: str, entry: PhaseEntry, where: str) -> Phase:
    if entry.ionic_conductivity is not None:
        raise InputError(
            f"{where}.ionic_conductivity: {entry.material} holds a liquid electrolyte; remove the"
            " key, or say what the phase is by conductivity and ionic_conductivity alone"
        )
    found = at_temperature(_found(conductor, str(entry.material), where), study.temperature)
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
    "solid electrolyte": _solid_electrolyte_phase,
    "electron conductor": _electron_conductor_phase,
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
        return at_temperature(_found(electrolyte, given, key), study.temperature)
    return _found(lambda source: source.load(study.temperature), given, key)


def _material(
    study: Study,
    given: str | MaterialFrom,
    where: str,
    cutoffs: tuple[float, float] | None = None,
) -> Material:
    if isinstance(given, str):
        return at_temperature(_found(material, given, where), study.temperature)
    return _active(study, given, where, cutoffs)


def _active(
    study: Study,
    given: str | MaterialFrom,
    where: str,
    cutoffs: tuple[float, float] | None = None,
) -> ActiveMaterial:
    if isinstance(given, str):
        return at_temperature(_found(active_material, given, where), study.temperature)
    window = cutoffs or potential_window(study)
    return _found(lambda one: one.load(study.temperature, window), given, where)


def _kind_of(name: str, where: str) -> str:
    kinds = {entry.name: entry.kind for entry in catalogue()}
    usable = {name for name, kind in kinds.items() if kind in _BUILDERS}
    if name not in usable:
        hint = nearest(name, usable, "known materials")
        came = (
            f"is no material of a phase (its kind: {kinds[name]})"
            if name in kinds
            else "is not in the library"
        )
        raise InputError(f'{where}: "{name}" {came}; {hint}')
    return kinds[name]


def _found[G, T](load: Callable[[G], T], given: G, where: str) -> T:
    try:
        return load(given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
