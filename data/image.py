"""Labelled images: a TIFF of labels becomes a volume with the collector at z = 0."""

import logging
import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.tiff_scale import Stated, stated_voxel_size
from voxtrode.data.volume import Volume

Crop = Sequence[Sequence[int]]

_AGREEMENT = 0.01  # relative, between the study's voxel size and the file's
_LISTED = 8  # labels named in a message
_GREYSCALE = 32  # more labels than this are no segmentation


def read_image(
    file: Path,
    voxel_size: Sequence[float],
    labels: Mapping[str, int],
    thickness_axis: int = 0,
    collector: Literal["first", "last"] = "first",
    crop: Crop | None = None,
) -> Volume:
    """Read a labelled 8- or 16-bit TIFF stack.

    Axes 0, 1, 2 of the image are its pages, rows and columns. `voxel_size` and `crop` are in these
    axes, before the thickness axis is moved to z (the other two keep their order) and, where the
    collector is at its last end, turned around so that z = 0 is the collector (a mirror image).

    Args:
        file: The TIFF.
        voxel_size: Edge length of a voxel [m], one value or one per axis of the image.
        labels: Value in the file of each phase by name; the phases keep this order.
        thickness_axis: Axis of the image that becomes z.
        collector: End of that axis at which the collector is.
        crop: Voxels to keep, [first, last) per axis of the image; None keeps all.

    Returns:
        The volume, without particles.

    Raises:
        InputError: The file cannot be read or is damaged, is no 3D stack of labels, states another
            voxel size, or its labels (within the crop) are not exactly the listed ones.
    """
    image, stated = _read(file)
    voxel = _voxel_size(voxel_size, stated, file)
    ranges = _ranges(crop, image.shape)
    values = image[tuple(slice(first, last) for first, last in ranges)]
    shares = _check_labels(values, labels, file, "crop" if crop is not None else "image")
    lookup = np.zeros(int(values.max()) + 1, dtype=np.uint8)
    for index, value in enumerate(labels.values()):
        lookup[value] = index
    order = [thickness_axis, *(axis for axis in range(3) if axis != thickness_axis)]
    phases = lookup[values].transpose(order)
    if collector == "last":
        phases = phases[::-1]
    phases = np.ascontiguousarray(phases)
    evidence = {
        "kind": "image",
        "file": file.name,
        "image_shape": list(image.shape),
        "image_dtype": str(image.dtype),
        "image_voxel_m": list(voxel),
        "stated_voxel_m": {str(axis): length for axis, (length, _) in stated.items()},
        "crop": [list(pair) for pair in ranges],
        "thickness_axis": thickness_axis,
        "collector": collector,
        "mirrored": collector == "last",
        "labels": dict(labels),
        "label_shares": shares,
    }
    z, y, x = (voxel[axis] for axis in order)
    none = np.zeros(phases.shape, dtype=np.int32)
    return Volume(phases, tuple(labels), (z, y, x), none, evidence)


def _read(file: Path) -> tuple[NDArray[Any], Stated]:
    """The stack as it is in the file, and the voxel edges that the file states."""
    if not file.is_file():
        raise InputError(f"no image at {file}: check volume.image.file")
    try:
        with _complaints() as complaints, tifffile.TiffFile(file) as tiff:
            pages, series = len(tiff.pages), list(tiff.series)
            image = series[0].asarray()
            colour = "S" in series[0].axes
            stated = stated_voxel_size(tiff)
    except (
        ValueError,  # TiffFileError is one
        IndexError,
        KeyError,
        OSError,
        RuntimeError,
        TypeError,
        struct.error,
        zlib.error,
    ) as error:
        raise InputError(_unreadable(file, str(error))) from error
    if complaints:
        raise InputError(_unreadable(file, complaints[0]))
    if len(series) > 1:
        shapes = " and ".join(str(one.shape) for one in series[:2])
        raise InputError(f"{file} holds images of different sizes ({shapes}): expected one stack")
    if colour:
        raise InputError(
            f"{file} is a colour image: expected one label per voxel; re-save as 8-bit"
        )
    if image.ndim != 3:
        raise InputError(
            f"{file} has {image.ndim} dimensions {image.shape} in {pages} page(s): expected a 3D "
            "stack of labels (a multi-page TIFF)"
        )
    if image.dtype == np.bool_:
        image = image.astype(np.uint8)
    if image.dtype.kind not in "ui" or image.dtype.itemsize > 2 or int(image.min()) < 0:
        raise InputError(
            f"{file} holds {image.dtype} values from {image.min()} to {image.max()}: expected "
            "labels of 8 or 16 bits from 0; segment the image or re-save it"
        )
    return image, stated


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """The errors tifffile logs: of a cut-off file it often reads what is left, and only says so."""
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tifffile")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


