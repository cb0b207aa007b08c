"""A particle in a well-stirred electrolyte: lithium, charge and kinetics as in a cell.

c_e and φ_e are uniform and constant, φ_e = 0 against a lithium reference that costs nothing, so
that neither is an unknown. What is left is composed of a cell's fields and surfaces: θ in
the active phases, φ_s in what conducts electrons, J on Γ; residual, Jacobian, time stepping and
quantities are a cell's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from dolfinx import fem

from voxtrode.data.errors import InputError
from voxtrode.meshing.tagged import ACTIVE, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S, Fields
from voxtrode.solvers.interface import Points
from voxtrode.solvers.kinetics import Flux
from voxtrode.solvers.region import Layout
from voxtrode.solvers.surfaces import ActiveSurface, Insertion, Surface
from voxtrode.solvers.system import HalfCellSystem

Array = npt.NDArray[np.float64]


class Bathed(Insertion):
    """The flux law of Γ in an electrolyte with φ_e = 0 and c_e/c_e0 = 1."""

    @classmethod
    def of(cls, law: Insertion) -> "Bathed":
        """The law that depends on the electrolyte, bathed."""
        return cls(**vars(law))

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`voxtrode.solvers.surfaces.FluxLaw`."""
        like = values[PHI_S]
        flux = super().__call__({**values, PHI_E: np.zeros_like(like), C_E: np.ones_like(like)})
        return replace(flux, by={name: flux.by[name] for name in values})


@dataclass(frozen=True, eq=False)
class Bath:
    """The counter electrode: it takes up what the particle gives off, at no overpotential.

    Attributes:
        given: Current density at the points of Γ, all active phases in a row.
    """

    given: Callable[[], Array]

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`voxtrode.solvers.surfaces.FluxLaw`."""
        del values
        J = -self.given()
        return Flux(J, {}, np.zeros_like(J))


class StirredSystem(HalfCellSystem):
    """Residual and Jacobian of particles in a stirred electrolyte; see :class:`HalfCellSystem`.

    The voltage is against lithium in the electrolyte; densities of current are per area of the
    mesh's face across z, as in a half cell.
    """

    def __init__(self, mesh: TaggedMesh, cell: Cell, everywhere: bool = True) -> None:
        """Lay out fields, surfaces and matrices; collective.

        Args:
            mesh: The mesh; ion conductors are those in the bath, without a separator.
            cell: Its phases, against lithium; its kinetics plays no part.
            everywhere: φ_s is one potential; else electrons enter at z = 0 and meet σ.
        """
        super().__init__(mesh, cell)
        self.fields = _fields(self.fields, everywhere)
        self.fields.c_e.values[:] = 1.0
        self.blocks = (self.fields.phi_s, *self.fields.stoichiometries)
        self.active = [_bathed(surface) for surface in self.active]
        self.counter = Surface(_points(self.active), {}, {}, Bath(self._given))
        self._surfaces = (*self.active, *self.contacts)
        self._by_name = {field.name: field for field in self.blocks}
        self._forms = {field.name: fem.form(field.residual) for field in self.blocks}
        self._unknown = frozenset(self._forms)
        self._volume = self._volume_blocks()
        self._points = self._point_blocks()

    def _given(self) -> Array:
        return np.concatenate([self.flux(surface).J for surface in self.active])


def require_bath(mesh: TaggedMesh, cell: Cell) -> None:
    """Refuse a mesh without a wetted, connected part of an active phase; collective.

    Raises:
        InputError: Naming the phase.
    """
    for label, phase in cell.active().items():
        alive = (mesh.alive[mesh.phase == label] & ACTIVE) > 0
        if not mesh.mesh.comm.allreduce(int(np.any(alive))):
            raise InputError(
                f"phase '{phase.name}' has no part on the mesh that the electrolyte around it wets "
                "and electrons reach; leave electrolyte around the particle, use a smaller "
                "mesh.size, or say surroundings: stirred, where electrons come from everywhere"
            )


def _fields(fields: Fields, everywhere: bool) -> Fields:
    """The cell's fields, φ_s tied to one unknown where it is one potential."""
    if not everywhere:
        return fields
    region = fields.phi_s.layout.region
    whole = Layout.create(region, np.arange(region.n_local, dtype=np.int32))
    return replace(fields, phi_s=replace(fields.phi_s, layout=whole))


def _bathed(surface: ActiveSurface) -> ActiveSurface:
    assert isinstance(surface.law, Insertion)
    own = (PHI_S, surface.theta)
    return replace(
        surface,
        dofs={name: surface.dofs[name] for name in own},
        signs={name: surface.signs[name] for name in own},
        law=Bathed.of(surface.law),
    )


def _points(surfaces: list[ActiveSurface]) -> Points:
    """The points of several surfaces in a row; they belong to no particle."""
    area = np.concatenate([surface.points.area for surface in surfaces])
    vertex = np.concatenate([surface.points.vertex for surface in surfaces])
    nobody = np.zeros(len(area), dtype=np.int32)
    return Points(vertex, nobody, nobody, area, np.empty((0, 3), dtype=np.int64))
