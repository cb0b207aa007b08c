"""The coarsest voxels that a generator accepts; quick to import."""

SMALLEST = 3.0
"""Voxels per diameter of packed particles, but for the smallest hundredth of the volume."""
FEWEST_ACROSS = 8.0
"""Voxels across a secondary particle, at least."""