def _unreadable(file: Path, reason: str) -> str:
    reason = " ".join(reason.split())
    if "imagecodecs" in reason:
        return f"{file} is compressed in a way that needs imagecodecs: re-save it uncompressed"
    return f"{file} is truncated or no valid TIFF ({reason}): copy or export it again"


def _voxel_size(given: Sequence[float], stated: Stated, file: Path) -> tuple[float, float, float]:
    edges = list(given) * (3 if len(given) == 1 else 1)
    if len(edges) != 3 or not all(math.isfinite(edge) and edge > 0.0 for edge in edges):
        raise InputError(f"voxel_size {list(given)} m: expected one or three positive lengths")
    for axis, (length, source) in stated.items():
        if abs(length - edges[axis]) > _AGREEMENT * edges[axis]:
            raise InputError(
                f"voxel_size is {edges[axis] * 1e9:g} nm along image axis {axis}, but {file} says "
                f"{length * 1e9:g} nm ({source}): correct the study, or the file's metadata"
            )
    return edges[0], edges[1], edges[2]


def _ranges(crop: Crop | None, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    if crop is None:
        return [(0, count) for count in shape]
    if len(crop) != 3 or any(len(pair) != 2 for pair in crop):
        raise InputError(f"crop {crop}: expected [first, last] for each of the image's three axes")
    for axis, ((first, last), count) in enumerate(zip(crop, shape, strict=True)):
        if not 0 <= first < last <= count:
            raise InputError(
                f"crop [{first}, {last}] along image axis {axis} is not inside the image's "
                f"[0, {count}]; expected 0 <= first < last <= {count}"
            )
    return [(first, last) for first, last in crop]


def _check_labels(
    values: NDArray[Any], labels: Mapping[str, int], file: Path, region: str
) -> dict[str, float]:
    """Share of each phase by name; refuses labels listed twice, missing or not listed."""
    counts = np.bincount(values.ravel())
    present = {int(value): int(counts[value]) / values.size for value in np.flatnonzero(counts)}
    if not 1 <= len(labels) <= 255 or len(set(labels.values())) < len(labels):
        raise InputError(f"labels {dict(labels)}: expected 1 to 255 phases of different values")
    listing = _listing(present)
    for name, value in labels.items():
        if value not in present:
            raise InputError(
                f"label {value} ('{name}') does not occur in the {region} of {file}, which holds "
                f"{listing}: correct labels or the crop"
            )
    if unlisted := {value: present[value] for value in present if value not in labels.values()}:
        if len(present) > _GREYSCALE:
            raise InputError(
                f"{file} holds {len(present)} different values in the {region}: that is a "
                "greyscale image; segment it into labels first"
            )
        raise InputError(
            f"the {region} of {file} holds labels that are not listed: {_listing(unlisted)}; name "
            "them in volume.image.labels"
        )
    return {name: present[value] for name, value in labels.items()}


def _listing(shares: Mapping[int, float]) -> str:
    largest = sorted(shares, key=lambda value: -shares[value])[:_LISTED]
    text = ", ".join(f"{value} ({shares[value]:.2%})" for value in sorted(largest))
    return text + (f" and {len(shares) - _LISTED} more" if len(shares) > _LISTED else "")
