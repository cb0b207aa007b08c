"""What the world is: volumes and parameters. Knows no mesh, no DOLFINx and no MPI."""
