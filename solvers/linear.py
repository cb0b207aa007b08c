"""The preconditioned Krylov solver of the coupled Newton step."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from petsc4py import PETSc

from voxtrode.solvers.fields import C_E, PHI_E, PHI_S
from voxtrode.solvers.system import HalfCellSystem

MULTIGRID = {
    "ksp_type": "preonly",
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.01,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "jacobi",
    "mg_levels_ksp_max_it": 2,
}
SWEEPS = {"ksp_type": "preonly", "pc_type": "sor"}

FIELDSPLIT = {
    "ksp_type": "fgmres",
    "ksp_gmres_restart": 60,
    "pc_type": "fieldsplit",
    "pc_fieldsplit_type": "multiplicative",
}
"""Outer solver: one Gauss–Seidel sweep over the fields as preconditioner."""

SPLITS: Mapping[str, Mapping[str, object]] = {PHI_S: MULTIGRID, PHI_E: MULTIGRID, C_E: MULTIGRID}
"""Solver of each field's own block; stoichiometries diffuse slowly and take ``SWEEPS``."""

_PREFIX = count()


@dataclass(frozen=True)
class LinearResult:
    """Evidence of one linear solve.

    Attributes:
        iterations: Krylov iterations.
        converged: Whether the tolerance was met within the cap.
        setup_s, solve_s: Wall time of preconditioner set-up and of the iterations.
    """

    iterations: int
    converged: bool
    setup_s: float
    solve_s: float


class LinearSolver:
    """Solves with the Jacobian of a system; keeps the preconditioner while it serves.

    The hierarchies are rebuilt when the time step's α has changed by more than a factor, or
    when the last solve took clearly more iterations than the first one after a rebuild.
    """

    def __init__(self, system: HalfCellSystem, max_iterations: int, names: tuple[str, ...]):
        """Set up the block solver.

        Args:
            system: The coupled system.
            max_iterations: Cap on the Krylov iterations of one solve.
            names: Fields to solve for (all, or the potentials alone), in order.
        """
        index = [i for i, field in enumerate(system.blocks) if field.name in names]
        blocks = system.matrices()
        self.index = index
        self.layouts = [system.blocks[i].layout for i in index]
        self.matrix = PETSc.Mat().createNest(
            [[blocks[i][j] for j in index] for i in index], comm=system.comm
        )
        self.ksp = PETSc.KSP().create(system.comm)
        prefix = f"voxtrode_{next(_PREFIX)}_"
        self.ksp.setOptionsPrefix(prefix)
        self.ksp.setOperators(self.matrix)
        fields = [system.blocks[i].name for i in index]
        options = dict(FIELDSPLIT)
        for position, name in enumerate(fields):
            for key, value in SPLITS.get(name, SWEEPS).items():
                options[f"fieldsplit_{position}_{key}"] = value  # type: ignore[assignment]
        database = PETSc.Options()
        for key, value in options.items():
            database[prefix + key] = value
        self.ksp.setFromOptions()
        rows = self.matrix.getNestISs()[0]
        self.ksp.getPC().setFieldSplitIS(*[(str(k), rows[k]) for k in range(len(rows))])
        self.ksp.setTolerances(rtol=1e-4, atol=0.0, max_it=max_iterations)
        self._rate: float | None = None
        self._fresh = 0
        self._last = 0

    def solve(self, rhs: list[PETSc.Vec], rate: float, rtol: float) -> tuple[list, LinearResult]:
        """Solve for the update of the chosen fields; collective.

        Args:
            rhs: Right-hand side, a vector a block of the whole system.
            rate: α of the time derivative [1/s], which says how far the operator has moved.
            rtol: Relative tolerance on the true residual.

        Returns:
            Updates at every local degree of freedom of the chosen fields, and the evidence.
        """
        start = perf_counter()
        rebuild = self._stale(rate)
        self.matrix.assemble()
        self.ksp.setOperators(self.matrix)
        self.ksp.getPC().setReusePreconditioner(not rebuild)
        self.ksp.setUp() if not rebuild else self.ksp.getPC().setUp()
        middle = perf_counter()
        b = PETSc.Vec().createNest([rhs[i] for i in self.index], comm=self.matrix.comm)
        x = b.duplicate()
        self.ksp.setTolerances(rtol=rtol)
        self.ksp.solve(b, x)
        end = perf_counter()
        iterations = self.ksp.getIterationNumber()
        if rebuild:
            self._rate, self._fresh = rate, iterations
        self._last = iterations
        parts = x.getNestSubVecs()
        updates = [layout.spread(v) for layout, v in zip(self.layouts, parts, strict=True)]
        converged = self.ksp.getConvergedReason() > 0
        if not converged:
            self._rate = None
        return updates, LinearResult(iterations, converged, middle - start, end - middle)

    def _stale(self, rate: float) -> bool:
        if self._rate is None:
            return True
        moved = rate > 2.0 * self._rate or rate < 0.5 * self._rate
        return moved or self._last > self._fresh + 4
