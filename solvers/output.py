"""The fields of a cell as plain arrays, part by part, for whoever writes files."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voxtrode.solvers.fields import Field
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the mesh with data, on this rank; every cell is on one rank only.

    Attributes:
        name: ``solid``, ``electrons``, ``electrolyte`` or ``interface``.
        points: Coordinates (x, y, z) [m], shape ``(points, 3)``.
        cells: Points of each tetrahedron or triangle.
        point_data, cell_data: Arrays by name.
    """

    name: str
    points: Array
    cells: npt.NDArray[np.int64]
    point_data: dict[str, npt.NDArray[Any]]
    cell_data: dict[str, npt.NDArray[Any]]


def parts(system: HalfCellSystem, quantities: Quantities) -> list[Part]:
    """The parts of the present state."""
    f = system.fields
    solids = [
        _volume(system, field, "solid", {"SoL": quantities.windows[label].sol(field.values)})
        for field, label in {field: label for label, field in f.theta.items()}.items()  # each once
    ]
    electrons = {"phi_s [V]": system.electron_potential()}
    ions = {**_concentration(system), "phi_e [V]": f.phi_e.values}
    return [
        joined(solids),
        _volume(system, f.phi_s, "electrons", electrons),
        _volume(system, f.c_e, "electrolyte", ions),
        joined(_interfaces(system)),
    ]


def _phases(system: HalfCellSystem) -> npt.NDArray[np.int32]:
    """Label of each local cell in the volume; phases that were split have one name."""
    names = system.mesh.info.phases
    order = list(dict.fromkeys(names))
    return np.array([order.index(name) for name in names], dtype=np.int32)[system.mesh.phase]


def _concentration(system: HalfCellSystem) -> dict[str, npt.NDArray[Any]]:
    """c_e, where there is a liquid at all; NaN where none is near."""
    f = system.fields
    if not f.salt:
        return {}
    wet = f.c_e.layout.index >= 0
    return {"c_e [mol.m-3]": np.where(wet, f.electrolyte.c_e0.value * f.c_e.values, np.nan)}


def _volume(
    system: HalfCellSystem, field: Field, name: str, data: dict[str, npt.NDArray[Any]]
) -> Part:
    region = field.layout.region
    n_owned = region.mesh.topology.index_map(3).size_local
    parents = region.cells[:n_owned]
    return Part(
        name,
        region.space.tabulate_dof_coordinates() / UM,
        region.space.dofmap.list[:n_owned].astype(np.int64),
        data,
        {"Phase": _phases(system)[parents], "Particle": system.mesh.particle[parents]},
    )


def _interfaces(system: HalfCellSystem) -> list[Part]:
    found = []
    coordinates = _vertex_coordinates(system)
    for s in system.active:
        flux = system.flux(s)
        found.append(
            Part(
                "interface",
                coordinates[s.points.vertex],
                s.points.facets,
                {"J_ct [A.m-2]": flux.J, "eta [V]": flux.eta},
                {
                    "Phase": _phases(system)[s.facets.active],
                    "Particle": system.mesh.particle[s.facets.active],
                },
            )
        )
    return found


def _vertex_coordinates(system: HalfCellSystem) -> Array:
    """Coordinates [m] of the parent's local vertices that carry unknowns."""
    coordinates = np.zeros((len(system.mesh.vertex_number), 3))
    for field in (system.fields.phi_s, system.fields.c_e):
        region = field.layout.region
        coordinates[region.dof_vertex] = region.space.tabulate_dof_coordinates() / UM
    return coordinates


def joined(pieces: list[Part]) -> Part:
    """Parts of one name and one kind of cell as one part."""
    shifts = np.concatenate([[0], np.cumsum([len(p.points) for p in pieces])])
    return Part(
        pieces[0].name,
        np.concatenate([p.points for p in pieces]),
        np.concatenate([p.cells + s for p, s in zip(pieces, shifts, strict=False)]),
        {n: np.concatenate([p.point_data[n] for p in pieces]) for n in pieces[0].point_data},
        {n: np.concatenate([p.cell_data[n] for p in pieces]) for n in pieces[0].cell_data},
    )
