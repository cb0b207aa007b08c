"""Meshes for ParaView and PyVista: what is written on n ranks is what PyVista reads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.data.errors import VoxtrodeError
from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.vtk import write_part, write_pvd

COMM = MPI.COMM_WORLD
CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) * 1e-6
TETRAHEDRA = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])


def _write_two_instants(folder: Path) -> Path:
    """Two instants of a part on every rank and of one that rank 0 alone has cells of."""
    entries = []
    for instant, time in enumerate((0.0, 12.5)):
        points = CORNERS + np.array([0.0, 0.0, 2e-6 * COMM.rank])
        solid = write_part(
            COMM,
            folder / "fields",
            f"solid_{instant}",
            points,
            TETRAHEDRA,
            {"SoL": points[:, 2] * 1e6 + time, "flux [A m-2]": points},
            {"Phase": np.array([0, 1], np.uint8), "Particle": np.full(2, COMM.rank, np.int32)},
            {"TimeValue": time},
        )
        here = slice(None) if COMM.rank == 0 else slice(0)
        interface = write_part(
            COMM,
            folder / "fields",
            f"interface_{instant}",
            CORNERS[here],
            TETRAHEDRA[here, :3],
            {"J_ct [A m-2]": np.arange(5.0)[here] + time},
            {"Particle": np.array([7, 8], np.int32)[here]},
        )
        entries += [(time, 0, "solid", solid), (time, 1, "interface", interface)]
    path = folder / "fields.pvd"
    if COMM.rank == 0:
        write_pvd(path, entries)
    COMM.barrier()
    return path


def _read(path: Path) -> tuple[list[float], list[dict[str, Any]]]:
    import pyvista

    reader = pyvista.get_reader(path)
    instants = []
    for time in reader.time_values:
        reader.set_active_time_value(time)
        blocks = reader.read()
        instants.append({name: blocks[name] for name in blocks.keys()})  # noqa: SIM118
    return list(reader.time_values), instants


@pytest.mark.mpi
def test_collection_opens_with_times_names_and_values(shared_path: Path) -> None:
    """PyVista reads back every value to the last bit (float64 is written as it is)."""
    path = _write_two_instants(shared_path)
    if COMM.rank > 0:
        return
    times, instants = _read(path)
    assert times == [0.0, 12.5]
    for time, parts in zip(times, instants, strict=True):
        solid, interface = parts.values()
        assert solid.n_cells == 2 * COMM.size
        assert np.array_equal(solid["SoL"], solid.points[:, 2] * 1e6 + time)
        assert np.array_equal(solid["flux [A m-2]"], solid.points)
        assert set(solid.celltypes) == {10}
        assert solid.cell_data["Phase"].tolist() == [0, 1] * COMM.size
        assert sorted(set(solid.cell_data["Particle"])) == list(range(COMM.size))
        assert solid.volume == pytest.approx(COMM.size * 0.5e-18, rel=1e-12)
        assert interface["J_ct [A m-2]"].tolist() == (np.arange(5.0) + time).tolist()
        assert interface.cell_data["Particle"].tolist() == [7, 8]
        assert set(interface.celltypes) == {5}


@pytest.mark.mpi
def test_files_by_rank_and_relative_paths(shared_path: Path) -> None:
    """A file per rank and one that joins them; the collection can be moved as a whole."""
    path = _write_two_instants(shared_path)
    if COMM.rank > 0:
        return
    names = {file.name for file in (shared_path / "fields").iterdir()}
    assert "solid_0.vtu" in names if COMM.size == 1 else "solid_0.pvtu" in names
    assert len(names) == 4 * (1 if COMM.size == 1 else COMM.size + 1)
    moved = path.parent.rename(path.parent.with_name("elsewhere"))
    assert _read(moved / "fields.pvd")[0] == [0.0, 12.5]
    (moved).rename(path.parent)  # where the other ranks' fixtures expect it


@pytest.mark.mpi
def test_a_fault_on_one_rank_is_raised_on_all(shared_path: Path) -> None:
    """Else the others would wait in the next collective call for ever."""
    rows = 3 if COMM.rank == COMM.size - 1 else 5
    with pytest.raises(VoxtrodeError, match=r"SoL has 3 rows, expected 5"):
        write_part(COMM, shared_path, "solid", CORNERS, TETRAHEDRA, {"SoL": np.zeros(rows)})


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    """VTK's own writers only print; the caller must get an error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(VoxtrodeError, match=r"solid\.vtu"):
        write_part(Serial(), tmp_path / "file", "solid", CORNERS, TETRAHEDRA)


def test_cells_beyond_the_points_are_refused(tmp_path: Path) -> None:
    """VTK would read beyond the end of the array."""
    with pytest.raises(VoxtrodeError, match="outside 0 to 3"):
        write_part(Serial(), tmp_path, "solid", CORNERS[:4], TETRAHEDRA)


def test_no_graphics_are_loaded() -> None:
    """The solver's nodes need no OpenGL, X or EGL: rendering modules stay out."""
    code = (
        "import sys, voxtrode.pipeline.vtk\n"
        "bad = [m for m in sys.modules if 'Rendering' in m or m == 'pyvista']\n"
        "maps = open('/proc/self/maps').read()\n"
        "bad += [lib for lib in ('libGL', 'libEGL', 'libX11', 'vtkRendering') if lib in maps]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
