"""The yardstick of the solver's cost: one Poisson solve on the whole mesh."""

from statistics import median

from dolfinx import fem

from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.laplace import Laplace, face_dofs
from voxtrode.solvers.units import UM


def poisson_seconds(mesh: TaggedMesh, repeats: int = 3) -> float:
    """Wall time of GAMG set-up and CG to 1e-8 of −Δu = 0 on the mesh, P1; median; collective."""
    space = fem.functionspace(mesh.mesh, ("Lagrange", 1))
    height = mesh.info.height * UM
    high, low = (face_dofs(space, 2, z, 1e-9 * height) for z in (height, 0.0))
    problem = Laplace(space, 1.0, high, low)
    times = [problem.solve(1e-8).seconds for _ in range(repeats)]
    return float(mesh.mesh.comm.allreduce(median(times)) / mesh.mesh.comm.size)
