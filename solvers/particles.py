"""Sums over particles: volumes, means, spreads and currents, from the fields' own quadrature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import ACTIVE, TaggedMesh
from voxtrode.solvers.fields import cell_volumes
from voxtrode.solvers.surfaces import ActiveSurface
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shares:
    """Pairs of particle and degree of freedom, with the volume that they share, on this rank.

    Attributes:
        particle, dof: The pairs, each once.
        volume: Lumped volume [µm³] that this rank's own cells give to the pair.
    """

    particle: npt.NDArray[np.int64]
    dof: npt.NDArray[np.int64]
    volume: Array


@dataclass(frozen=True, eq=False)
class ParticleTable:
    """What does not change about the particles; arrays by particle id, equal on all ranks.

    Attributes:
        label: Label of the particle's phase.
        volume: Living volume [µm³]; of dead particles all of it.
        centroid: Centroid (x, y, z) [µm].
        dead: Whether no cell of it takes part.
        touches_box: Whether it touches a side of the electrode's box.
        wetted: Weighted area on Γ [µm²].
        present: Ids that exist.
    """

    label: npt.NDArray[np.int64]
    volume: Array
    centroid: Array
    dead: npt.NDArray[np.bool_]
    touches_box: npt.NDArray[np.bool_]
    wetted: Array
    present: npt.NDArray[np.int64]

    @property
    def diameter(self) -> Array:
        """Diameter of the ball of equal volume [µm]."""
        return np.asarray(np.cbrt(6.0 * self.volume / np.pi), dtype=np.float64)

    def wetted_beside(self, other: npt.NDArray[np.bool_]) -> Array:
        """Wetted area of the whole electrode that each particle is in [µm²].

        Args:
            other: Whether a particle is in the other electrode of the volume.
        """
        return np.where(other, self.wetted[other].sum(), self.wetted[~other].sum())

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Columns of ``particles.csv`` that do not change, by id."""
        return {
            "Particle": np.arange(len(self.volume)),
            "Volume [m3]": self.volume / UM**3,
            "Wetted area [m2]": self.wetted / UM**2,
            "Diameter [m]": self.diameter / UM,
            "Depth [m]": self.centroid[:, 2] / UM,
            "Touches box": self.touches_box,
            "Dead": self.dead,
        }


def shares(mesh: TaggedMesh, system: HalfCellSystem, label: int) -> Shares:
    """Split the lumped volume of an active phase's unknowns over its particles."""
    region = system.fields.theta[label].layout.region
    n_owned = region.mesh.topology.index_map(3).size_local
    own = np.flatnonzero(mesh.phase[region.cells[:n_owned]] == label)
    volume = np.repeat(0.25 * cell_volumes(region)[own], 4)
    particle = np.repeat(mesh.particle[region.cells[own]].astype(np.int64), 4)
    dof = region.space.dofmap.list[own].ravel().astype(np.int64)
    key, inverse = np.unique(particle * max(region.n_local, 1) + dof, return_inverse=True)
    total = summed(inverse, volume, len(key))
    return Shares(key // max(region.n_local, 1), key % max(region.n_local, 1), total)


def particle_table(
    mesh: TaggedMesh, surfaces: list[ActiveSurface], active: npt.NDArray[np.int64]
) -> ParticleTable:
    """Measure the particles on the mesh; collective.

    Args:
        mesh: The mesh.
        surfaces: Γ of the active phases.
        active: Labels of active phases.
    """
    comm = mesh.mesh.comm
    n = mesh.n_particles + 1
    owned = mesh.mesh.topology.index_map(3).size_local
    phase, particle = mesh.phase[:owned], mesh.particle[:owned].astype(np.int64)
    inside = np.isin(phase, active)
    alive = inside & ((mesh.alive[:owned] & ACTIVE) > 0)
    points = mesh.mesh.geometry.x[mesh.mesh.geometry.dofmaps[0][:owned]]
    volume = np.abs(np.linalg.det(points[:, 1:] - points[:, :1])) / 6.0
    middle = points.mean(axis=1)
    box = _on_box(mesh, points)

    def total(values: Array, where: npt.NDArray[np.bool_]) -> Array:
        sums = summed(particle[where], values[where], n)
        comm.Allreduce(MPI.IN_PLACE, sums)
        return sums

    def anywhere(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return total(flags.astype(np.float64), inside) > 0

    def moments(where: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
        first = [total(volume * middle[:, k], where) for k in range(3)]
        return total(volume, where), np.stack(first, axis=1)

    living, living_moment = moments(alive)
    whole, whole_moment = moments(inside)
    dead = (living == 0.0) & (whole > 0.0)
    size = np.where(dead, whole, living)
    moment = np.where(dead[:, None], whole_moment, living_moment)
    label = np.zeros(n)
    np.maximum.at(label, particle[inside], phase[inside].astype(np.float64))
    comm.Allreduce(MPI.IN_PLACE, label, op=MPI.MAX)
    wetted = np.zeros(n)
    for surface in surfaces:
        wetted += summed(surface.points.particle, surface.points.area, n)
    comm.Allreduce(MPI.IN_PLACE, wetted)
    return ParticleTable(
        label=label.astype(np.int64),
        volume=size,
        centroid=moment / np.where(size > 0.0, size, 1.0)[:, None],
        dead=dead,
        touches_box=anywhere(box),
        wetted=wetted,
        present=np.flatnonzero(whole > 0.0),
    )


def _on_box(mesh: TaggedMesh, points: Array) -> npt.NDArray[np.bool_]:
    """Cells with a vertex on a side of the electrode's box."""
    comm = mesh.mesh.comm
    x = mesh.mesh.geometry.x
    low, high = np.empty(3), np.empty(3)
    comm.Allreduce(x.min(axis=0, initial=np.inf), low, op=MPI.MIN)
    comm.Allreduce(x.max(axis=0, initial=-np.inf), high, op=MPI.MAX)
    high[2] = mesh.info.thickness * UM
    near = 1e-9 * float(np.max(high - low))
    touches = (np.abs(points - low) < near) | (np.abs(points - high) < near)
    return np.any(touches, axis=(1, 2))


def spread(
    mesh: TaggedMesh, share: Shares, values: Array, n: int
) -> tuple[Array, Array, Array, Array]:
    """Mean, standard deviation, minimum and maximum of a field in each particle; collective.

    Args:
        mesh: The mesh (for its communicator).
        share: Volumes of the pairs.
        values: The field at the local degrees of freedom.
        n: Number of ids.

    Returns:
        Four arrays by id; zero, zero, +inf and −inf where a particle has no volume here. The
        deviation is that of the same vertex quadrature as the mean.
    """
    comm: MPI.Intracomm = mesh.mesh.comm
    at = values[share.dof]

    def total(weights: Array) -> Array:
        sums = summed(share.particle, weights, n)
        comm.Allreduce(MPI.IN_PLACE, sums)
        return sums

    volume = total(share.volume)
    safe = np.where(volume > 0.0, volume, 1.0)
    mean = total(share.volume * at) / safe
    variance = total(share.volume * (at - mean[share.particle]) ** 2) / safe
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, share.particle, at)
    np.maximum.at(high, share.particle, at)
    comm.Allreduce(MPI.IN_PLACE, low, op=MPI.MIN)
    comm.Allreduce(MPI.IN_PLACE, high, op=MPI.MAX)
    return mean, np.sqrt(variance), low, high
