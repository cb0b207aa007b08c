"""The mesh stage: the image's files become `mesh/`: the mesh, its evidence, pictures of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.meshing.build import BuiltMesh, build_voxel_mesh
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.meshing.tagged import write_mesh
from voxtrode.meshing.voxel import UM
from voxtrode.pipeline.build import capabilities
from voxtrode.pipeline.mesh_figures.draw import draw_mesh
from voxtrode.pipeline.mesh_warnings import mesh_warnings
from voxtrode.pipeline.records import read_json, write_json
from voxtrode.pipeline.stage_image import roles_of
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_mesh import SmoothMesh, VoxelMesh
from voxtrode.pipeline.vtk import write_part


def run(context: StageContext) -> None:
    """Write the mesh; collective."""
    study, comm = context.study, context.comm
    folder = context.staging / "mesh"
    if comm.rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
    comm.barrier()
    image = context.run_dir / "image"
    measured = read_json(image / "image.json")
    with context.log.task("mesh", total=4.0) as task:
        built = build_mesh(study, image, measured, comm)
        task.update(1.0, f"{built.info.cells} cells")
        write_mesh(folder, built.block, built.info, comm, built.partition)
        task.update(2.0, "mesh.vtu")
        _write_vtu(context, built)
        task.update(3.0, "pictures")
        draw_mesh(folder, built, capabilities(study), comm)
        if comm.rank == 0:
            write_json(folder / "mesh.json", built.evidence)
    _say(context, built.evidence)


def build_mesh(
    study: Study, image: Path, measured: Mapping[str, Any], comm: MPI.Intracomm, factor: float = 1.0
) -> BuiltMesh:
    """The study's mesh, or a coarser one to estimate errors with; collective.

    Args:
        study: The study.
        image: Folder of the image stage.
        measured: Its `image.json`.
        comm: All ranks.
        factor: What the study's spacing is multiplied by.
    """
    mesh = study.mesh.model_copy(update={"size": factor * study.mesh.size})
    roles = roles_of(study, tuple(measured["phases"]), tuple(measured["shape"]))
    return _BUILDERS[mesh.method](mesh, image, study.separator_thickness, roles, measured, comm)


def _smooth(
    mesh: SmoothMesh,
    image: Path,
    separator: float,
    roles: Roles,
    measured: Mapping[str, Any],
    comm: MPI.Intracomm,
) -> BuiltMesh:
    settings = SmoothSettings(levels=mesh.coarsening, islands=mesh.islands, contacts=mesh.contacts)
    return build_smooth_mesh(image, mesh.size, separator, roles, measured, settings, comm)


def _voxel(
    mesh: VoxelMesh,
    image: Path,
    separator: float,
    roles: Roles,
    measured: Mapping[str, Any],
    comm: MPI.Intracomm,
) -> BuiltMesh:
    return build_voxel_mesh(image, mesh.size, separator, roles, measured, comm)


_BUILDERS: dict[str, Callable[..., BuiltMesh]] = {"smooth": _smooth, "voxel": _voxel}


def _write_vtu(context: StageContext, built: BuiltMesh) -> None:
    block = built.block
    write_part(
        context.comm,
        context.staging / "mesh",
        "mesh",
        built.local_x / UM,
        built.local_cells,
        point_data={},
        cell_data={
            "Phase": block.phase,
            "Particle": block.particle,
            "Electronic": ((block.alive & ELECTRONIC) > 0).astype("uint8"),
            "Ionic": ((block.alive & IONIC) > 0).astype("uint8"),
            "Active": ((block.alive & ACTIVE) > 0).astype("uint8"),
        },
    )


def _say(context: StageContext, evidence: dict[str, Any]) -> None:
    context.log.info(
        f"mesh: {evidence['cells']} cells, {evidence['vertices']} vertices, dihedral angles "
        f"{evidence['min_dihedral_deg']:.1f}-{evidence['max_dihedral_deg']:.1f} degrees"
    )
    for warning in mesh_warnings(evidence, context.study.mesh.size):
        context.log.warning(warning)
