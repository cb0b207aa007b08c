"""The coupled problem on FEniCSx and PETSc: kinetics, weak forms, Newton, time, quantities."""
