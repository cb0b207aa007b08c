"""Face-connected components of cells of a distributed mesh.

P1 fields are continuous wherever cells share a vertex; what hangs together is judged by faces. On a
voxel mesh both differ, so whoever needs a path asks here.
"""

import numpy as np
import numpy.typing as npt
from mpi4py import MPI
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from voxtrode.meshing.exchange import Exchange, block_offsets
from voxtrode.meshing.tagged import TaggedMesh


def face_components(
    mesh: TaggedMesh, chosen: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], int]:
    """Components of the chosen cells, connected through facets; collective.

    Args:
        mesh: The mesh.
        chosen: Which local cells, ghosts included.

    Returns:
        Component of each local cell, 0 outside and 1 … n inside, the same ids on every rank; and n.
    """
    comm: MPI.Intracomm = mesh.mesh.comm
    topology = mesh.mesh.topology
    topology.create_connectivity(2, 3)
    links = topology.connectivity(2, 3)
    inner = np.flatnonzero(np.diff(links.offsets) == 2)
    pair = links.array[links.offsets[inner][:, None] + np.arange(2)]
    pair = pair[chosen[pair].all(axis=1)]
    count, local = _joined(pair, len(chosen))
    first = int(comm.exscan(count) or 0)
    ids = local.astype(np.int64) + first
    # The owner's name of each ghost cell is the same component.
    owned = topology.index_map(3).size_local
    exchange = Exchange.create(comm, mesh.cell_number, block_offsets(mesh.info.cells, comm.size))
    names = Exchange.create(
        comm, mesh.cell_number[:owned], block_offsets(mesh.info.cells, comm.size)
    ).put(ids[:owned], -1)
    same = np.stack([ids, exchange.get(names)], axis=1)[chosen]
    seams = np.unique(same[same[:, 0] != same[:, 1]], axis=0)
    _, merged = _joined(np.concatenate(comm.allgather(seams)), comm.allreduce(count))
    mine = np.unique(merged[ids[chosen]])
    used = np.unique(np.concatenate(comm.allgather(mine)))
    result = np.zeros(len(chosen), dtype=np.int64)
    result[chosen] = np.searchsorted(used, merged[ids[chosen]]) + 1
    return result, len(used)


def _joined(pairs: npt.NDArray[np.integer], n: int) -> tuple[int, npt.NDArray[np.int32]]:
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = sparse.coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    count, labels = connected_components(graph, directed=False)
    return int(count), labels
