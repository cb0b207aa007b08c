"""The lattice that is meshed: the image, down-sampled by majority, with separator layers on top.

Each rank holds the layers of its own z-slab and a halo, read from the image's files.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.downsampling import majority, majority_ids
from voxtrode.data.errors import InputError
from voxtrode.data.spacing import separator_layers
from voxtrode.data.volume import read_header, read_slab
from voxtrode.meshing.exchange import block_offsets

HALO = 5
"""Halo layers on each side: three for smoothing, one for the gradient, one for the facets above."""
SEPARATOR = "separator"


@dataclass(frozen=True)
class Lattice:
    """Spacing and extent of the lattice; equal on every rank.

    Attributes:
        phases: Names of the image's phases, the label values in order; the separator's label
            is ``len(phases)``.
        factor: Image voxels per lattice voxel along z, y, x.
        shape: Lattice voxels of the electrode along z, y, x.
        spacing: Edge lengths of a lattice voxel [m] along z, y, x.
        cropped: Image voxels left out at the far ends along z, y, x (image size that is no
            multiple of ``factor``).
        separator: Thickness of the separator layers [m], from the electrode outwards.
    """

    phases: tuple[str, ...]
    factor: tuple[int, int, int]
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    cropped: tuple[int, int, int]
    separator: tuple[float, ...]

    @property
    def layers(self) -> int:
        """Lattice layers of electrode and separator."""
        return self.shape[0] + len(self.separator)

    @property
    def area(self) -> float:
        """In-plane area [m²]."""
        return self.shape[1] * self.spacing[1] * self.shape[2] * self.spacing[2]

    @property
    def thickness(self) -> float:
        """Electrode thickness [m]."""
        return self.shape[0] * self.spacing[0]

    def planes(self) -> npt.NDArray[np.float64]:
        """Heights z [m] of the lattice planes, ``layers + 1`` of them."""
        electrode = self.spacing[0] * np.arange(self.shape[0] + 1)
        return np.concatenate([electrode, electrode[-1] + np.cumsum(self.separator)])


def plan(folder: Path, size: float, separator_thickness: float) -> Lattice:
    """Choose the lattice for an image.

    Args:
        folder: Folder of the image stage.
        size: Wanted lattice spacing [m]; the nearest whole multiple of the voxel is taken.
        separator_thickness: [m].

    Raises:
        InputError: Where the lattice would be coarser than the volume.
    """
    header = read_header(folder)
    factor = tuple(max(1, round(size / edge)) for edge in header.voxel)
    shape = tuple(n // f for n, f in zip(header.shape, factor, strict=True))
    if min(shape) < 1:
        extent = tuple(n * edge for n, edge in zip(header.shape, header.voxel, strict=True))
        raise InputError(
            f"mesh.size: {size:g} m is larger than the volume {min(extent):g} m; "
            "choose a smaller mesh.size"
        )
    spacing = tuple(f * edge for f, edge in zip(factor, header.voxel, strict=True))
    cropped = tuple(n - m * f for n, m, f in zip(header.shape, shape, factor, strict=True))
    return Lattice(
        header.phases,
        (factor[0], factor[1], factor[2]),
        (shape[0], shape[1], shape[2]),
        (spacing[0], spacing[1], spacing[2]),
        (cropped[0], cropped[1], cropped[2]),
        separator_layers(separator_thickness, spacing[0]),
    )


@dataclass(frozen=True)
class Slab:
    """This rank's layers of the lattice.

    Attributes:
        lattice: The lattice.
        first, last: Own layers ``first <= k < last``, electrode and separator counted together.
        low, high: Electrode layers held, own ones and halos: ``low <= k < high``.
        labels: Phase labels of the electrode layers held, shape ``(high - low, ny, nx)``.
        particles: Particle ids of the same layers, 0 for none.
    """

    lattice: Lattice
    first: int
    last: int
    low: int
    high: int
    labels: npt.NDArray[np.uint8]
    particles: npt.NDArray[np.int32]

    @property
    def electrode(self) -> tuple[int, int]:
        """Own electrode layers: first and one past the last (equal where there are none)."""
        n = self.lattice.shape[0]
        return min(self.first, n), min(self.last, n)

    def window(self, halo: int) -> slice:
        """Rows of ``labels`` that hold the own electrode layers and ``halo`` more each side."""
        first, last = self.electrode
        return slice(max(first - halo, self.low) - self.low, min(last + halo, self.high) - self.low)


def read_lattice(folder: Path, lattice: Lattice, comm: MPI.Intracomm) -> Slab:
    """Read this rank's slab of the image and down-sample it by majority.

    Raises:
        InputError: Where there are more ranks than electrode layers.
    """
    if lattice.shape[0] < comm.size:
        raise InputError(
            f"{comm.size} ranks for {lattice.shape[0]} lattice layers; use at most one rank a layer"
        )
    # The electrode is cut into equal slabs; the last rank adds the (few) separator layers.
    offsets = block_offsets(lattice.shape[0], comm.size)
    first, last = int(offsets[comm.rank]), int(offsets[comm.rank + 1])
    low, high = max(first - HALO, 0), min(last + HALO, lattice.shape[0])
    factor = lattice.factor
    labels, particles = read_slab(folder, low * factor[0], high * factor[0])
    ny, nx = lattice.shape[1] * factor[1], lattice.shape[2] * factor[2]
    labels, particles = labels[:, :ny, :nx], particles[:, :ny, :nx]
    coarse = majority(labels, factor, len(lattice.phases))
    ids = majority_ids(particles, labels, coarse, factor)
    top = lattice.layers if comm.rank == comm.size - 1 else last
    return Slab(lattice, first, top, low, high, coarse, ids)
