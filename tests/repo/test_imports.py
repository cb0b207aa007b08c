"""Imports point one way, read from the sources: data <- meshing <- solvers <- pipeline."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("data", "meshing", "solvers", "pipeline")  # each may import itself and what stands left
FENICS = {"basix", "dolfinx", "dolfinx_solver", "ffcx", "petsc4py", "slepc4py", "ufl"}
MODULES = [path for room in ROOMS for path in sorted((REPOSITORY / room).rglob("*.py"))]
PLATFORM = REPOSITORY / "solvers" / "_platform.py"


def imports(source: str) -> Iterator[str]:
    """Dotted names of all modules that a source imports, at any depth; `from a import b` is a.b."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.ImportFrom():
                yield "<relative>"


def forbidden_imports(room: str, source: str) -> list[str]:
    """The imports of a module in `room` that point the wrong way."""
    allowed = ROOMS[: ROOMS.index(room) + 1]
    outside = FENICS | {"mpi4py"} if room == "data" else set()

    def wrong(name: str) -> bool:
        first, *rest = name.split(".")
        if first == "voxtrode":
            return bool(rest) and rest[0] in ROOMS and rest[0] not in allowed
        return first in outside or first in ROOMS or first in {"tests", "<relative>"}

    return [name for name in imports(source) if wrong(name)]


def versions_read(source: str) -> list[str]:
    """Places where a source asks which DOLFINx, PETSc or MPI this is (versions, options built in).

    Caught: `<fenics module>.__version__` and `from <fenics module> import __version__`, PETSc's
    `getVersion` and `hasExternalPackage`, `PETSC_VERSION` names, the git hash and the `has_*`
    switches of DOLFINx, metadata queries with such a name, and the module of the one wheel.
    """
    found = [name for name in imports(source) if name.split(".")[0] == "dolfinx_solver"]
    found += [
        name
        for name in imports(source)
        if name.split(".")[0] in FENICS and name.endswith(".__version__")
    ]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="__version__"):
                if ast.unparse(node).split(".")[0] in FENICS:
                    found.append(ast.unparse(node))
            case ast.Attribute(attr=attribute) if (
                attribute in {"getVersion", "getVersionInfo", "hasExternalPackage"}
                or attribute in {"git_commit_hash", "has_petsc4py", "has_slepc"}
                or attribute.startswith("PETSC_VERSION")
            ):
                found.append(ast.unparse(node))
            case ast.Call(args=[ast.Constant(value=str(text))]) if ast.unparse(node.func).split(
                "."
            )[-1] in {"version", "distribution"} and text.replace("-", "_").split("_")[0] in {
                "fenics",
                *FENICS,
            }:
                found.append(ast.unparse(node))
    return found


def cited(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=cited)
def test_imports_point_one_way(path: Path) -> None:
    assert forbidden_imports(cited(path).split("/")[0], path.read_text()) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path != PLATFORM], ids=cited)
def test_only_the_platform_module_knows_versions(path: Path) -> None:
    assert versions_read(path.read_text()) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("data", "from voxtrode.meshing import voxel"),
        ("data", "from voxtrode import solvers"),
        ("data", "def f():\n    from mpi4py import MPI"),
        ("data", "import dolfinx.mesh as m"),
        ("meshing", "import voxtrode.pipeline.cli"),
        ("solvers", "from data.errors import InputError"),
        ("pipeline", "from . import study"),
    ],
)
def test_wrong_imports_are_found(room: str, line: str) -> None:
    """The reader above can fail."""
    assert len(forbidden_imports(room, line)) == 1


def test_right_imports_pass() -> None:
    """Each room may import itself and the rooms before it."""
    for room in ROOMS:
        for earlier in ROOMS[: ROOMS.index(room) + 1]:
            line = f"import numpy\nimport voxtrode\nfrom voxtrode.{earlier}.errors import Error"
            assert forbidden_imports(room, line) == []


@pytest.mark.parametrize(
    "line",
    [
        "import dolfinx\nif dolfinx.__version__ > '0.11': pass",
        "from dolfinx import __version__",
        "import dolfinx_solver",
        "PETSc.Sys.getVersion()",
        "PETSc.Sys.hasExternalPackage('hypre')",
        "importlib.metadata.version('dolfinx-solver-real')",
        "version('fenics-dolfinx')",
    ],
)
def test_reading_a_version_is_found(line: str) -> None:
    """The reader above can fail."""
    assert len(versions_read(line)) == 1


@pytest.mark.parametrize("module", ["pipeline.cli", "pipeline.stage_report"])
def test_these_load_no_mpi(tmp_path: Path, module: str) -> None:
    """Loading them pulls in nothing of MPI and DOLFINx (tests/pipeline shows it for commands)."""
    script = f"import sys, voxtrode.{module}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert (FENICS | {"mpi4py"}).isdisjoint(done.stdout.split())
