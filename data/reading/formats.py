"""Which format a file is in, by its first bytes and then by its name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout, open_npy, open_raw
from voxtrode.data.reading.hdf5 import open_hdf5
from voxtrode.data.reading.slices import open_slices
from voxtrode.data.reading.source import ImageSource, accessible
from voxtrode.data.reading.tiff import open_tiff

Opener = Callable[[Path, str | None], ImageSource]


def open_image(file: Path, raw: RawLayout | None = None, dataset: str | None = None) -> ImageSource:
    """Open an image of any format that is read; no voxels are read yet.

    Args:
        file: TIFF, folder of TIFF slices, `.npy`, HDF5, or a raw binary file.
        raw: What the voxels of a raw binary file are; the file is read as such where it is given.
        dataset: Path of the dataset in an HDF5 file; None takes its only 3D dataset.

    Returns:
        The open image: a context manager.

    Raises:
        InputError: The file is missing, damaged, of no known format, or holds no 3D volume of real
            numbers.
    """
    with accessible(file):
        folder = file.is_dir()
        start = b"" if folder else _start(file)
    if folder and raw is not None:
        raise InputError(f"{file} is a folder: expected one raw binary file (volume.image.raw)")
    if folder:
        return _without_dataset(open_slices)(file, dataset)
    if raw is not None:
        return _without_dataset(lambda path: open_raw(path, raw))(file, dataset)
    known = [opener for magic, opener in _CONTENT.items() if start.startswith(magic)]
    opener = known[0] if known else _SUFFIXES.get(file.suffix.lower())
    if opener is None:
        raise InputError(
            f"{file} is in no format that is read (TIFF, NumPy .npy, HDF5): for a raw binary file"
            " state shape and dtype in volume.image.raw (voxtrode new: --raw-shape); save anything"
            " else as a TIFF stack"
        )
    return opener(file, dataset)


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(16)


def _without_dataset(opener: Callable[[Path], ImageSource]) -> Opener:
    def opened(file: Path, dataset: str | None) -> ImageSource:
        if dataset is not None:
            raise InputError(
                f"{file} is no HDF5 file, so that it has no dataset {dataset!r}: leave"
                " volume.image.dataset out"
            )
        return opener(file)

    return opened


_TIFF = _without_dataset(open_tiff)
_NPY = _without_dataset(open_npy)

_CONTENT: Mapping[bytes, Opener] = {
    b"II*\0": _TIFF,
    b"MM\0*": _TIFF,
    b"II+\0": _TIFF,  # BigTIFF
    b"MM\0+": _TIFF,
    b"\x93NUMPY": _NPY,
    b"\x89HDF\r\n\x1a\n": open_hdf5,
}
_SUFFIXES: Mapping[str, Opener] = {
    # Damaged files, which the readers refuse, and HDF5 behind a user block.
    **dict.fromkeys((".tif", ".tiff"), _TIFF),
    ".npy": _NPY,
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5", ".nx", ".nxs", ".ilp"), open_hdf5),
}
