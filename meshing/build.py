"""From the image's files to the tagged mesh of electrode and separator, slab by slab."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Flags, Roles, judge
from voxtrode.meshing.cells import MeshBlock, MeshInfo
from voxtrode.meshing.components import SlabLabeller
from voxtrode.meshing.interfaces import pair_areas
from voxtrode.meshing.lattice import SEPARATOR, Lattice, Slab, plan, read_lattice
from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.quality_evidence import cell_quality
from voxtrode.meshing.sums import summed
from voxtrode.meshing.voxel import UM, smoothed_gradient, voxel_block

PLAUSIBLE = (0.2, 5.0)
"""Factors on weighted areas outside this range say that the lattice has lost the interface."""


@dataclass(frozen=True)
class BuiltMesh:
    """A mesh before it goes to DOLFINx.

    Attributes:
        block: This rank's rows.
        info: Description of the whole mesh.
        local_cells: Cells by rows of ``local_x``, shape ``(cells, 4)``.
        local_x: Vertices [µm] of this rank's cells, shape ``(vertices, 3)``.
        evidence: Content of ``mesh.json``, equal on every rank.
        partition: Ranks that hold each cell of the block where the mesh was distributed, to be kept
            with it.
    """

    block: MeshBlock
    info: MeshInfo
    local_cells: npt.NDArray[np.int64]
    local_x: npt.NDArray[np.float64]
    evidence: dict[str, Any]
    partition: npt.NDArray[np.int32] | None = None


def build_voxel_mesh(
    folder: Path,
    size: float,
    separator: float,
    roles: Roles,
    measured: Mapping[str, Any],
    comm: MPI.Intracomm,
) -> BuiltMesh:
    """Mesh an image with six tetrahedra a lattice voxel; collective.

    Args:
        folder: Folder of the image stage.
        size: Wanted lattice spacing [m].
        separator: Separator thickness [m].
        roles: What the image's labels can do.
        measured: ``image.json``: fractions, and areas by marching cubes.
        comm: Communicator; the slabs are cut along z.

    Raises:
        InputError: Where the lattice does not fit the volume or the ranks.
    """
    lattice = plan(folder, size, separator)
    slab = read_lattice(folder, lattice, comm)
    gradient = smoothed_gradient(np.isin(slab.labels, roles.active), lattice.spacing)
    window = slab.window(1)
    flags, components = _judge(slab, window, roles, comm)
    faces, weighted = pair_areas(slab, roles.active, gradient[:, window], comm)
    scale = _scales(lattice, roles, weighted, measured)
    own = slice(slab.electrode[0] - slab.low, slab.electrode[1] - slab.low)
    block = voxel_block(slab, flags, gradient[:, own], comm)
    info = MeshInfo(
        phases=(*lattice.phases, SEPARATOR),
        vertices=int(comm.allreduce(len(block.x))),
        cells=int(comm.allreduce(len(block.cells))),
        thickness=lattice.thickness,
        height=float(lattice.planes()[-1]),
        area=lattice.area,
        facet_scale=scale,
    )
    local_x, local_cells = _local(slab, lattice, block)
    evidence = {
        "method": "voxel",
        "spacing_m": lattice.spacing,
        "voxels_per_cell": lattice.factor,
        "cropped_voxels": lattice.cropped,
        "separator_layers_m": lattice.separator,
        "cells": info.cells,
        "vertices": info.vertices,
        **cell_quality(local_x, local_cells, comm),
        "volume_error": _volume_errors(block, local_x, local_cells, info, lattice, measured, comm),
        "interfaces": _interfaces(faces, weighted, scale, measured),
        "facet_weight": "|n·ĝ| with ĝ the gradient of the active phases smoothed over 1.5 lattice "
        "voxels, times a factor per pair that makes the area that of marching cubes on the image",
        "components": components,
    }
    return BuiltMesh(block, info, local_cells, local_x, evidence)


def _judge(
    slab: Slab, window: slice, roles: Roles, comm: MPI.Intracomm
) -> tuple[Flags, dict[str, int]]:
    """Living cells of the own electrode layers, and the components of each phase."""
    labeller = SlabLabeller(comm)
    labels = slab.labels[window]
    flags = judge(
        labels, roles, labeller.label, labeller.any_of, not labeller.below, not labeller.above
    )
    names = slab.lattice.phases
    components = {name: labeller.label(labels == value)[1] for value, name in enumerate(names)}
    first, last = slab.electrode
    own = slice(first - slab.low - window.start, last - slab.low - window.start)
    return Flags(flags.electronic[own], flags.ionic[own], flags.active[own]), components


def _scales(
    lattice: Lattice, roles: Roles, weighted: Mapping[str, float], measured: Mapping[str, Any]
) -> dict[str, float]:
    """Factors that bring weighted facet areas to those of marching cubes, per active|ionic pair."""
    kept = float(np.prod([1 - c / (c + n * f) for c, n, f in _extents(lattice)]))
    found = {}
    for pair, area in weighted.items():
        a, b = pair.split("|")
        if SEPARATOR in (a, b):
            continue
        roles_of = [lattice.phases.index(name) in roles.active for name in (a, b)]
        target = _measured_area(measured, pair, "marching_cubes")
        if roles_of[0] == roles_of[1] or target is None or area <= 0.0:
            continue
        factor = target * kept / area
        if PLAUSIBLE[0] <= factor <= PLAUSIBLE[1]:
            found[pair] = factor
    return found


def _extents(lattice: Lattice) -> list[tuple[int, int, int]]:
    return list(zip(lattice.cropped, lattice.shape, lattice.factor, strict=True))


def _measured_area(measured: Mapping[str, Any], pair: str, method: str) -> float | None:
    a, b = pair.split("|")
    areas = measured["interfaces"]
    entry = areas.get(pair) or areas.get(f"{b}|{a}")
    return None if entry is None else float(entry["area_m2"][method])


def _interfaces(
    faces: Mapping[str, float],
    weighted: Mapping[str, float],
    scale: Mapping[str, float],
    measured: Mapping[str, Any],
) -> dict[str, Any]:
    result = {}
    for pair, area in faces.items():
        mesh = weighted[pair] * scale.get(pair, 1.0)
        on_plane = SEPARATOR in pair.split("|")
        result[pair] = {
            "area_m2": {
                "mesh": mesh,
                "marching_cubes": area
                if on_plane
                else _measured_area(measured, pair, "marching_cubes"),
                "voxel_faces": area,
            },
            "facet_weight_mean": mesh / area,
            "facet_weight_factor": scale.get(pair, 1.0),
        }
    return result


def _local(
    slab: Slab, lattice: Lattice, block: MeshBlock
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Vertices of this rank's cells, the plane above included, and cells numbered by them."""
    plane = (lattice.shape[1] + 1) * (lattice.shape[2] + 1)
    bottom = block.x[:plane, :2]
    z = UM * lattice.planes()[slab.first : slab.last + 1]
    x = np.concatenate([np.tile(bottom, (len(z), 1)), np.repeat(z, plane)[:, None]], axis=1)
    return x, block.cells - slab.first * plane


def _volume_errors(
    block: MeshBlock,
    x: npt.NDArray[np.float64],
    cells: npt.NDArray[np.int64],
    info: MeshInfo,
    lattice: Lattice,
    measured: Mapping[str, Any],
    comm: MPI.Intracomm,
) -> dict[str, float]:
    """Relative volume of each phase in the mesh over that in the image, minus one."""
    _, volumes = shape_measures(x[cells])
    totals = summed(block.phase, volumes, len(info.phases))
    comm.Allreduce(MPI.IN_PLACE, totals)
    image = float(np.prod([c + n * f for c, n, f in _extents(lattice)]))
    voxel = float(np.prod([h / f for h, f in zip(lattice.spacing, lattice.factor, strict=True)]))
    expected = {n: measured["phases"][n]["fraction"] * image * voxel for n in lattice.phases}
    return {
        name: float(totals[value]) / UM**3 / expected[name] - 1.0
        for value, name in enumerate(lattice.phases)
        if expected[name] > 0.0
    }
