"""Areas of a distributed tagged mesh."""

import dolfinx.mesh as dmesh
import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import TaggedMesh


def interface_areas(mesh: TaggedMesh) -> dict[str, float]:
    """Area of the facets between every two phases that touch [µm²], by ``"a|b"``; collective.

    Names come in the order of the labels, the separator last.
    """
    names = mesh.info.phases
    n = len(names)
    facets, cells = _owned_facets(mesh, 2)
    sides = np.sort(mesh.phase[cells], axis=1)
    between = sides[:, 0] != sides[:, 1]
    code = sides[between, 0].astype(np.int64) * n + sides[between, 1]
    totals = summed(code, facet_areas(mesh, facets[between]), n * n)
    mesh.mesh.comm.Allreduce(MPI.IN_PLACE, totals)
    pairs = {f"{names[a]}|{names[b]}": a * n + b for a in range(n) for b in range(a + 1, n)}
    return {pair: float(totals[code]) for pair, code in pairs.items() if totals[code] > 0.0}


def contact_area(mesh: TaggedMesh) -> float:
    """Area of the facets between different particles of one phase [µm²]; collective."""
    facets, cells = _owned_facets(mesh, 2)
    phase, particle = mesh.phase[cells], mesh.particle[cells]
    at = (phase[:, 0] == phase[:, 1]) & (particle[:, 0] != particle[:, 1])
    return float(mesh.mesh.comm.allreduce(float(facet_areas(mesh, facets[at]).sum())))


def exterior_area(mesh: TaggedMesh) -> float:
    """Area of the facets with one cell [µm²]; collective."""
    facets, _ = _owned_facets(mesh, 1)
    local = dmesh.exterior_facet_indices(mesh.mesh.topology)
    facets = np.intersect1d(facets, local)
    return float(mesh.mesh.comm.allreduce(float(facet_areas(mesh, facets).sum())))


def facet_areas(mesh: TaggedMesh, facets: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Area of each local facet [µm²]."""
    corners = dmesh.entities_to_geometry(mesh.mesh, 2, facets.astype(np.int32)).reshape(-1, 3)
    p = mesh.mesh.geometry.x[corners]
    result: npt.NDArray[np.float64] = 0.5 * np.linalg.norm(
        np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1
    )
    return result


def _owned_facets(
    mesh: TaggedMesh, sides: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Owned facets with this many cells, and those cells."""
    topology = mesh.mesh.topology
    topology.create_connectivity(2, 3)
    links = topology.connectivity(2, 3)
    owned = topology.index_map(2).size_local
    counts = np.diff(links.offsets)[:owned]
    facets = np.flatnonzero(counts == sides).astype(np.int32)
    cells = links.array[links.offsets[facets][:, None] + np.arange(sides)]
    return facets, cells
