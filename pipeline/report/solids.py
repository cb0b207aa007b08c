"""Smooth closed surfaces of a volume's solids, a corner cut away; what a 3D picture is made of.

Nothing here needs graphics; `picture` draws it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from skimage.measure import marching_cubes

from voxtrode.data.volume import VolumeHeader, read_slab
from voxtrode.pipeline.image_figures.colours import particle_colours
from voxtrode.pipeline.report.style import UM, phase_colours

_SAMPLES = 192  # largest number of samples along an edge
_KEPT = 32  # samples along an edge that are never thinned out
_SMOOTHING = 0.9  # standard deviation of the Gaussian [samples]
_CUT = (0.42, 0.5, 0.5)  # where the cut-away corner begins: shares of depth, height and width
_THIN = 8  # a box with fewer samples along an edge is left whole
_LAYERS = 16

type Floats = NDArray[np.float64]
type Able = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface.

    Attributes:
        name: Name of the phase.
        points: Vertices (z, x, y) [µm], float[n, 3].
        triangles: Vertex numbers, int[m, 3].
        colour: Colour where there is no other, as CSS writes it.
        values: Values that colour it, float[n]; empty: none.
        paint: Red, green and blue of each triangle, uint8[m, 3]; empty: none.
    """

    name: str
    points: Floats
    triangles: NDArray[np.int64]
    colour: str
    values: Floats
    paint: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Scene:
    """What the picture shows.

    Attributes:
        surfaces: The solids.
        size: Edges of the box (z, x, y) [µm].
        separator: Thickness of the separator [µm]; 0: none is shown.
        limits: Range of the values' colours.
        what: What the values are; empty: none.
        time: Instant of the values [s], or None.
        collectors: What those at z = 0 and at z = L are called; empty: none is there.
    """

    surfaces: tuple[Surface, ...]
    size: tuple[float, float, float]
    separator: float
    limits: tuple[float, float]
    what: str
    time: float | None
    collectors: tuple[str, str] = ("collector", "")


@dataclass(frozen=True, eq=False)
class Samples:
    """A volume at some of its voxels.

    Attributes:
        labels: Phases [z, y, x].
        particles: Particle ids, likewise.
        spacing: Of the samples (z, y, x) [m].
    """

    labels: NDArray[np.uint8]
    particles: NDArray[np.int32]
    spacing: Floats


