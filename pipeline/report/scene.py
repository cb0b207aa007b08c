"""The scene of the 3D picture: smooth closed surfaces of the solids, a corner cut away.

Depth z runs to the right, x to the back and y up. Nothing here needs graphics; `picture` draws it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from voxtrode.data.volume import VolumeHeader, read_slab
from voxtrode.pipeline.report.fields import vertex_values
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.style import UM, phase_colours

_SAMPLES = 192  # largest number of samples along an edge
_SMOOTHING = 0.9  # standard deviation of the Gaussian [samples]
_CUT = (0.42, 0.5, 0.5)  # where the cut-away corner begins: shares of depth, height and width
_LAYERS = 16

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface.

    Attributes:
        name: Name of the phase.
        points: Vertices (z, x, y) [µm], float[n, 3].
        triangles: Vertex numbers, int[m, 3].
        colour: Colour where there are no values, as CSS writes it.
        values: Values that colour it, float[n]; empty: none.
    """

    name: str
    points: Floats
    triangles: NDArray[np.int64]
    colour: str
    values: Floats


@dataclass(frozen=True, eq=False)
class Scene:
    """What the picture shows.

    Attributes:
        surfaces: The solids.
        size: Edges of the box (z, x, y) [µm].
        separator: Thickness of the separator [µm].
        limits: Range of the values' colours.
        what: What the values are; empty: none.
        time: Instant of the values [s], or None.
    """

    surfaces: tuple[Surface, ...]
    size: tuple[float, float, float]
    separator: float
    limits: tuple[float, float]
    what: str
    time: float | None


def make_scene(results: Results, header: VolumeHeader, dod: float = 0.5) -> Scene:
    """The solids of a run, the active ones coloured by SoL where there is a solution.

    Args:
        results: The run.
        header: Its volume.
        dod: Wanted depth of discharge, as a share of the last one.
    """
    labels, spacing = _thinned(results.folder / "image", header)
    colours = phase_colours(results.able)
    time = _instant(results, dod)
    surfaces = []
    for value, name in enumerate(header.phases):
        if not _is_shown(results, name):
            continue
        points, triangles = _surface(labels == value, spacing)
        values = np.empty(0)
        if time is not None and results.able[name]["stores"] and len(points):
            values = _sampled(results.series.files[time]["solid"], points)
        surfaces.append(Surface(name, points[:, [0, 2, 1]] * UM, triangles, colours[name], values))
    depth, height, width = (edge * UM for edge in header.size)
    shown = np.concatenate([surface.values for surface in surfaces] or [np.empty(0)])
    low, high = (float(np.percentile(shown, q)) for q in (1, 99)) if len(shown) else (0.0, 1.0)
    return Scene(
        tuple(surfaces),
        (depth, width, height),
        results.study.separator.thickness * UM,
        (low, high if high > low + 1e-6 else low + 1e-6),
        "SoL" if len(shown) else "",
        time,
    )


def write_scene(scene: Scene, path: Path) -> None:
    """Keeps a scene in a file, for `picture`."""
    arrays: dict[str, NDArray[np.generic]] = {
        "size": np.array(scene.size),
        "separator": np.array(scene.separator),
        "limits": np.array(scene.limits),
        "surfaces": np.array(len(scene.surfaces)),
    }
    for k, surface in enumerate(scene.surfaces):
        arrays[f"points_{k}"] = surface.points
        arrays[f"triangles_{k}"] = surface.triangles
        arrays[f"colour_{k}"] = np.array(surface.colour)
        arrays[f"values_{k}"] = surface.values
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _is_shown(results: Results, name: str) -> bool:
    """Active phases; other solids only where the pore space is a phase of its own."""
    able = results.able[name]
    has_pore = any(can["ions"] and not can["electrons"] for can in results.able.values())
    return able["stores"] or (has_pore and not (able["ions"] and not able["electrons"]))


def _instant(results: Results, dod: float) -> float | None:
    if not results.series.has("solid"):
        return None
    table = results.instants()
    if table.empty:
        return results.series.times[-1]
    wanted = dod * float(table["DoD"].max())
    nearest = int(np.argmin(np.abs(table["DoD"].to_numpy() - wanted)))
    return results.series.nearest(float(table["Time [s]"].iloc[nearest]))


def _thinned(folder: Path, header: VolumeHeader) -> tuple[NDArray[np.uint8], Floats]:
    """Labels at every n-th voxel, read slab by slab, and the spacing of the samples [m]."""
    nz = header.shape[0]
    step = max(1, -(-max(header.shape) // _SAMPLES))
    rows = []
    for z0 in range(0, nz, _LAYERS * step):
        labels, _ = read_slab(folder, z0, min(z0 + _LAYERS * step, nz))
        rows.append(labels[::step, ::step, ::step])
    return np.concatenate(rows), np.array(header.voxel) * step


def _surface(mask: NDArray[np.bool_], spacing: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Smooth surface of a set of voxels, closed at the box and along the cut; (z, y, x) [m].

    A sample f is continued outside by min(f, 1 − f) < 0.5, so that the level 0.5 is met half-way:
    the closing faces are flat.
    """
    once = gaussian_filter(mask.astype(np.float32), _SMOOTHING, mode="reflect")
    field = 2.0 * once - gaussian_filter(once, _SMOOTHING, mode="reflect")
    first = [round(share * n) for share, n in zip(_CUT, mask.shape, strict=True)]
    corner = (slice(first[0], None), slice(first[1], None), slice(None, mask.shape[2] - first[2]))
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


def _outside(values: NDArray[np.float32]) -> NDArray[np.float32]:
    inside: NDArray[np.float32] = np.minimum(0.999 * np.minimum(values, 1.0 - values), 0.499)
    return inside


def _sampled(path: Path, points: Floats) -> Floats:
    """SoL near points (z, y, x) [m], from the nearest vertices of the mesh."""
    vertices, values = vertex_values(path, "SoL")
    distance, nearest = cKDTree(vertices).query(points[:, ::-1], k=min(4, len(vertices)))
    weight = 1.0 / (distance + 1e-3 * float(np.max(distance)) + 1e-30)
    shares: Floats = weight / weight.sum(axis=1, keepdims=True)
    return (shares * values[nearest]).sum(axis=1)
