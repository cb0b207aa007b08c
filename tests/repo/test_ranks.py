"""The tests' own footing: the ranks are one communicator, and know each other's failures."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]


def test_a_mesh_is_shared_by_all_ranks() -> None:
    """Ranks that were separate runs would each own the whole mesh (counts are exact)."""
    from dolfinx.mesh import create_unit_cube

    mesh = create_unit_cube(MPI.COMM_WORLD, 3, 3, 3)
    owned = mesh.topology.index_map(3).size_local
    assert MPI.COMM_WORLD.allreduce(owned) == 6 * 3**3


def test_ranks_see_one_folder(shared_path: Path) -> None:
    """What each rank writes, all can read."""
    rank = MPI.COMM_WORLD.rank
    np.save(shared_path / f"{rank}.npy", np.array([rank]))
    MPI.COMM_WORLD.barrier()
    assert len(list(shared_path.glob("*.npy"))) == MPI.COMM_WORLD.size
