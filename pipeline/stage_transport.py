"""The transport stage: tortuosity factors of what carries ions, on the simulation's mesh."""

from collections.abc import Sequence
from dataclasses import asdict

from voxtrode.meshing.tagged import read_mesh
from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.solvers.transport import AXES, TransportRow, mesh_transport


def run(context: StageContext) -> None:
    """Write `transport.json`; collective."""
    mesh = read_mesh(context.run_dir / "mesh", context.comm)
    carried = _carried(context.study, mesh.info.phases)
    wanted = {mesh.info.phases[label]: {label: (1.0, 1.0)} for label in carried} | {"ions": carried}
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


def _carried(study: Study, names: Sequence[str]) -> dict[int, tuple[float, float]]:
    """By label, what each ion conductor carries: ε, and its conductivity over a common one.

    The common one is that of the study's free electrolyte where there is a liquid (a liquid then
    gives ε/τ), else the largest among the solids.
    """
    phases = {names.index(name): phase for name, phase in build_phases(study).items()}
    fluids = [phase.liquid.electrolyte for phase in phases.values() if phase.liquid is not None]
    if fluids:
        free = float(fluids[0].kappa(c_e=fluids[0].c_e0.value))
    else:
        free = max((phase.kappa or 0.0 for phase in phases.values()), default=0.0)
    found = {}
    for label, phase in phases.items():
        if phase.liquid is not None:
            found[label] = (phase.liquid.porosity, phase.liquid.transport)
        elif phase.kappa is not None:
            found[label] = (1.0, phase.kappa / free)
    return found
