"""The transport stage: effective transport of phases, ions and electrons, by several methods."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError, NumericalError
from voxtrode.data.volume import VolumeHeader, read_header, read_labels
from voxtrode.meshing.tagged import TaggedMesh, distribute, read_mesh
from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.communicator import on_root
from voxtrode.pipeline.records import read_json, write_json
from voxtrode.pipeline.stage_mesh import build_mesh
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.transport_cases import IONS, Case, transport_cases
from voxtrode.pipeline.transport_figures import draw_flux
from voxtrode.pipeline.transport_rows import (
    Found,
    Row,
    add_estimate,
    differences,
    parameters,
    row_of,
    scaled,
)
from voxtrode.pipeline.transport_voxels import SlabOfVoxels, read_halved, read_voxels
from voxtrode.solvers.taufactor_engine import require_taufactor, taufactor_transport
from voxtrode.solvers.transport import mesh_shares, mesh_transport
from voxtrode.solvers.voxel_transport.problem import Inside


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the methods work on.

    Attributes:
        context: Of the stage.
        header: Of the volume.
        voxels: This rank's slab.
        halved: The same with voxels twice as long, or None.
        mesh: The simulation's mesh.
        coarse: The same with twice the spacing, or None.
        kept: Solutions of single phases, by method, label and axis.
    """

    context: StageContext
    header: VolumeHeader
    voxels: SlabOfVoxels
    halved: SlabOfVoxels | None
    mesh: TaggedMesh
    coarse: TaggedMesh | None
    kept: dict[tuple[str, int, str], Found] = field(default_factory=dict)

    def solved(self, method: str, case: Case, axis: str, solve: Callable[[Inside], Found]) -> Found:
        """What a method finds; a phase alone is solved once, and scaled by what it carries."""
        if len(case.inside) > 1:
            return solve(case.inside)
        ((label, (share, conductivity)),) = case.inside.items()
        key = (method, label, axis)
        if key not in self.kept:
            self.kept[key] = solve({label: (1.0, 1.0)})
        return scaled(self.kept[key], share, conductivity)


def run(context: StageContext) -> None:
    """Write `transport.json`; collective.

    Raises:
        InputError: A method that is not installed, or a study it cannot do.
        NumericalError: A solution that does not converge or is outside the bounds.
    """
    settings = context.study.transport
    if "taufactor" in settings.methods:
        require_taufactor()
    folder = context.run_dir / "image"
    header = read_header(folder)
    halved = read_halved(folder, header, context.comm) if settings.estimate else None
    mesh = read_mesh(context.run_dir / "mesh", context.comm)
    voxels = read_voxels(folder, header, context.comm)
    inputs = Inputs(context, header, voxels, halved, mesh, _coarse_mesh(context))
    cases = transport_cases(build_phases(context.study), header.phases)
    wanted = [(m, case, axis) for m in settings.methods for case in cases for axis in settings.axes]
    rows: list[Row] = []
    with context.log.task("transport", total=len(wanted)) as task:
        for method, case, axis in wanted:
            rows.append(_METHODS[method](inputs, case, axis))
            task.update(len(rows), f"{case.name} along {axis} ({method})")
    tree: dict[str, Any] = {
        "rows": rows,
        "tolerance": settings.tolerance,
        "sides": settings.sides,
        "differences": differences(rows),
    }
    electrode = _is_electrode(context.study)
    if electrode:
        tree["parameters"] = parameters(rows, header.size[0])
    if electrode and settings.electrode:
        tree["electrode"] = _electrode(inputs, cases)
    if settings.tensor:
        tree["tensors"] = [_tensor(inputs, case) for case in cases]
    _draw(inputs, cases)
    if context.comm.rank == 0:
        write_json(context.staging / "transport.json", tree)
    for row in rows:
        if row["axis"] == "z":
            tau = f"{row['tortuosity_factor']:.4g}" if row["effective_ratio"] else "no path"
            context.log.info(
                f"transport: {row['phase']} along z by {row['method']}: tortuosity factor {tau}"
            )


