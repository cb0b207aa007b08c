"""What a simulation leaves behind as it goes: tables, fields, checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from voxtrode.data.errors import NumericalError
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.tables import Table
from voxtrode.pipeline.vtk import write_part, write_pvd
from voxtrode.solvers import checkpoint
from voxtrode.solvers.diffusion_radius import diffusion_radii
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.output import parts
from voxtrode.solvers.simulation import Instant, Simulation

CHECKPOINT = "checkpoint.h5"
CHECKPOINT_SECONDS = 60.0
"""Wall time between two checkpoints within a step of the protocol."""
MAH_PER_CM2 = 36000.0
"""A s/m² in 1 mAh/cm²."""

CELL_COLUMNS = (
    "Time [s]",
    "Step",
    "Current density [A.m-2]",
    "Voltage [V]",
    "Areal capacity [mA.h.cm-2]",
    "DoD",
    "SoL",
    "Mean c_e [mol.m-3]",
    "Min c_e [mol.m-3]",
    "Max c_e [mol.m-3]",
    *(f"{name} overpotential [V]" for name in PARTS),
    "Total overpotential [V]",
    "Open-circuit voltage [V]",
)
PARTICLE_COLUMNS = (
    "Particle",
    "Phase",
    "Time [s]",
    "DoD",
    "Volume [m3]",
    "Wetted area [m2]",
    "Diameter [m]",
    "Depth [m]",
    "SoL",
    "SoL raw",
    "SoL std",
    "SoL range",
    "J_ct [A.m-2]",
    "Overpotential [V]",
    "C_p",
    "C_p*",
    "C_t",
    "C_diff",
    "C_diff*",
    "Diffusion radius [m]",
    "Touches box",
    "Dead",
)


@dataclass
class Progress:
    """What the files hold so far; goes into the checkpoint.

    Attributes:
        cell_rows, particle_rows: Rows of the two tables.
        kept: Time, DoD and voltage of each stored instant, in order.
        balances: Largest lithium, salt and charge imbalance of the stored instants.
        ends: How each ended step of the protocol ended.
        beyond_fits: c_e has left the range of the electrolyte's fits.
        extremes: Smallest and largest c_e and θ so far, see `ranges`.
    """

    cell_rows: int = 0
    particle_rows: int = 0
    kept: list[tuple[float, float, float]] = field(default_factory=list)
    balances: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    ends: list[dict[str, Any]] = field(default_factory=list)
    beyond_fits: bool = False
    extremes: dict[str, tuple[float, float]] = field(default_factory=dict)


class Recorder:
    """Keeps a simulation's results as they come.

    Attributes:
        progress: What the files hold.
    """

    def __init__(self, context: StageContext, simulation: Simulation, folder: Path) -> None:
        """Take note of where to; nothing is written yet. Collective."""
        self._context = context
        self._simulation = simulation
        self._folder = folder
        self.progress = Progress()
        self._tables: tuple[Table, Table] | None = None
        self._saved = monotonic()
        self._row: dict[str, float] = {}
        self._radii = self._diffusion_radii()

    @property
    def _root(self) -> bool:
        return self._context.comm.rank == 0

    def open(self) -> None:
        """Begin the files, or go on where a checkpoint stands; collective."""
        comm, path = self._context.comm, self._folder / CHECKPOINT
        if self._root:
            self._folder.mkdir(parents=True, exist_ok=True)
        if comm.bcast(self._context.resume and path.exists()):
            saved = checkpoint.load(path, self._simulation)
            self.progress = Progress(**saved)
            self._context.log.info(
                f"simulate: resumed at t = {self._simulation.stepper.history.time:.6g} s"
            )
        if self._root:
            self._tables = (
                Table(self._folder / "cell.csv", CELL_COLUMNS, self.progress.cell_rows),
                Table(
                    self._folder / "particles.csv", PARTICLE_COLUMNS, self.progress.particle_rows
                ),
            )
        comm.barrier()

    def take(self, instant: Instant) -> None:
        """Record an instant, and a checkpoint when one is due; collective."""
        simulation = self._simulation
        row = self._cell_row(instant)
        self._row = row
        if self._tables is not None:
            self._tables[0].add([row])
        self.progress.cell_rows += 1
        self._warn_beyond_fits(row)
        for name, (low, high) in simulation.quantities.extremes().items():
            before = self.progress.extremes.get(name, (low, high))
            self.progress.extremes[name] = (min(low, before[0]), max(high, before[1]))
        if instant.ended:
            end = {"step": instant.step + 1, "time_s": instant.time, "reason": instant.ended}
            state = {
                "voltage_V": row["Voltage [V]"],
                "current_A_m2": instant.current,
                "dod": row["DoD"],
            }
            self.progress.ends.append({**end, **state})
        if instant.kept:
            self._keep(instant, row)
        due = self._root and monotonic() - self._saved > CHECKPOINT_SECONDS
        # A state between two steps of the protocol has no place to go on from: the next instant.
        if not instant.ended and simulation.system.comm.bcast(due or instant.kept):
            self.save()

    def share(self, instant: Instant) -> float:
        """Share of the protocol that is done, for the progress bar."""
        steps = self._simulation.protocol
        dod = min(max(self._simulation.dod, 0.0), 1.0)
        within = dod if instant.current > 0.0 else 1.0 - dod if instant.current < 0.0 else 0.5
        return min((instant.step + (1.0 if instant.ended else within)) / len(steps), 1.0)

    def note(self) -> str:
        """A line on the present state."""
        return f"t = {self._row['Time [s]']:.0f} s, {self._row['Voltage [V]']:.3f} V"

    def save(self) -> None:
        """Write a checkpoint; collective."""
        checkpoint.save(self._folder / CHECKPOINT, self._simulation, dict(vars(self.progress)))
        self._saved = monotonic()

    def _warn_beyond_fits(self, row: Mapping[str, float]) -> None:
        """Say once that the electrolyte's functions are held constant beyond their fits."""
        fluid = self._simulation.system.fields.electrolyte
        limit, highest = fluid.c_max_fit.value, row["Max c_e [mol.m-3]"]
        if highest > limit and not self.progress.beyond_fits:
            self.progress.beyond_fits = True
            self._context.log.warning(
                f"c_e reaches {highest:.0f} mol/m3 at t = {row['Time [s]']:.6g} s; {fluid.name} is "
                f"fitted up to {limit:g} mol/m3 and held constant beyond"
            )

    def _cell_row(self, instant: Instant) -> dict[str, float]:
        return {
            "Time [s]": instant.time,
            "Step": instant.step + 1,
            "Current density [A.m-2]": instant.current,
            "Areal capacity [mA.h.cm-2]": instant.charge / MAH_PER_CM2,
            "DoD": self._simulation.depth_after(instant.charge),
            **self._simulation.quantities.cell(instant.current),
        }

    def _diffusion_radii(self) -> npt.NDArray[np.float64]:
        """As solved for; NaN, and a warning, where that fails: no simulation ends for them."""
        system = self._simulation.system
        try:
            return diffusion_radii(system)
        except NumericalError as error:
            self._context.log.warning(f"{error}; particles.csv has no diffusion radii")
            return np.full(system.mesh.n_particles + 1, np.nan)

    def _keep(self, instant: Instant, row: Mapping[str, float]) -> None:
        quantities, progress = self._simulation.quantities, self.progress
        found = quantities.balances(instant.current, instant.charge)
        now = (found.lithium, found.salt, found.charge)
        progress.balances = [max(a, b) for a, b in zip(progress.balances, now, strict=True)]
        columns = quantities.particles(instant.current)
        columns["Diffusion radius [m]"] = self._radii[columns["Particle"]]
        rows = _as_rows(columns, {"Time [s]": instant.time, "DoD": row["DoD"]})
        if self._tables is not None:
            self._tables[1].add(rows)
        progress.particle_rows += len(rows)
        self._write_fields(len(progress.kept))
        progress.kept.append((instant.time, row["DoD"], row["Voltage [V]"]))
        if self._root:
            self._write_collection()

    def _write_fields(self, number: int) -> None:
        for part in parts(self._simulation.system, self._simulation.quantities):
            write_part(
                self._context.comm,
                self._folder / "fields",
                f"{part.name}_{number:04d}",
                part.points,
                part.cells,
                part.point_data,
                part.cell_data,
            )

    def _write_collection(self) -> None:
        suffix = "vtu" if self._context.comm.size == 1 else "pvtu"
        names = ("solid", "electrons", "electrolyte", "interface")
        entries = [
            (time, k, name, _field_file(self._folder / "fields", name, number, suffix))
            for number, (time, _, _) in enumerate(self.progress.kept)
            for k, name in enumerate(names)
        ]
        write_pvd(self._folder / "fields.pvd", entries)


def _as_rows(
    columns: Mapping[str, np.ndarray[Any, Any]], constants: Mapping[str, float]
) -> list[dict[str, Any]]:
    plain = {name: values.tolist() for name, values in columns.items()}
    names = list(plain)
    return [
        {**dict(zip(names, row, strict=True)), **constants}
        for row in zip(*plain.values(), strict=True)
    ]


def _field_file(folder: Path, name: str, number: int, suffix: str) -> Path:
    """The file of a part; a resumed run may have changed its number of ranks."""
    wanted = folder / f"{name}_{number:04d}.{suffix}"
    other = wanted.with_suffix(".pvtu" if suffix == "vtu" else ".vtu")
    return wanted if wanted.exists() or not other.exists() else other
