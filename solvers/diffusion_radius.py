"""The ball that diffuses as each particle does: size, shape, contacts and wetted surface in one.

Under a steady uniform flux through its wetted surface a particle keeps a spread of lithiation that
only its geometry sets. With D = 1 and a source of −1 it is the standard deviation of w,

    ∇·(T∇w) = 1 inside,   T∇w·n = V_p/A_p on the wetted surface,   no flux through the rest;

a ball of radius R has R²/6 √(12/175). The radius of the ball with the same spread is the
particle's *diffusion radius*.
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
"""Standard deviation of w in a ball of radius 1: that of r²/6."""
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
    comm, mesh, count = system.comm, system.mesh, len(result)
    region = field.layout.region
    sink, flux = np.zeros(region.n_local), np.zeros(region.n_local)
    shares = {s.label: particles.shares(mesh, system, s.label) for s in surfaces}
    for surface in surfaces:
        share = shares[surface.label]
        volume = summed(share.particle, share.volume, count)
        wetted = summed(surface.points.particle, surface.points.area, count)
        for total in (volume, wetted):
            comm.Allreduce(MPI.IN_PLACE, total)
        wet = wetted > 0.0
        per_area = np.where(wet, volume / np.where(wet, wetted, 1.0), 0.0)
        sink += summed(share.dof, share.volume * wet[share.particle], region.n_local)
        points = surface.points
        dofs = surface.dofs[surface.theta]
        flux += summed(dofs, points.area * per_area[points.particle], region.n_local)
    region.add_ghosts(sink)
    region.add_ghosts(flux)
    w = _solve(system, field, [s.label for s in surfaces], flux - sink)
    for surface in surfaces:
        share = shares[surface.label]
        _, std, _, _ = particles.spread(mesh, share, w, count)
        wetted = summed(surface.points.particle, surface.points.area, count)
        comm.Allreduce(MPI.IN_PLACE, wetted)
        own = wetted > 0.0
        result[own] = np.sqrt(std[own] / BALL) / UM


def _solve(system: HalfCellSystem, field: Field, labels: list[int], load: Array) -> Array:
    """W at the local degrees of freedom, up to a constant in each part that hangs together."""
    region = field.layout.region
    space = region.space
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    tensor = diffusion_tensor(system.mesh, system.cell, tuple(labels), region)
    slope = ufl.grad(u) if tensor is None else ufl.dot(tensor, ufl.grad(u))
    form = fem.form(ufl.inner(slope, ufl.grad(v)) * volume_measure(region.mesh))
    matrix = fem_petsc.assemble_matrix(form)
    matrix.assemble()
    function = fem.Function(space)
    x = function.x.petsc_vec
    b = x.duplicate()
    owned = space.dofmap.index_map.size_local
    b.array_w[:owned] = load[:owned]
    ksp = PETSc.KSP().create(system.comm)
    ksp.setOperators(matrix)
    ksp.setType(PETSc.KSP.Type.CG)
    ksp.getPC().setType(PETSc.PC.Type.JACOBI)  # singular, part by part: no hierarchy can be built
    ksp.setTolerances(rtol=_RTOL, atol=0.0, max_it=_MOST)
    ksp.solve(b, x)
    reason = ksp.getConvergedReason()
    iterations = ksp.getIterationNumber()
    for one in (ksp, b, matrix):
        one.destroy()
    if reason <= 0 and float(np.max(np.abs(load), initial=0.0)) > 0.0:
        raise NumericalError(
            f"diffusion radii of {field.name}: no convergence in {iterations} iterations"
        )
    function.x.scatter_forward()
    return np.array(function.x.array, dtype=np.float64)
