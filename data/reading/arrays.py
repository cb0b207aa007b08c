"""Plain arrays: NumPy's `.npy`, and raw binary files that say nothing about themselves."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.reading.source import (
    ImageSource,
    accessible,
    array_source,
    decoding,
    number_type,
    unreadable,
    volume_shape,
)

_NPY = "NumPy .npy file"
_RAW = "raw file"
_WIDTHS = {"uint": (8, 16, 32, 64), "int": (8, 16, 32, 64), "float": (16, 32, 64)}
_RAW_TYPES = {
    f"{kind}{bits}": f"{kind[0]}{bits // 8}" for kind, widths in _WIDTHS.items() for bits in widths
}
_BYTE_ORDERS = {"little": "<", "big": ">"}


@dataclass(frozen=True)
class RawLayout:
    """What the voxels in a raw binary file are; the last axis runs fastest.

    Attributes:
        shape: Voxels along the three axes.
        dtype: Type of a voxel: `uint8`, `int16`, `float32`...
        byte_order: Of voxels of several bytes.
        offset: Bytes before the first voxel.
    """

    shape: tuple[int, int, int]
    dtype: str
    byte_order: Literal["little", "big"] = "little"
    offset: int = 0


def open_npy(file: Path) -> ImageSource:
    """Open a `.npy` file through a memory map, in C or Fortran order.

    Raises:
        InputError: It is damaged, or no 3D array of real numbers.
    """
    with decoding(file, _NPY):
        with file.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0}
            header = read.get(version, np.lib.format.read_array_header_2_0)
            shape, fortran, dtype = header(stream)
            offset = stream.tell()
            number_type(dtype, file)
            volume_shape(shape, file)
            size = file.stat().st_size
            if (expected := offset + math.prod(shape) * dtype.itemsize) > size:
                raise unreadable(file, _NPY, f"{size} bytes, where its header says {expected}")
        values = np.memmap(file, dtype, "r", offset, shape, "F" if fortran else "C")
    metadata = {
        "format": _NPY,
        "bits": 8 * dtype.itemsize,
        "fortran_order": fortran,
        "access": "mapped",
    }
    return array_source(values, file, {}, metadata)


def open_raw(file: Path, layout: RawLayout) -> ImageSource:
    """Open a raw binary file through a memory map.

    Raises:
        InputError: The layout is no layout, or not the one of a file of this size.
    """
    dtype = _checked(file, layout)
    expected = layout.offset + math.prod(layout.shape) * dtype.itemsize
    with accessible(file):
        size = file.stat().st_size
    if size != expected:
        raise InputError(
            f"{file} has {size} bytes, but a header of {layout.offset} bytes and"
            f" {' x '.join(map(str, layout.shape))} voxels of {layout.dtype} are {expected}:"
            " correct shape, dtype or offset in volume.image.raw (voxtrode new: --raw-shape)"
        )
    with decoding(file, _RAW):
        values = np.memmap(file, dtype, "r", layout.offset, layout.shape)
    metadata = {
        "format": _RAW,
        "bits": 8 * dtype.itemsize,
        "byte_order": layout.byte_order,
        "offset": layout.offset,
        "access": "mapped",
    }
    return array_source(values, file, {}, metadata)


def _checked(file: Path, layout: RawLayout) -> "np.dtype[np.generic]":
    if min(layout.shape) < 1:
        raise InputError(
            f"raw.shape {list(layout.shape)} for {file}: expected three numbers of voxels from 1"
        )
    if layout.dtype not in _RAW_TYPES:
        raise InputError(
            f"raw.dtype {layout.dtype!r} for {file}: expected one of {', '.join(_RAW_TYPES)}"
        )
    if layout.byte_order not in _BYTE_ORDERS:
        raise InputError(f"raw.byte_order {layout.byte_order!r} for {file}: expected little or big")
    if layout.offset < 0:
        raise InputError(f"raw.offset {layout.offset} for {file}: expected 0 or more bytes")
    return np.dtype(_BYTE_ORDERS[layout.byte_order] + _RAW_TYPES[layout.dtype])
