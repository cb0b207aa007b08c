"""The coupled half cell as residual and Jacobian blocks.

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
from voxtrode.solvers.fields import PHI_S, build_fields
from voxtrode.solvers.kinetics import Flux
from voxtrode.solvers.region import Layout
from voxtrode.solvers.surfaces import Surface, active_surfaces, counter_surface
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drive:
    """What a time step prescribes.

    Attributes:
        current: Applied current density [A/m²], positive on discharge.
        rate: α [1/s] in the time derivative α u + h of the new state u.
        history: h [1/s] at every local degree of freedom, by field name.
    """

    current: float
    rate: float
    history: Mapping[str, Array]


class HalfCellSystem:
    """Residual and Jacobian of a half cell on a mesh; the fields' arrays are the state.

    φ_s is kept relative to ``reference``, a voltage near the cell's: conduction then works on
    millivolts, and its rounding does not spoil the charge balance.

    Attributes:
        mesh, cell: What is solved.
        fields: The fields; ``blocks`` are the same in one tuple.
        active: Γ of each active phase.
        counter: The counter face.
        area: In-plane area [µm²].
        reference: Potential that φ_s is relative to [V].
    """

    def __init__(self, mesh: TaggedMesh, cell: Cell) -> None:
        """Lay out fields, surfaces and matrices; collective."""
        self.mesh = mesh
        self.cell = cell
        self.fields = build_fields(mesh, cell)
        self.blocks = self.fields.all()
        self.area = mesh.info.area * UM**2
        self.reference = 0.0
        self.active = active_surfaces(mesh, cell, self.fields)
        self.counter = counter_surface(mesh, cell, self.fields)
        self._surfaces: tuple[Surface, ...] = (*self.active, self.counter)
        self._by_name = {field.name: field for field in (*self.blocks, self.fields.c_e)}
        self._forms = {field.name: fem.form(field.residual) for field in self.blocks}
        self._unknown = frozenset(self._forms)
        self._volume = self._volume_blocks()
        self._points = self._point_blocks()

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
            values[PHI_S] = values[PHI_S] + self.reference
        return surface.law(values)

    def voltage(self) -> float:
        """Potential of the collector against the counter electrode [V]; collective."""
        field = self.fields.phi_s
        tied = field.layout.tied
        assert tied is not None
        own = float(field.values[tied[0]]) if len(tied) else -np.inf
        return float(self.comm.allreduce(own, op=MPI.MAX)) + self.reference

    def rebase(self, histories: list[dict[str, Array]]) -> None:
        """Make the present voltage the reference of φ_s, in the state and in kept states."""
        shift = self.voltage() - self.reference
        self.reference += shift
        self.fields.phi_s.values[:] -= shift
        for history in histories:
            history[PHI_S] -= shift

    def state(self) -> dict[str, Array]:
        """A copy of the state, by field name."""
        return {field.name: field.values.copy() for field in self.blocks}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Overwrite the state."""
        for field in self.blocks:
            field.values[:] = state[field.name]

    def residual(self, drive: Drive) -> dict[str, PETSc.Vec]:
        """Rows of all equations [pA] for the current state, by field name; collective."""
        local = {}
        for name, form in self._forms.items():
            rows = np.zeros(self._by_name[name].layout.region.n_local)
            fem.assemble_vector(rows, form)
            local[name] = rows
        for surface in self._surfaces:
            current = surface.points.area * self.flux(surface).J
            for name, sign in self._signs(surface):
                local[name] += summed(surface.dofs[name], sign * current, len(local[name]))
        vectors = {}
        for field in self.blocks:
            vector = field.layout.vector()
            field.layout.gather_rows(local[field.name], vector)
            if field.storage is not None:
                free = field.layout.free
                derivative = drive.rate * field.values[free] + drive.history[field.name][free]
                vector.array_w[:] += field.storage[free] * derivative
            vectors[field.name] = vector
        if self.comm.rank == 0:
            # The tied row: what the solid brings to the collector leaves through it.
            vectors[PHI_S].array_w[0] += drive.current * self.area
        return vectors

    def jacobian(self, drive: Drive) -> None:
        """Update all blocks to the current state; collective."""
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
            block.update(diagonal[row, column], storage)
        for pair, point_block in self._points.items():
            point_block.update(np.concatenate(entries[pair]))

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
                        found[row.name, column.name] = VolumeBlock(row, column, form, unknowns)
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