def _is_electrode(study: Study) -> bool:
    """Whether the volume is one electrode, with the counter face at its end."""
    return study.negative is None and study.positive is None and study.surroundings is None


def _electrode(inputs: Inputs, cases: Sequence[Case]) -> list[Row]:
    """τ_e of the ions; none where no wall is there to be charged."""
    settings = inputs.context.study.transport
    ions = [case for case in cases if case.name == IONS]
    walls = sum(sum(inputs.voxels.shares(case.inside).values()) for case in ions) < 1.0
    return [
        {**asdict(inputs.voxels.charged(case.inside, settings)), "phase": case.name}
        for case in ions
        if walls
    ]


def _tensor(inputs: Inputs, case: Case) -> Row:
    tensor, asymmetry = inputs.voxels.tensor(case.inside, inputs.context.study.transport)
    return {"phase": case.name, "axes": list(AXES), "tensor": tensor, "asymmetry": asymmetry}


def _draw(inputs: Inputs, cases: Sequence[Case]) -> None:
    """The flux of ions, or of what there is, by the voxel engine; collective."""
    context, settings = inputs.context, inputs.context.study.transport
    folder = context.staging / "transport"
    on_root(context.comm, lambda: folder.mkdir(parents=True, exist_ok=True))
    chosen = [case for case in cases if case.name == IONS] or list(cases)
    if not settings.figures or not chosen:
        return
    case, axis = chosen[0], settings.axes[0]
    solved = inputs.voxels.potential(case.inside, axis, settings)
    size = inputs.header.size
    draw_flux(folder, solved, f"{case.name} along {axis}", (size[0], size[2]), context.comm)


def _by_voxels(inputs: Inputs, case: Case, axis: str) -> Row:
    settings = inputs.context.study.transport
    found = inputs.solved("voxel", case, axis, lambda one: inputs.voxels.solve(one, axis, settings))
    row = row_of(case, found, inputs.voxels.shares(case.inside))
    if (halved := inputs.halved) is not None:
        coarse = inputs.solved("halved", case, axis, lambda one: halved.solve(one, axis, settings))
        add_estimate(row, coarse)
    return row


def _by_mesh(inputs: Inputs, case: Case, axis: str) -> Row:
    found = inputs.solved(
        "mesh", case, axis, lambda one: mesh_transport(inputs.mesh, case.name, one, axis)
    )
    row = row_of(case, found, mesh_shares(inputs.mesh, case.inside))
    if (coarse := inputs.coarse) is not None:
        again = inputs.solved(
            "coarse mesh", case, axis, lambda one: mesh_transport(coarse, case.name, one, axis)
        )
        add_estimate(row, again)
    return row


def _coarse_mesh(context: StageContext) -> TaggedMesh | None:
    """The mesh with twice the spacing; None, with a warning, where there can be none."""
    settings = context.study.transport
    if not settings.estimate or "mesh" not in settings.methods:
        return None
    image = context.run_dir / "image"
    measured = read_json(image / "image.json")
    try:
        built = build_mesh(context.study, image, measured, context.comm, factor=2.0)
    except (InputError, NumericalError) as error:  # the same on every rank
        context.log.warning(f"no error estimate of transport on the mesh: {error}")
        return None
    return distribute(built.block, built.info, context.comm, built.partition)


def _by_taufactor(inputs: Inputs, case: Case, axis: str) -> Row:
    context, header = inputs.context, inputs.header

    def solve(one: Inside) -> Found:
        # TauFactor knows one process and the whole volume.
        labels = read_labels(context.run_dir / "image", 0, header.shape[0])
        tolerance = context.study.transport.tolerance
        return taufactor_transport(labels, header.voxel, one, axis, tolerance=tolerance)

    found = inputs.solved(
        "taufactor", case, axis, lambda one: on_root(context.comm, lambda: solve(one))
    )
    return row_of(case, found, inputs.voxels.shares(case.inside))


_METHODS: dict[str, Callable[[Inputs, Case, str], Row]] = {
    "voxel": _by_voxels,
    "mesh": _by_mesh,
    "taufactor": _by_taufactor,
}
