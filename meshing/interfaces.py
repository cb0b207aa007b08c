"""Areas between the phases of a lattice: voxel faces, and the weighted faces of the mesh."""

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.lattice import SEPARATOR, Slab
from voxtrode.meshing.sums import summed
from voxtrode.meshing.voxel import facet_weight


def pair_areas(
    slab: Slab, active: tuple[int, ...], gradient: npt.NDArray[np.float64], comm: MPI.Intracomm
) -> tuple[dict[str, float], dict[str, float]]:
    """Interface areas of every pair of phases that touch.

    Args:
        slab: This rank's slab.
        active: Labels of active phases.
        gradient: Smoothed gradient of the active indicator, components (z, y, x), on the layers
            ``slab.window(1)``.
        comm: Communicator; collective.

    Returns:
        Two mappings from ``"a|b"`` (names in the order of the labels, separator last) to
        areas [m²]: all voxel faces, and faces times their weight. Faces between phases of
        which not exactly one is active have weight 1, so have faces on the separator plane.
    """
    lattice = slab.lattice
    names = (*lattice.phases, SEPARATOR)
    n = len(names)
    faces, weighted = np.zeros(n * n), np.zeros(n * n)
    window = slab.window(1)
    labels = slab.labels[window].astype(np.int64)
    is_active = np.isin(labels, active)
    first, last = slab.electrode
    own = slice(first - slab.low - window.start, last - slab.low - window.start)
    edges = lattice.spacing

    for axis in range(3):
        face_area = edges[(axis + 1) % 3] * edges[(axis + 2) % 3]
        if axis == 0:
            # Faces above an own layer; the halo supplies the layer above the last one.
            here = slice(own.start, min(own.stop, labels.shape[0] - 1))
            there = slice(here.start + 1, here.stop + 1)
            low: tuple[slice, ...] = (here,)
            high: tuple[slice, ...] = (there,)
        else:
            before = (slice(None),) * (axis - 1)
            low = (own, *before, slice(None, -1))
            high = (own, *before, slice(1, None))
        a, b = labels[low], labels[high]
        at = a != b
        code = np.minimum(a, b)[at] * n + np.maximum(a, b)[at]
        weight = facet_weight(
            gradient[(slice(None), *low)][:, at], gradient[(slice(None), *high)][:, at], axis
        )
        weight = np.where(is_active[low][at] != is_active[high][at], weight, 1.0)
        faces += face_area * summed(code, np.ones(len(code)), n * n)
        weighted += face_area * summed(code, weight, n * n)

    if last == lattice.shape[0] and slab.last > last:
        code = labels[own][-1].ravel() * n + n - 1
        top = edges[1] * edges[2] * summed(code, np.ones(len(code)), n * n)
        faces, weighted = faces + top, weighted + top

    comm.Allreduce(MPI.IN_PLACE, faces)
    comm.Allreduce(MPI.IN_PLACE, weighted)
    pairs = {f"{names[a]}|{names[b]}": a * n + b for a in range(n) for b in range(a + 1, n)}
    touching = {pair: code for pair, code in pairs.items() if faces[code] > 0}
    return (
        {pair: float(faces[code]) for pair, code in touching.items()},
        {pair: float(weighted[code]) for pair, code in touching.items()},
    )
