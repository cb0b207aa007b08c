"""Shape of a mesh's cells over all ranks: what `mesh.json` says of it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.quality import angle_histogram, crowded_facets, shape_measures

SMALL = (2.0, 5.0, 10.0)
"""Angles below which cells are counted [degrees]."""
BINS = 36
"""Bins of the histogram of angles, up to 180°."""


def cell_quality(
    x: npt.NDArray[np.float64], cells: npt.NDArray[np.signedinteger], comm: MPI.Intracomm
) -> dict[str, Any]:
    """Dihedral angles, inverted cells and facets of more than two cells; collective.

    Args:
        x: Points (x, y, z) of this rank's cells, shape ``(points, 3)``.
        cells: This rank's own cells, rows of `x`, shape ``(cells, 4)``.
        comm: Communicator.
    """
    angles, volumes = shape_measures(x[cells])
    below = np.array([np.count_nonzero(angles[:, 0] < limit) for limit in SMALL], dtype=np.int64)
    counts, histogram = _total(below, comm), _total(angle_histogram(x, cells, BINS), comm)
    return {
        "min_dihedral_deg": comm.allreduce(float(angles[:, 0].min(initial=180.0)), op=MPI.MIN),
        "max_dihedral_deg": comm.allreduce(float(angles[:, 1].max(initial=0.0)), op=MPI.MAX),
        "cells_below_deg": {f"{limit:g}": int(n) for limit, n in zip(SMALL, counts, strict=True)},
        "dihedral_histogram": {
            "bin_deg": 180 // BINS,
            "smallest": histogram[:, 0].tolist(),
            "largest": histogram[:, 1].tolist(),
        },
        "inverted": comm.allreduce(int(np.count_nonzero(volumes <= 0.0))),
        # A facet on the seam of two slabs has one cell in each: no facet is seen twice.
        "nonmanifold_facets": comm.allreduce(crowded_facets(cells)),
    }


def worst_cell(
    x: npt.NDArray[np.float64],
    cells: npt.NDArray[np.signedinteger],
    phase: npt.NDArray[np.integer],
    comm: MPI.Intracomm,
) -> tuple[float, list[float], int]:
    """Smallest dihedral angle [degrees] of all, centre (z, y, x) and phase of its cell; collective.

    Args:
        x, cells, comm: As for :func:`cell_quality`.
        phase: Phase of each of these cells.
    """
    mine: tuple[float, list[float], int] = (180.0, [], -1)
    if len(cells):
        angles = shape_measures(x[cells])[0][:, 0]
        cell = int(np.argmin(angles))
        middle = x[cells[cell]].mean(axis=0)[::-1]
        mine = float(angles[cell]), middle.tolist(), int(phase[cell])
    found: tuple[float, list[float], int] = min(comm.allgather(mine))
    return found


def _total(counts: npt.NDArray[np.int64], comm: MPI.Intracomm) -> npt.NDArray[np.int64]:
    total = np.empty_like(counts)
    comm.Allreduce(np.ascontiguousarray(counts), total)
    return total
