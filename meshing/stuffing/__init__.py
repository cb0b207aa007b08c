"""Isosurface stuffing: smooth conforming tetrahedra from phase fields on a body-centred lattice."""
