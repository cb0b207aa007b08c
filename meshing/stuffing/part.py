"""One rank's part of the smooth mesh: stuffed, mended, and cut to its own cells."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.stuffing.calibration import Calibration, Sum, first_guess
from voxtrode.meshing.stuffing.fields import PhaseFields, phase_fields
from voxtrode.meshing.stuffing.improve import Effort, ImproveEvidence, Sharing, improve
from voxtrode.meshing.stuffing.seams import Seams
from voxtrode.meshing.stuffing.stuff import Stuffed
from voxtrode.meshing.stuffing.volumes import Target, with_volumes
from voxtrode.meshing.stuffing.window import Window, sort_keys

SURFACE_REACH, INNER_REACH = 0.12, 0.3
"""How far a point of a bad cell may move to mend it, on interfaces and inside [spacings]."""
_SLOPE = 2.0
"""Slope of the difference of two phase fields, distances from their interface."""
_STAIRCASE = 1.5
"""Area of voxel faces over that of the surface, on average over its directions."""


@dataclass(frozen=True, eq=False)
class ImageSlab:
    """This rank's voxel layers.

    Attributes:
        labels, particles: Phases and particle ids, own layers and halos [z, y, x].
        first: Layer of the image that they begin with.
        layers: Layers of the whole image.
        own: Own layers, as rows of `labels`; every layer of the image is one rank's own.
        voxel: Edge lengths of a voxel [µm] along z, y, x.
        phases: Number of phases.
    """

    labels: npt.NDArray[np.uint8]
    particles: npt.NDArray[np.int32]
    first: int
    layers: int
    own: slice
    voxel: tuple[float, float, float]
    phases: int


@dataclass(frozen=True, eq=False)
class Part:
    """This rank's own cells.

    Attributes:
        x: Coordinates (z, y, x) [µm] of the points of these cells, ascending with `keys`.
        keys: Number of each point, the same on every rank.
        owned: Points of this rank's own; the others are the next rank's.
        cells: Rows of `x`, in the order of the whole mesh.
        phase: Phase of each cell, ``ANY`` for the separator.
        passes: Meshes that were made on the last lattice to meet the volumes.
        mended: What was done for the worst cells; counts of this rank.
    """

    x: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64]
    owned: npt.NDArray[np.bool_]
    cells: npt.NDArray[np.int64]
    phase: npt.NDArray[np.uint8]
    passes: int
    mended: ImproveEvidence


def make_part(
    slab: ImageSlab,
    window: Window,
    calibration: Calibration,
    effort: Effort,
    comm: MPI.Intracomm,
) -> Part:
    """Mesh this rank's window; collective.

    Args:
        slab: Voxels of the window.
        window: Lattice cubes of the window.
        calibration: How well phase volumes are met.
        effort: How much is done for the worst cells.
        comm: Communicator of the slabs.
    """
    fields = PhaseFields(
        phase_fields(slab.labels, slab.phases), slab.first, slab.layers, slab.voxel
    )
    summed = _summer(comm)
    voxels, faces = (summed(counts).astype(np.float64) for counts in _counts(slab))
    one = float(np.prod(slab.voxel))
    volume, swept = voxels * one, faces * (one / _STAIRCASE / _SLOPE)
    guess = first_guess(volume, swept, calibration)
    met = with_volumes(window, fields, guess, Target(volume, calibration, summed))
    seams = Seams.between(comm, window)
    mended = _mend(met.mesh, window, effort, seams)
    order = sort_keys(window.box, met.start.lattice)
    own = window.owns_cells(met.start.lattice)[met.mesh.parent]
    return _own_part(met.mesh, own, order, window, met.passes, mended)


def _summer(comm: MPI.Intracomm) -> Sum:
    def summed(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        total = np.empty_like(counts)
        comm.Allreduce(np.ascontiguousarray(counts), total)
        return total

    return summed


def _counts(slab: ImageSlab) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Own voxels of each phase, and faces between every two phases, each at its upper voxel."""
    n = slab.phases
    own = slab.labels[slab.own].astype(np.int64)
    voxels = np.bincount(own.ravel(), minlength=n)
    faces = np.zeros((n, n), dtype=np.int64)
    above = slab.labels[slab.own.start : slab.own.stop + 1].astype(np.int64)
    for low, high in (
        (above[:-1], above[1:]),
        (own[:, :-1], own[:, 1:]),
        (own[:, :, :-1], own[:, :, 1:]),
    ):
        code = low.ravel() * n + high.ravel()
        faces += np.bincount(code, minlength=n * n).reshape(n, n)
    faces += faces.T
    np.fill_diagonal(faces, 0)
    return voxels.astype(np.int64), faces


def _mend(mesh: Stuffed, window: Window, effort: Effort, seams: Seams) -> ImproveEvidence:
    spacing = min(window.box.spacing)
    reach = spacing * np.where(mesh.surface, SURFACE_REACH, INNER_REACH)
    # Cells are right-handed in (x, y, z).
    x = np.ascontiguousarray(mesh.x[:, ::-1])
    sharing = Sharing(window.owns_points(mesh.keys), seams.agree) if seams.comm.size > 1 else None
    evidence = improve(
        x,
        mesh.cells,
        mesh.keys,
        np.ascontiguousarray(mesh.fixed[:, ::-1]),
        reach,
        effort,
        sharing,
    )
    mesh.x[:] = x[:, ::-1]
    return evidence


def _own_part(
    mesh: Stuffed,
    own: npt.NDArray[np.bool_],
    parents: npt.NDArray[np.int64],
    window: Window,
    passes: int,
    mended: ImproveEvidence,
) -> Part:
    rows = np.flatnonzero(own)
    rows = rows[np.argsort(parents[mesh.parent[rows]], kind="stable")]
    marked = np.zeros(len(mesh.x), dtype=bool)
    marked[mesh.cells[rows]] = True
    used = np.flatnonzero(marked)
    used = used[np.argsort(mesh.keys[used], kind="stable")]
    place = np.full(len(mesh.x), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    keys = mesh.keys[used]
    return Part(
        mesh.x[used],
        keys,
        window.owns_points(keys),
        place[mesh.cells[rows]],
        mesh.phase[rows],
        passes,
        mended,
    )
