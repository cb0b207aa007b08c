"""Areas of the interfaces between phases: by voxel faces and by marching cubes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

from voxtrode.data.connectivity import neighbours

SMOOTHING = (1.0, 0.7, 0.5)
"""Standard deviations of the Gaussian that smooths an indicator [voxels of each axis].

The first is used, unless a set is so thin that it would lose more than `LOST` of its voxels.
On balls of 6 to 20 voxels radius the area is then about 1, 2 and 7 % too large. With the first, in
voxels twice as long as wide 2 %; in ones four times as long 4 to 5 %, and up to 10 % where a radius
is but a few of the long edges.
"""
LOST = 0.015

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """The smoothed surface of a set of voxels inside the box.

    Attributes:
        area: Its area [m²].
        smoothing: Standard deviation of the Gaussian used [voxels].
        lost: Share of the set's voxels that lie outside the smoothed surface.
    """

    area: float
    smoothing: float
    lost: float


def interface_areas(
    labels: NDArray[np.integer[Any]], phases: Sequence[str], voxel: Triple
) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, dict[str, float]]]:
    """Area of the interface of every pair of phases inside the box; its sides count nothing.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        `{"a|b": {"area_m2": {"marching_cubes": ..., "voxel_faces": ...}}}`, a before b in `phases`;
        and the evidence per set of phases ("a" or "a+b") whose surface was worked out: its
        smoothing [voxels] and the share of its voxels lost by it.
    """
    faces = voxel_face_areas(labels, len(phases), voxel)
    smooth, surfaces = marching_cubes_areas(labels, faces > 0.0, voxel)
    areas = {
        f"{phases[a]}|{phases[b]}": {
            "area_m2": {
                "marching_cubes": float(smooth[a, b]),
                "voxel_faces": float(faces[a, b]),
            }
        }
        for a, b in combinations(range(len(phases)), 2)
    }
    evidence = {
        "+".join(phases[member] for member in sorted(members)): {
            "area_m2": surface.area,
            "smoothing_voxels": surface.smoothing,
            "lost_share": surface.lost,
        }
        for members, surface in surfaces.items()
        if members
    }
    return areas, evidence


def voxel_face_areas(
    labels: NDArray[np.integer[Any]], count: int, voxel: Triple
) -> NDArray[np.float64]:
    """Summed area of the voxel faces between each two phases [m²], symmetric float[n, n]."""
    volume = float(np.prod(voxel))
    areas = np.zeros((count, count))
    for (here, there), edge in zip(neighbours(), voxel, strict=True):
        pairs = labels[here].astype(np.intp) * count + labels[there]
        areas += np.bincount(pairs.ravel(), minlength=count**2).reshape(areas.shape) * (
            volume / edge
        )
    areas = areas + areas.T
    np.fill_diagonal(areas, 0.0)
    return areas


def marching_cubes_areas(
    labels: NDArray[np.integer[Any]], touching: NDArray[np.bool_], voxel: Triple
) -> tuple[NDArray[np.float64], dict[frozenset[int], Surface]]:
    """Area of the smoothed interface between each two touching phases.

    A(ab) = (S(a) + S(b) - S(a ∪ b)) / 2, with S the surface of a set of phases (what a and b
    have in common is in S(a) and S(b), but not in the surface of both together). It holds for any
    number of phases, up to the rounding of triple lines.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        touching: Pairs to work out, symmetric bool[n, n]; the others have area 0.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Symmetric float[n, n] [m²], and the surfaces it was worked out from.
    """
    count = len(touching)
    everything = frozenset(range(count))
    surfaces: dict[frozenset[int], Surface] = {}

    def surface(members: Iterable[int]) -> float:
        chosen = frozenset(members)
        # A set and its complement have one surface.
        key = min(chosen, everything - chosen, key=lambda some: (len(some), sorted(some)))
        if key not in surfaces:
            surfaces[key] = smooth_surface(np.isin(labels, sorted(key)), voxel)
        return surfaces[key].area

    areas = np.zeros((count, count))
    for a, b in combinations(range(count), 2):
        if touching[a, b]:
            area = 0.5 * (surface([a]) + surface([b]) - surface([a, b]))
            areas[a, b] = areas[b, a] = max(area, 0.0)
    return areas, surfaces


def smooth_surface(mask: NDArray[np.bool_], voxel: Triple) -> Surface:
    """Area of the smoothed surface of a set of voxels inside the box, by marching cubes.

    The indicator is smoothed by 2G - G∗G (G: Gaussian, mirrored at the box), which leaves curved
    surfaces in place to fourth order of σ/r, where G alone would shrink a ball. The level is 0.5,
    or where thin parts would be lost at 0.5, the level that keeps the number of voxels. Where the
    surface still leaves out too many of the set's voxels, a narrower Gaussian is used.

    The sides of the box are mirrors: the field is continued by one layer, so that surfaces go
    on to half a voxel beyond, and what lies outside is not counted.

    Args:
        mask: The set, bool[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
    """
    inside = int(np.count_nonzero(mask))
    if inside in (0, mask.size):
        return Surface(0.0, SMOOTHING[0], 0.0)
    for smoothing in SMOOTHING:
        once = ndimage.gaussian_filter(mask.astype(np.float32), smoothing, mode="reflect")
        field = 2.0 * once - ndimage.gaussian_filter(once, smoothing, mode="reflect")
        level = _level(field, inside)
        lost = int(np.count_nonzero(mask & (field <= level))) / inside
        if lost <= LOST:
            break
    return Surface(_isosurface_area(field, level, voxel), smoothing, lost)


def _isosurface_area(field: NDArray[np.floating[Any]], level: float, voxel: Triple) -> float:
    """Area at which a field, given at voxel centres and mirrored at the box, has a value [m²]."""
    padded = np.pad(field, 1, mode="symmetric")
    vertices, triangles, _, _ = marching_cubes(  # type: ignore[no-untyped-call]
        padded, level, allow_degenerate=False
    )
    corners = vertices[triangles]
    sides = (corners[:, 1:] - corners[:, :1]) * np.asarray(voxel)
    areas = 0.5 * np.sqrt((np.cross(sides[:, 0], sides[:, 1]) ** 2).sum(axis=1))
    # Layers of the padded grid are numbered 0 ... n + 1: the first and last cells lie half outside,
    # and the field is constant across them.
    middle = corners.mean(axis=1)
    outer = (middle < 1.0) | (middle > np.asarray(field.shape))
    return float((areas * 0.5 ** outer.sum(axis=1)).sum())


def _level(field: NDArray[np.floating[Any]], inside: int) -> float:
    """The level nearest to 0.5 at which `inside` values are above it."""
    split = field.size - inside
    ordered = np.partition(field.ravel(), (split - 1, split))
    below, above = float(ordered[split - 1]), float(ordered[split])
    return 0.5 if below < 0.5 < above else 0.5 * (below + above)
