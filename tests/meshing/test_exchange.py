"""Rows of distributed arrays by global index: nothing but copies, so everything is exact."""

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.meshing.exchange import Exchange, block_offsets, gathered_offsets

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]
COMM = MPI.COMM_WORLD


def uneven() -> np.ndarray:
    """Offsets of blocks of 5, 8, … rows; with more ranks than one the last one has none."""
    rows = 5 + 3 * COMM.rank if COMM.rank < max(COMM.size - 1, 1) else 0
    return gathered_offsets(COMM, rows)


def whole(n: int) -> np.ndarray:
    """A global array of rows that all differ."""
    return np.arange(3.0 * n).reshape(n, 3) ** 2


def test_get_brings_the_rows_asked_for_in_their_order() -> None:
    """Rows in any order and more than once, of blocks of any size, an empty one among them."""
    offsets = uneven()
    table = whole(offsets[-1])
    wanted = np.random.default_rng(COMM.rank).integers(0, offsets[-1], 40)
    exchange = Exchange.create(COMM, wanted, offsets)
    assert np.array_equal(exchange.get(table[exchange.block]), table[wanted])
    flags = table[:, 0].astype(np.int64) % 2 == 0
    assert np.array_equal(exchange.get(flags[exchange.block]), flags[wanted])


def test_a_rank_may_ask_for_nothing() -> None:
    """Rank 0 asks for every row, the others for none: they still serve it."""
    offsets = uneven()
    table = whole(offsets[-1])
    wanted = np.arange(offsets[-1] if COMM.rank == 0 else 0)
    exchange = Exchange.create(COMM, wanted, offsets)
    found = exchange.get(table[exchange.block])
    assert found.shape == (len(wanted), 3)
    assert np.array_equal(found, table[wanted])


def test_put_writes_rows_and_fills_the_others() -> None:
    """Each rank writes every size-th even row from its rank on; odd rows keep the fill."""
    offsets = uneven()
    table = whole(offsets[-1])
    written = np.arange(2 * COMM.rank, offsets[-1], 2 * COMM.size)[::-1].copy()
    exchange = Exchange.create(COMM, written, offsets)
    expected = np.full_like(table, -1.0)
    expected[::2] = table[::2]
    assert np.array_equal(exchange.put(table[written], -1.0), expected[exchange.block])


def test_put_on_rows_named_by_several_ranks() -> None:
    """All ranks write all rows with equal values: the block is the table."""
    offsets = uneven()
    table = whole(offsets[-1])
    exchange = Exchange.create(COMM, np.arange(offsets[-1]), offsets)
    assert np.array_equal(exchange.put(table, np.nan), table[exchange.block])


@pytest.mark.parametrize(("n", "size"), [(0, 3), (2, 3), (7, 1), (10, 4), (12, 4)])
def test_blocks_cover_the_rows_and_differ_by_one_at_most(n: int, size: int) -> None:
    """The cut is what every file and every vector of the mesh relies on."""
    rows = np.diff(block_offsets(n, size))
    assert rows.sum() == n
    assert len(rows) == size
    assert rows.max() - rows.min() <= 1
