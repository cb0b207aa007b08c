"""What is connected to the collector and to the counter face, judged by facets of cells."""

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.meshing.cell_components import face_components
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC
from voxtrode.meshing.tagged import TaggedMesh

Mask = npt.NDArray[np.bool_]
Z = 2
"""Position of z among the coordinates (x, y, z)."""


def alive_cells(mesh: TaggedMesh, roles: Roles) -> npt.NDArray[np.uint8]:
    """Cells that take part, by the rule of :func:`voxtrode.data.connectivity.judge`; collective.

    Args:
        mesh: The mesh; the last phase is the separator, an ion conductor.
        roles: What each label can do.

    Returns:
        Bits ``ELECTRONIC | IONIC | ACTIVE`` of each local cell, ghosts included.
    """
    phase = mesh.phase
    pairs = facet_pairs(mesh)
    separator = len(mesh.info.phases) - 1
    counter, collector = _on_plane(mesh, Z, True), _on_plane(mesh, Z, False)
    sides = [_on_plane(mesh, Z - axis, end) for axis in roles.bath for end in (True, False)]
    outside = np.logical_or.reduce(sides) if sides else counter
    ions = np.isin(phase, (*roles.ionic, separator))
    ionic = _joining(mesh, ions, roles, pairs) if roles.far else _reached(mesh, ions, outside)
    dry = np.zeros(len(phase), dtype=bool)
    for value in roles.active:
        wet = np.zeros(len(phase), dtype=bool)
        for here, there in ((0, 1), (1, 0)):
            wet[pairs[ionic[pairs[:, there]], here]] = True
        dry |= (phase == value) & ~_reached(mesh, phase == value, wet)
    near, far = roles.split(roles.electronic)
    electronic = np.isin(phase, near) & ~dry
    if not roles.everywhere:
        electronic = _reached(mesh, electronic, collector)
    if roles.far:
        electronic |= _reached(mesh, np.isin(phase, far) & ~dry, counter)
    active = np.isin(phase, roles.active) & electronic
    bits = ELECTRONIC * electronic + IONIC * ionic + ACTIVE * active
    return np.asarray(bits, dtype=np.uint8)


def facet_pairs(mesh: TaggedMesh) -> npt.NDArray[np.int32]:
    """Local cells on both sides of each facet between two of them, shape ``(facets, 2)``."""
    topology = mesh.mesh.topology
    topology.create_connectivity(2, 3)
    links = topology.connectivity(2, 3)
    inner = np.flatnonzero(np.diff(links.offsets) == 2)
    result: npt.NDArray[np.int32] = links.array[links.offsets[inner][:, None] + np.arange(2)]
    return result


def _reached(mesh: TaggedMesh, chosen: Mask, start: Mask) -> Mask:
    """Cells of those components of the chosen cells that hold a cell of `start` on any rank."""
    component, count = face_components(mesh, chosen)
    touched = np.zeros(count + 1, dtype=bool)
    touched[component[start]] = True
    mesh.mesh.comm.Allreduce(MPI.IN_PLACE, touched, op=MPI.LOR)
    touched[0] = False
    result: Mask = touched[component]
    return result


def _joining(mesh: TaggedMesh, ions: Mask, roles: Roles, pairs: npt.NDArray[np.int32]) -> Mask:
    """Cells of those components of the ion conductors that touch active cells of each electrode."""
    found = ions
    for active in roles.split(roles.active):
        inside = np.isin(mesh.phase, active)
        touching = np.zeros(len(ions), dtype=bool)
        for here, there in ((0, 1), (1, 0)):
            touching[pairs[inside[pairs[:, there]], here]] = True
        found = found & _reached(mesh, ions, touching & ions)
    return found


def _on_plane(mesh: TaggedMesh, axis: int, far: bool) -> Mask:
    """Cells with a facet on one face of the box: across x, y or z (0, 1, 2), near or far."""
    x = mesh.mesh.geometry.x[:, axis]
    comm = mesh.mesh.comm
    # The plane is exact: every vertex on it carries the same number.
    level = (
        comm.allreduce(float(x.max(initial=-np.inf)), op=MPI.MAX)
        if far
        else comm.allreduce(float(x.min(initial=np.inf)), op=MPI.MIN)
    )
    result: Mask = np.count_nonzero(x[mesh.mesh.geometry.dofmaps[0]] == level, axis=1) == 3
    return result
