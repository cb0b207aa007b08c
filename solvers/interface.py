"""The interface Γ and the counter face as weighted points.

With P1 fields and vertex quadrature on the facets, an integral over Γ is a sum over its vertices:
∫_Γ J v ds ≈ Σ_facets w A/3 Σ_vertices J v. The fluxes then couple only unknowns at the same
vertex: no overshoot, one evaluation a vertex, and one matrix entry a vertex and block.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from dolfinx import mesh as dmesh

from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import ACTIVE, IONIC, TaggedMesh


@dataclass(frozen=True, eq=False)
class Facets:
    """Facets of Γ of one active phase that this rank owns.

    Attributes:
        vertices: Parent vertices, shape ``(facets, 3)``.
        active, ionic: Parent cells on both sides.
        area: Weighted area [µm²].
    """

    vertices: npt.NDArray[np.int32]
    active: npt.NDArray[np.int32]
    ionic: npt.NDArray[np.int32]
    area: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Quadrature points of a surface on this rank: vertices, per particle and phase beyond.

    Attributes:
        vertex: Parent vertex of each point.
        particle: Particle id of each point (0 on a surface without particles).
        beyond: Label of the phase on the surface's other side (0 on a face of the mesh).
        area: Weighted area [µm²] that this rank's facets give to the point; a vertex shared by
            ranks or particles is a point of each, with its share.
        facets: Points of each facet's corners, shape ``(facets, 3)``.
    """

    vertex: npt.NDArray[np.int32]
    particle: npt.NDArray[np.int32]
    beyond: npt.NDArray[np.int32]
    area: npt.NDArray[np.float64]
    facets: npt.NDArray[np.int64]


def interface_facets(mesh: TaggedMesh) -> dict[int, Facets]:
    """Facets between living active and living ion-conducting cells, by the active phase's label.

    Every facet is found once, on the rank that owns it; both its cells are there.
    """
    two, pair = _inner_facets(mesh)
    found: dict[int, Facets] = {}
    stores = (mesh.alive & ACTIVE) > 0
    conducts = (mesh.alive & IONIC) > 0
    swapped = stores[pair[:, 1]]
    active = np.where(swapped, pair[:, 1], pair[:, 0])
    ionic = np.where(swapped, pair[:, 0], pair[:, 1])
    on = stores[active] & conducts[ionic]
    two, active, ionic = two[on], active[on], ionic[on]
    corners = _facet_vertices(mesh, two)
    area = _weighted_areas(mesh, corners, active, ionic)
    # Labels are the same on every rank only if all ask for all of them.
    for label in range(len(mesh.info.phases)):
        here = mesh.phase[active] == label
        found[label] = Facets(corners[here], active[here], ionic[here], area[here])
    return found


