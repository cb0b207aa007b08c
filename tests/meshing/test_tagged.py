"""The mesh in DOLFINx: tags and numbers are those of the lattice on any number of ranks."""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from slabs import ball, cut, mesh_pieces

from voxtrode.meshing.tagged import ACTIVE, IONIC, TaggedMesh, distribute, read_mesh, write_mesh

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]
COMM = MPI.COMM_WORLD

LABELS = ball(8, 3.1)
LABELS[0, 0, 0] = 1  # a dead speck would be as good; this one touches the collector
HEIGHTS = np.array([*range(9), 9.5, 11.0])  # planes [µm]


def check(mesh: TaggedMesh) -> None:
    """Compare all local cells and vertices, ghosts included, with what the lattice says."""
    x = mesh.mesh.geometry.x
    corners = x[mesh.mesh.geometry.dofmaps[0]]
    middle = corners.mean(axis=1)
    layer = np.searchsorted(HEIGHTS, middle[:, 2]) - 1
    row, column = np.floor(middle[:, 1]).astype(int), np.floor(middle[:, 0]).astype(int)
    inside = layer < 8
    expected = np.full(len(middle), 2)
    expected[inside] = LABELS[layer[inside], row[inside], column[inside]]
    assert np.array_equal(mesh.phase, expected)
    assert np.array_equal(mesh.particle, np.where(inside, expected, 0))
    voxel = mesh.cell_number // 6
    assert np.array_equal(voxel, (layer * 8 + row) * 8 + column)
    assert np.all((mesh.alive & ACTIVE > 0) == (expected == 1))
    assert np.all((mesh.alive & IONIC > 0) == (expected != 1))

    mesh.mesh.topology.create_connectivity(3, 0)
    cells = mesh.mesh.topology.connectivity(3, 0).array.reshape(-1, 4)
    place = np.empty((len(mesh.vertex_number), 3))
    place[cells] = x[mesh.mesh.geometry.dofmaps[0]]
    plane, rest = np.divmod(mesh.vertex_number, 81)
    assert np.allclose(place[:, 2], HEIGHTS[plane], atol=1e-12)
    assert np.allclose(place[:, 1], rest // 9, atol=1e-12)
    assert np.allclose(place[:, 0], rest % 9, atol=1e-12)


def test_tags_match_the_lattice(shared_path: Path) -> None:
    """Directly, and through a file; every cell of the lattice is owned once."""
    slab = cut(LABELS, COMM, separator=(1.5e-6, 1.5e-6))
    pieces = mesh_pieces(slab, COMM)
    mesh = distribute(pieces.block, pieces.info, COMM)
    check(mesh)
    write_mesh(shared_path, pieces.block, pieces.info, COMM)
    again = read_mesh(shared_path, COMM)
    check(again)
    assert again.info == pieces.info
    assert again.n_particles == 1
    owned = again.mesh.topology.index_map(3).size_local
    every = np.sort(np.concatenate(COMM.allgather(again.cell_number[:owned])))
    assert np.array_equal(every, np.arange(8 * 8 * 10 * 6))


def test_a_file_does_not_depend_on_who_wrote_it(shared_path: Path) -> None:
    """Written by one rank, read by all; every rank reads the whole of what all have written."""
    if COMM.rank == 0:
        alone = mesh_pieces(cut(LABELS, MPI.COMM_SELF, separator=(1.5e-6, 1.5e-6)), MPI.COMM_SELF)
        write_mesh(shared_path, alone.block, alone.info, MPI.COMM_SELF)
    COMM.barrier()
    check(read_mesh(shared_path, COMM))
    pieces = mesh_pieces(cut(LABELS, COMM, separator=(1.5e-6, 1.5e-6)), COMM)
    COMM.barrier()
    write_mesh(shared_path, pieces.block, pieces.info, COMM)
    check(read_mesh(shared_path, MPI.COMM_SELF))
