"""Entries of a YAML file, read with messages that name file, key and fault."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import yaml

from voxtrode.data.errors import InputError


@dataclass(frozen=True)
class Entry:
    """A mapping of a file, with the place it stands at, for messages."""

    content: Mapping[str, Any]
    place: str

    def fail(self, message: str) -> NoReturn:
        """Refuse the entry."""
        raise InputError(f"{self.place}: {message}")

    def check_keys(self, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Refuse missing and unknown keys, the latter with the nearest known one."""
        needed, known = set(required), set(required) | set(optional)
        for key in self.content:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
                self.fail(f"unknown key {key!r}; {hint}")
        for key in sorted(needed - set(self.content)):
            self.fail(f"the key {key!r} is missing")

    def entry(self, key: str) -> Entry:
        """The mapping at a key; empty where the key is absent."""
        return make_entry(self.content.get(key, {}), f"{self.place}: {key}")

    def text(self, key: str) -> str:
        """The text at a key; empty where the key is absent."""
        value = self.content.get(key, "")
        if not isinstance(value, str):
            self.fail(f"{key} must be text, got {value!r}")
        return " ".join(value.split())

    def source(self) -> str:
        """The source, which must say something."""
        return self.text("source") or self.fail("the source is empty; say where this comes from")

    def number(self, key: str) -> float:
        """The finite number at a key."""
        return _number(self.content[key], f"{self.place}: {key}")

    def numbers(self, key: str, count: int | None = None) -> list[float]:
        """The list of finite numbers at a key."""
        values = self.content[key]
        if not isinstance(values, list) or (count is not None and len(values) != count):
            self.fail(f"{key} must be a list of {count or 'the'} numbers, got {values!r}")
        return [_number(value, f"{self.place}: {key}") for value in values]

    def sequence(self, key: str) -> list[Any]:
        """The list at a key; empty where the key is absent."""
        values = self.content.get(key, [])
        if not isinstance(values, list):
            self.fail(f"{key} must be a list, got {values!r}")
        return values

    def flag(self, key: str) -> bool:
        """The truth at a key; false where the key is absent."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"{key} must be true or false, got {value!r}")
        return value

    def unit(self, expected: str | None) -> str:
        """The unit, which must be the expected one."""
        unit = self.text("unit") or self.fail("the unit is empty; write 1 for a pure number")
        if expected is not None and unit != expected:
            self.fail(f"the unit is {unit!r}, expected {expected!r}")
        return unit

    def remarks(self) -> dict[str, Any]:
        """The optional remarks every quantity may carry."""
        return {"assumed": self.flag("assumed"), "note": self.text("note")}


def make_entry(content: object, place: str) -> Entry:
    """A mapping as an entry (InputError where it is no mapping)."""
    if not isinstance(content, dict):
        raise InputError(f"{place}: expected a mapping of keys to values, got {content!r}")
    return Entry(content, place)


def _number(value: object, place: str) -> float:
    # YAML 1.1 reads 1e-14 (no point) as text; a bool is an int to Python.
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(f"{place}: expected a finite number, got {value!r}")
    return number


def read_entry(path: Path) -> Entry:
    """The content of a material file.

    Raises:
        InputError: If the file cannot be read, or is no YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the material file {path}: {error}") from None
    except yaml.YAMLError as error:
        text = " ".join(str(error).split())
        raise InputError(f"{path.name} is no valid YAML: {text}") from None
    return make_entry(content, path.name)
