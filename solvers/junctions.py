"""Electrons that pass from particle to particle, or from phase to phase, over a resistance.

With an area-specific resistance R the potential jumps across the contact: the current density out
of the first side is j = (φ₁ − φ₂)/R, which both sides' balances take, σ∇φ·n alike. φ_s then has two
values on the contact. Its submesh is cut open there: all vertices of a contact are doubled. On its
rim a third conductor (binder) may touch both sides; it shares the value of one of them there, and
meets the other at the vertices beside the rim, so that what leads around the contact passes
through the third conductor and goes with its σ.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import basix.ufl
import numpy as np
import numpy.typing as npt
from dolfinx import fem
from dolfinx import mesh as dmesh
from dolfinx.graph import adjacencylist
from petsc4py import PETSc

from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import ELECTRONIC, TaggedMesh
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.interface import facets_between
from voxtrode.solvers.region import Region
from voxtrode.solvers.units import UM

Array = npt.NDArray[np.float64]
Pairs = frozenset[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Junctions:
    """Contacts with a resistance as conductances between unknowns of φ_s, on this rank.

    Attributes:
        one, two: Local degrees of freedom on the two sides.
        conductance: A/R between them [pA/V], A the area that this rank's facets give.
    """

    one: npt.NDArray[np.int32]
    two: npt.NDArray[np.int32]
    conductance: Array

    def currents(self, phi: Array) -> Array:
        """Current [pA] that leaves each local degree of freedom at potentials φ_s [V]."""
        passing = self.conductance * (phi[self.one] - phi[self.two])
        return summed(self.one, passing, len(phi)) - summed(self.two, passing, len(phi))

    def power(self, phi: Array) -> float:
        """Dissipation Σ (φ₁ − φ₂)² A/R [pA V] of this rank's facets."""
        return float(np.sum(self.conductance * (phi[self.one] - phi[self.two]) ** 2))

    def add_to(self, matrix: PETSc.Mat) -> None:
        """Add the derivatives of the currents; the caller assembles."""
        g = self.conductance
        both = np.stack([self.one, self.two], axis=1).astype(PETSc.IntType)
        values = np.stack([g, -g, -g, g], axis=1)
        matrix.setValuesLocalRCV(both, both, values, PETSc.InsertMode.ADD_VALUES)


def junctions(mesh: TaggedMesh, cell: Cell, region: Region) -> Junctions:
    """The contacts of a cell with a resistance for electrons.

    With them go the facets of open contacts that lie on rims with all their corners (a plate one
    voxel thick between two others): there electrons pass over A σ/h, σ that of the worse conductor
    and h = √(2A) the edge of a facet, which vanishes against an open contact as h does.

    Args:
        mesh, cell: The mesh and its phases.
        region: Where φ_s lives, as :func:`split` made it.
    """
    conducts = (mesh.alive & ELECTRONIC) > 0
    found = [(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32), np.zeros(0))]
    apart = _apart(cell)
    for pair in combinations(sorted(_conductors(cell)), 2) if apart else ():
        resistance = cell.junction(*pair)
        if math.isinf(resistance):
            continue
        sides = [conducts & (mesh.phase == label) for label in pair]
        corners, area = facets_between(mesh, *sides)
        one, two = (region.at(label)[corners] for label in pair)
        if pair in apart:
            conductance = area / resistance
        else:
            torn = np.all(one != two, axis=1)
            one, two = one[torn], two[torn]
            conductance = _across(cell, pair) * np.sqrt(0.5 * area[torn]) * UM
        found.append((one.ravel(), two.ravel(), np.repeat(conductance / 3.0, 3)))
    one, two, conductance = (np.concatenate(part) for part in zip(*found, strict=True))
    return Junctions(one, two, conductance)


def _across(cell: Cell, pair: tuple[int, int]) -> float:
    """σ [S/m] of the worse of two conductors."""
    return min(cell.phases[label].sigma or 0.0 for label in pair)


def split(mesh: TaggedMesh, cell: Cell, whole: Region) -> Region:
    """A region of electron conductors, cut open along contacts that are not open; collective.

    Args:
        mesh, cell: The mesh and its phases.
        whole: The region, all of one piece.
    """
    apart = _apart(cell)
    if not apart:
        return whole
    labels = sorted({label for pair in apart for label in pair} | set(_conductors(cell)))
    there = np.stack([_touched(mesh, whole, label) for label in labels])
    sheet = _sheets(there, labels, apart)
    counts = 1 + sheet.max(axis=0)
    numbers = _numbers(whole, counts)
    row = np.zeros(max(labels) + 1, dtype=np.intp)
    row[labels] = np.arange(len(labels))
    dofs = whole.space.dofmap.list
    of_cell = row[mesh.phase[whole.cells]][:, None]
    nodes = numbers[dofs] + sheet[of_cell, dofs]
    points = whole.space.tabulate_dof_coordinates()[: whole.n_owned]
    cut = _as_distributed(whole, nodes, np.repeat(points, counts[: whole.n_owned], axis=0))
    return _matched(mesh, whole, cut, nodes, sheet[of_cell, dofs], labels)


def _conductors(cell: Cell) -> list[int]:
    return [label for label, phase in cell.phases.items() if phase.conducts_electrons]


def _apart(cell: Cell) -> Pairs:
    """Pairs of electron conductors whose contact is not open, the smaller label first."""
    pairs = combinations(sorted(_conductors(cell)), 2)
    return frozenset(pair for pair in pairs if cell.junction(*pair) > 0.0)


