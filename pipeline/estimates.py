"""What a study will cost, estimated before anything runs: its mesh, its unknowns, memory, time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from operator import attrgetter

from voxtrode.data.phases import Phase
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.mesh_counts import Counts, smooth_counts, touching, voxel_counts
from voxtrode.pipeline.study_mesh import Mesh

BYTES_PER_UNKNOWN = 5000.0
BYTES_PER_PROCESS = 4e8  # libraries, before any mesh
# Both from the study `quickstart` on two ranks with a voxel mesh: 131 779 unknowns, 1.46 GiB.
SECONDS_PER_UNKNOWN_AND_ITERATION = 1.3e-5  # Newton: residual, Jacobian, linear solve; one core
ITERATIONS_PER_STEP = 220  # Newton iterations of a 1C discharge
SECONDS_PER_CELL = 2e-5  # meshing, tagging, writing; one core

_FIELDS = (
    (1, attrgetter("stores")),  # c_s
    (1, attrgetter("conducts_electrons")),  # φ_s
    (1, attrgetter("conducts_ions")),  # φ_e
    (1, attrgetter("holds_salt")),  # c_e
)
_COUNTS: dict[str, Callable[..., Counts]] = {"smooth": smooth_counts, "voxel": voxel_counts}


@dataclass(frozen=True)
class Estimate:
    """Sizes and costs of a study.

    Attributes:
        voxels: Voxels of the volume.
        mesh: Cells and vertices.
        unknowns: Unknowns of the coupled problem.
        memory: Memory on one rank [bytes]; each further one adds that of a process.
        seconds: Wall time on one core [s].
    """

    voxels: int
    mesh: Counts
    unknowns: int
    memory: float
    seconds: float


def estimate(
    header: VolumeHeader,
    shares: Mapping[str, float],
    area: float,
    phases: Mapping[str, Phase],
    mesh: Mesh,
    separator: float,
    steps: int,
) -> Estimate:
    """Estimates the cost of a study.

    Args:
        header: The volume.
        shares: Volume fraction of each phase.
        area: Area of all interfaces over the volume [1/m].
        phases: What each phase can do.
        mesh: What the study asks for.
        separator: Thickness of the separator [m].
        steps: Number of protocol steps.
    """
    counts = _COUNTS[mesh.method](mesh, header, separator, area)
    unknowns = 2.0 * counts.behind
    for fields, carries in _FIELDS:
        names = [name for name, phase in phases.items() if carries(phase)]
        alone = sum(shares[name] for name in names) * (counts.inside - counts.surface)
        unknowns += fields * (alone + touching(shares, names) * counts.surface)
    work = unknowns * SECONDS_PER_UNKNOWN_AND_ITERATION * ITERATIONS_PER_STEP * steps
    return Estimate(
        voxels=prod(header.shape),
        mesh=counts,
        unknowns=round(unknowns),
        memory=BYTES_PER_PROCESS + unknowns * BYTES_PER_UNKNOWN,
        seconds=work + counts.cells * SECONDS_PER_CELL,
    )
