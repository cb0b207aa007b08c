"""Labelled images: a request becomes a volume with the collector at z = 0, whole or by slabs."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np

from voxtrode.data.downsampling import majority
from voxtrode.data.errors import InputError
from voxtrode.data.reading.boxes import Indices, Range, inside, runs, take
from voxtrode.data.reading.evidence import Tally, count, empty_tally, evidence_of
from voxtrode.data.reading.formats import open_image
from voxtrode.data.reading.geometry import Geometry, geometry_of
from voxtrode.data.reading.lookup import Lookup, lookup_of
from voxtrode.data.reading.refusal import refusal
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.reading.source import ImageSource, thickness
from voxtrode.data.volume import Labels, Volume, VolumeHeader


def _nothing(share: float) -> None:
    del share


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """An image that is open to be read as a volume; a context manager.

    Attributes:
        source: The open image.
        request: What is asked of it.
        geometry: Which voxel of the file each voxel of the volume is.
        lookup: Phases of the file's values.
    """

    source: ImageSource
    request: ImageRequest
    geometry: Geometry
    lookup: Lookup

    @property
    def header(self) -> VolumeHeader:
        """Shape, voxel edges [m] and phases of the volume."""
        return VolumeHeader(self.geometry.shape, self.geometry.voxel, tuple(self.request.labels))

    @property
    def read_voxels(self) -> int:
        """Voxels of the file that the whole volume is made of."""
        return math.prod(
            count * factor
            for count, factor in zip(self.geometry.shape, self.geometry.factor, strict=True)
        )

    def slab(self, z0: int, z1: int) -> Labels:
        """Layers z0 <= z < z1 of the volume, from those voxels of the file that they need.

        Returns:
            Labels uint8[z1 - z0, y, x].

        Raises:
            InputError: A value there is not listed, or the file is damaged there.
            ValueError: The layers are not inside the volume.
        """
        if not 0 <= z0 <= z1 <= self.header.shape[0]:
            raise ValueError(f"layers {z0}:{z1} are outside 0:{self.header.shape[0]}")
        if z0 == z1:
            return np.empty((0, *self.header.shape[1:]), dtype=np.uint8)
        return self._labels(z0, z1, empty_tally(self.lookup))

    def volume(self, told: Callable[[float], None] = _nothing) -> Volume:
        """The whole volume, without particles, and what was read as its evidence.

        The file is read a bounded number of layers at a time: beside the result (five bytes a
        voxel) there is only one such piece in memory.

        Args:
            told: Called with the share that is read, now and then.

        Raises:
            InputError: The file's values are not exactly the listed ones, down-sampling leaves
                nothing of a phase, or the file is damaged.
        """
        tally = empty_tally(self.lookup)
        labels = self._labels(0, self.header.shape[0], tally, told)
        if not tally.values[:-1].all():
            raise self._refused(0, self.header.shape[0])
        evidence = evidence_of(self.source, self.request, self.geometry, tally)
        none = np.zeros(labels.shape, dtype=np.int32)
        return Volume(labels, self.header.phases, self.header.voxel, none, evidence)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.source.close()

    def _labels(
        self, z0: int, z1: int, tally: Tally, told: Callable[[float], None] = _nothing
    ) -> Labels:
        """Labels of some layers, piece by piece along the file's layers; they are counted."""
        geometry, phases = self.geometry, len(self.request.labels)
        ranges: list[Range] = [(z0, z1), *((0, count) for count in geometry.shape[1:])]
        labels = np.empty([last - first for first, last in ranges], dtype=np.uint8)
        along = geometry.order.index(0)
        for part in self._parts(ranges, along):
            fine = geometry.fine(part)
            values = self._fine(fine, tally)
            if tally.values[-1]:
                raise self._refused(z0, z1)
            count(tally.core, values[inside(geometry.core, fine)])
            whole = tuple(
                slice((last - first) * f)
                for (first, last), f in zip(part, geometry.factor, strict=True)
            )
            coarse = majority(values[whole], geometry.factor, phases)
            if geometry.factor != (1, 1, 1):
                count(tally.fine, values)
                count(tally.coarse, coarse)
            place = tuple(
                slice(first - start, last - start)
                for (first, last), (start, _) in zip(part, ranges, strict=True)
            )
            labels[place] = coarse
            told((part[along][1] - ranges[along][0]) / (ranges[along][1] - ranges[along][0]))
        return labels

    def _parts(self, ranges: list[Range], along: int) -> Iterator[list[Range]]:
        """Cut a box of the volume along one axis into parts of a bounded number of fine voxels."""
        factor = self.geometry.factor
        area = 1
        for axis, ((first, last), f) in enumerate(zip(ranges, factor, strict=True)):
            area *= 1 if axis == along else (last - first) * f
        step = max(1, thickness(self.source, area) // factor[along])
        start, stop = ranges[along]
        bounds = [*range(start, stop, step), stop]
        for first, last in pairwise(bounds):
            yield [(first, last) if axis == along else ranges[axis] for axis in range(3)]

    def _fine(self, box: Sequence[Range], tally: Tally) -> Labels:
        """Phases of a box of padded voxels."""
        order = self.geometry.order
        by_file: dict[int, Indices] = {
            axis: index[first:last]
            for axis, index, (first, last) in zip(order, self.geometry.indices, box, strict=True)
        }
        layers, rows, columns = (by_file[axis] for axis in range(3))
        found = np.empty([len(layers), len(rows), len(columns)], dtype=np.uint8)
        window = [slice(int(index.min()), int(index.max()) + 1) for index in (rows, columns)]
        for first, last in runs(np.unique(layers)):
            positions = self.lookup.positions(self.source.read(first, last, *window))
            count(tally.values, positions)
            phases = self.lookup.phase[positions]
            places = np.flatnonzero((layers >= first) & (layers < last))
            taken = take(phases, layers[places] - first, 0)
            taken = take(taken, rows - window[0].start, 1)
            found[places] = take(taken, columns - window[1].start, 2)
        return found.transpose(order)

    def _refused(self, z0: int, z1: int) -> InputError:
        """For a value that is not listed or does not occur: look again at all of these layers."""
        geometry, request = self.geometry, self.request
        whole = (z0, z1) == (0, geometry.shape[0])
        first, last = geometry.fine([(z0, z1)] * 3)[0]
        layers = geometry.indices[0][first:last]
        ranges = list(geometry.crop)
        ranges[geometry.order[0]] = int(layers.min()), int(layers.max()) + 1
        region = request.region if whole else f"{request.region} (layers {z0} to {z1})"
        return refusal(self.source, ranges, region, self.lookup, complete=whole)


def open_labels(request: ImageRequest) -> LabelledImage:
    """Open a labelled image; no voxels are read yet.

    Raises:
        InputError: The file cannot be read or is damaged, is no 3D image of real numbers, states
            another voxel size, or the request does not fit it.
    """
    source = open_image(request.file, request.raw, request.dataset)
    try:
        return labelled(source, request)
    except BaseException:
        source.close()
        raise


def labelled(source: ImageSource, request: ImageRequest) -> LabelledImage:
    """An open source as a labelled image, whatever file the request names.

    Raises:
        InputError: The request does not fit it.
    """
    geometry = geometry_of(request, source)
    return LabelledImage(source, request, geometry, lookup_of(request.labels, source.dtype))


def read_labels(request: ImageRequest) -> Volume:
    """Read a labelled image as a volume without particles.

    Raises:
        InputError: As `open_labels` and `LabelledImage.volume`.
    """
    with open_labels(request) as image:
        return image.volume()
