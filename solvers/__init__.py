"""The coupled problem on FEniCSx and PETSc: kinetics, weak forms, Newton, time, quantities."""

from voxtrode.solvers import _platform as _platform  # loads MPI before DOLFINx
