"""Evidence on a smooth mesh: what `mesh.json` says."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.meshing.measures import contact_area, exterior_area, interface_areas
from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.quality_evidence import cell_quality, worst_cell
from voxtrode.meshing.regions import regions_of
from voxtrode.meshing.stuffing.box import Box
from voxtrode.meshing.stuffing.cutting import ANY
from voxtrode.meshing.stuffing.part import ImageSlab, Part
from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.meshing.voxel import UM


def evidence_of(
    mesh: TaggedMesh,
    part: Part,
    slab: ImageSlab,
    box: Box,
    roles: Roles,
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    """Content of ``mesh.json``, equal on every rank; collective.

    Args:
        mesh: The distributed mesh.
        part: This rank's own cells.
        slab: This rank's voxels.
        box: Lattice cubes of the box.
        roles: What the image's labels can do.
        measured: ``image.json``.
    """
    comm: MPI.Intracomm = mesh.mesh.comm
    phases = mesh.info.phases
    _, y, x = box.size
    exterior = 2.0 * (box.top * (x + y) + x * y)
    regions = regions_of(mesh, part, slab)
    return {
        "method": "smooth",
        "spacing_m": [edge / UM for edge in box.spacing],
        "separator_spacing_m": box.separator_spacing / UM if box.separator else None,
        "cells": mesh.info.cells,
        "vertices": mesh.info.vertices,
        **cell_quality(np.ascontiguousarray(part.x[:, ::-1]), part.cells, comm),
        "worst_cell": _worst(part, phases, comm),
        "mended": _mended(part, comm),
        "exterior_area_error": exterior_area(mesh) / exterior - 1.0,
        "volume_error": _volume_errors(part, slab, phases, comm),
        "volume_passes": part.passes,
        "interfaces": _interfaces(interface_areas(mesh), measured),
        "components": {name: found["mesh"] for name, found in regions.items()},
        "image_components": {name: found["image"] for name, found in regions.items()},
        "regions": regions,
        "particle_volume_error": _particle_errors(mesh, slab),
        "untagged_cells": int(comm.allreduce(_untagged(mesh, roles))),
    }


def _worst(part: Part, phases: tuple[str, ...], comm: MPI.Intracomm) -> dict[str, Any]:
    """The cell with the smallest angle, where it is and in what."""
    x = np.ascontiguousarray(part.x[:, ::-1])
    angle, place, phase = worst_cell(x, part.cells, part.phase, comm)
    # The separator, which no voxel has, is the last of the mesh's phases.
    name = phases[-1 if phase == ANY else phase]
    return {"angle_deg": angle, "position_m": [edge / UM for edge in place], "phase": name}


def _mended(part: Part, comm: MPI.Intracomm) -> dict[str, Any]:
    """What moving single points did for the worst cells."""
    found = part.mended
    return {
        "points_moved": int(comm.allreduce(found.moved)),
        "largest_move_m": comm.allreduce(found.displacement, op=MPI.MAX) / UM,
        "min_dihedral_before_deg": comm.allreduce(found.before.smallest, op=MPI.MIN),
    }


def _particle_errors(mesh: TaggedMesh, slab: ImageSlab) -> dict[str, Any] | None:
    """Volumes of the particles in the mesh against those in the image."""
    comm: MPI.Intracomm = mesh.mesh.comm
    n = int(comm.allreduce(int(slab.particles.max(initial=0)), op=MPI.MAX))
    owned = mesh.mesh.topology.index_map(3).size_local
    x = mesh.mesh.geometry.x[mesh.mesh.geometry.dofmaps[0][:owned]]
    _, volumes = shape_measures(x)
    in_mesh = summed(mesh.particle[:owned], np.abs(volumes), n + 1)
    image = np.bincount(slab.particles[slab.own].ravel(), minlength=n + 1).astype(np.float64)
    comm.Allreduce(MPI.IN_PLACE, in_mesh)
    comm.Allreduce(MPI.IN_PLACE, image)
    there = np.flatnonzero(image[1:] > 0) + 1
    if not len(there):
        return None
    voxel = float(np.prod(slab.voxel))
    error = in_mesh[there] / (image[there] * voxel) - 1.0
    worst = int(np.argmax(np.abs(error)))
    return {
        "mean": float(error.mean()),
        "rms": float(np.sqrt(np.mean(error**2))),
        "volume_weighted_rms": float(np.sqrt(np.average(error**2, weights=image[there]))),
        "worst": {
            "particle": int(there[worst]),
            "error": float(error[worst]),
            "voxels": int(image[there[worst]]),
        },
    }


def contacts_of(mesh: TaggedMesh, smooth: bool) -> dict[str, Any]:
    """Contacts between particles of one phase; collective.

    Args:
        mesh: The mesh.
        smooth: Whether particles were told apart, so that areas mean something.
    """
    if not smooth:
        return {"smooth": False, "note": "contacts between particles follow voxels: no areas"}
    return {"smooth": True, "area_m2": contact_area(mesh) / UM**2}


def _volume_errors(
    part: Part, slab: ImageSlab, phases: tuple[str, ...], comm: MPI.Intracomm
) -> dict[str, float]:
    """Relative volume of each phase in the mesh over that in the image, minus one."""
    x = np.ascontiguousarray(part.x[:, ::-1])
    _, volumes = shape_measures(x[part.cells])
    inside = part.phase != ANY
    mesh = summed(part.phase[inside].astype(np.int64), volumes[inside], slab.phases)
    image = np.bincount(slab.labels[slab.own].ravel(), minlength=slab.phases).astype(np.float64)
    comm.Allreduce(MPI.IN_PLACE, mesh)
    comm.Allreduce(MPI.IN_PLACE, image)
    image *= float(np.prod(slab.voxel))
    return {
        name: float(mesh[value] / image[value] - 1.0)
        for value, name in enumerate(phases[:-1])
        if image[value] > 0.0
    }


def _interfaces(areas: Mapping[str, float], measured: Mapping[str, Any]) -> dict[str, Any]:
    result = {}
    for pair, area in areas.items():
        a, b = pair.split("|")
        image = measured["interfaces"]
        entry = (image.get(pair) or image.get(f"{b}|{a}") or {}).get("area_m2", {})
        result[pair] = {
            "area_m2": {
                "mesh": area / UM**2,
                "marching_cubes": entry.get("marching_cubes"),
                "voxel_faces": entry.get("voxel_faces"),
            }
        }
    return result


def _untagged(mesh: TaggedMesh, roles: Roles) -> int:
    """Own cells of active material that belong to no particle."""
    owned = mesh.mesh.topology.index_map(3).size_local
    tagged = mesh.particle[:owned] > 0
    return int(np.count_nonzero(np.isin(mesh.phase[:owned], roles.active) & ~tagged))