def facets_between(
    mesh: TaggedMesh, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Facets, of those this rank owns, between cells of two sets.

    Args:
        mesh: The mesh.
        first, second: Whether each local cell is in the set; no cell is in both.

    Returns:
        Parent vertices, shape ``(facets, 3)``, and areas [µm²], without weights.
    """
    two, pair = _inner_facets(mesh)
    on = (first[pair[:, 0]] & second[pair[:, 1]]) | (first[pair[:, 1]] & second[pair[:, 0]])
    corners = _facet_vertices(mesh, two[on])
    return corners, np.linalg.norm(_normals(mesh, corners), axis=1)


def _inner_facets(mesh: TaggedMesh) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """Facets of this rank's own that have two cells, and these cells, shape ``(facets, 2)``."""
    topology = mesh.mesh.topology
    topology.create_entities(2)
    topology.create_connectivity(2, 3)
    topology.create_connectivity(2, 0)
    links = topology.connectivity(2, 3)
    n_owned = topology.index_map(2).size_local
    two = np.flatnonzero(np.diff(links.offsets[: n_owned + 1]) == 2)
    pair = links.array[links.offsets[two][:, None] + np.arange(2)]
    return two, pair


def face_points(mesh: TaggedMesh, height: float) -> Points:
    """Points of the mesh's face at ``z = height`` [µm] on living ion conductors."""
    topology = mesh.mesh.topology
    topology.create_connectivity(2, 3)
    topology.create_connectivity(2, 0)
    facets = dmesh.locate_entities_boundary(
        mesh.mesh,
        2,
        lambda x: np.isclose(x[2], height, rtol=0.0, atol=1e-6 * mesh.info.height * 1e6),
    )
    facets = facets[facets < topology.index_map(2).size_local]
    links = topology.connectivity(2, 3)
    cells = links.array[links.offsets[facets]]
    alive = (mesh.alive[cells] & IONIC) > 0
    corners = _facet_vertices(mesh, facets[alive])
    area = np.linalg.norm(_normals(mesh, corners), axis=1)
    return surface_points(corners, area, np.zeros(len(corners), dtype=np.int32))


def surface_points(
    corners: npt.NDArray[np.int32],
    area: npt.NDArray[np.float64],
    particle: npt.NDArray[np.int32],
    beyond: npt.NDArray[np.int32] | None = None,
) -> Points:
    """Collect facets into points.

    Args:
        corners: Parent vertices of each facet, shape ``(facets, 3)``.
        area: Weighted area of each facet [µm²].
        particle: Particle id of each facet.
        beyond: Label on the other side of each facet; 0 by default.
    """
    vertex = corners.ravel().astype(np.int64)
    owner = np.repeat(particle.astype(np.int64), 3)
    side = np.zeros_like(owner) if beyond is None else np.repeat(beyond.astype(np.int64), 3)
    key = vertex * (int(owner.max(initial=0)) + 1) + owner
    key = key * (int(side.max(initial=0)) + 1) + side
    _, first, point = np.unique(key, return_index=True, return_inverse=True)
    return Points(
        vertex=vertex[first].astype(np.int32),
        particle=owner[first].astype(np.int32),
        beyond=side[first].astype(np.int32),
        area=summed(point, np.repeat(area / 3.0, 3), len(first)),
        facets=point.reshape(-1, 3),
    )


def _facet_vertices(mesh: TaggedMesh, facets: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    links = mesh.mesh.topology.connectivity(2, 0)
    return np.asarray(links.array[links.offsets[facets][:, None] + np.arange(3)])


def _normals(mesh: TaggedMesh, corners: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Normals with the facets' areas as lengths [µm²]."""
    count = len(mesh.vertex_number)
    nodes = dmesh.entities_to_geometry(mesh.mesh, 0, np.arange(count, dtype=np.int32)).ravel()
    p = mesh.mesh.geometry.x[nodes][corners]
    return 0.5 * np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])


def _weighted_areas(
    mesh: TaggedMesh,
    corners: npt.NDArray[np.int32],
    active: npt.NDArray[np.int32],
    ionic: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Facet areas times their weight |n·ĝ| and the factor of their pair of phases [µm²]."""
    normal = _normals(mesh, corners)
    area = np.linalg.norm(normal, axis=1)
    separator = len(mesh.info.phases) - 1
    direction = mesh.normal[active] + mesh.normal[ionic]
    length = np.linalg.norm(direction, axis=1)
    both = np.linalg.norm(mesh.normal[active], axis=1) + np.linalg.norm(mesh.normal[ionic], axis=1)
    weighted = (mesh.phase[ionic] != separator) & (length > 1e-6 * both)
    safe = np.where(weighted, length, 1.0)
    cosine = np.abs(np.sum(normal * direction, axis=1)) / safe
    scale = _pair_factors(mesh.info.phases, mesh.info.facet_scale)
    area = np.where(weighted, cosine, area)
    return area * scale[mesh.phase[active], mesh.phase[ionic]]


def _pair_factors(phases: tuple[str, ...], scale: Mapping[str, float]) -> npt.NDArray[np.float64]:
    factors = np.ones((len(phases), len(phases)))
    for a, first in enumerate(phases):
        for b in range(a + 1, len(phases)):
            factors[a, b] = factors[b, a] = scale.get(f"{first}|{phases[b]}", 1.0)
    return factors
