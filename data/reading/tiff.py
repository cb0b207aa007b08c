"""TIFF: plain, BigTIFF, ImageJ and OME; mapped where its voxels lie in one piece."""

import logging
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.source import (
    ImageSource,
    Shape,
    Window,
    decoding,
    number_type,
    unreadable,
    volume_shape,
)
from voxtrode.data.reading.tiff_scale import stated_voxel_size

FORM = "TIFF"
_AXES = {"T": "times", "C": "channels", "Z": "layers"}


def open_tiff(file: Path) -> ImageSource:
    """Open a multi-page TIFF; axes 0, 1, 2 are its pages, rows and columns.

    Raises:
        InputError: It is damaged, or no stack of slices of real numbers.
    """
    source = _open(file)
    if source.shape[0] > 1:
        return source
    source.close()
    raise InputError(
        f"{file} has 2 dimensions {source.shape[1:]} in 1 page: expected a 3D stack (a multi-page"
        " TIFF); for slices in files of their own give their folder"
    )


def open_slice(file: Path) -> ImageSource:
    """Open a TIFF of one page.

    Raises:
        InputError: It is damaged, or not one slice of real numbers.
    """
    source = _open(file)
    if source.shape[0] == 1:
        return source
    source.close()
    raise InputError(
        f"{file} holds {source.shape[0]} pages: expected one slice in each file of the folder; for"
        " a stack in one file give that file"
    )


def _open(file: Path) -> ImageSource:
    with ExitStack() as stack:
        with decoding(file, FORM), _listening(file):
            tiff = stack.enter_context(tifffile.TiffFile(file))
            series = list(tiff.series)
            if len(series) != 1:
                shapes = " and ".join(str(one.shape) for one in series[:2]) or "none"
                raise InputError(
                    f"{file} holds images of different sizes ({shapes}): expected one stack; save"
                    " it alone"
                )
            shape = volume_shape(_shape(file, series[0], len(tiff.pages)), file)
            if series[0].dtype is None:
                raise InputError(f"{file} states no type of number: export it again")
            dtype = number_type(np.dtype(series[0].dtype), file)
            stated = stated_voxel_size(tiff)
            access, window = _window(file, tiff, series[0], shape)
            metadata = _metadata(tiff, series[0]) | {"access": access}
        close = stack.pop_all().close
    return ImageSource(file, shape, dtype, stated, metadata, window, close)


def _shape(file: Path, series: tifffile.TiffPageSeries, pages: int) -> Shape:
    axes = list(zip(series.axes, series.shape, strict=True))
    if any(axis == "S" and length > 1 for axis, length in axes):
        raise InputError(
            f"{file} is a colour image: expected one value per voxel; re-save it as 8-bit greyscale"
        )
    # Which letter the stack has says little: tifffile writes channels where none was given.
    stacked = [(axis, length) for axis, length in axes if axis not in "YXS" and length > 1]
    if len(stacked) > 1:
        sizes = ", ".join(f"{length} {_AXES.get(axis, 'images')}" for axis, length in stacked)
        raise InputError(
            f"{file} has {len(axes)} dimensions {series.shape} ({sizes}) in {pages} page(s):"
            " expected a 3D stack (a multi-page TIFF); save one volume of it"
        )
    rows, columns = series.keyframe.imagelength, series.keyframe.imagewidth
    return math.prod(length for _, length in stacked), rows, columns


def _window(
    file: Path, tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, shape: Shape
) -> tuple[str, Window]:
    """The most sparing way of reading that the file's layout allows."""
    dtype = np.dtype(series.dtype)
    if series.dataoffset is not None and series.keyframe.bitspersample == 8 * dtype.itemsize:
        order = np.dtype(tiff.byteorder + dtype.char)
        mapped = np.memmap(file, order, "r", series.dataoffset, shape)
        return "mapped", lambda first, last, rows, columns: mapped[first:last, rows, columns]
    if len(series.pages) != shape[0]:
        return "whole", _whole(file, series, shape)
    return "pages", _by_pages(file, tiff, series, shape)


def _by_pages(
    file: Path, tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, shape: Shape
) -> Window:
    size = tiff.filehandle.size

    def page(index: int) -> NDArray[Any]:
        one = series.pages[index]
        if one is None:
            raise unreadable(file, FORM, f"page {index} is missing")
        # What lies beyond the end some decoders fill with zeros.
        pieces = zip(one.dataoffsets, one.databytecounts, strict=True)
        if not series.is_multifile and any(start + count > size for start, count in pieces):
            raise unreadable(file, FORM, f"page {index} ends after the file's {size} bytes")
        return np.asarray(one.asarray(maxworkers=1)).reshape(shape[1:])

    def window(first: int, last: int, rows: slice, columns: slice) -> NDArray[Any]:
        with _listening(file):
            return np.stack([page(index)[rows, columns] for index in range(first, last)])

    return window


def _whole(file: Path, series: tifffile.TiffPageSeries, shape: Shape) -> Window:
    """One page that holds all layers (volumetric tiles): decoded at once, and kept."""
    kept: list[NDArray[Any]] = []

    def window(first: int, last: int, rows: slice, columns: slice) -> NDArray[Any]:
        if not kept:
            with _listening(file):
                kept.append(np.asarray(series.asarray(maxworkers=1)).reshape(shape))
        return kept[0][first:last, rows, columns]

    return window


def _metadata(tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> dict[str, Any]:
    page = series.keyframe
    return {
        "format": "BigTIFF" if tiff.is_bigtiff else FORM,
        "flavour": str(series.kind),
        "axes": series.axes,
        "pages": len(tiff.pages),
        "bits": int(page.bitspersample),
        "compression": _name(page.compression),
        "photometric": _name(page.photometric),
        "byte_order": {"<": "little", ">": "big"}[tiff.byteorder],
    }


def _name(tag: Any) -> str:
    """Of a number that tifffile may not know by name."""
    return str(getattr(tag, "name", tag)).lower()


@contextmanager
def _listening(file: Path) -> Iterator[None]:
    """Refuse what tifffile logs: of a cut-off file it often reads what is left, and only says so.

    Raises:
        InputError: It logged an error.
    """
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tifffile")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
    if messages:
        raise unreadable(file, FORM, messages[0])
