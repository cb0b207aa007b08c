"""The voxel engine on the image's file: a slab a rank."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI

from voxtrode.data.connectivity import AXES
from voxtrode.data.downsampling import majority
from voxtrode.data.volume import Labels, VolumeHeader, read_labels
from voxtrode.pipeline.study_transport import Transport
from voxtrode.solvers.voxel_transport import ElectrodeTransport, electrode_transport
from voxtrode.solvers.voxel_transport.engine import (
    Solved,
    VoxelTransport,
    solve_transport,
)
from voxtrode.solvers.voxel_transport.line import slab_starts
from voxtrode.solvers.voxel_transport.problem import Inside

SMALLEST = 8
"""Voxels along an edge below which halving them says nothing."""


@dataclass(frozen=True, eq=False)
class SlabOfVoxels:
    """This rank's layers of a volume.

    Attributes:
        labels: uint8[z, y, x]; no layer on ranks that a thin volume has none for.
        voxel: Edge lengths (z, y, x) [m].
        comm: All ranks.
    """

    labels: Labels
    voxel: tuple[float, float, float]
    comm: MPI.Intracomm

    def solve(self, inside: Inside, axis: str, settings: Transport) -> VoxelTransport:
        """Transport along an axis; collective."""
        return self.potential(inside, axis, settings).row

    def potential(
        self, inside: Inside, axis: str, settings: Transport, lateral: bool = False
    ) -> Solved:
        """The same with the potential and, if wanted, lateral fluxes."""
        return solve_transport(
            self.labels,
            self.voxel,
            inside,
            axis,
            periodic=periodic_sides(settings, axis),
            tolerance=settings.tolerance,
            comm=self.comm,
            lateral=lateral,
        )

    def charged(self, inside: Inside, settings: Transport) -> ElectrodeTransport:
        """What the walls draw through the counter face (the last one along z); collective."""
        return electrode_transport(
            self.labels,
            self.voxel,
            inside,
            "z",
            periodic=periodic_sides(settings, "z"),
            tolerance=settings.tolerance,
            comm=self.comm,
        )

    def shares(self, labels: Inside) -> dict[int, float]:
        """Volume fraction of labels; collective."""
        local = np.array([np.count_nonzero(self.labels == label) for label in labels], np.float64)
        total = np.sum(self.comm.allgather(local), axis=0)
        voxels = sum(self.comm.allgather(self.labels.size))
        return dict(zip(labels, map(float, total / voxels), strict=True))


def tensor_of(
    columns: Mapping[str, tuple[float, float, float]], scale: float
) -> tuple[list[list[float]], float]:
    """Effective conductivity over the reference, rows and columns z, y, x.

    A column is the mean flux under a mean gradient along one axis, between two electrodes, with the
    sides in the plane periodic. Electrodes and mirrors suppress lateral fluxes, so that the entries
    of z and a lateral axis are taken from transport along z.

    Args:
        columns: By axis, mean fluxes along (z, y, x).
        scale: What they are multiplied by.

    Returns:
        The symmetric tensor, and how far its entries xy and yx, which are found twice, differ.
    """
    yz, xz = columns["z"][1:]
    xy, yx = columns["y"][2], columns["x"][1]
    mixed = 0.5 * (xy + yx)
    diagonal = [columns[axis][i] for i, axis in enumerate(AXES)]
    rows = [[diagonal[0], yz, xz], [yz, diagonal[1], mixed], [xz, mixed, diagonal[2]]]
    return [[scale * one for one in row] for row in rows], scale * abs(xy - yx)


def periodic_sides(settings: Transport, axis: str) -> tuple[str, ...]:
    """Which sides are periodic: those in the plane of the electrode, never the thickness."""
    if settings.sides == "mirror":
        return ()
    return tuple(name for name in AXES[1:] if name != axis)


def read_voxels(folder: Path, header: VolumeHeader, comm: MPI.Intracomm) -> SlabOfVoxels:
    """This rank's slab of the image stage's volume; collective."""
    starts = slab_starts(header.shape[0], comm.size)
    labels = read_labels(folder, starts[comm.rank], starts[comm.rank + 1])
    return SlabOfVoxels(labels, header.voxel, comm)


def read_halved(folder: Path, header: VolumeHeader, comm: MPI.Intracomm) -> SlabOfVoxels | None:
    """The same with voxels twice as long, by majority; None where the volume is too small.

    An odd last layer is left out.
    """
    if min(header.shape) < SMALLEST:
        return None
    nz, ny, nx = (n // 2 for n in header.shape)
    starts = slab_starts(nz, comm.size)
    fine = read_labels(folder, 2 * starts[comm.rank], 2 * starts[comm.rank + 1])
    labels = majority(fine[:, : 2 * ny, : 2 * nx], (2, 2, 2), len(header.phases))
    dz, dy, dx = header.voxel
    return SlabOfVoxels(np.ascontiguousarray(labels), (2.0 * dz, 2.0 * dy, 2.0 * dx), comm)
