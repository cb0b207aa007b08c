"""A direct solver in the place of the preconditioned one, to compare with."""

from collections.abc import Mapping
from time import perf_counter

import numpy as np
import numpy.typing as npt
from mpi4py import MPI  # noqa: F401  (before PETSc)
from petsc4py import PETSc

from voxtrode.solvers.linear import LinearResult
from voxtrode.solvers.system import HalfCellSystem


class DirectSolver:
    """Factorises the whole Jacobian with MUMPS each time."""

    def __init__(self, system: HalfCellSystem, max_iterations: int, names: tuple[str, ...]) -> None:
        """See :class:`voxtrode.solvers.linear.LinearSolver`."""
        blocks, layouts = system.matrices(), system.layouts()
        self.names = names
        self._layouts = [layouts[name] for name in names]
        nest = [[blocks.get((row, column)) for column in names] for row in names]
        self._matrix = PETSc.Mat().createNest(nest, comm=system.comm)

    def solve(
        self, rhs: Mapping[str, PETSc.Vec], rate: float, rtol: float
    ) -> tuple[dict[str, npt.NDArray[np.float64]], LinearResult]:
        """Solve for the update of the chosen fields; collective."""
        start = perf_counter()
        self._matrix.assemble()
        whole = self._matrix.convert("aij", PETSc.Mat())
        ksp = PETSc.KSP().create(self._matrix.comm)
        ksp.setType("preonly")
        ksp.setOperators(whole)
        pc = ksp.getPC()
        pc.setType("lu")
        pc.setFactorSolverType("mumps")
        pc.setUp()
        middle = perf_counter()
        parts = [rhs[name] for name in self.names]
        b = PETSc.Vec().createNest(parts, comm=self._matrix.comm)
        sizes = b.getLocalSize(), b.getSize()
        flat = PETSc.Vec().createMPI(sizes, comm=self._matrix.comm)
        flat.array_w[:] = np.concatenate([part.array_r for part in parts])
        x = flat.duplicate()
        ksp.solve(flat, x)
        ends = np.cumsum([part.getLocalSize() for part in parts])
        updates = {}
        for name, layout, found in zip(
            self.names, self._layouts, np.split(x.array_r, ends[:-1]), strict=True
        ):
            vector = layout.vector()
            vector.array_w[:] = found
            updates[name] = layout.spread(vector)
        end = perf_counter()
        ksp.destroy()
        whole.destroy()
        return updates, LinearResult(1, True, middle - start, end - middle)

    def forget(self) -> None:
        """Nothing is kept."""
