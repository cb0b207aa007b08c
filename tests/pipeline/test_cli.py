"""The command line as a user meets it: a process, its output and its exit status."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytestmark = pytest.mark.slow  # every test starts processes

type Tree = dict[str, Any]
type Command = Callable[..., subprocess.CompletedProcess[str]]

_NO_MPI = """
import sys
sys.argv = ["voxtrode", *sys.argv[1:]]
from voxtrode.pipeline.cli import main
try:
    main()
finally:
    loaded = {"mpi4py", "petsc4py", "dolfinx", "dolfinx_solver", "ufl"} & set(sys.modules)
    print("loaded:", *sorted(loaded), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["list"],
        ["schema"],
        ["check", "quickstart"],
        ["run", "quickstart", "--until", "nothing"],
        ["new", "image.tif"],
        ["sweep", "quickstart", "--over", "protocol.0.discharge=1C,2C"],
        ["--version"],
    ],
)
def test_no_mpi_and_no_dolfinx_in_the_process(arguments: list[str], tmp_path: Path) -> None:
    """They would start MPI on a login node, and make `--help` slow."""
    command = [sys.executable, "-P", "-c", _NO_MPI, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120.0, check=False, cwd=tmp_path
    )
    assert done.stderr.splitlines()[-1] == "loaded:"


def test_a_run_loads_no_mpi_either(
    image_tree: Tree, write_tree: Callable[[Tree], Path], tmp_path: Path
) -> None:
    """`run` starts its stages in other processes."""
    command = [sys.executable, "-P", "-c", _NO_MPI, "run", str(write_tree(image_tree))]
    options = ["--until", "image", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=300.0, check=False
    )
    assert done.stderr == "loaded:\n"
    assert done.returncode == 0
    assert (tmp_path / "run" / "image").is_dir()


def test_list(voxtrode: Command) -> None:
    """Studies, materials and electrolytes, with their sources."""
    text = voxtrode("list").stdout
    for name in ("quickstart", "nmc622", "lipf6-ec-emc-nyman2008", "lithium", "cbd"):
        assert f"  {name} " in text
    assert "Nyman et al." in text


def test_schema(voxtrode: Command) -> None:
    """It is a JSON Schema, and refuses unknown keys."""
    schema = json.loads(voxtrode("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


def test_check(voxtrode: Command, tree: Tree, write_tree: Callable[[Tree], Path]) -> None:
    """16³ voxels of 1 µm in lattice voxels of 2 µm: 8³, and 3 separator layers of 2 to 3.1 µm."""
    path = write_tree(tree)
    done = voxtrode("check", path, "--set", "mesh.method=voxel")
    assert done.returncode == 0
    values = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert values["voxels"] == "4,096"
    assert values["cells"].startswith(f"{6 * 8 * 8 * (8 + 3):,} expected")
    assert {"vertices", "unknowns", "memory", "time"} <= set(values)
    assert list(path.parent.iterdir()) == [path]


def test_check_of_a_smooth_mesh(
    voxtrode: Command, tree: Tree, write_tree: Callable[[Tree], Path]
) -> None:
    """16 µm in cubes of 2 µm, 12 cells each at most, and three layers of 1.7 µm of separator."""
    done = voxtrode("check", write_tree(tree))
    assert done.returncode == 0
    values = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert "(8 x 8 x 8 and 3 separator layers" in values["cells"]
    assert int(values["cells"].split()[0].replace(",", "")) < 2 * 12 * 8 * 8 * (8 + 3)


def test_check_finds_what_the_image_says(
    voxtrode: Command, image_file: Callable[[str], Path]
) -> None:
    """The published image: its size and its phases."""
    file = image_file("nmc1cal_xct_cbd.tif")
    image = f"{{file: {file}, voxel_size: 398 nm, labels: {{pore: 0, nmc: 1, cbd: 2}}}}"
    done = voxtrode(
        "check",
        "quickstart",
        "--set",
        f"volume={{image: {image}}}",
        "--set",
        "phases={nmc: {material: nmc532-xu2019}, cbd: {material: cbd}}",
    )
    assert done.stderr == ""
    assert "251 x 301 x 301 voxels" in done.stdout
    assert "pore 0.401, nmc 0.499, cbd 0.100" in done.stdout


def test_version(voxtrode: Command) -> None:
    """voxtrode, DOLFINx, PETSc, MPI and hypre, each in a line."""
    lines = voxtrode("--version").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["voxtrode", "DOLFINx", "PETSc", "MPI", "hypre"]


def test_version_without_dolfinx(voxtrode: Command, tmp_path: Path) -> None:
    """A package that cannot be imported stands for one that is not there."""
    for name in ("dolfinx", "petsc4py", "mpi4py"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('none')\n", encoding="utf-8")
    done = voxtrode("--version", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0
    for name in ("DOLFINx", "PETSc", "MPI"):
        assert f"{name} not installed" in done.stdout


def test_not_available_yet(voxtrode: Command) -> None:
    """A command of the design that is to come: in the help, and refused with 2."""
    done = voxtrode("sweep", "something", "--out", "x")
    assert done.returncode == 2
    assert done.stderr == "voxtrode: error: voxtrode sweep is not available yet\n"


@pytest.mark.parametrize("command", ["status", "view", "compare"])
def test_a_folder_that_is_no_run(voxtrode: Command, command: str, tmp_path: Path) -> None:
    """One line, exit status 2, nothing written."""
    folders = [tmp_path / "one", tmp_path / "two"][: 2 if command == "compare" else 1]
    done = voxtrode(command, *map(str, folders))
    assert done.returncode == 2
    assert f"{folders[0]} is no run folder of voxtrode" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_status(
    voxtrode: Command, image_tree: Tree, write_tree: Callable[[Tree], Path], tmp_path: Path
) -> None:
    """Stages done, stages missing, and no run folder at all."""
    assert voxtrode("status", tmp_path).returncode == 2
    out = tmp_path / "run"
    assert voxtrode("run", write_tree(image_tree), "--until", "image", "--out", out).returncode == 0
    values = dict(line.split(None, 1) for line in voxtrode("status", out).stdout.splitlines())
    assert values["image"].startswith("up to date")
    assert values["simulate"] == "missing"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["run"], "Missing argument"),
        (["rum"], "rum"),
        (["run", "quickstart", "--rank", "2"], "--rank"),
        (["run", "quickstart", "--ranks", "0"], "--ranks"),
        (["run", "quickstart", "--until", "simulat"], 'did you mean "simulate"?'),
        (["run", "quickstrat"], 'did you mean "quickstart"?'),
    ],
)
def test_misuse(voxtrode: Command, arguments: list[str], fault: str) -> None:
    """One line, status 2."""
    done = voxtrode(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert fault in done.stderr
