"""The results of a run as the report reads them; what is missing is empty or None."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.volume import VolumeHeader, read_header
from voxtrode.pipeline.build import capabilities
from voxtrode.pipeline.records import read_json
from voxtrode.pipeline.report.fields import FieldSeries, read_series
from voxtrode.pipeline.report.numbers import duration
from voxtrode.pipeline.study import Study

TIME = "Time [s]"
CURRENT = "Current density [A.m-2]"
VOLTAGE = "Voltage [V]"
CAPACITY = "Areal capacity [mA.h.cm-2]"
OCV = "Open-circuit voltage [V]"
_TRUE = {"True", "true", "1", "1.0"}


@dataclass(frozen=True, eq=False)
class Results:
    """Everything a run has left.

    Attributes:
        folder: The run folder.
        study: The study.
        able: What each phase can do: `stores`, `electrons`, `ions`, by name.
        header: Shape, voxel and phases of the volume.
        image, mesh, transport, summary, provenance: The JSON files; empty where missing.
        image_particles: `image/particles.csv`.
        cell: `simulate/cell.csv`.
        particles: `simulate/particles.csv`.
        series: What `simulate/fields.pvd` names.
        study_text: `study.yaml` as it stands.
    """

    folder: Path
    study: Study
    able: Mapping[str, Mapping[str, bool]]
    header: VolumeHeader | None
    image: Mapping[str, Any]
    mesh: Mapping[str, Any]
    transport: Mapping[str, Any]
    summary: Mapping[str, Any]
    provenance: Mapping[str, Any]
    image_particles: pd.DataFrame | None
    cell: pd.DataFrame | None
    particles: pd.DataFrame | None
    series: FieldSeries
    study_text: str

    @property
    def active(self) -> tuple[str, ...]:
        """Names of the phases that store lithium."""
        return tuple(name for name, able in self.able.items() if able["stores"])

    @property
    def electrodes(self) -> dict[str, tuple[str, ...]]:
        """Active phases by electrode in the volume; one without a name in a half cell."""
        negative = self.study.negative
        if negative is None:
            return {"": self.active}
        emptied = tuple(name for name in self.active if name in negative.phases)
        filled = tuple(name for name in self.active if name not in emptied)
        return {"negative": emptied, "positive": filled}

    @property
    def thickness(self) -> float | None:
        """Thickness of the electrode [m]."""
        return self.header.size[0] if self.header else None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Spacing of the mesh's lattice (z, y, x) [m]; as the study asks where no mesh is there."""
        given = self.mesh.get("spacing_m")
        if given:
            dz, dy, dx = (float(edge) for edge in given)
            return dz, dy, dx
        size = self.study.mesh.size
        return size, size, size

    def instants(self) -> pd.DataFrame:
        """Time [s] and DoD of the stored instants, rising."""
        if self.particles is None or self.particles.empty:
            return pd.DataFrame({TIME: [], "DoD": []})
        table = self.particles[[TIME, "DoD"]].drop_duplicates(TIME)
        return table.sort_values(TIME).reset_index(drop=True)

    def instant_name(self, time: float | None) -> str:
        """A stored instant [s] in words: its depth of discharge, and what the cell is doing.

        Where more than one step passes current, DoD alone does not tell instants apart: the step's
        number and what it does stand there too.
        """
        dod = None if time is None else self.dod_at(time)
        if time is None or dod is None:
            return f"t = {duration(time)}"
        words = [f"DoD {dod:.2f}"]
        doing = self._doing(time)
        if self.cell is not None and "Step" in self.cell:
            driven = self.cell.loc[self.cell[CURRENT] != 0.0, "Step"]
            if driven.nunique() > 1:
                words.append(f"step {self._at(time)['Step']:.0f}")
                doing = doing or "discharging"
        return ", ".join([*words, doing] if doing else words)

    def _doing(self, time: float) -> str:
        """What the cell is doing at an instant [s]; empty for a plain discharge."""
        if self.cell is None:
            return ""
        row = self._at(time)
        if float(row[CURRENT]) == 0.0:
            return "at rest"
        steps, number = self.study.steps, int(row.get("Step", 0))
        if 0 < number <= len(steps) and steps[number - 1].step.held is not None:
            return "held"
        return "charging" if float(row[CURRENT]) < 0.0 else ""

    def _at(self, time: float) -> pd.Series:
        """The row of the cell's table nearest to a time [s]; of two steps that meet the first."""
        assert self.cell is not None
        return self.cell.iloc[int(np.argmin(np.abs(self.cell[TIME].to_numpy() - time)))]

    def rests_at(self, time: float) -> bool:
        """Whether no current flows at an instant [s]."""
        return self.cell is not None and float(self._at(time)[CURRENT]) == 0.0

    def chosen_instants(self, count: int, rests: bool = True) -> list[float]:
        """At most so many stored instants [s], evenly spread in charge moved; not the start.

        Charge moved counts what is charged as well as what is discharged, so that a cycle that
        returns to its DoD is spread over too; where none moves they are spread over time.

        Args:
            count: How many.
            rests: Let the last of those at rest be one of them.
        """
        times = [float(time) for time in self.instants()[TIME]] or list(self.series.times)
        later = times[1:] or times
        at_rest = [time for time in later if self.rests_at(time)]
        driven = [time for time in later if time not in at_rest] or later
        last = at_rest[-1:] if rests and driven is not later else []
        count -= len(last)
        if len(driven) > count:
            passed = self._moved(driven)
            wanted = passed[-1] * np.arange(1, count + 1) / count
            nearest = np.abs(passed[:, None] - wanted).argmin(axis=0)
            driven = [driven[pick] for pick in sorted(set(nearest.tolist()))]
        return sorted(driven + last)

    def _moved(self, times: Sequence[float]) -> NDArray[np.float64]:
        """Σ|ΔDoD| from the start to instants [s]; the times themselves where DoD stays."""
        table = self.instants() if self.cell is None or "DoD" not in self.cell else self.cell
        steps = np.abs(np.diff(table["DoD"].to_numpy(np.float64), prepend=np.nan))
        moved = np.nancumsum(steps)
        if not len(moved) or moved[-1] == 0.0:
            return np.asarray(times, dtype=np.float64)
        found = np.interp(times, table[TIME].to_numpy(np.float64), moved)
        return np.asarray(found, dtype=np.float64)

    def mean_sol(self, time: float) -> float | None:
        """SoL of the cell at an instant [s]."""
        if self.cell is None or "SoL" not in self.cell:
            return None
        return float(self._at(time)["SoL"])

    def dod_at(self, time: float) -> float | None:
        """Depth of discharge at a stored instant [s]."""
        table = self.instants()
        if table.empty:
            return None
        nearest = int(np.argmin(np.abs(table[TIME].to_numpy() - time)))
        return float(table["DoD"].iloc[nearest])


