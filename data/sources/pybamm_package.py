"""PyBaMM as an optional package: which sets it has, and its import without telemetry."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from voxtrode.data.errors import InputError

_GROUP = "pybamm_parameter_sets"
_INSTALL = "install the extra twin: pip install 'voxtrode[twin]'"


def package_of(name: str) -> str:
    """The package that holds a parameter set, and its version; PyBaMM is not imported.

    Raises:
        InputError: PyBaMM is not installed, or has no set of that name.
    """
    found = {entry.name: entry for entry in entry_points(group=_GROUP)}
    if not found:
        raise InputError(
            f"the parameter set {name} needs PyBaMM, which is not installed; {_INSTALL}"
        )
    if name not in found:
        near = get_close_matches(name, found, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(found))}"
        raise InputError(f"PyBaMM has no parameter set {name!r}; {hint}")
    package = found[name].dist
    return "an unknown package" if package is None else f"{package.name} {package.version}"


def import_pybamm() -> Any:
    """The module, imported with its telemetry switched off (its own switch, read on import).

    Raises:
        InputError: It cannot be imported.
    """
    os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
    try:
        return import_module("pybamm")
    except ImportError as error:
        raise InputError(f"parameter sets need PyBaMM ({error}); {_INSTALL}") from None
