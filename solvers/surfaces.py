"""Γ and the counter face as terms of the coupled equations: points, unknowns, flux law, signs.

J is positive when it enters the electrolyte, so it leaves the electrons' balance and the
particle with +J, and enters the balances of charge and salt in the electrolyte with −J and
−(1 − t₀) J.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.materials import ActiveMaterial
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S, Fields
from voxtrode.solvers.interface import Facets, Points, face_points, interface_facets, surface_points
from voxtrode.solvers.kinetics import Flux, InsertionKinetics
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]


class FluxLaw(Protocol):
    """A flux at points from the values of the unknowns there."""

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """The flux and its derivatives by the unknowns, both by field name."""
        ...


@dataclass(frozen=True, eq=False)
class Share:
    """The points of a surface that follow one law.

    Attributes:
        points: Their indices among the surface's points.
        kinetics: The law in physical states.
        wet: Whether the ion conductor there holds salt; without it c_e/c_e0 is 1.
    """

    points: npt.NDArray[np.intp]
    kinetics: InsertionKinetics
    wet: bool


@dataclass(frozen=True, eq=False)
class Insertion:
    """Flux law of Γ in terms of the solver's unknowns.

    Attributes:
        shares: The laws, each with its points; together they cover the surface.
        theta: Name of the stoichiometry field.
        c_e0: Scale of the concentration [mol/m³].
    """

    shares: tuple[Share, ...]
    theta: str
    c_e0: float

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`FluxLaw`."""
        names = {PHI_S: "phi_s", PHI_E: "phi_e", C_E: "c_e", self.theta: "theta"}
        count = len(values[self.theta])
        J, eta, film = np.zeros(count), np.zeros(count), np.zeros(count)
        by = {name: np.zeros(count) for name in names}
        for share in self.shares:
            at = share.points
            state = {physical: values[name][at] for name, physical in names.items()}
            y = state["c_e"] if share.wet else np.ones(len(at))
            flux = share.kinetics.flux(**{**state, "c_e": self.c_e0 * y})
            J[at], eta[at], film[at] = flux.J, flux.eta, flux.film
            for name, physical in names.items():
                by[name][at] = flux.by[physical]
            by[C_E][at] *= self.c_e0 if share.wet else 0.0
        return Flux(J, by, eta, film)


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface with a flux.

    Attributes:
        points: Quadrature points on this rank.
        dofs: Local degree of freedom at each point, by field name.
        signs: Factor with which J enters each field's equation, by field name.
        law: The flux.
    """

    points: Points
    dofs: Mapping[str, npt.NDArray[np.int32]]
    signs: Mapping[str, float]
    law: FluxLaw


@dataclass(frozen=True, eq=False)
class ActiveSurface(Surface):
    """Γ of one active phase.

    Attributes:
        label: Label of the phase.
        material: Its material.
        facets: The facets, for output.
        theta: Name of the stoichiometry field.
    """

    label: int
    material: ActiveMaterial
    facets: Facets
    theta: str


def counter_surface(mesh: TaggedMesh, law: FluxLaw, fields: Fields) -> Surface:
    """The face towards the counter electrode.

    Args:
        mesh: The mesh.
        law: Flux of the counter electrode per area of the face.
        fields: The fields.
    """
    points = face_points(mesh, mesh.info.height * UM)
    dofs = fields.c_e.layout.region.vertex_dof[points.vertex]
    signs = {PHI_E: -1.0, C_E: -fields.salt_share}
    return Surface(points, {PHI_E: dofs, C_E: dofs}, signs, law)


def active_surfaces(mesh: TaggedMesh, cell: Cell, fields: Fields) -> list[ActiveSurface]:
    """Γ of each active phase that has living cells."""
    ions = fields.c_e.layout.region.vertex_dof
    electrons = fields.phi_s.layout.region
    facets_of = interface_facets(mesh)
    surfaces = []
    for label, field in fields.theta.items():
        material = cell.phases[label].active
        assert material is not None
        facets = facets_of[label]
        points = surface_points(
            facets.vertices,
            facets.area * _wetted(cell, label)[mesh.phase[facets.ionic]],
            mesh.particle[facets.active],
            mesh.phase[facets.ionic],
        )
        theta = field.name
        dofs = {
            PHI_S: electrons.at(label)[points.vertex],
            PHI_E: ions[points.vertex],
            C_E: ions[points.vertex],
            theta: field.layout.region.vertex_dof[points.vertex],
        }
        signs = {PHI_S: 1.0, PHI_E: -1.0, C_E: -fields.salt_share, theta: 1.0}
        shares = _shares(cell, label, material, points)
        law = Insertion(shares, theta, fields.electrolyte.c_e0.value)
        surfaces.append(ActiveSurface(points, dofs, signs, law, label, material, facets, theta))
    return surfaces


def prevailing(surface: ActiveSurface, comm: MPI.Intracomm) -> InsertionKinetics:
    """The law of the largest part of the wetted area of Γ, the same on every rank; collective."""
    assert isinstance(surface.law, Insertion)
    shares = surface.law.shares
    local = np.array([surface.points.area[share.points].sum() for share in shares])
    total = np.empty_like(local)
    comm.Allreduce(local, total, op=MPI.SUM)
    return shares[int(np.argmax(total))].kinetics


def _shares(cell: Cell, label: int, material: ActiveMaterial, points: Points) -> tuple[Share, ...]:
    """The laws of an active phase's points by what lies beyond them."""
    found = []
    for beyond, phase in cell.ionic().items():
        at = np.flatnonzero(points.beyond == beyond)
        kinetics = InsertionKinetics.of(material, cell.temperature, cell.reaction(label, beyond))
        found.append(Share(at, kinetics, phase.holds_salt))
    return tuple(found)


def _wetted(cell: Cell, label: int) -> Array:
    """Wetted share of the interface of an active phase with each label."""
    share = np.ones(max(cell.phases) + 1)
    for beyond in cell.ionic():
        share[beyond] = cell.reaction(label, beyond).wetted
    return share
