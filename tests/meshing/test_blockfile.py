"""Files of distributed arrays: read on other ranks than written on, and never half written."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.meshing import blockfile
from voxtrode.meshing.blockfile import read_blocks, read_header, write_blocks
from voxtrode.meshing.exchange import block_offsets

pytestmark = pytest.mark.mpi
COMM = MPI.COMM_WORLD

TABLES = {
    "floats": np.linspace(0.0, 1.0, 66).reshape(22, 3),
    "ids": np.arange(9, dtype=np.int64) - 4,
    "flags": np.arange(5, dtype=np.uint8),
    "none": np.empty((0, 4)),
}


def mine(comm: MPI.Comm) -> dict[str, np.ndarray]:
    """This rank's blocks of the tables, uneven: all of the last rank's rows go to rank 0."""
    rows = {}
    for name, table in TABLES.items():
        offsets = block_offsets(len(table), max(comm.size - 1, 1))
        last = comm.size > 1 and comm.rank == comm.size - 1
        rows[name] = table[:0] if last else table[offsets[comm.rank] : offsets[comm.rank + 1]]
    return rows


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_read_on_another_number_of_ranks(shared_path: Path) -> None:
    """Written by all and read by each rank alone, and the other way round: bit by bit."""
    path = shared_path / "all.h5"
    header = {"phases": ["a", "b"], "time": 0.1}
    write_blocks(path, COMM, mine(COMM), header)
    alone = read_blocks(path, MPI.COMM_SELF)
    assert set(alone) == set(TABLES)
    for name, table in TABLES.items():
        assert np.array_equal(alone[name], table)
        assert alone[name].dtype == table.dtype
    assert read_header(path) == header

    path = shared_path / "one.h5"
    if COMM.rank == 0:
        write_blocks(path, MPI.COMM_SELF, TABLES, header)
    COMM.barrier()
    for name, block in read_blocks(path, COMM).items():
        offsets = block_offsets(len(TABLES[name]), COMM.size)
        assert np.array_equal(block, TABLES[name][offsets[COMM.rank] : offsets[COMM.rank + 1]])


def test_only_wanted_arrays_are_read(shared_path: Path) -> None:
    """By name; the header is no array."""
    path = shared_path / "file.h5"
    write_blocks(path, COMM, mine(COMM), {})
    assert set(read_blocks(path, COMM, lambda name: name.startswith("f"))) == {"floats", "flags"}


def test_rows_travel_in_chunks(shared_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of more rows than a message holds arrive whole."""
    monkeypatch.setattr(blockfile, "CHUNK_ROWS", 4)
    write_blocks(shared_path / "file.h5", COMM, mine(COMM), {})
    alone = read_blocks(shared_path / "file.h5", MPI.COMM_SELF)
    assert all(np.array_equal(alone[name], table) for name, table in TABLES.items())


def test_a_full_disk_leaves_the_old_file(shared_path: Path) -> None:
    """Every rank hears of it, the old file can still be read, and nothing else is left behind.

    The disk is full after 30 of 400 kB.
    """
    path = shared_path / "file.h5"
    write_blocks(path, COMM, mine(COMM), {"version": 1})
    large = {"floats": np.ones((50_000 // COMM.size, 1))}
    with full_disk(30_000), pytest.raises(OSError, match="could not write"):
        write_blocks(path, COMM, large, {"version": 2})
    assert read_header(path) == {"version": 1}
    assert np.array_equal(read_blocks(path, MPI.COMM_SELF)["floats"], TABLES["floats"])
    assert [entry.name for entry in shared_path.iterdir()] == ["file.h5"]


def test_a_folder_that_is_missing_is_an_error_on_every_rank(shared_path: Path) -> None:
    """No rank waits for one that has failed."""
    with pytest.raises(OSError, match="could not write"):
        write_blocks(shared_path / "nowhere" / "file.h5", COMM, mine(COMM), {})
