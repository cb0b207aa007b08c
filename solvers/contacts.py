"""Contacts between active phases: lithium that passes from particle to particle.

Lithium crosses as an atom (an ion and its electron), driven by the difference of its chemical
potential, −F U on either side: with an area-specific resistance R the current density out of the
first side is J = (U₂ − U₁)/R. Contacts without resistance share one field; closed ones nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.data.law import Law
from voxtrode.meshing.tagged import ACTIVE, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import Fields
from voxtrode.solvers.interface import facets_between, surface_points
from voxtrode.solvers.kinetics import Flux
from voxtrode.solvers.surfaces import Surface

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ContactLaw:
    """J = (U₂(θ₂) − U₁(θ₁))/R from the first side to the second.

    Attributes:
        theta: Names of the two stoichiometry fields.
        U, dU: The two potentials [V], and their derivatives.
        resistance: R [Ω m²].
    """

    theta: tuple[str, str]
    U: tuple[Law, Law]
    dU: tuple[Law, Law]
    resistance: float

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`~voxtrode.solvers.surfaces.FluxLaw`."""
        one, two = (values[name] for name in self.theta)
        drop = self.U[1](theta=two) - self.U[0](theta=one)
        by = {
            self.theta[0]: -self.dU[0](theta=one) / self.resistance,
            self.theta[1]: self.dU[1](theta=two) / self.resistance,
        }
        return Flux(drop / self.resistance, by, drop)


def contact_surfaces(mesh: TaggedMesh, cell: Cell, fields: Fields) -> list[Surface]:
    """Contacts with a resistance for lithium."""
    found = []
    labels = list(fields.theta)
    pairs = [(a, b) for a in labels for b in labels if a < b]
    stores = (mesh.alive & ACTIVE) > 0
    for one, two in pairs:
        resistance = cell.contact(one, two)
        if not 0.0 < resistance < math.inf:
            continue
        materials = (cell.phases[one].active, cell.phases[two].active)
        assert materials[0] is not None
        assert materials[1] is not None
        sides = (stores & (mesh.phase == one), stores & (mesh.phase == two))
        corners, area = facets_between(mesh, *sides)
        points = surface_points(corners, area, np.zeros(len(corners), dtype=np.int32))
        names = (fields.theta[one].name, fields.theta[two].name)
        dofs = {
            name: fields.theta[label].layout.region.vertex_dof[points.vertex]
            for name, label in zip(names, (one, two), strict=True)
        }
        potentials = (materials[0].U, materials[1].U)
        slopes = (potentials[0].derivative("theta"), potentials[1].derivative("theta"))
        law = ContactLaw(names, potentials, slopes, resistance)
        found.append(Surface(points, dofs, {names[0]: 1.0, names[1]: -1.0}, law))
    return found
