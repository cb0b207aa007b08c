"""The transport stage: tortuosity factors of what carries ions, on the simulation's mesh."""

from dataclasses import asdict

from voxtrode.meshing.tagged import read_mesh
from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.stages import StageContext
from voxtrode.solvers.transport import AXES, TransportRow, mesh_transport


def run(context: StageContext) -> None:
    """Write `transport.json`; collective."""
    mesh = read_mesh(context.run_dir / "mesh", context.comm)
    phases = build_phases(context.study)
    liquids = {
        mesh.info.phases.index(name): phase.liquid
        for name, phase in phases.items()
        if phase.liquid is not None
    }
    wanted = {mesh.info.phases[label]: {label: (1.0, 1.0)} for label in liquids} | {
        "ions": {label: (liquid.porosity, liquid.transport) for label, liquid in liquids.items()}
    }
    rows: list[TransportRow] = []
    with context.log.task("transport", total=len(wanted) * len(AXES)) as task:
        for name, inside in wanted.items():
            for axis in AXES:
                rows.append(mesh_transport(mesh, name, inside, axis))
                task.update(len(rows), f"{name} along {axis}")
    if context.comm.rank == 0:
        write_json(context.staging / "transport.json", {"rows": [asdict(row) for row in rows]})
    for row in rows:
        if row.axis == "z":
            tau = "no path" if row.tortuosity_factor is None else f"{row.tortuosity_factor:.4g}"
            context.log.info(f"transport: {row.phase} along z: tortuosity factor {tau}")
