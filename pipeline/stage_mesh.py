"""The mesh stage: the image's files become `mesh/`: mesh.h5, mesh.vtu or .pvtu, mesh.json."""

from typing import Any

from voxtrode.meshing.build import BuiltMesh, build_voxel_mesh
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC
from voxtrode.meshing.tagged import write_mesh
from voxtrode.meshing.voxel import UM
from voxtrode.pipeline.records import read_json, write_json
from voxtrode.pipeline.stage_image import roles_of
from voxtrode.pipeline.stages import StageContext
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
    roles = roles_of(study, tuple(measured["phases"]))
    with context.log.task("mesh", total=3.0) as task:
        built = build_voxel_mesh(
            image, study.mesh.size, study.separator.thickness, roles, measured, comm
        )
        task.update(1.0, f"{built.info.cells} cells")
        write_mesh(folder, built.block, built.info, comm)
        task.update(2.0, "mesh.vtu")
        _write_vtu(context, built)
        if comm.rank == 0:
            write_json(folder / "mesh.json", built.evidence)
    _say(context, built.evidence)


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
    if any(evidence["cropped_voxels"]):
        z, y, x = evidence["cropped_voxels"]
        context.log.warning(
            f"the image is no whole multiple of the lattice: {z}, {y}, {x} voxels (z, y, x) at its "
            "far ends are left out; choose mesh.size as a divisor of the image to keep them"
        )
