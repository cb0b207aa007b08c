"""The mesh on disk and in DOLFINx: cells with phase, particle and what is alive in them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh
from dolfinx.graph import adjacencylist
from mpi4py import MPI

from voxtrode.meshing.blockfile import read_blocks, read_header, write_blocks
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC, MeshBlock, MeshInfo
from voxtrode.meshing.exchange import Exchange, gathered_offsets

MESH_FILE = "mesh.h5"

Destinations = npt.NDArray[np.int32]
"""Ranks that hold each cell, its owner first, then −1; shape ``(cells, most)``."""


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
        partition: Ranks that hold each cell of this rank's block of rows.
    """

    mesh: dmesh.Mesh[np.float64]
    info: MeshInfo
    phase: npt.NDArray[np.int32]
    particle: npt.NDArray[np.int32]
    alive: npt.NDArray[np.uint8]
    normal: npt.NDArray[np.float64]
    cell_number: npt.NDArray[np.int64]
    vertex_number: npt.NDArray[np.int64]
    partition: Destinations

    def cells(self, role: int) -> npt.NDArray[np.int32]:
        """Local cells, ghosts included, that are alive in a role (one of the three bits)."""
        return np.flatnonzero(self.alive & role).astype(np.int32)

    @property
    def n_particles(self) -> int:
        """Largest particle id of the whole mesh. Collective."""
        return int(self.mesh.comm.allreduce(int(self.particle.max(initial=0)), op=MPI.MAX))


def write_mesh(
    folder: Path,
    block: MeshBlock,
    info: MeshInfo,
    comm: MPI.Intracomm,
    partition: Destinations | None = None,
) -> None:
    """Write the mesh file of a run, and its partition if there is one; see :func:`write_blocks`."""
    write_blocks(folder / MESH_FILE, comm, _rows(block), asdict(info))
    if partition is not None:
        write_blocks(_partition_file(folder, comm), comm, {"ranks": partition}, info.cells)


def read_mesh(folder: Path, comm: MPI.Intracomm) -> TaggedMesh:
    """Read a mesh file on any number of ranks and distribute the mesh; collective.

    Where it was written on as many ranks, the cells go where they were then.
    """
    blocks = read_blocks(folder / MESH_FILE, comm)
    header = read_header(folder / MESH_FILE)
    info = MeshInfo(**{**header, "phases": tuple(header["phases"])})
    cached = _partition_file(folder, comm)
    # One rank looks, so that all do the same on a file system that is slow to agree.
    there = comm.bcast(
        cached.exists() and read_header(cached) == info.cells if comm.rank == 0 else None
    )
    partition = read_blocks(cached, comm)["ranks"] if there else None
    return distribute(MeshBlock(**blocks), info, comm, partition)  # type: ignore[arg-type]


def distribute(
    block: MeshBlock, info: MeshInfo, comm: MPI.Intracomm, partition: Destinations | None = None
) -> TaggedMesh:
    """Make the DOLFINx mesh of distributed arrays and fetch the tags of its cells.

    Args:
        block: This rank's rows.
        info: Description of the whole mesh.
        comm: Communicator; collective.
        partition: Ranks that hold each cell of the block, see :class:`TaggedMesh`; by graph if
            None.
    """
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    partitioner = _Partitioner(comm, partition)
    mesh = dmesh.create_mesh(comm, block.cells, element, block.x, partitioner)  # type: ignore[arg-type]
    number = np.asarray(mesh.topology.original_cell_index, dtype=np.int64)
    exchange = Exchange.create(comm, number, gathered_offsets(comm, len(block.cells)))
    tags: dict[str, Any] = {
        name: exchange.get(getattr(block, name))
        for name in ("phase", "particle", "alive", "normal")
    }
    return TaggedMesh(
        mesh,
        info,
        **tags,
        cell_number=number,
        vertex_number=_vertices(mesh),
        partition=partitioner.destinations,
    )


class _Partitioner:
    """Where cells go, ghosts over facets included: as told, else by graph; what came is kept."""

    def __init__(self, comm: MPI.Intracomm, told: Destinations | None) -> None:
        self._comm = comm
        self._told = told
        self.destinations: Destinations = np.zeros((0, 1), dtype=np.int32)

    def __call__(self, comm: Any, parts: int, types: Any, cells: Any) -> Any:
        if self._told is not None:
            self.destinations = self._told
            held = self._told >= 0
            offsets = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int32)
            return adjacencylist(self._told[held], offsets)._cpp_object
        # DOLFINx dispatches on the first argument, which its annotations do not tell.
        by_graph: Any = dmesh.create_cell_partitioner(dmesh.GhostMode.shared_facet, 2)  # type: ignore[call-arg]
        found = by_graph(comm, parts, types, cells)
        counts = np.diff(found.offsets)
        width = self._comm.allreduce(int(counts.max(initial=1)), op=MPI.MAX)
        held = np.arange(width) < counts[:, None]
        self.destinations = np.full(held.shape, -1, dtype=np.int32)
        self.destinations[held] = found.array
        return found


def _partition_file(folder: Path, comm: MPI.Intracomm) -> Path:
    return folder / f"partition-{comm.size}.h5"


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
