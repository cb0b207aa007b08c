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

from voxtrode.data.materials import ActiveMaterial
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S, Fields, theta_name
from voxtrode.solvers.forms import reference_transference
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
class Insertion:
    """Flux law of Γ in terms of the solver's unknowns.

    Attributes:
        kinetics: The law in physical states.
        theta: Name of the stoichiometry field.
        c_e0: Scale of the concentration [mol/m³].
    """

    kinetics: InsertionKinetics
    theta: str
    c_e0: float

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`FluxLaw`."""
        theta = values[self.theta]
        flux = self.kinetics.flux(values[PHI_S], values[PHI_E], theta, self.c_e0 * values[C_E])
        by = {
            PHI_S: flux.by["phi_s"],
            PHI_E: flux.by["phi_e"],
            C_E: self.c_e0 * flux.by["c_e"],
            self.theta: flux.by["theta"],
        }
        return Flux(flux.J, by, flux.eta)


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
    """

    label: int
    material: ActiveMaterial
    facets: Facets

    @property
    def theta(self) -> str:
        """Name of the stoichiometry field."""
        return theta_name(self.label)


def counter_surface(mesh: TaggedMesh, law: FluxLaw, fields: Fields) -> Surface:
    """The face towards the counter electrode.

    Args:
        mesh: The mesh.
        law: Flux of the counter electrode per area of the face.
        fields: The fields.
    """
    points = face_points(mesh, mesh.info.height * UM)
    dofs = fields.c_e.layout.region.vertex_dof[points.vertex]
    signs = {PHI_E: -1.0, C_E: -_salt_share(fields)}
    return Surface(points, {PHI_E: dofs, C_E: dofs}, signs, law)


def active_surfaces(mesh: TaggedMesh, cell: Cell, fields: Fields) -> list[ActiveSurface]:
    """Γ of each active phase that has living cells."""
    ions = fields.c_e.layout.region.vertex_dof
    electrons = fields.phi_s.layout.region.vertex_dof
    facets_of = interface_facets(mesh)
    surfaces = []
    for label, field in fields.theta.items():
        material = cell.phases[label].active
        assert material is not None
        facets = facets_of[label]
        points = surface_points(facets.vertices, facets.area, mesh.particle[facets.active])
        theta = theta_name(label)
        dofs = {
            PHI_S: electrons[points.vertex],
            PHI_E: ions[points.vertex],
            C_E: ions[points.vertex],
            theta: field.layout.region.vertex_dof[points.vertex],
        }
        signs = {PHI_S: 1.0, PHI_E: -1.0, C_E: -_salt_share(fields), theta: 1.0}
        kinetics = InsertionKinetics.of(material, cell.temperature)
        law = Insertion(kinetics, theta, fields.electrolyte.c_e0.value)
        surfaces.append(ActiveSurface(points, dofs, signs, law, label, material, facets))
    return surfaces


def _salt_share(fields: Fields) -> float:
    return 1.0 - reference_transference(fields.electrolyte)
