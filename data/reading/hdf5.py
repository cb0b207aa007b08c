"""HDF5: one 3D dataset of a file."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.source import ImageSource, decoding, number_type, volume_shape
from voxtrode.data.reading.tiff_scale import Stated, metres

FORM = "HDF5"
_UNITS = ("voxel_size_unit", "voxel_size_units", "unit", "units")
_NAMED = 8  # datasets named in a message


def open_hdf5(file: Path, dataset: str | None) -> ImageSource:
    """Open a dataset of an HDF5 file.

    Args:
        file: The file.
        dataset: Path of the dataset; None takes the only 3D one.

    Raises:
        InputError: The file is damaged, or the dataset is missing, ambiguous or no volume.
    """
    with ExitStack() as stack:
        with decoding(file, FORM):
            # Other ranks read it too, and some file systems know no locks.
            handle = stack.enter_context(h5py.File(file, "r", locking="best-effort"))
            data = _chosen(file, handle, dataset)
            shape = volume_shape(data.shape, file)
            dtype = number_type(data.dtype, file)
            stated = _stated(data)
            metadata = {
                "format": FORM,
                "dataset": data.name,
                "bits": 8 * dtype.itemsize,
                "compression": str(data.compression or "none"),
                "access": "slices",
            }
            depth = data.chunks[0] if data.chunks else 1

            def window(first: int, last: int, rows: slice, columns: slice) -> NDArray[Any]:
                return np.asarray(data[first:last, rows, columns])

        close = stack.pop_all().close
    return ImageSource(file, shape, dtype, stated, metadata, window, close, depth)


def _chosen(file: Path, handle: h5py.File, name: str | None) -> h5py.Dataset:
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(path: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[path] = item.shape or ()

    handle.visititems(visit)
    volumes = [path for path, shape in shapes.items() if len(shape) == 3]
    if name is not None:
        data = handle.get(name)
        if not isinstance(data, h5py.Dataset):
            raise InputError(
                f"{file} has no dataset {name!r}; it holds {_listing(shapes)}: correct"
                " volume.image.dataset"
            )
        return data
    if len(volumes) == 1:
        return handle[volumes[0]]
    if not volumes:
        raise InputError(
            f"{file} has no 3D dataset; it holds {_listing(shapes)}: export the volume as one"
        )
    several = _listing({path: shapes[path] for path in volumes})
    raise InputError(f"{file} has several 3D datasets, {several}: name one in volume.image.dataset")


def _listing(shapes: Mapping[str, tuple[int, ...]]) -> str:
    text = ", ".join(f"/{path} {shape}" for path, shape in list(shapes.items())[:_NAMED])
    more = f" and {len(shapes) - _NAMED} more" if len(shapes) > _NAMED else ""
    return text + more if shapes else "no dataset"


def _stated(data: h5py.Dataset) -> Stated:
    """Edges from `element_size_um` (z, y, x), or `voxel_size` with a unit beside it.

    They are looked for at the dataset, then at its group.
    """
    for attributes in (data.attrs, data.parent.attrs):
        if "element_size_um" in attributes:
            return _edges(attributes["element_size_um"], 1e-6, "element_size_um")
        unit = next((_text(attributes[name]) for name in _UNITS if name in attributes), None)
        if "voxel_size" in attributes and (length := metres(unit)) is not None:
            return _edges(attributes["voxel_size"], length, "voxel_size")
    return {}


def _edges(given: Any, unit: float, source: str) -> Stated:
    values = np.atleast_1d(np.asarray(given)).ravel()
    if values.dtype.kind not in "uif" or values.size not in {1, 3}:
        return {}
    lengths = np.broadcast_to(values, 3).astype(float) * unit
    return {
        axis: (float(length), source)
        for axis, length in enumerate(lengths)
        if math.isfinite(length) and length > 0.0
    }


def _text(value: Any) -> str:
    return value.decode(errors="replace") if hasattr(value, "decode") else str(value)
