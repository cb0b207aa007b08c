"""Smooth meshes of label arrays, made as the mesh stage makes them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.interfaces import interface_areas
from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.meshing.tagged import TaggedMesh, distribute

PHASES = ("nsd", "active1")


def smooth_mesh(
    labels: npt.NDArray[np.uint8],
    voxel: float,
    size: float,
    separator: float,
    levels: int = 0,
    particles: npt.NDArray[np.int32] | None = None,
    electronic: tuple[int, ...] = (0, 1),
) -> TaggedMesh:
    """Mesh labels [z, y, x] of liquid (0) and active material (1) on this rank alone.

    Args:
        labels: The labels.
        voxel: Edge of a voxel [m].
        size: Lattice spacing at interfaces [m].
        separator: Thickness of the separator [m].
        levels: How often cells may double in size away from interfaces.
        particles: Particle ids; by default one particle.
        electronic: Labels that conduct electrons.
    """
    ids = labels.astype(np.int32) if particles is None else particles
    volume = Volume(labels, PHASES, (voxel,) * 3, ids)
    areas, _ = interface_areas(labels, PHASES, volume.voxel)
    shares = {name: {"fraction": float(np.mean(labels == k))} for k, name in enumerate(PHASES)}
    roles = Roles((1,), electronic, (0,))
    with TemporaryDirectory() as made:
        write_volume(volume, Path(made))
        built = build_smooth_mesh(
            Path(made),
            size,
            separator,
            roles,
            {"phases": shares, "interfaces": areas},
            SmoothSettings(levels=levels),
            MPI.COMM_SELF,
        )
    return distribute(built.block, built.info, MPI.COMM_SELF)


def corner_ball(radius: int, edge: int) -> npt.NDArray[np.uint8]:
    """An eighth of a ball at the corner of a cube of voxels; lengths in voxels."""
    grid = np.indices((edge,) * 3) + 0.5
    return (np.sum(grid**2, axis=0) < radius**2).astype(np.uint8)
