"""What the repository may hold: small files, short modules, nothing of the machine it stood on."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOMS = ("data", "meshing", "solvers", "pipeline")
MACHINE_PATH = re.compile(r"(?:^|[^\w.~-])/(?:root|home|work|farm|Users)/")
LOCKED = re.compile(r"([\w.-]+)==([\w.!+]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


@pytest.fixture(scope="module")
def files(repository: Path) -> list[Path]:
    """All files that are in the repository or would be added to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip(f"no checkout of git: {listing.stderr.strip()}")
    paths = (repository / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def test_no_large_files(files: list[Path]) -> None:
    assert [path for path in files if path.stat().st_size > 1_000_000] == []


def test_no_long_modules(files: list[Path]) -> None:
    """500 lines is the ceiling; a module under 200 is the rule."""
    modules = [path for path in files if path.suffix == ".py"]
    assert len(modules) > 10
    assert [path for path in modules if len(path.read_text().splitlines()) > 500] == []


def test_no_paths_of_a_machine(files: list[Path]) -> None:
    """Nothing may point to where it was once written; files that are not text are left out."""
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{path}:{n}" for n, line in enumerate(lines, 1) if MACHINE_PATH.search(line)]
    assert found == []


def test_no_prints_in_libraries(repository: Path) -> None:
    """Only the command line speaks (ruff T20 says so too, unless a line is exempt from it)."""
    printing = {
        path.relative_to(repository).as_posix()
        for room in ROOMS
        for path in (repository / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    }
    assert printing <= {"pipeline/cli.py"}


LOCKS = ("requirements.lock", "requirements-taufactor.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_names_versions_and_hashes_only(repository: Path, name: str) -> None:
    """No index, file or address: it must install from whatever index a machine has."""
    lines = (repository / name).read_text().splitlines()
    odd = [line for line in lines if not (LOCKED.fullmatch(line) or HASH.fullmatch(line))]
    assert odd == []


def test_lock_meets_the_project(repository: Path) -> None:
    """Every requirement but TauFactor is locked, at a version that pyproject.toml allows."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    locked = {
        canonicalize_name(match[1]): Version(match[2])
        for match in LOCKED.finditer((repository / "requirements.lock").read_text())
    }
    others = [lines for extra, lines in extras.items() if extra not in {"all", "taufactor"}]
    wanted = sum(others, project["dependencies"])
    unmet = [
        line
        for line in wanted
        if (name := canonicalize_name(Requirement(line).name)) not in locked
        or not Requirement(line).specifier.contains(locked[name], prereleases=True)
    ]
    assert unmet == []
    assert {"taufactor", "torch"}.isdisjoint(locked)
    apart = {match[1] for match in LOCKED.finditer((repository / LOCKS[1]).read_text())}
    assert apart >= {"taufactor", "torch"}
    assert apart.isdisjoint(locked)  # what comes on top, so that no version can differ
    of_all = Requirement(extras["all"][0]).extras
    assert of_all == set(extras) - {"all", "taufactor"}
