"""The top-level rooms are the packages voxtrode.<room>, each reached by one committed link."""

import importlib
import pkgutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOMS = ("data", "meshing", "solvers", "pipeline")


@pytest.mark.parametrize("room", ROOMS)
def test_link_resolves_to_the_room(repository: Path, room: str) -> None:
    """A relative link, so that it holds in every clone."""
    link = repository / "src" / "voxtrode" / room
    assert link.is_symlink()
    assert link.readlink() == Path("..", "..", room)
    assert link.resolve() == repository / room
    assert (link / "__init__.py").is_file()


def test_each_module_loads_once(repository: Path) -> None:
    """Every module imports, and no file is loaded under two names (twice its classes and state)."""
    package = importlib.import_module("voxtrode")
    for module in pkgutil.walk_packages(package.__path__, "voxtrode."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)

    names_of_file = defaultdict(set)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).resolve().is_relative_to(repository):
            names_of_file[Path(file).resolve()].add(name)
    rooms = {path: names for path, names in names_of_file.items() if path.parent.name in ROOMS}
    assert {"voxtrode." + room for room in ROOMS} <= set().union(*rooms.values())
    assert {path: names for path, names in rooms.items() if len(names) > 1} == {}
