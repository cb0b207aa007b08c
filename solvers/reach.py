"""What electrons reach where some contacts let none through."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voxtrode.meshing.tagged import ACTIVE, ELECTRONIC, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import collectors
from voxtrode.solvers.junctions import junctions, split
from voxtrode.solvers.region import Region


def reached(mesh: TaggedMesh, cell: Cell) -> TaggedMesh:
    """The mesh, in which what closed contacts cut off from its collector is dead; collective.

    A connected component is judged on the mesh as in the volume: electrons pass what shares a
    vertex, and contacts that are open or have a resistance.
    """
    if not any(np.isinf(value) for value in cell.junctions.values()):
        return mesh
    region = split(mesh, cell, Region.create(mesh, mesh.cells(ELECTRONIC)))
    on = np.zeros(region.n_local)
    for ends in collectors(mesh, cell, region):
        on[ends] = 1.0
    component = _components(mesh, cell, region)
    found, before = on > 0.0, -1
    while (count := mesh.mesh.comm.allreduce(int(found.sum()))) != before:
        before = count
        lit = np.zeros(int(component.max(initial=-1)) + 1, dtype=bool)
        lit[component[found]] = True
        on = lit[component].astype(np.float64)
        region.add_ghosts(on)
        found = on > 0.0
    alive = mesh.alive.copy()
    lost = region.cells[~found[region.space.dofmap.list[:, 0]]]
    alive[lost] &= ~np.uint8(ELECTRONIC | ACTIVE)
    return replace(mesh, alive=alive)


def _components(mesh: TaggedMesh, cell: Cell, region: Region) -> npt.NDArray[np.int32]:
    """Connected component of each degree of freedom among what this rank holds."""
    dofs = region.space.dofmap.list
    links = junctions(mesh, cell, region)
    one = np.concatenate([np.repeat(dofs[:, 0], 3), links.one])
    two = np.concatenate([dofs[:, 1:].ravel(), links.two])
    graph = coo_array((np.ones(len(one), dtype=bool), (one, two)), shape=(region.n_local,) * 2)
    return np.asarray(connected_components(graph, directed=False)[1])
