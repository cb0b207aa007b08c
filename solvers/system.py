"""The coupled cell as residual and Jacobian blocks.

Unknowns: φ_s, φ_e, c_e/c_e0, and θ of each active phase. Volume terms are UFL
forms on each field's own submesh; their Jacobian blocks are derived, and those that do not
depend on the solution are assembled once. Surface terms are pointwise (see ``interface``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from mpi4py import MPI
from petsc4py import PETSc

from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.blocks import PointBlock, VolumeBlock
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.contacts import contact_surfaces
from voxtrode.solvers.counter import Terminal, counter_of
from voxtrode.solvers.fields import PHI_S, build_fields, negative_dofs
from voxtrode.solvers.junctions import junctions
from voxtrode.solvers.kinetics import Flux
from voxtrode.solvers.region import Layout
from voxtrode.solvers.surfaces import Surface, active_surfaces, counter_surface
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]

PRESCRIBED = 1e12
"""Conductance that holds the collector's potential, over the largest one between unknowns."""


@dataclass(frozen=True, eq=False)
class Drive:
    """What a time step prescribes: the current, or the voltage and the current follows.

    Attributes:
        current: Applied current density [A/m²], positive on discharge; of no meaning where the
            voltage is held.
        rate: α [1/s] in the time derivative α u + h of the new state u; 0 where the states that
            are stored are given.
        history: h [1/s] at every local degree of freedom, by field name.
        passed: The same h of the charge passed per area [A/m²]; where α is 0 the charge itself
            [A s/m²].
        held: Cell voltage that is held [V], or None.
    """

    current: float
    rate: float
    history: Mapping[str, Array]
    passed: float = 0.0
    held: float | None = None

    def charge(self, current: float) -> float:
        """Charge passed per area [A s/m²] with a current [A/m²], by the integrator's formula."""
        return self.passed if self.rate == 0.0 else (current - self.passed) / self.rate