def _touched(mesh: TaggedMesh, region: Region, label: int) -> npt.NDArray[np.bool_]:
    """Local degrees of freedom, on any rank, at cells of a label; collective."""
    n_owned = region.mesh.topology.index_map(3).size_local
    here = np.flatnonzero(mesh.phase[region.cells[:n_owned]] == label)
    found = np.zeros(region.n_local)
    found[region.space.dofmap.list[here].ravel()] = 1.0
    region.add_ghosts(found)
    return found > 0.0


def _sheets(there: npt.NDArray[np.bool_], labels: list[int], apart: Pairs) -> npt.NDArray[np.int64]:
    """Which of the values at a vertex each label has, by the labels that meet there.

    Args:
        there: Whether each label is at each vertex, shape ``(labels, vertices)``.
        labels: The labels.
        apart: Pairs of them whose contact is not open.

    Returns:
        Shape ``(labels, vertices)``; 0 where the label is not.
    """
    _, first, pattern = np.unique(
        np.packbits(there, axis=0), axis=1, return_index=True, return_inverse=True
    )
    table = np.zeros((len(labels), len(first)), dtype=np.int64)
    for column, vertex in enumerate(first):
        groups = _joined([labels[k] for k in np.flatnonzero(there[:, vertex])], apart)
        for number, group in enumerate(groups):
            table[[labels.index(label) for label in group], column] = number
    return table[:, pattern.ravel()]


def _joined(present: list[int], apart: Pairs) -> list[list[int]]:
    """Labels that share a value at a vertex, the group of the smallest label first.

    No group holds two labels whose contact is not open, for then electrons would pass along the
    line where a third one touches its rim, whatever that one conducts. Where it is open to both,
    it goes with the smaller label.
    """
    groups: list[list[int]] = []
    for label in present:
        fits = (g for g in groups if not any((one, label) in apart for one in g))
        group = next(fits, None)
        if group is None:
            groups.append([label])
        else:
            group.append(label)
    return groups


def _numbers(whole: Region, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Global number of the first value at each local degree of freedom; collective."""
    own = counts[: whole.n_owned]
    start = whole.mesh.comm.exscan(int(own.sum())) or 0
    # Numbers travel to the ghosts in a float vector: exact below 2^53.
    vector = fem.Function(whole.space).x
    vector.array[: whole.n_owned] = start + np.cumsum(own) - own
    vector.scatter_forward()
    return vector.array.astype(np.int64)


def _as_distributed(
    whole: Region, nodes: npt.NDArray[np.int64], points: Array
) -> dmesh.Mesh[np.float64]:
    """A mesh with other nodes, its cells on the ranks where they are now; collective."""
    cells = whole.mesh.topology.index_map(3)
    ghosted = cells.index_to_dest_ranks(0)
    element = basix.ufl.element("Lagrange", "tetrahedron", 1, shape=(3,))
    rank = whole.mesh.comm.rank

    def stay(comm: Any, parts: int, types: Any, given: Any) -> Any:
        del comm, parts, types, given
        counts = np.diff(ghosted.offsets)[: cells.size_local]
        offsets = np.concatenate([[0], np.cumsum(1 + counts)]).astype(np.int32)
        ranks = np.full(offsets[-1], rank, dtype=np.int32)
        others = np.ones(len(ranks), dtype=bool)
        others[offsets[:-1]] = False
        ranks[others] = ghosted.array[: int(counts.sum())]
        return adjacencylist(ranks, offsets)._cpp_object

    partitioner: Callable[..., Any] = stay
    return dmesh.create_mesh(
        whole.mesh.comm,
        nodes[: cells.size_local],
        element,  # type: ignore[arg-type]
        points,
        partitioner,
    )


def _matched(
    mesh: TaggedMesh,
    whole: Region,
    cut: dmesh.Mesh[np.float64],
    nodes: npt.NDArray[np.int64],
    sheet: npt.NDArray[np.int64],
    labels: list[int],
) -> Region:
    """The cut mesh as a region of the parent.

    Args:
        mesh: The parent.
        whole: The region that was cut.
        cut: Its mesh, cut open.
        nodes, sheet: Node of the cut mesh and value it is of its vertex, at the corners of the
            local cells of ``whole``, shape ``(cells, 4)``.
        labels: Labels of the electron conductors.
    """
    space = fem.functionspace(cut, ("Lagrange", 1))
    # Cells were given in the order of their global numbers.
    given = np.asarray(cut.topology.original_cell_index, dtype=np.int64)
    before = whole.mesh.topology.index_map(3).global_to_local(given)
    now = cut.geometry.input_global_indices[cut.geometry.dofmaps[0]]
    pick, order = np.argsort(now, axis=1), np.argsort(nodes[before], axis=1)
    dofs = np.take_along_axis(space.dofmap.list, pick, axis=1)

    def sorted_by_node[T: np.generic](values: npt.NDArray[T]) -> npt.NDArray[T]:
        return np.take_along_axis(values, order, axis=1)

    vertices = sorted_by_node(whole.dof_vertex[whole.space.dofmap.list[before]])
    n_dofs = space.dofmap.index_map.size_local + space.dofmap.index_map.num_ghosts
    dof_vertex = np.zeros(n_dofs, dtype=np.int32)
    dof_vertex[dofs] = vertices
    sheets = np.zeros(n_dofs, dtype=np.int64)
    sheets[dofs] = sorted_by_node(sheet[before])
    phase = mesh.phase[whole.cells[before]]
    sides = {}
    for label in labels:
        here = phase == label
        sides[label] = np.full(len(mesh.vertex_number), -1, dtype=np.int32)
        sides[label][vertices[here]] = dofs[here]
    vertex_dof = np.full(len(mesh.vertex_number), -1, dtype=np.int32)
    vertex_dof[vertices] = dofs
    return Region(cut, space, whole.cells[before], dof_vertex, vertex_dof, sheets, sides)
