"""The three middle planes of a volume, read slab by slab."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from voxtrode.data.volume import GRAINS_FILE, VolumeHeader, read_slab

_LAYERS = 16  # read at once
_PIXELS = 900  # largest number of pixels along an edge of a plane

type Ids = NDArray[np.int32]
type GrainSlab = Callable[[int, int], Ids]


@dataclass(frozen=True, eq=False)
class Plane:
    """One section; the horizontal axis is the second of the arrays.

    Attributes:
        up, across: Names of the axes, of `x`, `y`, `z`.
        normal: Name of the third one, and where it is cut [m].
        size: Edge lengths (up, across) [m].
        labels: Phases, int32[up, across], perhaps thinned.
        particles: Particle ids, likewise.
        grains: Grain ids, likewise; zeros where no grains are known.
    """

    up: str
    across: str
    normal: tuple[str, float]
    size: tuple[float, float]
    labels: Ids
    particles: Ids
    grains: Ids

    @property
    def is_line(self) -> bool:
        """Whether it is a single voxel wide."""
        return 1 in self.labels.shape

    def magnified(self, factor: int) -> "Plane":
        """The same plane with every pixel repeated along both edges."""
        found = (self.labels, self.particles, self.grains)
        fine = (ids.repeat(factor, axis=0).repeat(factor, axis=1) for ids in found)
        return Plane(self.up, self.across, self.normal, self.size, *fine)


def read_planes(folder: Path, header: VolumeHeader) -> tuple[Plane, Plane, Plane]:
    """The planes zy, zx and yx through the middle of the volume; z runs to the right.

    Args:
        folder: The folder of the volume's files.
        header: Its header.
    """
    nz, ny, nx = header.shape
    dz, dy, dx = header.voxel
    grains_of = _grain_reader(folder, header)
    at_x, at_y = [], []
    at_z = np.empty((3, 0, 0), np.int32)
    for z0 in range(0, nz, _LAYERS):
        z1 = min(z0 + _LAYERS, nz)
        labels, particles = read_slab(folder, z0, z1)
        slab = np.stack([labels.astype(np.int32), particles, grains_of(z0, z1)])
        at_x.append(slab[:, :, :, nx // 2].copy())
        at_y.append(slab[:, :, ny // 2, :].copy())
        if z0 <= nz // 2 < z1:
            at_z = slab[:, nz // 2 - z0].copy()
    zy = np.concatenate(at_x, axis=1).transpose(0, 2, 1)
    zx = np.concatenate(at_y, axis=1).transpose(0, 2, 1)
    depth, height, width = header.size
    return (
        _plane("y", "z", ("x", (nx // 2 + 0.5) * dx), (height, depth), zy),
        _plane("x", "z", ("y", (ny // 2 + 0.5) * dy), (width, depth), zx),
        _plane("y", "x", ("z", (nz // 2 + 0.5) * dz), (height, width), at_z),
    )


def grain_file(folder: Path, header: VolumeHeader) -> NDArray[Any] | None:
    """Grain ids [z, y, x] as a memory map, where grains are resolved."""
    path = folder / GRAINS_FILE
    if not path.is_file():
        return None
    grains: NDArray[Any] = tifffile.memmap(path, mode="r")
    return grains.reshape(header.shape)


def _grain_reader(folder: Path, header: VolumeHeader) -> GrainSlab:
    grains = grain_file(folder, header)
    if grains is None:
        return lambda z0, z1: np.zeros((z1 - z0, *header.shape[1:]), np.int32)
    return lambda z0, z1: np.array(grains[z0:z1], np.int32)


def _plane(
    up: str, across: str, normal: tuple[str, float], size: tuple[float, float], found: Ids
) -> Plane:
    thin = found[:, _thin(found.shape[1]), _thin(found.shape[2])]
    return Plane(up, across, normal, size, *thin)


def _thin(count: int) -> slice:
    return slice(None, None, max(1, -(-count // _PIXELS)))
