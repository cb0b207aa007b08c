"""One HDF5 file for arrays that live in blocks across ranks.

Rank 0 alone writes: blocks reach it one after the other, so it never holds more than one block
beside its own, no parallel HDF5 and no file locking is needed, and the file appears under its
name only when it is complete. Every rank reads its own rows.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.exchange import block_offsets

_TAG = 7301
_HEADER = "_header"
_FAULTS = (OSError, RuntimeError, ValueError)
"""What h5py raises when the disk is full, as it writes or as it closes."""
CHUNK_ROWS = 1 << 20
"""Rows that travel in one message (bounds rank 0's buffer)."""


def write_blocks(
    path: Path, comm: MPI.Intracomm, blocks: Mapping[str, npt.NDArray[np.generic]], header: Any
) -> None:
    """Write distributed arrays into one file, atomically.

    Args:
        path: The file; replaced only once the new one is complete and flushed to disk.
        comm: Communicator; collective. The arrays' blocks are concatenated in rank order.
        blocks: This rank's rows of each array, shape ``(rows, ...)``; same names on every rank.
        header: JSON-able object, taken from rank 0.

    Raises:
        OSError: On every rank, where rank 0 could not write (a full disk); an existing file
            at ``path`` is left as it was.
    """
    partial = path.with_name(path.name + ".partial")
    message = ""
    file: h5py.File | None = None
    if comm.rank == 0:
        try:
            file = h5py.File(partial, "w", locking=False)
            file.create_dataset(_HEADER, data=np.frombuffer(json.dumps(header).encode(), np.uint8))
        except _FAULTS as error:
            message = str(error)
    for name, block in blocks.items():
        message = _write_array(file, comm, name, np.ascontiguousarray(block), message)
    if comm.rank == 0 and file is not None:
        try:
            file.close()
            if not message:
                with partial.open("rb+") as handle:
                    os.fsync(handle.fileno())
                partial.replace(path)
        except _FAULTS as error:
            message = message or str(error)
    message = comm.bcast(message, root=0)
    if message:
        if comm.rank == 0:
            partial.unlink(missing_ok=True)
        raise OSError(f"could not write {path}: {message}")


def _write_array(
    file: h5py.File | None,
    comm: MPI.Intracomm,
    name: str,
    block: npt.NDArray[np.generic],
    message: str,
) -> str:
    counts = comm.gather(block.shape[0], root=0)
    if comm.rank != 0:
        for first in range(0, block.shape[0], CHUNK_ROWS):
            comm.Send(block[first : first + CHUNK_ROWS], dest=0, tag=_TAG)
        return ""
    assert counts is not None
    row_shape = block.shape[1:]
    dataset = None
    if file is not None and not message:
        try:
            dataset = file.create_dataset(name, shape=(sum(counts), *row_shape), dtype=block.dtype)
        except _FAULTS as error:
            message = str(error)
    at = 0
    for rank, count in enumerate(counts):
        for first in range(0, count, CHUNK_ROWS):
            rows = min(CHUNK_ROWS, count - first)
            if rank == 0:
                part = block[first : first + rows]
            else:
                part = np.empty((rows, *row_shape), dtype=block.dtype)
                comm.Recv(part, source=rank, tag=_TAG)
            if dataset is not None and not message:
                try:
                    dataset[at : at + rows] = part
                except _FAULTS as error:
                    message = str(error)
            at += rows
    return message


def read_header(path: Path) -> Any:
    """The header given to :func:`write_blocks`."""
    with h5py.File(path, "r", locking=False) as file:
        return json.loads(bytes(file[_HEADER][()]))


def read_blocks(
    path: Path, comm: MPI.Intracomm, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, npt.NDArray[np.generic]]:
    """Read this rank's block of each array; any number of ranks, not only the writer's.

    Args:
        path: File of :func:`write_blocks`.
        comm: Communicator that cuts the arrays into blocks.
        wanted: Which arrays to read, by name.
    """
    blocks: dict[str, npt.NDArray[np.generic]] = {}
    with h5py.File(path, "r", locking=False) as file:
        for name in file:
            if name != _HEADER and wanted(name):
                offsets = block_offsets(file[name].shape[0], comm.size)
                blocks[name] = file[name][offsets[comm.rank] : offsets[comm.rank + 1]]
    return blocks
