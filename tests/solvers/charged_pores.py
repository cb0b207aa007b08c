"""Ions that charge the walls of pores, by a direct solution; two sets of conventions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve


@dataclass(frozen=True)
class Conventions:
    """What is a wall, and how far a current has to go.

    Attributes:
        sides: Whether the sides of the box and the face behind are walls too.
        counter: From the last centres to the counter face, in voxels.
        wall: From a centre to its walls, in voxels.
    """

    sides: bool = False
    counter: float = 0.5
    wall: float = 0.0


OURS = Conventions()
TAUFACTOR = Conventions(sides=True, counter=1.0, wall=0.5)


def resistance(
    pore: np.ndarray,
    voxel: Sequence[float] = (1.0, 1.0, 1.0),
    periodic: Sequence[int] = (),
    conventions: Conventions = OURS,
) -> float:
    """Dissipation over the squared current, per unit of conductivity.

    Args:
        pore: bool[z, y, x]; the counter face follows the last layer along z.
        voxel: Edge lengths (z, y, x).
        periodic: Axes (1, 2) across which the sides are neighbours.
        conventions: What is a wall.
    """
    edges = np.asarray(voxel)
    area = np.prod(edges) / edges
    number = np.arange(pore.size).reshape(pore.shape)
    outer = np.pad(pore, 1, constant_values=not conventions.sides)
    outer[-1] = True
    for axis in periodic:
        outer = np.moveaxis(outer, axis, 0)
        outer[0], outer[-1] = outer[-2], outer[1]
        outer = np.moveaxis(outer, 0, axis)
    matrix = sparse.csr_array((pore.size, pore.size))
    drawn, within = np.zeros(pore.shape), np.zeros(pore.shape)
    for axis in range(3):
        here, there = (np.moveaxis(a, axis, 0) for a in (number, np.roll(number, -1, axis)))
        last = None if axis in periodic else -1
        pair = np.stack([here[:last].ravel(), there[:last].ravel()])
        a, b = pair[:, pore.ravel()[pair].all(axis=0)]
        c = np.full(len(a), area[axis] / edges[axis])
        places = (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))
        matrix += sparse.csr_array((np.concatenate([c, c, -c, -c]), places), matrix.shape)
        for step in (-1, 1):
            wall = pore & ~np.roll(outer, step, axis)[1:-1, 1:-1, 1:-1]
            drawn += wall * area[axis]
            within += wall * area[axis] * edges[axis] * conventions.wall
    counter = np.zeros(pore.shape)
    counter[-1] = pore[-1] * area[0] / edges[0] / conventions.counter
    _, name = connected_components(matrix != 0, directed=False)
    reached = np.flatnonzero(np.isin(name, name[counter.ravel() > 0.0]) & pore.ravel())
    source, fixed = drawn.ravel()[reached], counter.ravel()[reached]
    u = spsolve((matrix[reached][:, reached] + sparse.diags_array(fixed)).tocsc(), source)
    lost = float(u @ source) + float(within.ravel()[reached].sum())
    return lost / float(source.sum()) ** 2


def tau_e(pore: np.ndarray, voxel: Sequence[float], found: float) -> float:
    """τ_e of a resistance, against a uniform electrode of the same voxels."""
    layers, edges = len(pore), np.asarray(voxel)
    columns = pore[0].size * edges[1] * edges[2] / edges[0]
    return float(found * columns * pore.mean() / (layers / 3.0 + 1.0 / (6.0 * layers)))
