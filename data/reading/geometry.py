"""Which voxel of the file each voxel of the volume is: crop, axes, mirror image and padding.

All of these act on one axis at a time, so that three vectors of indices say everything.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxtrode.data.downsampling import Factor
from voxtrode.data.errors import InputError
from voxtrode.data.reading.boxes import Indices, Range
from voxtrode.data.reading.request import Crop, ImageRequest
from voxtrode.data.reading.source import ImageSource, Shape

_AGREEMENT = 0.01  # relative, between the study's voxel size and the file's
_TURNED = {"first": False, "last": True}


@dataclass(frozen=True, eq=False)
class Geometry:
    """The voxels of a volume, by those of its file.

    Attributes:
        order: Axis of the file that each of (z, y, x) is.
        crop: Voxels of the file that are kept, [first, last) by axis of the file.
        edges: Voxel edges by axis of the file [m].
        indices: File voxel of each padded fine voxel, along z, y, x.
        core: Padded fine voxels that are no padding, along z, y, x.
        factor: Fine voxels per voxel of the volume, along z, y, x.
    """

    order: tuple[int, int, int]
    crop: tuple[Range, Range, Range]
    edges: tuple[float, float, float]
    indices: tuple[Indices, Indices, Indices]
    core: tuple[Range, Range, Range]
    factor: Factor

    @property
    def fine_shape(self) -> Shape:
        """Voxels after padding, before down-sampling."""
        z, y, x = (len(index) for index in self.indices)
        return z, y, x

    @property
    def shape(self) -> Shape:
        """Voxels of the volume."""
        z, y, x = (n // f for n, f in zip(self.fine_shape, self.factor, strict=True))
        return z, y, x

    @property
    def remainder(self) -> Shape:
        """Fine voxels left out at the far ends."""
        z, y, x = (n % f for n, f in zip(self.fine_shape, self.factor, strict=True))
        return z, y, x

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Voxel edges of the volume along (z, y, x) [m]."""
        z, y, x = (
            self.edges[axis] * factor for axis, factor in zip(self.order, self.factor, strict=True)
        )
        return z, y, x

    def fine(self, ranges: Sequence[Range]) -> tuple[Range, Range, Range]:
        """Fine voxels of a box of the volume, with the remainder where the box ends at an end."""
        z, y, x = (
            (first * f, n if last == n // f else last * f)
            for (first, last), n, f in zip(ranges, self.fine_shape, self.factor, strict=True)
        )
        return z, y, x


def geometry_of(request: ImageRequest, source: ImageSource) -> Geometry:
    """Lay a request over an open image.

    Raises:
        InputError: The file states another voxel size, the crop is not inside the image, or the
            request is none.
    """
    axes = (0, 1, 2)
    if request.thickness_axis not in axes:
        raise InputError(f"thickness_axis {request.thickness_axis}: expected 0, 1 or 2")
    if request.collector not in _TURNED:
        raise InputError(f"collector {request.collector!r}: expected first or last")
    y, x = (axis for axis in axes if axis != request.thickness_axis)
    order = (request.thickness_axis, y, x)
    crop = _ranges(request.crop, source.shape)
    kept = [np.arange(*crop[axis], dtype=np.int64) for axis in order]
    if _TURNED[request.collector]:
        kept[0] = kept[0][::-1]
    added = _added(request)
    mode = request.padding.mode.value if request.padding is not None else "wrap"
    indices = [np.pad(index, count, mode=mode) for index, count in zip(kept, added, strict=True)]  # type: ignore[call-overload]
    core = [(count, count + len(index)) for index, count in zip(kept, added, strict=True)]
    return Geometry(
        order,
        crop,
        _voxel_size(request, source),
        (indices[0], indices[1], indices[2]),
        (core[0], core[1], core[2]),
        _factor(request, [len(index) for index in indices]),
    )


def _added(request: ImageRequest) -> Shape:
    if request.padding is None:
        return 0, 0, 0
    if min(request.padding.y, request.padding.x) < 0:
        raise InputError(
            f"padding y = {request.padding.y}, x = {request.padding.x}: expected numbers of voxels"
            " from 0"
        )
    return 0, request.padding.y, request.padding.x


def _factor(request: ImageRequest, lengths: Sequence[int]) -> Factor:
    if min(request.downsample) < 1:
        raise InputError(
            f"downsample {list(request.downsample)}: expected three whole factors from 1 (z, y, x)"
        )
    for axis, length, factor in zip("zyx", lengths, request.downsample, strict=True):
        if factor > length:
            raise InputError(
                f"downsample: factor {factor} along {axis} is more than the {length} voxels there;"
                " take a smaller factor"
            )
    return request.downsample


def _voxel_size(request: ImageRequest, source: ImageSource) -> tuple[float, float, float]:
    given = list(request.voxel_size)
    edges = given * (3 if len(given) == 1 else 1)
    if len(edges) != 3 or not all(math.isfinite(edge) and edge > 0.0 for edge in edges):
        raise InputError(f"voxel_size {given} m: expected one or three positive lengths")
    for axis, (length, origin) in source.stated.items():
        if abs(length - edges[axis]) > _AGREEMENT * edges[axis]:
            raise InputError(
                f"voxel_size is {edges[axis] * 1e9:g} nm along image axis {axis}, but {source.file}"
                f" says {length * 1e9:g} nm ({origin}): correct the study, or the file's metadata"
            )
    return edges[0], edges[1], edges[2]


def _ranges(crop: Crop | None, shape: Shape) -> tuple[Range, Range, Range]:
    pairs = [(0, count) for count in shape] if crop is None else crop
    if len(pairs) != 3 or any(len(pair) != 2 for pair in pairs):
        raise InputError(f"crop {crop}: expected [first, last] for each of the image's three axes")
    for axis, ((first, last), count) in enumerate(zip(pairs, shape, strict=True)):
        if not 0 <= first < last <= count:
            raise InputError(
                f"crop [{first}, {last}] along image axis {axis} is not inside the image's "
                f"[0, {count}]; expected 0 <= first < last <= {count}"
            )
    a, b, c = ((int(first), int(last)) for first, last in pairs)
    return a, b, c
