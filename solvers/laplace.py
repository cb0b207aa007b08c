"""One Poisson problem by algebraic multigrid and conjugate gradients: transport and yardstick."""

from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from petsc4py import PETSc

from voxtrode.data.errors import NumericalError

GAMG_CG = {"ksp_type": "cg", "pc_type": "gamg", "pc_gamg_threshold": 0.01}
"""Named option set of the solver."""

SHIFT = 1e-13
"""Share of the diagonal that is added: keeps islands without a fixed value solvable (they carry no
flux, and their right-hand side is zero), and moves the flux by less than 1e-9."""

_PREFIX = count()


@dataclass(frozen=True)
class LaplaceResult:
    """A potential between two faces, and its evidence.

    Attributes:
        inflow, outflow: ∫ k ∇u·n over the two faces as the equations' reactions: into the
            material where u = 1, out of it where u = 0 [coefficient · mesh unit].
        iterations: CG iterations.
        seconds: Wall time of set-up and iterations (not of assembly).
    """

    inflow: float
    outflow: float
    iterations: int
    seconds: float


class Laplace:
    """∇·(k ∇u) = 0 with u = 1 and u = 0 on two sets of degrees of freedom."""

    def __init__(
        self,
        space: fem.FunctionSpace[np.float64],
        coefficient: fem.Function[np.float64] | float,
        high: npt.NDArray[np.int32],
        low: npt.NDArray[np.int32],
    ) -> None:
        """Assemble; collective.

        Args:
            space: P1 space.
            coefficient: k.
            high, low: Local degrees of freedom, ghosts included, with u = 1 and u = 0.
        """
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        self._form = fem.form(coefficient * ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx)
        one = fem.dirichletbc(1.0, high, space)
        zero = fem.dirichletbc(0.0, low, space)
        self._bcs = [one, zero]
        self.space = space
        self.high, self.low = high, low
        self.free = fem_petsc.assemble_matrix(self._form)
        self.free.assemble()
        self.matrix = fem_petsc.assemble_matrix(self._form, bcs=self._bcs)
        self.matrix.assemble()
        diagonal = self.matrix.getDiagonal()
        diagonal.scale(1.0 + SHIFT)
        self.matrix.setDiagonal(diagonal)

    def solve(self, rtol: float, max_iterations: int = 1000) -> LaplaceResult:
        """Solve with a fresh hierarchy; collective.

        Raises:
            NumericalError: Where CG does not converge.
        """
        space, comm = self.space, self.space.mesh.comm
        b = fem_petsc.create_vector(space)
        b.set(0.0)
        fem_petsc.apply_lifting(b, [self._form], bcs=[self._bcs])
        b.ghostUpdate(PETSc.InsertMode.ADD_VALUES, PETSc.ScatterMode.REVERSE)
        fem_petsc.set_bc(b, self._bcs)
        ksp = PETSc.KSP().create(comm)
        prefix = f"voxtrode_laplace_{next(_PREFIX)}_"
        database = PETSc.Options()
        for key, value in GAMG_CG.items():
            database[prefix + key] = value
        ksp.setOptionsPrefix(prefix)
        ksp.setFromOptions()
        ksp.setTolerances(rtol=rtol, max_it=max_iterations)
        ksp.setOperators(self.matrix)
        x = b.duplicate()
        comm.barrier()
        start = perf_counter()
        ksp.setUp()
        ksp.solve(b, x)
        seconds = perf_counter() - start
        if ksp.getConvergedReason() <= 0:
            raise NumericalError(
                f"conjugate gradients did not reach {rtol:g} in {ksp.getIterationNumber()} "
                "iterations; the phase may hang together by points only: use a finer mesh"
            )
        reaction = self.free.createVecLeft()
        self.free.mult(x, reaction)
        n_owned = space.dofmap.index_map.size_local
        sums = [
            comm.allreduce(float(reaction.array_r[dofs[dofs < n_owned]].sum()))
            for dofs in (self.high, self.low)
        ]
        return LaplaceResult(sums[0], -sums[1], ksp.getIterationNumber(), seconds)


def face_dofs(
    space: fem.FunctionSpace[np.float64], axis: int, position: float, tolerance: float
) -> npt.NDArray[np.int32]:
    """Local degrees of freedom, ghosts included, on a plane.

    Args:
        space: P1 space.
        axis: 0, 1, 2 for x, y, z.
        position, tolerance: Of the plane, in mesh units.
    """
    coordinate = space.tabulate_dof_coordinates()[:, axis]
    return np.flatnonzero(np.abs(coordinate - position) < tolerance).astype(np.int32)
