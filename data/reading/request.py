"""What a study asks of an image: which labels, how it lies, and what part of it at what size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

from voxtrode.data.downsampling import Factor
from voxtrode.data.reading.arrays import RawLayout

Crop = Sequence[Sequence[int]]
Labels = Mapping[str, int | tuple[int, ...]]


class PaddingMode(Enum):
    """What continues a volume beyond its sides, by the name that NumPy's ``pad`` has for it."""

    MIRROR = "symmetric"
    """Its reflection, edge voxels doubled: no kink of a phase at the seam but of its slope."""
    PERIODIC = "wrap"
    """Its repetition, for images that are periodic in plane."""


@dataclass(frozen=True)
class Padding:
    """In-plane continuation of a volume, before it is down-sampled.

    Attributes:
        mode: What is added.
        y, x: Voxels added at each of the two sides.
    """

    mode: PaddingMode
    y: int
    x: int


@dataclass(frozen=True)
class ImageRequest:
    """A labelled image as a volume.

    Axes 0, 1, 2 of the file are pages, rows and columns of a stack and the axes of an array, as
    they are. `voxel_size` and `crop` are in these axes, before the thickness axis is moved to z
    (the other two keep their order) and, where the collector is at its last end, turned around so
    that z = 0 is the collector (a mirror image). Padding and down-sampling come after that.

    Attributes:
        file: The file, or a folder of slices.
        voxel_size: Edge length of a voxel [m], one value or one per axis of the file.
        labels: Value(s) in the file of each phase by name; the phases keep this order.
        thickness_axis: Axis of the file that becomes z.
        collector: End of that axis at which the collector is.
        crop: Voxels to keep, [first, last) per axis of the file; None keeps all.
        padding: In-plane continuation.
        downsample: Voxels that become one, along (z, y, x); what is left over at the far ends is
            cropped.
        raw: Layout of a raw binary file.
        dataset: Path of the dataset in an HDF5 file.
    """

    file: Path
    voxel_size: Sequence[float]
    labels: Labels
    thickness_axis: int = 0
    collector: Literal["first", "last"] = "first"
    crop: Crop | None = None
    padding: Padding | None = None
    downsample: Factor = (1, 1, 1)
    raw: RawLayout | None = None
    dataset: str | None = None

    @property
    def region(self) -> str:
        """What messages call the voxels that are kept."""
        return "image" if self.crop is None else "crop"