def thinned(folder: Path, header: VolumeHeader) -> Samples:
    """Every n-th voxel, n along each edge such that samples lie about as far apart along all.

    Args:
        folder: The folder of the volume's files, read slab by slab.
        header: Its header.
    """
    nz = header.shape[0]
    wanted = max(max(header.size) / _SAMPLES, min(header.voxel))
    steps = [
        max(1, min(int(np.ceil(wanted / edge - 1e-6)), count // _KEPT))
        for edge, count in zip(header.voxel, header.shape, strict=True)
    ]
    labels, particles = [], []
    for z0 in range(0, nz, _LAYERS * steps[0]):
        slab = read_slab(folder, z0, min(z0 + _LAYERS * steps[0], nz))
        kept = tuple(slice(None, None, step) for step in steps)
        labels.append(slab[0][kept])
        particles.append(slab[1][kept])
    spacing = np.array(header.voxel) * steps
    return Samples(np.concatenate(labels), np.concatenate(particles), spacing)


def solid_surfaces(
    folder: Path, header: VolumeHeader, able: Able, largest: int
) -> tuple[Surface, ...]:
    """Active phases, painted particle by particle, and other solids in their phases' colours.

    Other solids are shown only where the pore space is a phase of its own.

    Args:
        folder: The folder of the volume's files.
        header: Its header.
        able: What each phase can do.
        largest: Largest particle id; the colours hang on it.
    """
    samples = thinned(folder, header)
    own = phase_colours(able)
    colours = particle_colours(max(largest, int(samples.particles.max())))
    surfaces = []
    for value, name in enumerate(header.phases):
        if not _is_shown(able, name):
            continue
        mask = samples.labels == value
        points, triangles = closed_surface(mask, samples.spacing)
        paint = np.empty((0, 3), np.uint8)
        if able[name]["stores"] and len(triangles):
            middles = points[triangles].mean(axis=1)
            paint = colours[nearest_ids(samples.particles * mask, samples.spacing, middles)]
        place = points[:, [0, 2, 1]] * UM
        surfaces.append(Surface(name, place, triangles, own[name], np.empty(0), paint))
    return tuple(surfaces)


def box_edges(header: VolumeHeader) -> tuple[float, float, float]:
    """Edges of the box (z, x, y) [µm], in the order of a scene."""
    depth, height, width = (edge * UM for edge in header.size)
    return depth, width, height


def _is_shown(able: Able, name: str) -> bool:
    can = able[name]
    has_pore = any(other["ions"] and not other["electrons"] for other in able.values())
    return can["stores"] or (has_pore and not (can["ions"] and not can["electrons"]))


def closed_surface(mask: NDArray[np.bool_], spacing: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Smooth surface of a set of voxels, closed at the box and along the cut; (z, y, x) [m].

    A sample f is continued outside by min(f, 1 − f) < 0.5, so that the level 0.5 is met half-way:
    the closing faces are flat.
    """
    once = gaussian_filter(mask.astype(np.float32), _SMOOTHING, mode="reflect")
    field = 2.0 * once - gaussian_filter(once, _SMOOTHING, mode="reflect")
    if min(mask.shape) >= _THIN:
        first = [round(share * n) for share, n in zip(_CUT, mask.shape, strict=True)]
        corner = (slice(first[0], None), slice(first[1], None), slice(mask.shape[2] - first[2]))
        field[corner] = _outside(field[corner])
    padded = np.pad(field, 1, mode="edge")
    for axis in range(3):
        for end in (0, -1):
            side = tuple(end if k == axis else slice(None) for k in range(3))
            padded[side] = _outside(padded[side])
    if not padded.min() < 0.5 < padded.max():
        return np.empty((0, 3)), np.empty((0, 3), np.int64)
    vertices, triangles, _, _ = marching_cubes(padded, 0.5)  # type: ignore[no-untyped-call]
    return (vertices - 0.5) * spacing, triangles.astype(np.int64)


def nearest_ids(ids: NDArray[np.int32], spacing: Floats, points: Floats) -> NDArray[np.int32]:
    """The id other than 0 nearest to each point; 0 where there is none at all.

    Args:
        ids: Of the samples [z, y, x].
        spacing: Of the samples (z, y, x) [m].
        points: Places (z, y, x) [m], float[n, 3].
    """
    if not ids.any():
        return np.zeros(len(points), np.int32)
    nearest = distance_transform_edt(
        ids == 0, sampling=spacing, return_distances=False, return_indices=True
    )
    voxel = np.clip((points / spacing).astype(np.int64), 0, np.array(ids.shape) - 1)
    places = nearest[:, voxel[:, 0], voxel[:, 1], voxel[:, 2]]
    found: NDArray[np.int32] = ids[tuple(places)]
    return found


def write_scene(scene: Scene, path: Path) -> None:
    """Keeps a scene in a file, for `picture`."""
    arrays: dict[str, NDArray[np.generic]] = {
        "size": np.array(scene.size),
        "separator": np.array(scene.separator),
        "collectors": np.array([bool(name) for name in scene.collectors]),
        "limits": np.array(scene.limits),
        "surfaces": np.array(len(scene.surfaces)),
    }
    for k, surface in enumerate(scene.surfaces):
        arrays[f"points_{k}"] = surface.points
        arrays[f"triangles_{k}"] = surface.triangles
        arrays[f"colour_{k}"] = np.array(surface.colour)
        arrays[f"values_{k}"] = surface.values
        arrays[f"paint_{k}"] = surface.paint
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _outside(values: NDArray[np.float32]) -> NDArray[np.float32]:
    inside: NDArray[np.float32] = np.minimum(0.999 * np.minimum(values, 1.0 - values), 0.499)
    return inside
