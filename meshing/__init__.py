"""A labelled volume becomes a tagged tetrahedral mesh, on as many ranks as there are."""

import mpi4py.MPI  # noqa: F401  (MPI must be loaded before DOLFINx is)
