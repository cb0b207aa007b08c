"""Materials: what a study names, found as files under `data/library`, one file per material.

A new material is one new file there (format: `material_files`); the tests find it by themselves.
"""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from voxtrode.data.entries import read_entry
from voxtrode.data.errors import InputError
from voxtrode.data.law import Assumed, Law, Parameter, stoichiometry_at
from voxtrode.data.material_files import read_law, read_parameter
from voxtrode.data.material_kinds import (
    KINDS,
    ActiveMaterial,
    Conductor,
    Electrolyte,
    ElectronConductor,
    Material,
    MetalElectrode,
    SolidElectrolyte,
    check_range,
    kind_of,
)

LIBRARY = Path(__file__).parent / "library"


def read_material(path: Path) -> Material:
    """The material of a file, of whichever kind the file says.

    Raises:
        InputError: If anything in the file is missing, unknown, or in another unit.
    """
    entry = read_entry(path)
    kind = kind_of(entry)
    required = ("name", "kind", "source", *kind.parameters, *kind.laws)
    entry.check_keys(required, kind.optional)
    if entry.text("name") != path.stem:
        entry.fail(f"the name is {entry.text('name')!r}, but the file is called {path.name!r}")
    units = {**kind.parameters, **kind.optional}
    numbers = {
        key: read_parameter(entry.entry(key), unit)
        for key, unit in units.items()
        if key in entry.content
    }
    for key, number in numbers.items():
        check_range(entry, key, number.value)
    known = {key: number.value for key, number in numbers.items()}
    laws = {
        key: read_law(entry.entry(key), arguments, unit, known)
        for key, (unit, arguments) in kind.laws.items()
    }
    return kind.build(name=path.stem, source=entry.source(), **numbers, **laws)


@cache
def material(name: str) -> Material:
    """A material of the library by its name.

    Raises:
        InputError: If there is none of that name; the nearest name is suggested.
    """
    names = sorted(path.stem for path in LIBRARY.glob("*.yaml"))
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown material {name!r}; {hint}known: {', '.join(names)}")
    return read_material(LIBRARY / f"{name}.yaml")


def at_temperature[M: Material](found: M, temperature: float) -> M:
    """The material at a temperature [K]; as it is read it is at 298.15 K."""
    quantities = {field.name: getattr(found, field.name) for field in fields(found)}
    changed = {key: q.at(temperature) for key, q in quantities.items() if hasattr(q, "at")}
    return replace(found, **changed)


def _of_kind[
    M: (
        ActiveMaterial,
        Electrolyte,
        MetalElectrode,
        Conductor,
        SolidElectrolyte,
        ElectronConductor,
    )
](name: str, build: type[M]) -> M:
    found = material(name)
    if not isinstance(found, build):
        wanted = next(kind for kind, spec in KINDS.items() if spec.build is build)
        fitting = ", ".join(entry.name for entry in catalogue() if entry.kind == wanted)
        raise InputError(f"{name} is no {wanted}; known of that kind: {fitting}")
    return found


def active_material(name: str) -> ActiveMaterial:
    """An active material of the library (InputError where there is none of that name)."""
    return _of_kind(name, ActiveMaterial)


def electrolyte(name: str) -> Electrolyte:
    """An electrolyte of the library (InputError where there is none of that name)."""
    return _of_kind(name, Electrolyte)


def metal_electrode(name: str) -> MetalElectrode:
    """A metal electrode of the library (InputError where there is none of that name)."""
    return _of_kind(name, MetalElectrode)


def conductor(name: str) -> Conductor:
    """A conductor of the library (InputError where there is none of that name)."""
    return _of_kind(name, Conductor)


def solid_electrolyte(name: str) -> SolidElectrolyte:
    """A solid electrolyte of the library (InputError where there is none of that name)."""
    return _of_kind(name, SolidElectrolyte)


def electron_conductor(name: str) -> ElectronConductor:
    """An electron conductor of the library (InputError where there is none of that name)."""
    return _of_kind(name, ElectronConductor)


class CatalogueEntry(NamedTuple):
    """A line of the list of materials."""

    name: str
    kind: str
    source: str


def catalogue() -> list[CatalogueEntry]:
    """All materials of the library, by name, without building their laws."""
    entries = [read_entry(path) for path in sorted(LIBRARY.glob("*.yaml"))]
    return [CatalogueEntry(e.text("name"), e.text("kind"), e.source()) for e in entries]


def assumed_parameters(obj: Any) -> list[Assumed]:
    """Everything in a material that no source gives: name, value or formula, unit, note.

    A constant is named after its law (``i0: k``); one that several laws share is listed once, by
    its own name.
    """
    quantities = {field.name: getattr(obj, field.name) for field in fields(obj)}
    shared = _shared([q for q in quantities.values() if isinstance(q, Law)])
    found: list[Assumed] = []
    for name, quantity in quantities.items():
        if hasattr(quantity, "assumptions"):
            repeated = {f"{name}: {key}" for key in shared}
            found += [one for one in quantity.assumptions(name) if one.name not in repeated]
    return found + [one for key, constant in shared.items() for one in constant.assumptions(key)]


def _shared(laws: list[Law]) -> dict[str, Parameter]:
    """The very constants that several laws have, by name."""
    pairs = [pair for law in laws for pair in law.constants.items()]
    names: dict[str, list[int]] = {}
    for key, constant in pairs:
        names.setdefault(key, []).append(id(constant))
    once = {key for key, ids in names.items() if len(ids) > 1 and len(set(ids)) == 1}
    return {key: constant for key, constant in pairs if key in once}


__all__ = [
    "ActiveMaterial",
    "Assumed",
    "CatalogueEntry",
    "Conductor",
    "Electrolyte",
    "ElectronConductor",
    "Law",
    "Material",
    "MetalElectrode",
    "Parameter",
    "SolidElectrolyte",
    "active_material",
    "assumed_parameters",
    "at_temperature",
    "catalogue",
    "conductor",
    "electrolyte",
    "electron_conductor",
    "material",
    "metal_electrode",
    "read_material",
    "solid_electrolyte",
    "stoichiometry_at",
]
