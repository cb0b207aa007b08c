"""The transport stage: effective transport of phases, ions and electrons, by several methods."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from voxtrode.data.connectivity import AXES
from voxtrode.data.volume import VolumeHeader, read_header, read_labels
from voxtrode.meshing.tagged import TaggedMesh, read_mesh
from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.communicator import on_root
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_transport import Transport
from voxtrode.pipeline.transport_cases import IONS, Case, transport_cases
from voxtrode.pipeline.transport_figures import draw_flux
from voxtrode.pipeline.transport_meshes import CoarseMesh, coarse_mesh
from voxtrode.pipeline.transport_rows import (
    Found,
    Row,
    add_estimate,
    differences,
    parameters,
    row_of,
    scaled,
)
from voxtrode.pipeline.transport_voxels import SlabOfVoxels, read_halved, read_voxels, tensor_of
from voxtrode.solvers.taufactor_engine import require_taufactor, taufactor_transport
from voxtrode.solvers.transport import mesh_shares, mesh_transport
from voxtrode.solvers.voxel_transport import VoxelTransport
from voxtrode.solvers.voxel_transport.problem import Inside

type Inner = tuple[tuple[int, tuple[float, float]], ...]
type Column = tuple[float, float, float]


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
        picture: Of what the flux is drawn, and along which axis; None for no picture.
        kept: What was solved, by method, what is inside, and axis.
        columns: Of tensors, likewise.
    """

    context: StageContext
    header: VolumeHeader
    voxels: SlabOfVoxels
    halved: SlabOfVoxels | None
    mesh: TaggedMesh
    coarse: CoarseMesh | None
    picture: tuple[Case, str] | None
    kept: dict[tuple[str, Inner, str], Found] = field(default_factory=dict)
    columns: dict[tuple[Inner, str], Column] = field(default_factory=dict)

    def solved(self, method: str, case: Case, axis: str, solve: Callable[[Inside], Found]) -> Found:
        """What a method finds; a phase alone is solved once, and scaled by what it carries."""
        key = (method, inner(case.solved), axis)
        if key not in self.kept:
            self.kept[key] = solve(case.solved)
        return scaled(self.kept[key], *case.scale)

    def by_voxels(self, case: Case, axis: str) -> Found:
        """By the voxel engine, with what picture and tensor take from the same solution."""
        return self.solved("voxel", case, axis, lambda one: self._flow(one, axis))

    def _flow(self, inside: Inside, axis: str) -> VoxelTransport:
        settings, comm = self.context.study.transport, self.context.comm
        solved = self.voxels.potential(inside, axis, settings, lateral=settings.tensor)
        if settings.tensor:
            self.columns[inner(inside), axis] = comm.bcast(solved.column)
        if self.picture is not None and (self.picture[0].solved, self.picture[1]) == (inside, axis):
            folder, size = self.context.staging / "transport", self.header.size
            title = f"{self.picture[0].name} along {axis}"
            draw_flux(folder, solved, title, (size[0], size[2]), comm)
        return solved.row


def inner(inside: Inside) -> Inner:
    """What is inside, to look results up by."""
    return tuple(sorted(inside.items()))


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
    wants_coarse = settings.estimate and "mesh" in settings.methods
    coarse = coarse_mesh(context, header) if wants_coarse else None
    cases = transport_cases(build_phases(context.study), header.phases)
    inputs = Inputs(context, header, voxels, halved, mesh, coarse, _pictured(settings, cases))
    pictures = context.staging / "transport"
    on_root(context.comm, lambda: pictures.mkdir(parents=True, exist_ok=True))
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
    if inputs.picture is not None:
        inputs.by_voxels(*inputs.picture)  # of other methods' rows none was drawn yet
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
    """The symmetric tensor, and how far its entries xy and yx, which are found twice, differ."""
    columns = {}
    for axis in AXES:
        inputs.by_voxels(case, axis)
        columns[axis] = inputs.columns[inner(case.solved), axis]
    tensor, asymmetry = tensor_of(columns, case.scale[1])
    return {"phase": case.name, "axes": list(AXES), "tensor": tensor, "asymmetry": asymmetry}


def _pictured(settings: Transport, cases: Sequence[Case]) -> tuple[Case, str] | None:
    """The ions, or what else there is, along the first axis."""
    if not settings.figures or not cases:
        return None
    return next((case for case in cases if case.name == IONS), cases[0]), settings.axes[0]


def _by_voxels(inputs: Inputs, case: Case, axis: str) -> Row:
    settings = inputs.context.study.transport
    found = inputs.by_voxels(case, axis)
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
            "coarse mesh", case, axis, lambda one: coarse.solve(case.name, one, axis)
        )
        add_estimate(row, again)
    return row


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
