"""Volumes of particles for tests, and their tables."""

import numpy as np

from voxtrode.data.connectivity import Roles, judge
from voxtrode.data.particle_table import particle_table
from voxtrode.data.volume import Volume

UM = 1e-6
CUBE = (1.0, 1.0, 1.0)


def table_of(particles, voxel=CUBE, made=None):
    """Table of particles in pores; lengths in µm."""
    labels = (particles == 0).astype(np.uint8)
    edges = tuple(UM * edge for edge in voxel)
    volume = Volume(labels, ("nmc", "pore"), edges, particles.astype(np.int32))
    return particle_table(volume, judge(labels, Roles((0,), (0,), (1,))), made)


def small_electrode():
    """Two particles and a floating one in 6 x 4 x 4 voxels of 2 x 1 x 1."""
    labels = np.ones((6, 4, 4), np.uint8)
    particles = np.zeros((6, 4, 4), np.int32)
    particles[0:2, 0:2, 0:2] = 1
    particles[2:4, 0:2, 0:2] = 2
    particles[3, 3, 3] = 5  # ids may have gaps
    labels[particles > 0] = 0
    volume = Volume(labels, ("nmc", "pore"), (2e-6, 1e-6, 1e-6), particles)
    return volume, judge(labels, Roles((0,), (0,), (1,)))
