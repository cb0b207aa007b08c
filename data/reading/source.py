"""An open image, whatever its format: what it says of itself, and its voxels layer by layer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.tiff_scale import Stated

Shape = tuple[int, int, int]
Window = Callable[[int, int, slice, slice], NDArray[Any]]
"""Layers first..last of axis 0, of these the rows and columns; a view where the file allows it."""

ALL = slice(None)
CHUNK = 2**21
"""Voxels that are held at a time where an image is read piece by piece."""

# How the formats' readers complain of a decoder that they lack.
_MISSING = ("imagecodecs", "COMPRESSION", "not registered", "plugin")
_REFUSED = (PermissionError, IsADirectoryError, NotADirectoryError, FileNotFoundError)
_REASON = 160  # characters of another program's message that are passed on


def _nothing() -> None:
    """What is memory-mapped is closed with its last view."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An open image; a context manager.

    Attributes:
        file: The file, or the folder of slices.
        shape: Voxels along the three axes of the file.
        dtype: Type of what `read` returns, in the machine's byte order; 1-bit images are uint8.
        stated: Voxel edge [m] and where it was found, by axis, where the file states one.
        metadata: Format, compression and the like (JSON-able).
        window: The format's reader; call `read` instead.
        close: Gives the file back.
        depth: Layers that are stored together, so that reading fewer costs as much.
    """

    file: Path
    shape: Shape
    dtype: np.dtype[Any]
    stated: Stated
    metadata: Mapping[str, Any]
    window: Window
    close: Callable[[], None] = _nothing
    depth: int = 1

    def read(self, first: int, last: int, rows: slice = ALL, columns: slice = ALL) -> NDArray[Any]:
        """Layers first <= i < last of axis 0; nothing else is read where the format allows that.

        Args:
            first, last: Layers, at least one.
            rows, columns: Part of axes 1 and 2, without a step.

        Returns:
            Values [last - first, rows, columns] of `dtype`; not to be written to.

        Raises:
            InputError: The file is damaged there.
            ValueError: The layers are not inside the image.
        """
        if not 0 <= first < last <= self.shape[0]:
            raise ValueError(f"layers {first}:{last} are none or outside 0:{self.shape[0]}")
        with decoding(self.file, str(self.metadata["format"])):
            values = self.window(first, last, rows, columns)
            return np.asarray(values).astype(self.dtype, copy=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def array_source(
    values: NDArray[Any], file: Path, stated: Stated, metadata: Mapping[str, Any]
) -> ImageSource:
    """A source of voxels that are in memory or memory-mapped.

    Args:
        values: Voxels [3 axes of the file] of numbers.
        file: What messages name.
        stated: Voxel edges [m] by axis.
        metadata: JSON-able; with `format`.

    Raises:
        InputError: The array is no 3D array of real numbers.
    """
    shape = volume_shape(values.shape, file)

    def window(first: int, last: int, rows: slice, columns: slice) -> NDArray[Any]:
        return values[first:last, rows, columns]

    return ImageSource(file, shape, number_type(values.dtype, file), stated, metadata, window)


def volume_shape(shape: tuple[int, ...], file: Path) -> Shape:
    """The shape of a volume.

    Raises:
        InputError: It has not three axes, or no voxels.
    """
    if len(shape) != 3:
        raise InputError(
            f"{file} has {len(shape)} dimensions {shape}: expected a 3D volume; save one channel of"
            " one instant as a stack"
        )
    if 0 in shape:
        raise InputError(f"{file} has shape {shape}: it holds no voxels; export the image again")
    return shape


def number_type(dtype: np.dtype[Any], file: Path) -> np.dtype[Any]:
    """The type that an image of this type is read as.

    Raises:
        InputError: It holds no real numbers.
    """
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind not in "uif":
        raise InputError(
            f"{file} holds {_kind(dtype)}: expected whole or floating-point numbers; save it as"
            " uint8, uint16 or float32"
        )
    return dtype.newbyteorder("=")


def _kind(dtype: np.dtype[Any]) -> str:
    names = {"c": "complex numbers", "O": "Python objects", "V": "records"}
    return names.get(dtype.kind, f"values of type {dtype}")


@contextmanager
def decoding(file: Path, form: str) -> Iterator[None]:
    """What goes wrong inside becomes one line that names the file.

    Raises:
        InputError: Anything went wrong.
    """
    try:
        yield
    except InputError:
        raise
    except _REFUSED as error:
        raise _inaccessible(file, error) from error
    # Readers of other people's formats meet damaged bytes with any kind of exception.
    except Exception as error:
        raise unreadable(file, form, f"{error}" or type(error).__name__) from error


def unreadable(file: Path, form: str, reason: str) -> InputError:
    """The error for a file whose bytes are not what its format says."""
    reason = " ".join(reason.split())
    short = reason if len(reason) <= _REASON else f"{reason[: _REASON - 3]}..."
    if any(word in reason for word in _MISSING):
        return InputError(
            f"{file} is compressed in a way that cannot be read ({short}): save it uncompressed"
        )
    return InputError(f"{file} is truncated or no valid {form} ({short}): copy or export it again")


@contextmanager
def accessible(file: Path) -> Iterator[None]:
    """Turn what the file system refuses into one line.

    Raises:
        InputError: It refused.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"no image at {file}: check volume.image.file") from error
    except OSError as error:
        raise _inaccessible(file, error) from error


def _inaccessible(file: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(
        f"{file} cannot be read ({reason}): check its permissions and volume.image.file"
    )


def pieces(
    source: ImageSource, layers: range, rows: slice = ALL, columns: slice = ALL
) -> Iterator[NDArray[Any]]:
    """The values of some layers, a bounded number of voxels (at least one layer) at a time.

    Args:
        source: An open image.
        layers: Layers of axis 0; those with a step are read one by one.
        rows, columns: Part of axes 1 and 2.
    """
    _, height, width = source.shape
    area = len(range(*rows.indices(height))) * len(range(*columns.indices(width)))
    count = thickness(source, area) if layers.step == 1 else 1
    for start in range(0, len(layers), count):
        piece = layers[start : start + count]
        yield source.read(piece.start, piece.stop if count > 1 else piece.start + 1, rows, columns)


def thickness(source: ImageSource, area: int) -> int:
    """Layers of `area` voxels that are held at a time."""
    return max(1, CHUNK // max(area, 1), source.depth)
