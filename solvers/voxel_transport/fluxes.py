"""Fluxes through planes, from the potential and the conductances alone, in double precision."""

from dataclasses import dataclass
from math import inf

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.kernels import Cells, Operator, conducts, face


@dataclass(frozen=True)
class PlaneFluxes:
    """Total flux through the planes of faces normal to the axis.

    Attributes:
        first: Into the volume at the end face with u = 1.
        mean: Over the planes, those at the end faces included.
        imbalance: (max − min)/mean; infinite where nothing flows from u = 1 to u = 0 yet.
    """

    first: float
    mean: float
    imbalance: float


def plane_fluxes(op: Operator, u: Cells, axis: int) -> PlaneFluxes:
    """Fluxes through all planes normal to an axis.

    Args:
        op: Operator in double precision.
        u: The potential, with 1 and 0 in the ghosts of the end faces.
        axis: 0, 1, 2 for z, y, x.
    """
    flux = _by_plane(op, u, axis)
    mean = float(flux.mean())
    spread = float(flux.max() - flux.min())
    return PlaneFluxes(float(flux[0]), mean, spread / mean if mean > 0.0 else inf)


@njit(cache=True)
def _by_plane(op: Operator, u: Cells, axis: int) -> NDArray[np.float64]:
    nz, ny, nx = u.shape
    up = (int(axis == 0), int(axis == 1), int(axis == 2))
    flux = np.zeros(u.shape[axis] - 1)
    for z in range(1, nz - 1 + up[0]):
        for y in range(1, ny - 1 + up[1]):
            for x in range(1, nx - 1 + up[2]):
                if not conducts(op, z, y, x):
                    continue
                drop = u[z - up[0], y - up[1], x - up[2]] - u[z, y, x]
                flux[(z, y, x)[axis] - 1] += face(op, axis, z, y, x) * drop
    return flux
