"""Evidence on the shape of tetrahedra: dihedral angles, volumes, facets."""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, error_model="numpy")
def extreme_cosines(
    x: npt.NDArray[np.float64], a: int, b: int, c: int, d: int
) -> tuple[float, float, float]:
    """Cosines of the smallest and the largest dihedral angle, and six times the signed volume.

    Args:
        x: Points, shape ``(points, 3)``.
        a, b, c, d: Rows of the vertices. A facet without area counts as angles of 0 and 180
            degrees.
    """
    ux, uy, uz = x[b, 0] - x[a, 0], x[b, 1] - x[a, 1], x[b, 2] - x[a, 2]
    vx, vy, vz = x[c, 0] - x[a, 0], x[c, 1] - x[a, 1], x[c, 2] - x[a, 2]
    wx, wy, wz = x[d, 0] - x[a, 0], x[d, 1] - x[a, 1], x[d, 2] - x[a, 2]
    # Normals of the facets opposite to b, c, d, all inwards or all outwards; the four add up to 0.
    bx, by, bz = vy * wz - vz * wy, vz * wx - vx * wz, vx * wy - vy * wx
    cx, cy, cz = wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    ax, ay, az = -(bx + cx + dx), -(by + cy + dy), -(bz + cz + dz)
    volume = ux * bx + uy * by + uz * bz
    na, nb = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz
    nc, nd = cx * cx + cy * cy + cz * cz, dx * dx + dy * dy + dz * dz
    if min(na, nb, nc, nd) <= 0.0:
        return 1.0, -1.0, volume
    na, nb, nc, nd = 1.0 / np.sqrt(na), 1.0 / np.sqrt(nb), 1.0 / np.sqrt(nc), 1.0 / np.sqrt(nd)
    ab = -(ax * bx + ay * by + az * bz) * na * nb
    ac = -(ax * cx + ay * cy + az * cz) * na * nc
    ad = -(ax * dx + ay * dy + az * dz) * na * nd
    bc = -(bx * cx + by * cy + bz * cz) * nb * nc
    bd = -(bx * dx + by * dy + bz * dz) * nb * nd
    cd = -(cx * dx + cy * dy + cz * dz) * nc * nd
    high = max(ab, ac, ad, bc, bd, cd)
    low = min(ab, ac, ad, bc, bd, cd)
    return min(high, 1.0), max(low, -1.0), volume


@njit(cache=True)
def _angles_and_volumes(
    x: npt.NDArray[np.float64],
    angles: npt.NDArray[np.float64],
    volumes: npt.NDArray[np.float64],
) -> None:
    """Smallest and largest dihedral angle [rad] and signed volume of every four points."""
    for t in range(volumes.size):
        high, low, volume = extreme_cosines(x, 4 * t, 4 * t + 1, 4 * t + 2, 4 * t + 3)
        angles[t, 0], angles[t, 1] = np.arccos(high), np.arccos(low)
        volumes[t] = volume / 6.0


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
    _angles_and_volumes(np.ascontiguousarray(points).reshape(-1, 3), angles, volumes)
    return np.degrees(angles), volumes


@njit(cache=True)
def _count_angles(
    x: npt.NDArray[np.float64], cells: npt.NDArray[np.signedinteger], counts: npt.NDArray[np.int64]
) -> None:
    """Add the smallest and the largest angle of every cell to bins of equal width up to 180°."""
    bins = counts.shape[0]
    for t in range(cells.shape[0]):
        high, low, _ = extreme_cosines(x, cells[t, 0], cells[t, 1], cells[t, 2], cells[t, 3])
        counts[min(int(np.arccos(high) / np.pi * bins), bins - 1), 0] += 1
        counts[min(int(np.arccos(low) / np.pi * bins), bins - 1), 1] += 1


def angle_histogram(
    x: npt.NDArray[np.float64], cells: npt.NDArray[np.signedinteger], bins: int = 180
) -> npt.NDArray[np.int64]:
    """Numbers of cells by their smallest and by their largest dihedral angle.

    Args:
        x: Points, shape ``(points, 3)``.
        cells: Vertices of each tetrahedron as rows of ``x``, shape ``(cells, 4)``.
        bins: Number of bins of equal width from 0 to 180 degrees.

    Returns:
        Shape ``(bins, 2)``: smallest angles, largest angles.
    """
    counts = np.zeros((bins, 2), dtype=np.int64)
    _count_angles(x, cells, counts)
    return counts


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
