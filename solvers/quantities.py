"""Reported quantities of a cell: cell row, particle rows, balances, overpotential split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from scipy.optimize import brentq

from voxtrode.data.errors import InputError
from voxtrode.meshing.sums import summed
from voxtrode.solvers import particles
from voxtrode.solvers.electrodes import Electrode, Share, Window
from voxtrode.solvers.fields import PHI_S, Field
from voxtrode.solvers.losses import PARTS, Losses
from voxtrode.solvers.surfaces import ActiveSurface
from voxtrode.solvers.system import Drive, HalfCellSystem
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]
HOUR = 3600.0


@dataclass(frozen=True)
class Balances:
    """How well conservation holds at an instant (relative, see the model's §6)."""

    lithium: float
    salt: float
    charge: float


class Quantities:
    """Evaluates a system's present state.

    Attributes:
        system: The system.
        table: What does not change about the particles.
        windows: θ₀ and θ₁₀₀ of each active phase, by label.
        electrode: The electrode in the volume.
        opposite: The counter electrode.
        capacity: Charge that the connected active material of the smaller electrode takes between
            the cut-offs [A s/m²].
        nominal: Nominal areal capacity [A s/m²].
        at_start: Stoichiometry of each active phase that dead material is left at, by label.
    """

    def __init__(self, system: HalfCellSystem) -> None:
        """Prepare sums and forms; the system is put into equilibrium, fully charged."""
        self.system = system
        cell = system.cell
        mesh = system.mesh
        ends = system.opposite.ends
        upper, lower = cell.upper + ends[0], cell.lower + ends[1]
        self.windows = {
            s.label: Window.of(s.material, ends[1], ends[0])
            if s.label in cell.negative
            else Window.of(s.material, upper, lower)
            for s in system.active
        }
        labels = np.array(list(cell.active()), dtype=np.int64)
        self.table = particles.particle_table(mesh, system.active, labels)
        self._shares = {s.label: particles.shares(mesh, system, s.label) for s in system.active}
        self._n = len(self.table.volume)
        self._losses = Losses(system, self._shares, self._n)
        shares = tuple(self._share(s) for s in system.active)
        inside = tuple(one for one in shares if one.label in cell.negative)
        self.electrode = Electrode(tuple(one for one in shares if one not in inside))
        self.opposite = system.opposite.side(self.electrode.capacity, inside)
        self._negative = Electrode(inside, positive=False)
        system.capacity = self.electrode.capacity
        self.capacity = min(self.electrode.capacity, self.opposite.capacity)
        self.nominal = self.capacity if cell.nominal_capacity is None else cell.nominal_capacity
        self.at_start: dict[int, float] = {}
        self._lithium: tuple[float, float] = (0.0, 0.0)
        self._salt = 0.0
        self.equilibrate(0.0)

    def _share(self, surface: ActiveSurface) -> Share:
        window = self.windows[surface.label]
        volume = self._total(self._shares[surface.label].volume) / UM**3
        capacity = window.capacity(surface.material) * volume / self.system.mesh.info.area
        return Share(surface.label, surface.material, window, capacity)

    # -- start ----------------------------------------------------------------------------------

    def equilibrate(self, passed: float) -> None:
        """Put the system into equilibrium, and let balances start there; collective.

        Args:
            passed: Charge per area [A s/m²] since the cell was fully charged.
        """
        system = self.system
        fields = system.fields
        potential, theta = self.electrode.at_rest(self.electrode.lithium_after(passed))
        if self._negative.shares:
            theta = theta | self._negative.at_rest(self._negative.lithium_after(passed))[1]
        gauge = self.opposite.gauge(passed)
        for label, value in theta.items():
            fields.theta[label].values[:] = value
        fields.c_e.values[:] = 1.0
        system.began = passed
        system.pass_charge(0.0)
        system.reference = potential - gauge
        fields.phi_s.values[:] = 0.0
        fields.phi_e.values[:] = -gauge
        self.begin(theta)

    def begin(self, at_start: Mapping[int, float]) -> None:
        """Let balances start from the present state; collective.

        Args:
            at_start: What dead material is left at, by label.
        """
        self.at_start = dict(at_start)
        self._lithium = self._lithium_now()
        self._salt = self._inventory(self.system.fields.c_e)

    def passed_at(self, voltage: float) -> float:
        """Charge per area [A s/m²] since full charge at which the cell rests at a voltage [V].

        Raises:
            InputError: If it does not between fully charged and fully discharged.
        """

        def excess(passed: float) -> float:
            return self.electrode.potential(passed) - self.opposite.potential(passed) - voltage

        first, last = excess(0.0), excess(self.capacity)
        # Cut-offs are met to the rounding of stoichiometries.
        if min(abs(first), abs(last)) < 1e-9:
            return 0.0 if abs(first) < abs(last) else self.capacity
        if not first > 0.0 > last:
            raise InputError(
                f"initial.voltage: the cell is not in equilibrium at {voltage:g} V between fully "
                f"charged ({first + voltage:.4g} V) and fully discharged ({last + voltage:.4g} V); "
                "give a voltage between them, or another voltage_window"
            )
        return float(brentq(excess, 0.0, self.capacity, xtol=1e-12 * self.capacity, rtol=1e-14))

    @property
    def depth(self) -> float:
        """Depth of discharge at the start."""
        return self.system.began / self.nominal

    @property
    def one_c(self) -> float:
        """Current density that moves the nominal capacity in an hour [A/m²]."""
        return self.nominal / HOUR

    def start_from(
        self, lithium: tuple[float, float], salt: float, began: float, at_start: Mapping[int, float]
    ) -> None:
        """Let balances and depths start from earlier ones (after a restart)."""
        self._lithium, self._salt = lithium, salt
        self.system.began = began
        self.at_start = dict(at_start)

    @property
    def inventories(self) -> tuple[tuple[float, float], float]:
        """Lithium of the two electrodes and salt [pA s] that balances start from."""
        return self._lithium, self._salt

    # -- balances -------------------------------------------------------------------------------

    def balances(self, current: float, charge: float) -> Balances:
        """Conservation at the present state; collective.

        Args:
            current: Applied current density [A/m²].
            charge: Charge passed per area since the start [A s/m²].
        """
        system = self.system
        area = system.area
        lithium = max(
            abs(now - before - sign * charge * area)
            for now, before, sign in zip(
                self._lithium_now(),
                self._lithium,
                (1.0, -1.0 if self._negative.shares else 0.0),
                strict=True,
            )
        )
        floor = max(abs(charge), 1e-3 * self.capacity) * area
        salt = self._inventory(system.fields.c_e) - self._salt
        fluxes = {s.label: self._total(s.points.area * system.flux(s).J) for s in system.active}
        inside = sum(fluxes[label] for label in self.electrode.labels)
        other = sum(fluxes[label] for label in self._negative.labels)
        if system.counter is not None:
            other += self._total(system.counter.points.area * system.flux(system.counter).J)
        collector = self._collector_current()
        off = max(abs(collector + inside), abs(other + inside), abs(collector - current * area))
        return Balances(
            lithium=lithium / floor,
            salt=abs(salt) / self._salt if system.fields.salt else 0.0,
            charge=off / (max(abs(current), self.one_c) * area),
        )

    def _lithium_now(self) -> tuple[float, float]:
        """Lithium [pA s] in the electrode that discharge fills, and in the other in the volume."""
        theta = self.system.fields.theta
        first, second = (
            self._inventory(*dict.fromkeys(theta[label] for label in one.labels))
            for one in (self.electrode, self._negative)
        )
        return first, second

    def _collector_current(self) -> float:
        """Current out of the solid through the collector [pA], as the equations' reaction."""
        system = self.system
        zero = {f.name: np.zeros(f.layout.region.n_local) for f in system.blocks}
        present = system.current
        row = system.residual(Drive(0.0, 0.0, zero, system.charge))[PHI_S]
        system.current = present
        first = float(row.array_r[0]) if system.comm.rank == 0 else None
        return -float(system.comm.bcast(first, root=0))

    def _inventory(self, *fields: Field) -> float:
        """Σ storage · value [pA s]."""
        total = 0.0
        for field in fields:
            free = field.layout.free
            assert field.storage is not None
            total += self._total(field.storage[free] * field.values[free])
        return total

    def _total(self, values: Array) -> float:
        return self._sum(float(values.sum()))

    def _sum(self, value: float) -> float:
        return float(self.system.comm.allreduce(value, op=MPI.SUM))

    # -- cell -----------------------------------------------------------------------------------

    def cell(self, current: float) -> dict[str, float]:
        """State of the whole cell; collective. Keys are those of ``cell.csv``.

        Args:
            current: Applied current density [A/m²].
        """
        system = self.system
        mean, low, high = self._concentrations()
        row = {
            "Voltage [V]": system.voltage(),
            "SoL": self._mean_sol(),
            "Mean c_e [mol.m-3]": mean,
            "Min c_e [mol.m-3]": low,
            "Max c_e [mol.m-3]": high,
        }
        parts, ocv = self.overpotentials(current)
        for name, value in zip(PARTS, parts, strict=True):
            row[f"{name} overpotential [V]"] = value
        row["Total overpotential [V]"] = ocv - row["Voltage [V]"]
        row["Open-circuit voltage [V]"] = ocv
        return row

    def _concentrations(self) -> tuple[float, float, float]:
        """Mean, smallest and largest c_e [mol/m³]; NaN without a liquid."""
        system = self.system
        if not system.fields.salt:
            return np.nan, np.nan, np.nan
        field, c_e0 = system.fields.c_e, system.fields.electrolyte.c_e0.value
        assert field.storage is not None
        free = field.layout.free
        y = field.values[free]
        low = system.comm.allreduce(float(y.min(initial=np.inf)), op=MPI.MIN)
        high = system.comm.allreduce(float(y.max(initial=-np.inf)), op=MPI.MAX)
        mean = self._inventory(field) / self._total(field.storage[free])
        return c_e0 * mean, c_e0 * low, c_e0 * high

    def extremes(self) -> dict[str, tuple[float, float]]:
        """Range of c_e [mol/m³] (`c_e`) and of θ (by the name of its phase); collective."""
        system = self.system
        found: dict[str, tuple[float, float]] = {}
        if system.fields.salt:
            found["c_e"] = self._concentrations()[1:]
        for label, field in system.fields.theta.items():
            low = system.comm.allreduce(float(field.values.min(initial=np.inf)), op=MPI.MIN)
            high = system.comm.allreduce(float(field.values.max(initial=-np.inf)), op=MPI.MAX)
            name = system.cell.phases[label].name
            before = found.get(name, (low, high))
            found[name] = (min(low, before[0]), max(high, before[1]))
        return found

    def _mean_sol(self) -> float:
        """Volume-weighted SoL of the electrode that discharge fills; collective."""
        sums = volume = 0.0
        for s in self.system.active:
            if s.label in self._negative.labels:
                continue
            share = self._shares[s.label]
            theta = self.system.fields.theta[s.label].values[share.dof]
            sums += self._total(share.volume * self.windows[s.label].sol(theta))
            volume += self._total(share.volume)
        return sums / volume

    def overpotentials(self, current: float) -> tuple[tuple[float, ...], float]:
        """Parts of U(θ̄) − V by power over the current, and U(θ̄) [V]; collective.

        Each part costs voltage on discharge and is positive then; on charge it is negative. Parts
        are NaN at rest, where power over current says nothing. U(θ̄) is the potential that the
        electrode would come to at rest, less the counter electrode's: with one active material U
        at its mean stoichiometry, with several the one potential at which together they hold the
        lithium that they hold now.
        """
        system = self.system
        at_rest, of_negative = self._at_rest()
        open_circuit = at_rest - of_negative
        if current == 0.0:
            return (np.nan,) * len(PARTS), open_circuit
        potential = {
            s.label: of_negative if s.label in self._negative.labels else at_rest
            for s in system.active
        }
        applied = current * system.area
        return tuple(power / applied for power in self._losses.powers(potential)), open_circuit

    def _at_rest(self) -> tuple[float, float]:
        """Potentials against lithium [V] that the electrodes would come to at rest; collective."""
        mean = {}
        for s in self.system.active:
            share = self._shares[s.label]
            theta = self.system.fields.theta[s.label].values[share.dof]
            mean[s.label] = self._total(share.volume * theta) / self._total(share.volume)
        own = self.electrode.at_rest(self.electrode.lithium(mean))[0]
        if self._negative.shares:
            return own, self._negative.at_rest(self._negative.lithium(mean))[0]
        return own, self.opposite.potential(self.system.began + self.system.charge)

    # -- particles ------------------------------------------------------------------------------

    def particles(self, current: float) -> dict[str, npt.NDArray[Any]]:
        """Columns of ``particles.csv`` for the present state, a row a particle; collective.

        Dead particles keep the initial lithiation, and carry no current.

        Args:
            current: Applied current density [A/m²]; its sign is the one C-rates count along.
        """
        table, comm, n = self.table, self.system.comm, self._n
        columns = {
            name: np.zeros(n) for name in ("sol", "raw", "std", "range", "J", "eta", "rate", "c_t")
        }
        radius = 0.5 * table.diameter / UM
        for s in self.system.active:
            window = self.windows[s.label]
            mine = (table.label == s.label) & ~table.dead & (table.volume > 0.0)
            theta = self.system.fields.theta[s.label].values
            mean, std, low, high = particles.spread(
                self.system.mesh, self._shares[s.label], theta, n
            )
            width = abs(window.full - window.empty)
            flux = self.system.flux(s)
            columns["sol"][mine] = window.sol(mean)[mine]
            columns["raw"][mine] = mean[mine]
            columns["std"][mine] = std[mine] / width
            columns["range"][mine] = (high[mine] - low[mine]) / width
            for name, values in (("J", flux.J), ("eta", flux.eta)):
                weights = s.points.area * values
                total = summed(s.points.particle, weights, n)
                comm.Allreduce(MPI.IN_PLACE, total)
                wet = mine & (table.wetted > 0.0)
                columns[name][wet] = total[wet] / table.wetted[wet]
            capacity = window.capacity(s.material) * table.volume / UM**3
            surface = table.wetted / UM**2
            columns["rate"][mine] = HOUR * (columns["J"] * surface)[mine] / capacity[mine]
            of_phase = (table.label == s.label) & (table.volume > 0.0)
            middle = 0.5 * (window.empty + window.full)
            diffusivity = float(s.material.D_s(theta=middle))
            columns["c_t"][of_phase] = HOUR * diffusivity / radius[of_phase] ** 2
            columns["raw"][of_phase & table.dead] = self.at_start[s.label]
            columns["sol"][of_phase & table.dead] = window.sol(self.at_start[s.label])
        return self._rows(columns, current)

    def _rows(self, columns: dict[str, Array], current: float) -> dict[str, npt.NDArray[Any]]:
        table, keep = self.table, self.table.present
        negative = np.isin(table.label, self._negative.labels)
        along = np.where(negative, 1.0, -1.0) * (1.0 if current >= 0.0 else -1.0)
        at_1c = self.one_c * self.system.mesh.info.area * UM**2
        c_p = along * columns["J"] * table.wetted_beside(negative) / at_1c
        c_own = along * columns["rate"]
        names = np.array([phase.name for _, phase in sorted(self.system.cell.phases.items())])
        rows: dict[str, npt.NDArray[Any]] = {
            **table.columns(),
            "Phase": names[table.label],
            "SoL": columns["sol"],
            "SoL raw": columns["raw"],
            "SoL std": columns["std"],
            "SoL range": columns["range"],
            "J_ct [A.m-2]": columns["J"],
            "Overpotential [V]": columns["eta"],
            "C_p": c_p,
            "C_p*": c_own,
            "C_t": columns["c_t"],
            "C_diff": c_p - columns["c_t"],
            "C_diff*": c_own - columns["c_t"],
        }
        return {name: values[keep] for name, values in rows.items()}