def read_results(folder: Path, study: Study) -> Results:
    """Reads what is there in a run folder.

    Args:
        folder: The run folder.
        study: The study it belongs to.
    """
    simulate = folder / "simulate"
    text = folder / "study.yaml"
    return Results(
        folder=folder,
        study=study,
        able=capabilities(study),
        header=_header(folder / "image"),
        image=read_json(folder / "image" / "image.json"),
        mesh=read_json(folder / "mesh" / "mesh.json"),
        transport=read_json(folder / "transport.json"),
        summary=read_json(folder / "summary.json"),
        provenance=read_json(folder / "provenance.json"),
        image_particles=read_table(folder / "image" / "particles.csv", ("touches_box", "dead")),
        cell=read_table(simulate / "cell.csv"),
        particles=read_table(simulate / "particles.csv", ("Touches box", "Dead")),
        series=read_series(simulate / "fields.pvd"),
        study_text=text.read_text(encoding="utf-8") if text.is_file() else "",
    )


def _header(folder: Path) -> VolumeHeader | None:
    try:
        return read_header(folder)
    except InputError:
        return None


def read_table(path: Path, flags: Sequence[str] = ()) -> pd.DataFrame | None:
    """A CSV file, with columns of truth values; None where it is missing or has no rows."""
    if not path.is_file():
        return None
    table = pd.read_csv(path, skipinitialspace=True, dtype=dict.fromkeys(flags, str))
    for name in flags:
        if name in table:
            table[name] = table[name].isin(_TRUE)
    return table if len(table) else None