class HalfCellSystem:
    """Residual and Jacobian of a cell on a mesh, half or full; the fields' arrays are the state.

    φ_s is kept relative to ``reference``, a voltage near the cell's (of a full cell in one volume
    that of the positive electrode; the negative collector is the zero): conduction then works on
    millivolts, and its rounding does not spoil the charge balance.

    Attributes:
        mesh, cell: What is solved.
        fields: The fields; ``blocks`` are the same in one tuple.
        active: Γ of each active phase.
        contacts: Contacts between active phases with a resistance for lithium.
        junctions: Contacts with a resistance for electrons.
        counter: The counter face; None where both electrodes stand in the volume.
        opposite: The electrode on it, or the negative one in the volume.
        capacity: Capacity of the electrode in the volume [A s/m²], which a lumped counter electrode
            is balanced with.
        began: Charge per area [A s/m²] between the fully charged cell and the start.
        area: In-plane area [µm²].
        reference: Potential that φ_s is relative to [V].
        current: Current density [A/m²] that the last residual belongs to: the prescribed one, or
            where the voltage is held what the solid brings to the collector.
        charge: Charge passed per area [A s/m²] with it.
        off_voltage: Distance of the collector from the potential that holds the voltage [V].
    """

    def __init__(self, mesh: TaggedMesh, cell: Cell) -> None:
        """Lay out fields, surfaces and matrices; collective."""
        self.mesh = mesh
        self.cell = cell
        self.fields = build_fields(mesh, cell)
        self.blocks = self.fields.all()
        self.area = mesh.info.area * UM**2
        self.reference = 0.0
        self.current = 0.0
        self.charge = 0.0
        self._told: dict[str, Array] = {}
        self.off_voltage = 0.0
        self.active = active_surfaces(mesh, cell, self.fields)
        self.contacts = contact_surfaces(mesh, cell, self.fields)
        self.junctions = junctions(mesh, cell, self.fields.phi_s.layout.region)
        self.opposite = counter_of(cell.counter)
        law = self.opposite.law(cell.temperature, self.fields.electrolyte.c_e0.value)
        self.counter = None if law is None else counter_surface(mesh, law, self.fields)
        negative = negative_dofs(mesh, cell, self.fields.phi_s.layout.region)
        self._lift = np.where(negative, 0.0, 1.0)
        self.capacity = 1.0
        self.began = 0.0
        self._surfaces: tuple[Surface, ...] = (
            *self.active,
            *self.contacts,
            *([] if self.counter is None else [self.counter]),
        )
        self._by_name = {field.name: field for field in (*self.blocks, self.fields.c_e)}
        self._forms = {field.name: fem.form(field.residual) for field in self.blocks}
        self._unknown = frozenset(self._forms)
        self._volume = self._volume_blocks()
        self._points = self._point_blocks()
        # Beside this conductance the rest of the tied row vanishes: its unknown is prescribed.
        self._stiff = PRESCRIBED * self._volume[PHI_S, PHI_S].largest
        self._holding = 0.0

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        comm: MPI.Intracomm = self.mesh.mesh.comm
        return comm

    @property
    def dofs(self) -> int:
        """Number of unknowns; collective."""
        return int(self.comm.allreduce(sum(field.layout.n_rows for field in self.blocks)))

    def flux(self, surface: Surface) -> Flux:
        """J and its derivatives at the points of a surface for the current state."""
        values = {name: self._by_name[name].values[dofs] for name, dofs in surface.dofs.items()}
        if PHI_S in values:
            values[PHI_S] = values[PHI_S] + self.reference * self._lift[surface.dofs[PHI_S]]
        return surface.law(values | self._told)

    def voltage(self) -> float:
        """Potential of the collector against the counter electrode [V]; collective."""
        return self._collector() + self.reference - self.terminal(self.charge).potential

    def terminal(self, charge: float) -> Terminal:
        """The counter electrode after a charge per area since the start [A s/m²]."""
        return self.opposite.terminal(self.began + charge, self.capacity)

    def pass_charge(self, charge: float) -> None:
        """Say that a charge per area has passed since the start [A s/m²]."""
        self.charge = charge
        told = self.terminal(charge).values or {}
        self._told = {name: np.asarray(value) for name, value in told.items()}

    def fault(self) -> str:
        """Why the counter electrode cannot be in its present state; empty if it can."""
        return self.opposite.fault(self.began + self.charge, self.capacity)

    def electron_potential(self) -> Array:
        """φ_s [V] at every local degree of freedom."""
        return self.fields.phi_s.values + self.reference * self._lift

    def hold(self, voltage: float) -> None:
        """Shift φ_s to where the cell has a voltage [V]; collective."""
        aim = voltage + self.terminal(self.charge).potential
        self.fields.phi_s.values[:] += (aim - self.reference - self._collector()) * self._lift

    def _collector(self) -> float:
        """φ_s of the collector, relative to the reference [V]; collective."""
        field = self.fields.phi_s
        tied = field.layout.tied
        assert tied is not None
        own = float(field.values[tied[0]]) if len(tied) else -np.inf
        return float(self.comm.allreduce(own, op=MPI.MAX))

    def rebase(self, histories: list[dict[str, Array]]) -> None:
        """Make the collector's potential the reference of φ_s, in the state and in kept states."""
        shift = self._collector()
        self.reference += shift
        self.fields.phi_s.values[:] -= shift * self._lift
        for history in histories:
            history[PHI_S] -= shift * self._lift

    def state(self) -> dict[str, Array]:
        """A copy of the state, by field name."""
        return {field.name: field.values.copy() for field in self.blocks}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite the state."""
        for field in self.blocks:
            field.values[:] = state[field.name]

    def residual(self, drive: Drive) -> dict[str, PETSc.Vec]:
        """Rows of all equations [pA] for the current state, by field name; collective.

        The tied row says that what the solid brings to the collector leaves through it. Where the
        voltage is held it says what the current is, and is left out of the residual (0); see
        :meth:`aim`.
        """
        local = {}
        for name, form in self._forms.items():
            rows = np.zeros(self._by_name[name].layout.region.n_local)
            fem.assemble_vector(rows, form)
            local[name] = rows
        for surface in (*self.active, *self.contacts):
            self._add_fluxes(surface, local)
        local[PHI_S] += self.junctions.currents(self.fields.phi_s.values)
        vectors = {PHI_S: self.fields.phi_s.layout.vector()}
        self.fields.phi_s.layout.gather_rows(local[PHI_S], vectors[PHI_S])
        self._drive(drive, vectors[PHI_S])
        # The flux of the counter electrode may depend on the charge, which follows from the rest.
        if self.counter is not None:
            self._add_fluxes(self.counter, local)
        for field in self.blocks:
            if field.name == PHI_S:
                continue
            vector = field.layout.vector()
            field.layout.gather_rows(local[field.name], vector)
            if field.storage is not None:
                free = field.layout.free
                derivative = drive.rate * field.values[free] + drive.history[field.name][free]
                vector.array_w[:] += field.storage[free] * derivative
            vectors[field.name] = vector
        return vectors

    def _add_fluxes(self, surface: Surface, local: Mapping[str, Array]) -> None:
        current = surface.points.area * self.flux(surface).J
        for name, sign in self._signs(surface):
            local[name][:] += summed(surface.dofs[name], sign * current, len(local[name]))

    def _drive(self, drive: Drive, rows: PETSc.Vec) -> None:
        """Complete the tied row."""
        lead = self.comm.rank == 0
        if drive.held is None:
            if lead:
                rows.array_w[0] += drive.current * self.area
            self.current, self._holding = drive.current, 0.0
            self.pass_charge(drive.charge(self.current))
            return
        brought = self.comm.bcast(float(rows.array_r[0]) if lead else None)
        if lead:
            rows.array_w[0] = 0.0
        self.current = -brought / self.area
        self.pass_charge(drive.charge(self.current))
        terminal = self.terminal(self.charge)
        self.off_voltage = self._collector() - (drive.held + terminal.potential - self.reference)
        # The counter electrode's potential moves with the charge, and that with the current: a
        # resistance between the collector and the potential that holds the voltage.
        moves = terminal.slope / (drive.rate * self.area) if drive.rate > 0.0 else 0.0
        self._holding = 1.0 / (1.0 / self._stiff + max(moves, 0.0))

    def aim(self, rows: Mapping[str, PETSc.Vec]) -> None:
        """Let the next update take the collector to where it is held, if it is."""
        if self._holding and self.comm.rank == 0:
            rows[PHI_S].array_w[0] = self._holding * self.off_voltage

    def jacobian(self, drive: Drive, fresh: bool = True) -> None:
        """Update all blocks to the current state; collective.

        Args:
            drive: What the step prescribes.
            fresh: Whether volume terms that depend on the state are assembled anew; surface and
                storage terms always are.
        """
        sizes = {field.name: field.layout.region.n_local for field in self.blocks}
        diagonal = {pair: np.zeros(sizes[pair[0]]) for pair in self._volume}
        entries: dict[tuple[str, str], list[Array]] = {pair: [] for pair in self._points}
        for surface in self._surfaces:
            by = self.flux(surface).by
            for row, sign in self._signs(surface):
                for column, derivative in by.items():
                    if column not in self._unknown:
                        continue
                    values = sign * surface.points.area * derivative
                    if (row, column) in entries:
                        entries[row, column].append(values)
                    else:
                        diagonal[row, column] += summed(surface.dofs[row], values, sizes[row])
        for (row, column), block in self._volume.items():
            field = self._by_name[row]
            storage = None
            if row == column and field.storage is not None:
                storage = field.layout.vector()
                storage.array_w[:] = drive.rate * field.storage[field.layout.free]
            elif row == column == PHI_S:
                storage = field.layout.vector()
                if self.comm.rank == 0:
                    storage.array_w[0] = self._holding
            block.update(diagonal[row, column], storage, fresh)
        for pair, point_block in self._points.items():
            point_block.update(np.concatenate(entries[pair]))

    def described(self, name: str) -> str:
        """A field in words, for messages."""
        active = [label for label, field in self.fields.theta.items() if field.name == name]
        of = " and ".join(self.cell.phases[label].name for label in active)
        return f"the stoichiometry of {of}" if of else name

    def matrices(self) -> dict[tuple[str, str], PETSc.Mat]:
        """The blocks by the names of row and column field; those without coupling are absent."""
        volume = {pair: block.matrix for pair, block in self._volume.items()}
        return volume | {pair: block.matrix for pair, block in self._points.items()}

    def layouts(self) -> dict[str, Layout]:
        """Numbering of each field's unknowns, by name."""
        return {field.name: field.layout for field in self.blocks}

    def _signs(self, surface: Surface) -> list[tuple[str, float]]:
        """Equations that a surface's current enters, with its factor."""
        found = surface.signs.items()
        return [(name, sign) for name, sign in found if sign != 0.0 and name in self._unknown]

    def _volume_blocks(self) -> dict[tuple[str, str], VolumeBlock]:
        unknowns = {field.function for field in self.blocks}
        found = {}
        for row in self.blocks:
            for column in self.blocks:
                if column.layout.region is row.layout.region:
                    trial = ufl.TrialFunction(column.layout.region.space)
                    form = ufl.derivative(row.residual, column.function, trial)
                    form = ufl.algorithms.expand_derivatives(form)
                    if not form.empty():
                        more = self.junctions.add_to if row.name == column.name == PHI_S else None
                        block = VolumeBlock(row, column, form, unknowns, more)
                        found[row.name, column.name] = block
        return found

    def _point_blocks(self) -> dict[tuple[str, str], PointBlock]:
        rows: dict[tuple[str, str], list[npt.NDArray[np.int32]]] = {}
        columns: dict[tuple[str, str], list[npt.NDArray[np.int32]]] = {}
        for surface in self._surfaces:
            for row, _ in self._signs(surface):
                for column, dofs in surface.dofs.items():
                    if column in self._unknown and (row, column) not in self._volume:
                        rows.setdefault((row, column), []).append(surface.dofs[row])
                        columns.setdefault((row, column), []).append(dofs)
        return {
            (row, column): PointBlock(
                self._by_name[row].layout,
                self._by_name[column].layout,
                np.concatenate(rows[row, column]),
                np.concatenate(columns[row, column]),
            )
            for row, column in rows
        }
