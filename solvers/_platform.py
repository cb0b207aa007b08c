"""The one place that knows which DOLFINx, PETSc and MPI this is.

Importing it loads MPI before DOLFINx, as the DOLFINx wheel needs it; it can be imported where
libraries are missing or do not load, and says so.
"""

from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec

with suppress(ImportError):  # whoever needs what is missing will say so
    if find_spec("dolfinx_solver") is not None:
        import dolfinx_solver  # noqa: F401
    else:
        import mpi4py.MPI  # noqa: F401


def versions() -> dict[str, str]:
    """Versions of DOLFINx, PETSc and MPI, and whether PETSc has hypre; or why they do not load."""
    found = {name: _told(ask) for name, ask in _QUESTIONS.items()}
    return found | {"hypre": found["hypre"] if found["hypre"] in ("yes", "no") else "no"}


def _told(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except Exception as error:  # whatever a foreign library does when it cannot be loaded
        return f"not installed ({type(error).__name__}: {error})"


def _mpi() -> str:
    from mpi4py import MPI

    return " ".join(MPI.Get_library_version().splitlines()[0].strip("\0").split())


def _dolfinx() -> str:
    import dolfinx

    return str(dolfinx.__version__)


def _petsc() -> str:
    from petsc4py import PETSc

    return ".".join(str(part) for part in PETSc.Sys.getVersion())


def has_hypre() -> bool:
    """Whether PETSc was built with hypre."""
    from petsc4py import PETSc

    return bool(PETSc.Sys.hasExternalPackage("hypre"))


def _hypre() -> str:
    return "yes" if has_hypre() else "no"


_QUESTIONS = {"MPI": _mpi, "DOLFINx": _dolfinx, "PETSc": _petsc, "hypre": _hypre}
