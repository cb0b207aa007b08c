"""The one place that knows which DOLFINx, PETSc and MPI this is."""

from importlib.util import find_spec

if find_spec("dolfinx_solver") is not None:
    import dolfinx_solver  # noqa: F401  (the wheel must load its MPI before DOLFINx)

import dolfinx
from mpi4py import MPI
from petsc4py import PETSc


def versions() -> dict[str, str | bool]:
    """Versions of the numerical libraries, and whether PETSc has hypre."""
    return {
        "dolfinx": str(dolfinx.__version__),
        "petsc": ".".join(str(part) for part in PETSc.Sys.getVersion()),
        "mpi": MPI.Get_library_version().split("\n")[0].strip("\x00 "),
        "hypre": bool(PETSc.Sys.hasExternalPackage("hypre")),
    }
