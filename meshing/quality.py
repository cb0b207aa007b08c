"""Evidence on the shape of tetrahedra: dihedral angles, volumes, facets."""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True)
def _angles_and_volumes(
    points: npt.NDArray[np.float64],
    angles: npt.NDArray[np.float64],
    volumes: npt.NDArray[np.float64],
) -> None:
    """Smallest and largest dihedral angle [rad] and signed volume of each tetrahedron."""
    for t in range(points.shape[0]):
        p = points[t]
        u, v, w = p[1] - p[0], p[2] - p[0], p[3] - p[0]
        volumes[t] = np.dot(np.cross(u, v), w) / 6.0
        normals = np.empty((4, 3))
        for k in range(4):
            a, b, c = p[(k + 1) % 4], p[(k + 2) % 4], p[(k + 3) % 4]
            normal = np.cross(b - a, c - a)
            if np.dot(normal, p[k] - a) > 0.0:
                normal = -normal
            normals[k] = normal / np.sqrt(np.dot(normal, normal))
        low, high = np.pi, 0.0
        for i in range(4):
            for j in range(i + 1, 4):
                cosine = -np.dot(normals[i], normals[j])
                angle = np.arccos(min(1.0, max(-1.0, cosine)))
                low, high = min(low, angle), max(high, angle)
        angles[t, 0], angles[t, 1] = low, high


def shape_measures(
    points: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Dihedral angles and volumes.

    Args:
        points: Vertices of each tetrahedron, shape ``(cells, 4, 3)``.

    Returns:
        Smallest and largest dihedral angle [degrees], shape ``(cells, 2)``, and signed volumes
        (positive where right-handed), in the cube of the points' unit, shape ``(cells,)``.
    """
    angles, volumes = np.empty((len(points), 2)), np.empty(len(points))
    _angles_and_volumes(np.ascontiguousarray(points), angles, volumes)
    return np.degrees(angles), volumes


def crowded_facets(cells: npt.NDArray[np.int64]) -> int:
    """Number of facets that more than two of the given tetrahedra share.

    Args:
        cells: Vertex numbers, shape ``(cells, 4)``.
    """
    corners = np.sort(cells, axis=1)
    facets = np.concatenate([np.delete(corners, k, axis=1) for k in range(4)])
    order = np.lexsort(facets.T)
    ordered = facets[order]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    return int(np.count_nonzero(np.diff(np.append(np.flatnonzero(new), len(ordered))) > 2))
