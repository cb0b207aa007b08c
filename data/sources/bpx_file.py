"""A BPX file on disk, and its sections by name (JSON, versions 0.x and 1.x)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrode.data.entries import Entry, make_entry
from voxtrode.data.errors import InputError
from voxtrode.data.law import REFERENCE_TEMPERATURE, Parameter
from voxtrode.data.sources import bpx_keys
from voxtrode.data.sources.bpx_functions import require
from voxtrode.data.sources.source import ELECTRODES

_MOLAR = 1000.0  # mol m-3: the reference concentration where a file gives none


@dataclass(frozen=True)
class BpxFile:
    """The sections of a BPX file.

    Attributes:
        name: Name of the file.
        root: Its content.
    """

    name: str
    root: Entry

    @property
    def source(self) -> str:
        """Where each number comes from."""
        return f"BPX: {self.name}, {self.root.entry('Header').text('Title') or 'untitled'}"

    @property
    def cited(self) -> str:
        """The same with what the file cites."""
        references = self.root.entry("Header").text("References")
        return f"{self.source}; {references}" if references else self.source

    def section(self, name: str) -> Entry:
        """A section of the parameterisation."""
        sections = self.root.entry("Parameterisation")
        require(sections, name)
        return sections.entry(name)

    def electrode(self, electrode: str) -> Entry:
        """The section of an electrode."""
        if electrode not in ELECTRODES:
            raise InputError(f"the electrode is {electrode!r}, expected negative or positive")
        section = self.section(f"{electrode.capitalize()} electrode")
        blended = "Particle" in section.content
        own = bpx_keys.BLEND if blended else bpx_keys.ELECTRODE | bpx_keys.PARTICLE
        section.check_keys((), own)
        return section

    def particles(self, electrode: str) -> tuple[str, ...]:
        """Names of the particles of a blended electrode; empty where it is no blend."""
        return tuple(self.electrode(electrode).entry("Particle").content)

    def particle(self, electrode: str, particle: str | None) -> Entry:
        """The section of an electrode's particle: the electrode's own where it is no blend."""
        section, names = self.electrode(electrode), self.particles(electrode)
        if particle is None and len(names) == 1:
            particle = names[0]
        if particle is None and not names:
            return section
        if particle not in names:
            came = "names no particle" if particle is None else f"has no particle {particle!r}"
            known = ", ".join(names) or "none, it is no blend"
            section.fail(f"the study {came}; particles of this electrode: {known}")
        found = section.entry("Particle").entry(str(particle))
        found.check_keys((), bpx_keys.PARTICLE)
        return found

    def initial_conditions(self) -> Entry:
        """The initial conditions of version 1; empty in version 0."""
        return self.root.entry("State").entry("Initial conditions")

    def reference_temperature(self) -> float | None:
        """The reference temperature [K], where the file gives one."""
        cell = self.root.entry("Parameterisation").entry("Cell")
        key = "Reference temperature [K]"
        return cell.number(key) if cell.content.get(key) is not None else None

    def concentration(self) -> Parameter:
        """The initial salt concentration c_e0 [mol m-3], which normalises the kinetics."""
        places = (
            (self.initial_conditions(), bpx_keys.CONCENTRATION_1),
            (self.root.entry("Parameterisation").entry("Electrolyte"), bpx_keys.CONCENTRATION_0),
        )
        for entry, key in places:
            if entry.content.get(key) is not None:
                return self.positive(entry, key, "mol/m^3")
        note = "the file gives no initial concentration"
        return Parameter(_MOLAR, "mol/m^3", "the convention of BPX, 1 M", assumed=True, note=note)

    def positive(self, entry: Entry, key: str, unit: str, note: str = "") -> Parameter:
        """The positive number at a key of a section."""
        require(entry, key)
        value = entry.number(key)
        if value <= 0.0:
            entry.fail(f"{key!r} is {value:g}, expected a positive number")
        return Parameter(value, unit, self.source, note=note)

    def shift(self, temperature: float) -> float:
        """T less the reference temperature [K]; that of the laws here where there is none."""
        return temperature - (self.reference_temperature() or REFERENCE_TEMPERATURE)


def open_bpx(path: Path) -> BpxFile:
    """The sections of a BPX file.

    Raises:
        InputError: The file cannot be read, is no JSON, or no BPX file of version 0 or 1.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the BPX file {path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is no valid JSON: {error}") from None
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
    root = make_entry(content, path.name)
    require(root, "Header", "Parameterisation")
    header = root.entry("Header")
    require(header, "BPX")
    version = str(header.content["BPX"])
    if re.fullmatch(r"[01](\.\d+)*", version) is None:
        header.fail(f"the BPX version is {version!r}; expected 0.x or 1.x")
    return BpxFile(path.name, root)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"the key {twice!r} stands twice in one section")
    return found
