"""Effective transport on the voxels of a volume: matrix-free finite volumes and multigrid."""

from voxtrode.solvers.voxel_transport.electrode import ElectrodeTransport as ElectrodeTransport
from voxtrode.solvers.voxel_transport.electrode import electrode_transport as electrode_transport
from voxtrode.solvers.voxel_transport.engine import VoxelTransport as VoxelTransport
from voxtrode.solvers.voxel_transport.engine import voxel_transport as voxel_transport
