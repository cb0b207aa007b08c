"""Components of mesh cells by faces."""

import numpy as np
import pytest
from mpi4py import MPI
from scipy import ndimage

from voxtrode.meshing.cell_components import face_components
from voxtrode.meshing.cells import MeshBlock, MeshInfo
from voxtrode.meshing.tagged import distribute
from voxtrode.meshing.voxel import kuhn_tetrahedra

COMM = MPI.COMM_WORLD


@pytest.mark.mpi3
@pytest.mark.mpi
@pytest.mark.parametrize("seed", range(3))
def test_components_are_those_of_the_voxels(seed: int) -> None:
    """Same partition as SciPy's labels of the voxels, on any number of ranks.

    The six tetrahedra of a voxel hang together by faces, and so do those of voxels that share one.
    """
    n = 6
    labels, count = ndimage.label(np.random.default_rng(seed).random((n, n, n)) < 0.4)
    corner = np.stack(np.unravel_index(np.arange(n**3), (n, n, n)), axis=1)
    nodes = (corner[:, None, None] + kuhn_tetrahedra()) @ np.array([(n + 1) ** 2, n + 1, 1])
    x = np.stack(np.meshgrid(*[np.arange(n + 1.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    first = COMM.rank == 0
    cells = nodes.reshape(-1, 4) if first else np.empty((0, 4), dtype=np.int64)
    rows = len(cells)
    block = MeshBlock(
        x=x[:, ::-1].copy() if first else np.empty((0, 3)),
        cells=cells.astype(np.int64),
        phase=np.repeat(labels.ravel(), 6)[:rows].astype(np.int32),
        particle=np.zeros(rows, dtype=np.int32),
        alive=np.zeros(rows, dtype=np.uint8),
        normal=np.zeros((rows, 3)),
    )
    info = MeshInfo(("a",), len(x), 6 * n**3, 1.0, 1.0, 1.0, {})
    mesh = distribute(block, info, COMM)
    ids, found = face_components(mesh, mesh.phase > 0)
    assert found == count
    pairs = {(int(a), int(b)) for a, b in zip(ids, mesh.phase, strict=True) if b > 0}
    everywhere = set().union(*COMM.allgather(pairs))
    assert len(everywhere) == count
    assert not np.any(ids[mesh.phase == 0])
    assert COMM.allreduce(int(ids.max(initial=0)), op=MPI.MAX) == count
