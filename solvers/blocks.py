"""Blocks of the Jacobian: derived volume forms, and interface terms with one entry a point."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from voxtrode.solvers.fields import Field
from voxtrode.solvers.region import Layout


class VolumeBlock:
    """Block of the volume terms between two fields of one region.

    Assembled once where it does not depend on the solution, else when asked for. Interface terms
    between fields of one region lie on the block's diagonal: both fields have the same degrees of
    freedom, though some may be no unknowns in one of them (the block is then no square, and
    assembled each time).
    """

    def __init__(
        self,
        row: Field,
        column: Field,
        form: ufl.Form,
        unknowns: set[fem.Function[np.float64]],
        more: Callable[[PETSc.Mat], None] | None = None,
    ) -> None:
        """Create and assemble the matrix; collective.

        Args:
            row, column: Fields of the block, on the same region.
            form: The bilinear form.
            unknowns: Functions that change from iteration to iteration.
            more: Adds constant entries that are not of the form.
        """
        self._more = more
        self.row, self._column = row.layout, column.layout
        self.form = fem.form(form)
        self.constant = not (set(form.coefficients()) & unknowns)
        self.matrix = row.layout.matrix(column.layout)
        self._square = row.layout is column.layout
        self._diagonal: PETSc.Vec | None = None  # as assembled
        self._assemble()

    @property
    def largest(self) -> float:
        """Largest entry of the diagonal as first assembled; collective."""
        return float(self.matrix.getDiagonal().max()[1])

    def _assemble(self) -> None:
        fem_petsc.assemble_matrix(self.matrix, self.form)
        if self._more is not None:
            self._more(self.matrix)
        self.matrix.assemble()
        self._diagonal = self.matrix.getDiagonal() if self._square else None

    def update(
        self,
        local: npt.NDArray[np.float64],
        storage: PETSc.Vec | None = None,
        fresh: bool = True,
    ) -> None:
        """Assemble at the current state, then add to the diagonal; collective.

        Args:
            local: What this rank adds at each local degree of freedom.
            storage: What else is added to the rows of a square block.
            fresh: Whether to assemble; otherwise the terms of the last assembly are kept.
        """
        if not self._square:
            self.matrix.zeroEntries()
            fem_petsc.assemble_matrix(self.matrix, self.form)
            both = np.flatnonzero((local != 0.0) & (self._column.index >= 0)).astype(np.int32)
            both = both[self.row.index[both] >= 0][:, None]
            self.matrix.setValuesLocalRCV(both, both, local[both], PETSc.InsertMode.ADD_VALUES)
            self.matrix.assemble()
            return
        diagonal = self.row.vector()
        self.row.gather_rows(local, diagonal)
        if storage is not None:
            diagonal.axpy(1.0, storage)
        if fresh and not self.constant:
            self.matrix.zeroEntries()
            self._assemble()
        diagonal.axpy(1.0, self._diagonal)
        self.matrix.setDiagonal(diagonal, PETSc.InsertMode.INSERT_VALUES)


class PointBlock:
    """Block of interface terms alone: one entry a point."""

    def __init__(
        self,
        row: Layout,
        column: Layout,
        rows: npt.NDArray[np.int32],
        columns: npt.NDArray[np.int32],
    ) -> None:
        """Create the matrix with its pattern; collective.

        Args:
            row, column: Layouts of the two fields.
            rows, columns: Local degrees of freedom of each entry.
        """
        sizes = ((row.n_rows, PETSc.DETERMINE), (column.n_rows, PETSc.DETERMINE))
        self.matrix = PETSc.Mat().create(comm=row.comm)
        self.matrix.setSizes(sizes)
        self.matrix.setType(PETSc.Mat.Type.AIJ)
        self.matrix.setPreallocationCOO(row.index[rows], column.index[columns])

    def update(self, values: npt.NDArray[np.float64]) -> None:
        """Set the entries; points that share a row and a column add up. Collective."""
        self.matrix.setValuesCOO(values)
