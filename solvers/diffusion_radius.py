"""The ball that diffuses as each particle does: size, shape, contacts and wetted surface in one.

Where lithium is taken in evenly over the volume and the wetted surface is at one state, as in a
uniform electrolyte when charge transfer is fast, a particle keeps a spread of lithiation that only
its geometry sets: the standard deviation of w,

    −∇·(T∇w) = 1 inside,   w = 0 on the wetted surface,   no flux through the rest.

A ball of radius R has R²/6 √(12/175). The radius of the ball with the same spread is the particle's
*diffusion radius*.
"""

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

from voxtrode.data.errors import NumericalError
from voxtrode.meshing.sums import summed
from voxtrode.solvers import particles
from voxtrode.solvers.fields import Field, diffusion_tensor
from voxtrode.solvers.forms import volume_measure
from voxtrode.solvers.surfaces import ActiveSurface
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]

BALL = np.sqrt(12.0 / 175.0) / 6.0
"""Standard deviation of w in a ball of radius 1: that of (1 − r²)/6."""
_RTOL = 1e-6
_MOST = 5000


def diffusion_radii(system: HalfCellSystem) -> Array:
    """Diffusion radius [m] of each particle; collective.

    Args:
        system: The coupled system.

    Returns:
        By particle id, equal on all ranks; NaN where nothing of a particle is wetted.

    Raises:
        NumericalError: The linear solver did not converge.
    """
    count = system.mesh.n_particles + 1
    result = np.full(count, np.nan)
    for field in system.fields.stoichiometries:
        surfaces = [s for s in system.active if system.fields.theta[s.label] is field]
        _of_field(system, field, surfaces, result)
    return result


def _of_field(
    system: HalfCellSystem, field: Field, surfaces: list[ActiveSurface], result: Array
) -> None:
    comm, count = system.comm, len(result)
    region = field.layout.region
    wetted, area = np.zeros(region.n_local), np.zeros(count)
    for surface in surfaces:
        dofs = surface.dofs[surface.theta]
        wetted += summed(dofs, surface.points.area, region.n_local)
        area += summed(surface.points.particle, surface.points.area, count)
    region.add_ghosts(wetted)
    comm.Allreduce(MPI.IN_PLACE, area)
    own = area > 0.0
    shares = [particles.shares(system.mesh, system, surface.label) for surface in surfaces]
    # Particles that nothing wets take nothing in: where they hang together w is zero.
    load = np.zeros(region.n_local)
    for share in shares:
        load += summed(share.dof, share.volume * own[share.particle], region.n_local)
    region.add_ghosts(load)
    w = _solve(system, field, tuple(s.label for s in surfaces), wetted > 0.0, load)
    for share, surface in zip(shares, surfaces, strict=True):
        _, std, _, _ = particles.spread(system.mesh, share, w, count)
        here = own & (np.bincount(surface.points.particle, minlength=count) > 0)
        here = _anywhere(comm, here)
        result[here] = np.sqrt(std[here] / BALL) / UM


def _anywhere(comm: MPI.Intracomm, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which flags are set on some rank; collective."""
    found = np.empty_like(flags)
    comm.Allreduce(flags, found, op=MPI.LOR)
    return found


def _solve(
    system: HalfCellSystem,
    field: Field,
    labels: tuple[int, ...],
    wet: npt.NDArray[np.bool_],
    load: Array,
) -> Array:
    """The solution w [µm²] at the local degrees of freedom under a load [µm³]."""
    region = field.layout.region
    space = region.space
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    tensor = diffusion_tensor(system.mesh, system.cell, labels, region)
    slope = ufl.grad(u) if tensor is None else ufl.dot(tensor, ufl.grad(u))
    form = fem.form(ufl.inner(slope, ufl.grad(v)) * volume_measure(region.mesh))
    still = fem.dirichletbc(0.0, np.flatnonzero(wet).astype(np.int32), space)
    matrix = fem_petsc.assemble_matrix(form, bcs=[still])
    matrix.assemble()
    load = np.where(wet, 0.0, load)
    function = fem.Function(space)
    x = function.x.petsc_vec
    b = x.duplicate()
    owned = space.dofmap.index_map.size_local
    b.array_w[:owned] = load[:owned]
    ksp = PETSc.KSP().create(system.comm)
    ksp.setOperators(matrix)
    ksp.setType(PETSc.KSP.Type.CG)
    ksp.getPC().setType(PETSc.PC.Type.JACOBI)  # particles are small: no hierarchy is worth its cost
    ksp.setTolerances(rtol=_RTOL, atol=0.0, max_it=_MOST)
    ksp.solve(b, x)
    reason, iterations = ksp.getConvergedReason(), ksp.getIterationNumber()
    for one in (ksp, b, matrix):
        one.destroy()
    if reason <= 0:
        raise NumericalError(
            f"diffusion radii of {field.name}: no convergence in {iterations} iterations; look for"
            " bad cells in mesh/mesh.json"
        )
    function.x.scatter_forward()
    return np.array(function.x.array, dtype=np.float64)
