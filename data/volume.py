"""A labelled volume, and its files: one TIFF of phases and one of particles, read slab by slab."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import NDArray

from voxtrode.data.errors import InputError

LABELS_FILE = "volume.tif"
PARTICLES_FILE = "particles.tif"
GRAINS_FILE = "grains.tif"
GRAINS_TABLE = "grains.csv"

Labels = NDArray[np.uint8]
Particles = NDArray[np.int32]


@dataclass(frozen=True)
class VolumeHeader:
    """What a volume file says without its voxels being read.

    Attributes:
        shape: Number of voxels along (z, y, x).
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        phases: Name of each label value 0..n-1.
    """

    shape: tuple[int, int, int]
    voxel: tuple[float, float, float]
    phases: tuple[str, ...]

    @property
    def size(self) -> tuple[float, float, float]:
        """Edge lengths of the box along (z, y, x) [m]."""
        nz, ny, nx = self.shape
        dz, dy, dx = self.voxel
        return nz * dz, ny * dy, nx * dx


@dataclass(frozen=True, eq=False)
class Grains:
    """Crystals inside particles, each with one orientation.

    Attributes:
        ids: Grain of each voxel [z, y, x], 1..n; 0 where there is none; int32.
        particle: Particle of grain 1..n, int[n].
        quaternions: Rotation (w, z, y, x) of each grain's crystal frame into the box, unit length,
            float[n, 4]. Unturned, the c axis of the layered lattice points along z. The axes are
            right-handed in the order (z, y, x), and so left-handed in the order (x, y, z):
            software that counts x, y, z in its vectors takes (w, -x, -y, -z) in the order
            (w, x, y, z) for the same rotation.
    """

    ids: NDArray[np.int32]
    particle: NDArray[np.int32]
    quaternions: NDArray[np.float64]

    @property
    def c_axes(self) -> NDArray[np.float64]:
        """Unit vector (z, y, x) of each grain's c axis, the slow direction of diffusion."""
        w, z, y, x = self.quaternions.T
        # The first column of the rotation matrix, axes in the order (z, y, x).
        return np.stack([1 - 2 * (y * y + x * x), 2 * (z * y + w * x), 2 * (z * x - w * y)], axis=1)


@dataclass(frozen=True, eq=False)
class Volume:
    """A segmented piece of an electrode.

    Attributes:
        labels: Phase of each voxel [z, y, x], values 0..n-1; z = 0 is the collector.
        phases: Name of each label value.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        particles: Particle id of each voxel [z, y, x]; 0 where there is no particle.
        evidence: What the generator or reader was asked for and what it reached (JSON-able).
        grains: Crystals inside the particles, where they are resolved.
        made_diameters: Diameter of the body that particle 1..n was cut from [m], float[n], where
            the volume was generated.
    """

    labels: Labels
    phases: tuple[str, ...]
    voxel: tuple[float, float, float]
    particles: Particles
    evidence: Mapping[str, Any] = field(default_factory=dict)
    grains: Grains | None = None
    made_diameters: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.labels.ndim != 3 or self.labels.size == 0:
            raise ValueError(f"labels must fill a 3D array, got shape {self.labels.shape}")
        if self.labels.shape != self.particles.shape:
            raise ValueError(
                f"particles have shape {self.particles.shape}, labels {self.labels.shape}"
            )
        if int(self.labels.max()) >= len(self.phases):
            raise ValueError(f"label {int(self.labels.max())} has no name in {self.phases}")
        if min(self.voxel) <= 0:
            raise ValueError(f"voxel edges must be positive, got {self.voxel}")

    @property
    def header(self) -> VolumeHeader:
        """Shape, voxel edges and phase names."""
        nz, ny, nx = self.labels.shape
        return VolumeHeader((nz, ny, nx), self.voxel, self.phases)


