"""Search for better positions of single vertices (Numba kernels; no allocation of mesh size)."""

from itertools import product
from math import sqrt

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int32]
Point = tuple[float, float, float]

DIRECTIONS: Floats = np.array(
    [
        [component / sqrt(sum(abs(k) for k in d)) for component in d]
        for d in product((-1, 0, 1), repeat=3)
        if any(d)
    ]
)
FIRST_STEP = 0.25  # of the reach
HALVINGS = 5
GAIN = 1.001  # a move must raise the worst squared sine by this factor, else it is rounding


@njit(cache=True, error_model="numpy")
def squared_sine(x: Floats, a: int, b: int, c: int, d: int) -> float:
    """Smallest squared sine of the six dihedral angles; -1 for a cell that is not right-handed.

    With the normals n (twice the area long) of the facets that meet at an edge of length l,
    sin θ = 6 V l / (|n₁| |n₂|). It is small for small and for large angles alike, needs no root
    and does not lose digits in flat cells.

    Args:
        x: Points, shape ``(points, 3)``.
        a, b, c, d: Rows of the vertices.
    """
    ux, uy, uz = x[b, 0] - x[a, 0], x[b, 1] - x[a, 1], x[b, 2] - x[a, 2]
    vx, vy, vz = x[c, 0] - x[a, 0], x[c, 1] - x[a, 1], x[c, 2] - x[a, 2]
    wx, wy, wz = x[d, 0] - x[a, 0], x[d, 1] - x[a, 1], x[d, 2] - x[a, 2]
    bx, by, bz = vy * wz - vz * wy, vz * wx - vx * wz, vx * wy - vy * wx
    volume = ux * bx + uy * by + uz * bz
    if not volume > 0.0:
        return -1.0
    cx, cy, cz = wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux
    dx, dy, dz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    ax, ay, az = bx + cx + dx, by + cy + dy, bz + cz + dz
    na, nb = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz
    nc, nd = cx * cx + cy * cy + cz * cz, dx * dx + dy * dy + dz * dz
    uu, vv, ww = (
        ux * ux + uy * uy + uz * uz,
        vx * vx + vy * vy + vz * vz,
        wx * wx + wy * wy + wz * wz,
    )
    uv = (vx - ux) ** 2 + (vy - uy) ** 2 + (vz - uz) ** 2
    vw = (wx - vx) ** 2 + (wy - vy) ** 2 + (wz - vz) ** 2
    wu = (ux - wx) ** 2 + (uy - wy) ** 2 + (uz - wz) ** 2
    # The edge between two vertices lies on the facets opposite to the other two.
    least = min(
        uu / (nc * nd),
        vv / (nb * nd),
        ww / (nb * nc),
        vw / (na * nb),
        wu / (na * nc),
        uv / (na * nd),
    )
    return float(least * volume * volume)


@njit(cache=True)
def _worst(x: Floats, cells: Cells, star: npt.NDArray[np.int64], floor: float) -> float:
    """Smallest squared sine in a star, or any value not above ``floor`` if it is not above it."""
    worst = np.inf
    for t in star:
        value = squared_sine(x, cells[t, 0], cells[t, 1], cells[t, 2], cells[t, 3])
        worst = min(worst, value)
        if worst <= floor:
            break
    return worst


@njit(cache=True)
def _worst_first(star: npt.NDArray[np.int64], quality: Floats) -> npt.NDArray[np.int64]:
    """A star in order of quality: most trials then fail at the first cells."""
    ordered = star.copy()
    for i in range(1, ordered.size):
        t, j = ordered[i], i
        while j > 0 and quality[ordered[j - 1]] > quality[t]:
            ordered[j] = ordered[j - 1]
            j -= 1
        ordered[j] = t
    return ordered


@njit(cache=True)
def _trial(
    p: Point, k: int, step: float, start: Floats, frozen: npt.NDArray[np.bool_], reach: float
) -> Point:
    """The position after a step in one of the directions, drawn back to its reach."""
    d = DIRECTIONS[k]
    u = p[0] - start[0] + (0.0 if frozen[0] else step * d[0])
    v = p[1] - start[1] + (0.0 if frozen[1] else step * d[1])
    w = p[2] - start[2] + (0.0 if frozen[2] else step * d[2])
    length = np.sqrt(u * u + v * v + w * w)
    back = reach / length if length > reach else 1.0
    return start[0] + back * u, start[1] + back * v, start[2] + back * w


@njit(cache=True)
def _place(points: Floats, vertex: int, p: Point) -> None:
    points[vertex, 0], points[vertex, 1], points[vertex, 2] = p


@njit(cache=True)
def improve_vertex(
    vertex: int,
    star: npt.NDArray[np.int64],
    points: Floats,
    start: Floats,
    frozen: npt.NDArray[np.bool_],
    reach: float,
    cells: Cells,
    quality: Floats,
    goal: float,
) -> None:
    """Move one vertex so that the worst cell of its star gets better, if any tried move does.

    A compass search (Kolda, Lewis, Torczon 2003, doi:10.1137/S003614450242889): the best of 26
    directions, half the step where none is better. It ends once all cells are good enough, so
    that nothing moves further than it must. The result does not depend on the order of the star:
    a trial is judged by a minimum.

    Args:
        vertex: Row of the vertex.
        star: Rows of the cells around it.
        points: Points; the row of the vertex is changed.
        start: Where the vertex started, shape ``(3,)``.
        frozen: Components that must not change, shape ``(3,)``.
        reach: Largest distance from ``start``.
        cells: Vertices of the cells, shape ``(cells, 4)``.
        quality: Squared sine of each cell.
        goal: Squared sine that is good enough.
    """
    star = _worst_first(star, quality)
    worst = quality[star[0]]
    position = points[vertex, 0], points[vertex, 1], points[vertex, 2]
    step, halvings = FIRST_STEP * reach, 0
    while halvings <= HALVINGS and worst < goal:
        floor = max(worst, worst * GAIN)
        best, better = position, False
        for k in range(DIRECTIONS.shape[0]):
            trial = _trial(position, k, step, start, frozen, reach)
            _place(points, vertex, trial)
            value = _worst(points, cells, star, floor)
            if value > floor:
                floor, worst, best, better = value, value, trial, True
        if not better:
            step *= 0.5
            halvings += 1
        position = best
    _place(points, vertex, position)
