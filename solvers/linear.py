"""The preconditioned Krylov solver of the coupled Newton step."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np
import numpy.typing as npt
from petsc4py import PETSc

from voxtrode.solvers._platform import has_hypre
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S
from voxtrode.solvers.system import HalfCellSystem

GAMG = {
    "ksp_type": "preonly",
    "pc_type": "gamg",
    "pc_gamg_threshold": 0.01,
    "mg_levels_ksp_type": "richardson",
    "mg_levels_ksp_max_it": 1,
    "mg_levels_pc_type": "sor",
}
BOOMERAMG = {
    "ksp_type": "preonly",
    "pc_type": "hypre",
    "pc_hypre_type": "boomeramg",
    "pc_hypre_boomeramg_strong_threshold": 0.5,
    "pc_hypre_boomeramg_coarsen_type": "HMIS",
    "pc_hypre_boomeramg_interp_type": "ext+i",
    "pc_hypre_boomeramg_P_max": 4,
}
"""The option set where PETSc has hypre (that of the wheel has not: not measured)."""
MULTIGRID: Mapping[str, object] = BOOMERAMG if has_hypre() else GAMG
SWEEPS = {"ksp_type": "preonly", "pc_type": "sor"}

FIELDSPLIT = {
    "ksp_type": "fgmres",
    "ksp_gmres_restart": 60,
    "pc_type": "fieldsplit",
    "pc_fieldsplit_type": "multiplicative",
}
"""Outer solver: one Gauss–Seidel sweep over the fields as preconditioner."""

SPLITS: Mapping[str, Mapping[str, object]] = {C_E: MULTIGRID, PHI_S: MULTIGRID, PHI_E: MULTIGRID}
"""Solver of each field's own block. Stoichiometries, which diffuse slowly, take ``SWEEPS`` and
come first, then these in their order: φ_e follows c_e, whose gradient drives it."""

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

    def __init__(self, system: HalfCellSystem, max_iterations: int, names: tuple[str, ...]) -> None:
        """Set up the block solver.

        Args:
            system: The coupled system.
            max_iterations: Cap on the Krylov iterations of one solve.
            names: Fields to solve for: all, or the potentials alone.
        """
        order = [n for n in names if n not in SPLITS] + [n for n in SPLITS if n in names]
        blocks, layouts = system.matrices(), system.layouts()
        self.names = tuple(order)
        self._layouts = [layouts[name] for name in order]
        # A nest of one block cannot be split: the block is solved by its own means.
        self._single = len(order) == 1
        if self._single:
            self.matrix = blocks[order[0], order[0]]
        else:
            nest = [[blocks.get((row, column)) for column in order] for row in order]
            self.matrix = PETSc.Mat().createNest(nest, comm=system.comm)
        self.ksp = PETSc.KSP().create(system.comm)
        prefix = f"voxtrode_{next(_PREFIX)}_"
        self.ksp.setOptionsPrefix(prefix)
        self.ksp.setOperators(self.matrix)
        options: dict[str, object] = dict(FIELDSPLIT)
        for position, name in enumerate(order):
            for key, value in SPLITS.get(name, SWEEPS).items():
                options[f"fieldsplit_{position}_{key}"] = value
        if self._single:
            options = {**SPLITS.get(order[0], SWEEPS), "ksp_type": FIELDSPLIT["ksp_type"]}
        database = PETSc.Options()
        for key, value in options.items():
            database[prefix + key] = value
        database["options_left"] = 0  # hierarchies that are never built leave theirs unread
        self.ksp.setFromOptions()
        if not self._single:
            rows = self.matrix.getNestISs()[0]
            self.ksp.getPC().setFieldSplitIS(*[(str(k), rows[k]) for k in range(len(rows))])
        self.ksp.setTolerances(atol=0.0, max_it=max_iterations)
        self._rate: float | None = None
        self._fresh = 0
        self._last = 0

    def solve(
        self, rhs: Mapping[str, PETSc.Vec], rate: float, rtol: float
    ) -> tuple[dict[str, npt.NDArray[np.float64]], LinearResult]:
        """Solve for the update of the chosen fields; collective.

        Args:
            rhs: Right-hand side by field name.
            rate: α of the time derivative [1/s], which says how far the operator has moved.
            rtol: Relative tolerance on the true residual.

        Returns:
            Updates at every local degree of freedom by field name, and the evidence.
        """
        start = perf_counter()
        rebuild = self._stale(rate)
        self.matrix.assemble()
        self.ksp.setOperators(self.matrix)
        self.ksp.getPC().setReusePreconditioner(not rebuild)
        self.ksp.getPC().setUp()  # a nested matrix wants this before the solver's own set-up
        middle = perf_counter()
        given = [rhs[name] for name in self.names]
        b = given[0] if self._single else PETSc.Vec().createNest(given, comm=self.matrix.comm)
        x = b.duplicate()
        self.ksp.setTolerances(rtol=rtol)
        self.ksp.solve(b, x)
        end = perf_counter()
        iterations = self.ksp.getIterationNumber()
        if rebuild:
            self._rate, self._fresh = rate, iterations
        self._last = iterations
        parts = [x] if self._single else x.getNestSubVecs()
        updates = {
            name: layout.spread(part)
            for name, layout, part in zip(self.names, self._layouts, parts, strict=True)
        }
        converged = self.ksp.getConvergedReason() > 0
        if not converged:
            self._rate = None
        return updates, LinearResult(iterations, converged, middle - start, end - middle)

    def forget(self) -> None:
        """Build the preconditioner anew at the next solve: what is prescribed has changed."""
        self._rate = None

    def _stale(self, rate: float) -> bool:
        if self._rate is None:
            return True
        moved = rate > 2.0 * self._rate or rate < 0.5 * self._rate
        return moved or self._last > self._fresh + 4
