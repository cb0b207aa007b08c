"""Generated volumes: particles are packed, voxelised, and what lies between them is filled."""
