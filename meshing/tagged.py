"""The mesh on disk and in DOLFINx: cells with phase, particle and what is alive in them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh
from mpi4py import MPI

from voxtrode.meshing.blockfile import read_blocks, read_header, write_blocks
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC, MeshBlock, MeshInfo
from voxtrode.meshing.exchange import Exchange, gathered_offsets

MESH_FILE = "mesh.h5"


@dataclass(frozen=True)
class TaggedMesh:
    """A distributed DOLFINx mesh and its tags; every array covers owned and ghost cells.

    Attributes:
        mesh: The mesh [µm], partitioned by graph, ghosted over facets.
        info: What is known about the whole mesh.
        phase: Phase label of each local cell.
        particle: Particle id of each local cell, 0 for none.
        alive: Bits ``ELECTRONIC | IONIC | ACTIVE`` of each local cell.
        normal: Direction of the smoothed surface in each local cell, shape ``(cells, 3)``.
        cell_number: Global number of each local cell, the same on any number of ranks.
        vertex_number: Global number of each local vertex, the same on any number of ranks.
    """

    mesh: dmesh.Mesh[np.float64]
    info: MeshInfo
    phase: npt.NDArray[np.int32]
    particle: npt.NDArray[np.int32]
    alive: npt.NDArray[np.uint8]
    normal: npt.NDArray[np.float64]
    cell_number: npt.NDArray[np.int64]
    vertex_number: npt.NDArray[np.int64]

    def cells(self, role: int) -> npt.NDArray[np.int32]:
        """Local cells, ghosts included, that are alive in a role (one of the three bits)."""
        return np.flatnonzero(self.alive & role).astype(np.int32)

    @property
    def n_particles(self) -> int:
        """Largest particle id of the whole mesh. Collective."""
        return int(self.mesh.comm.allreduce(int(self.particle.max(initial=0)), op=MPI.MAX))


def write_mesh(folder: Path, block: MeshBlock, info: MeshInfo, comm: MPI.Intracomm) -> None:
    """Write the mesh file of a run; collective, see :func:`write_blocks`."""
    write_blocks(folder / MESH_FILE, comm, _rows(block), asdict(info))


def read_mesh(folder: Path, comm: MPI.Intracomm) -> TaggedMesh:
    """Read a mesh file on any number of ranks and distribute the mesh; collective."""
    blocks = read_blocks(folder / MESH_FILE, comm)
    header = read_header(folder / MESH_FILE)
    info = MeshInfo(**{**header, "phases": tuple(header["phases"])})
    return distribute(MeshBlock(**blocks), info, comm)  # type: ignore[arg-type]


def distribute(block: MeshBlock, info: MeshInfo, comm: MPI.Intracomm) -> TaggedMesh:
    """Make the DOLFINx mesh of distributed arrays and fetch the tags of its cells.

    Args:
        block: This rank's rows.
        info: Description of the whole mesh.
        comm: Communicator; collective.
    """
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    # DOLFINx dispatches on the first argument, which its annotations do not tell.
    partitioner = dmesh.create_cell_partitioner(dmesh.GhostMode.shared_facet, 2)  # type: ignore[call-arg]
    mesh = dmesh.create_mesh(comm, block.cells, element, block.x, partitioner)  # type: ignore[arg-type]
    number = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    exchange = Exchange.create(comm, number, gathered_offsets(comm, len(block.cells)))
    tags: dict[str, Any] = {
        name: exchange.get(getattr(block, name))
        for name in ("phase", "particle", "alive", "normal")
    }
    return TaggedMesh(mesh, info, **tags, cell_number=number, vertex_number=_vertices(mesh))


def _vertices(mesh: dmesh.Mesh[np.float64]) -> npt.NDArray[np.int64]:
    """Input numbers of the local vertices (the geometry is P1: its nodes are the vertices)."""
    topology = mesh.topology
    topology.create_connectivity(0, 3)
    count = topology.index_map(0).size_local + topology.index_map(0).num_ghosts
    nodes = dmesh.entities_to_geometry(mesh, 0, np.arange(count, dtype=np.int32)).ravel()
    return np.asarray(mesh.geometry.input_global_indices, dtype=np.int64)[nodes]


def _rows(block: MeshBlock) -> Mapping[str, npt.NDArray[np.generic]]:
    return {name: getattr(block, name) for name in MeshBlock.__dataclass_fields__}


__all__ = [
    "ACTIVE",
    "ELECTRONIC",
    "IONIC",
    "MESH_FILE",
    "TaggedMesh",
    "distribute",
    "read_mesh",
    "write_mesh",
]
