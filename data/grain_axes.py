"""The c axis at points of a volume, from the grains that the image stage left."""

from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.volume import GRAINS_FILE, GRAINS_TABLE, read_header

Floats = NDArray[np.float64]
REACH = 3
"""Voxels to look around where a point lies in no grain (a smooth mesh leaves the voxels)."""


def c_axes_at(folder: Path, points: Floats) -> Floats:
    """C axis of the grain at each point; only the voxels that are asked for are read.

    Args:
        folder: What the image stage wrote.
        points: Coordinates (x, y, z) [m], shape ``(n, 3)``.

    Returns:
        Unit vectors (x, y, z), shape ``(n, 3)``: that of the nearest grain within a few voxels,
        zeros where there is none.

    Raises:
        InputError: The volume has no grains.
    """
    path = folder / GRAINS_FILE
    if not path.is_file():
        raise InputError(f"no grains at {path}: expected a volume with grains, or an axis")
    header = read_header(folder)
    ids = tifffile.memmap(path, mode="r").reshape(header.shape)
    axes = np.zeros((1, 3))
    table = pd.read_csv(folder / GRAINS_TABLE)
    if len(table):
        axes = np.zeros((int(table["id"].max()) + 1, 3))
        axes[table["id"]] = table[["c_x", "c_y", "c_z"]]
    shape = np.array(header.shape)
    voxel = np.floor(points[:, ::-1] / np.array(header.voxel)).astype(np.int64)
    found = np.zeros(len(points), dtype=np.int64)
    for offset in _nearest_first():
        open_ = np.flatnonzero(found == 0)
        if not len(open_):
            break
        at = voxel[open_] + offset
        inside = np.all((at >= 0) & (at < shape), axis=1)
        found[open_[inside]] = ids[tuple(at[inside].T)]
    result: Floats = axes[found]
    return result


def _nearest_first() -> NDArray[np.int64]:
    """Offsets [z, y, x] of the voxels within reach, by their distance."""
    span = np.arange(-REACH, REACH + 1)
    offsets = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    square = np.sum(offsets**2, axis=1)
    near = offsets[square <= REACH**2]
    order = np.argsort(np.sum(near**2, axis=1), kind="stable")
    return np.asarray(near[order], dtype=np.int64)