def write_volume(volume: Volume, folder: Path) -> None:
    """Write `volume.tif` (uint8 labels) and `particles.tif` (int32 ids) into a folder.

    Where there are grains: `grains.tif` (int32 ids) and `grains.csv` (orientations) as well.

    Both are uncompressed and contiguous, so that slabs can be read through a memory map. The labels
    carry the voxel size as ImageJ does (unit, spacing, resolution); ImageJ knows no int32, so that
    the particles carry resolution tags per centimetre. The exact header is kept beside those.

    Args:
        volume: What to write.
        folder: Where to; made if missing. In a run this is `<run>/image`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / LABELS_FILE, volume.labels, volume.header)
    _write(folder / PARTICLES_FILE, volume.particles, volume.header)
    if volume.grains is not None:
        _write(folder / GRAINS_FILE, volume.grains.ids, volume.header)
        _write_grains(volume.grains, float(np.prod(volume.voxel)), folder / GRAINS_TABLE)


def read_header(folder: Path) -> VolumeHeader:
    """Shape, voxel edges [m] and phase names of the volume in a folder; reads no voxels.

    Raises:
        InputError: The file is missing or was not written by `write_volume`.
    """
    path = folder / LABELS_FILE
    try:
        with tifffile.TiffFile(path) as tiff:
            shaped = tiff.shaped_metadata or ({},)
            info = json.loads((tiff.imagej_metadata or shaped[0])["Info"])
        nz, ny, nx = info["shape"]
        dz, dy, dx = info["voxel_m"]
        return VolumeHeader((nz, ny, nx), (dz, dy, dx), tuple(info["phases"]))
    except FileNotFoundError as error:
        raise InputError(f"no volume at {path}: run the image stage first") from error
    except (tifffile.TiffFileError, KeyError, ValueError, TypeError, struct.error) as error:
        raise InputError(
            f"{path} is not a volume written by voxtrode ({error}): run the image stage again"
        ) from error


def read_slab(folder: Path, z0: int, z1: int) -> tuple[Labels, Particles]:
    """Layers z0 <= z < z1 of the volume in a folder; only their pages are read.

    Args:
        folder: The folder `write_volume` wrote into.
        z0: First layer.
        z1: One past the last layer.

    Returns:
        Labels uint8[z1-z0, y, x] and particle ids int32[z1-z0, y, x], own copies.

    Raises:
        InputError: The volume is missing or damaged.
        ValueError: The layers are not inside the volume.
    """
    header = read_header(folder)
    if not 0 <= z0 <= z1 <= header.shape[0]:
        raise ValueError(f"layers {z0}:{z1} are outside 0:{header.shape[0]}")
    labels = _map(folder / LABELS_FILE, header)[z0:z1]
    particles = _map(folder / PARTICLES_FILE, header)[z0:z1]
    return np.array(labels, dtype=np.uint8), np.array(particles, dtype=np.int32)


def read_labels(folder: Path, z0: int, z1: int) -> Labels:
    """Labels uint8[z1-z0, y, x] of layers z0 <= z < z1, an own copy; as `read_slab`."""
    header = read_header(folder)
    return np.array(_map(folder / LABELS_FILE, header)[z0:z1], dtype=np.uint8)


def _write_grains(grains: Grains, voxel: float, path: Path) -> None:
    count = len(grains.particle)
    volumes = np.bincount(grains.ids.ravel(), minlength=count + 1)[1:] * voxel
    columns = {"id": np.arange(1, count + 1), "particle": grains.particle, "volume_m3": volumes}
    columns |= {f"q_{name}": q for name, q in zip("wzyx", grains.quaternions.T, strict=True)}
    columns |= {f"c_{name}": c for name, c in zip("zyx", grains.c_axes.T, strict=True)}
    pd.DataFrame(columns).to_csv(path, index=False)


def _write(path: Path, data: NDArray[Any], header: VolumeHeader) -> None:
    dz, dy, dx = header.voxel
    info = {"shape": header.shape, "voxel_m": header.voxel, "phases": header.phases}
    # ImageJ's format holds 8-bit labels up to 4 GB; what it cannot hold becomes a plain (Big)TIFF.
    imagej = data.dtype == np.uint8 and data.nbytes < 2**32 - 2**25
    unit = 1e-6 if imagej else 1e-2
    tifffile.imwrite(
        path,
        np.ascontiguousarray(data),
        imagej=imagej,
        photometric="minisblack",
        resolution=(unit / dx, unit / dy),
        resolutionunit="NONE" if imagej else "CENTIMETER",
        metadata={"axes": "ZYX", "spacing": dz / 1e-6, "unit": "um", "Info": json.dumps(info)},
    )


def _map(path: Path, header: VolumeHeader) -> NDArray[Any]:
    try:
        mapped: NDArray[Any] = tifffile.memmap(path, mode="r")
        return mapped.reshape(header.shape)
    except FileNotFoundError as error:
        raise InputError(f"no volume at {path}: run the image stage first") from error
    except (tifffile.TiffFileError, ValueError, struct.error) as error:
        raise InputError(f"{path} is damaged ({error}): run the image stage again") from error
