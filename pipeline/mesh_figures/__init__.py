"""Figures of the mesh stage: a cut through the mesh, and how good its cells are."""

CUT, ANGLES = "cut.png", "angles.png"
"""Their files in the folder of the mesh."""
