"""A run folder as Python sees it: `voxtrode.open("runs/x")`."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from voxtrode.data.errors import InputError
from voxtrode.data.volume import Volume, read_header, read_slab
from voxtrode.pipeline.records import read_json
from voxtrode.pipeline.report.fields import FieldSeries, read_series
from voxtrode.pipeline.report.results import TIME, read_table
from voxtrode.pipeline.study import Study, load_study

if TYPE_CHECKING:
    import pyvista as pv


_INFINITE = {"tortuosity_factor", "percolating_tortuosity_factor", "macmullin_number"}


@dataclass(frozen=True, eq=False)
class Run:
    """What a run has left behind; every part is read when it is first asked for.

    Tables are those of the files, names of columns with their units included. Reading is serial and
    needs neither MPI nor DOLFINx.

    Attributes:
        path: The run folder.
    """

    path: Path

    @cached_property
    def study(self) -> Study:
        """The study with every default."""
        return load_study(self.path / "study.yaml")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json`; empty before the simulation."""
        return read_json(self.path / "summary.json")

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """`provenance.json`: versions, hashes, ranks, wall times."""
        return read_json(self.path / "provenance.json")

    @cached_property
    def image(self) -> dict[str, Any]:
        """`image/image.json`: what the volume measures."""
        return read_json(self._there("image/image.json", "image"))

    @cached_property
    def cell(self) -> pd.DataFrame:
        """`simulate/cell.csv`: the cell, a row per accepted time step.

        Raises:
            InputError: There is none yet.
        """
        return self._table("simulate/cell.csv", "simulate")

    @cached_property
    def particles(self) -> pd.DataFrame:
        """`simulate/particles.csv`: a row per particle and stored instant.

        Raises:
            InputError: There is none yet.
        """
        return self._table("simulate/particles.csv", "simulate", ("Touches box", "Dead"))

    @cached_property
    def image_particles(self) -> pd.DataFrame:
        """`image/particles.csv`: what each particle measures on the image.

        Raises:
            InputError: There is none yet.
        """
        return self._table("image/particles.csv", "image", ("touches_box", "dead"))

    @cached_property
    def transport(self) -> pd.DataFrame:
        """Rows of `transport.json`: tortuosity factors and effective conductivities.

        Tortuosity factors and MacMullin numbers are infinite where nothing percolates.

        Raises:
            InputError: There are none yet.
        """
        tree = read_json(self._there("transport.json", "transport"))
        rows = pd.DataFrame(tree.get("rows", []))
        for name in _INFINITE & set(rows):
            rows[name] = rows[name].astype(float).mask(rows["effective_ratio"] == 0.0, np.inf)
        return rows

    @cached_property
    def volume(self) -> Volume:
        """Labels and particles, [z, y, x], of the whole image in memory.

        Raises:
            InputError: There is none yet.
        """
        folder = self._there("image/volume.tif", "image").parent
        header = read_header(folder)
        labels, particles = read_slab(folder, 0, header.shape[0])
        return Volume(labels, header.phases, header.voxel, particles)

    @property
    def times(self) -> tuple[float, ...]:
        """Instants at which fields are stored [s], rising; empty before the simulation."""
        return self._series.times

    def instant(self, dod: float) -> float:
        """The stored instant [s] whose depth of discharge is nearest to one.

        Raises:
            InputError: There is no simulation yet.
        """
        if not self.times:
            raise InputError(self._missing("simulate/fields.pvd", "simulate"))
        depth = np.interp(self.times, self.cell[TIME], self.cell["DoD"])
        return self.times[int(np.argmin(np.abs(depth - dod)))]

    def fields(self, time: float | None = None) -> "dict[str, pv.UnstructuredGrid]":
        """Fields at the stored instant nearest to a time [s]; of the last one without a time.

        Returns:
            Meshes (points (x, y, z) [m]) by part: `solid` (SoL), `electrons` (φ_s), `electrolyte`
            (c_e, φ_e) and `interface` (J_ct, η), those that the cell has.

        Raises:
            InputError: No fields are stored.
        """
        if not self.times:
            raise InputError(self._missing("simulate/fields.pvd", "simulate"))
        stored = self._series.nearest(self.times[-1] if time is None else time)
        grids = {name: _grid(path) for name, path in self._series.files[stored].items()}
        return {name: grid for name, grid in grids.items() if grid.n_cells}

    def mesh(self) -> "pv.UnstructuredGrid":
        """The tagged mesh: points (x, y, z) [m], `Phase` and `Particle` of each cell.

        Raises:
            InputError: There is none yet.
        """
        files = [self.path / "mesh" / f"mesh.{kind}" for kind in ("vtu", "pvtu")]
        there = [path for path in files if path.is_file()]
        if not there:
            raise InputError(self._missing("mesh/mesh.vtu", "mesh"))
        return _grid(there[0])

    @cached_property
    def _series(self) -> FieldSeries:
        return read_series(self.path / "simulate" / "fields.pvd")

    def _table(self, name: str, stage: str, flags: tuple[str, ...] = ()) -> pd.DataFrame:
        found = read_table(self._there(name, stage), flags)
        if found is None:
            raise InputError(f"{self.path / name} has no rows; run voxtrode {stage} again")
        return found

    def _there(self, name: str, stage: str) -> Path:
        path = self.path / name
        if not path.is_file():
            raise InputError(self._missing(name, stage))
        return path

    def _missing(self, name: str, stage: str) -> str:
        return (
            f"{self.path / name} is not there; bring the run up to date with voxtrode {stage}"
            f" {self.path / 'study.yaml'} --out {self.path}"
        )


def _grid(path: Path) -> "pv.UnstructuredGrid":
    import pyvista as pv

    return cast("pv.UnstructuredGrid", pv.read(path))


def open_run(path: str | Path) -> Run:
    """A run by its folder.

    Raises:
        InputError: It is no run folder.
    """
    folder = Path(path).expanduser().absolute()
    if not (folder / "study.yaml").is_file():
        raise InputError(
            f"{folder} is no run folder of voxtrode (there is no study.yaml in it); expected the"
            " folder that `voxtrode run` wrote"
        )
    return Run(folder)
