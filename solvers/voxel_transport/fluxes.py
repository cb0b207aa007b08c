"""Fluxes through planes, from the potential and the conductances alone, in double precision.

Nothing here is shared with the solver: each face's conductance is looked up, multiplied by the
difference of the potential across it, and added to the plane that it lies in.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.solvers.voxel_transport.slab import Slab
from voxtrode.solvers.voxel_transport.storage import Cells, Table


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

    @classmethod
    def of(cls, flux: NDArray[np.float64]) -> "PlaneFluxes":
        """From the flux through each plane."""
        mean = float(flux.mean())
        spread = float(flux.max() - flux.min())
        return cls(float(flux[0]), mean, spread / mean if mean > 0.0 else inf)


def plane_fluxes(table: Table, u: Cells, axis: int, slab: Slab) -> PlaneFluxes:
    """Fluxes through all planes normal to an axis; collective.

    Args:
        table: Phases and conductances.
        u: The potential, float64, ghosts filled, with 1 and 0 in those of the end faces.
        axis: 0, 1, 2 for z, y, x.
        slab: The slabs.
    """
    local = by_plane(table.phase, table.values, u, axis, u.shape[axis] - 1)
    if axis != 0:
        return PlaneFluxes.of(slab.added(local))
    # The last plane of a slab is the first of the next one, which counts it.
    last = slab.line.collect(float(local[-1]))[-1]
    return PlaneFluxes.of(np.append(slab.line.join(local[:-1]), last))


def inflow(table: Table, u: Cells, axis: int, slab: Slab) -> float:
    """Flux into the volume at the end face with u = 1; collective."""
    first = by_plane(table.phase, table.values, u, axis, 1 if slab.ends(axis)[0] else 0)
    return float(slab.added(np.array([first.sum()]))[0])


@njit(cache=True)
def by_plane(
    phase: NDArray[np.uint8], table: NDArray[np.float64], u: Cells, axis: int, count: int
) -> NDArray[np.float64]:
    """Flux through the first planes along an axis; float64[count]."""
    nz, ny, nx = u.shape
    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
    stop = [nz - 1, ny - 1, nx - 1]
    stop[axis] = count + 1
    flux = np.zeros(count)
    for z in range(1, stop[0]):
        for y in range(1, stop[1]):
            for x in range(1, stop[2]):
                p, q = phase[z, y, x], phase[z - dz, y - dy, x - dx]
                if p != 0 and q != 0:
                    drop = u[z - dz, y - dy, x - dx] - u[z, y, x]
                    flux[(z, y, x)[axis] - 1] += table[axis, p, q] * drop
    return flux
