"""What a study will cost, estimated before anything runs: its mesh, its unknowns, memory, time."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import prod
from operator import attrgetter

from voxtrode.data.phases import Phase
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.mesh_counts import Counts, smooth_counts, touching, voxel_counts
from voxtrode.pipeline.study_mesh import Mesh
from voxtrode.pipeline.study_surroundings import Surroundings

BYTES_PER_UNKNOWN = 5000.0
BYTES_PER_PROCESS = 4e8  # libraries, before any mesh
# Both from the study `quickstart` on two ranks with a voxel mesh: 131 779 unknowns, 1.46 GiB.
SECONDS_PER_UNKNOWN_AND_ITERATION = 1.3e-5  # Newton: residual, Jacobian, linear solve; one core
SECONDS_PER_CELL = 2e-5  # meshing, tagging, writing; one core

_FIELDS = {
    "c_s": attrgetter("stores"),
    "phi_s": attrgetter("conducts_electrons"),
    "phi_e": attrgetter("conducts_ions"),
    "c_e": attrgetter("holds_salt"),
}
_OF_SEPARATOR = ("phi_e", "c_e")
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
    unknown: Collection[str],
    iterations: float,
) -> Estimate:
    """Estimates the cost of a study.

    Args:
        header: The volume.
        shares: Volume fraction of each phase.
        area: Area of all interfaces over the volume [1/m].
        phases: What each phase can do.
        mesh: What the study asks for.
        separator: Thickness of the separator [m].
        unknown: Fields that are solved for, as `unknown_fields` says.
        iterations: Newton iterations of the protocol.
    """
    counts = _COUNTS[mesh.method](mesh, header, separator, area)
    unknowns = counts.behind * sum(field in unknown for field in _OF_SEPARATOR)
    for field in unknown:
        names = [name for name, phase in phases.items() if _FIELDS[field](phase)]
        alone = sum(shares[name] for name in names) * (counts.inside - counts.surface)
        unknowns += alone + touching(shares, names) * counts.surface
    work = unknowns * SECONDS_PER_UNKNOWN_AND_ITERATION * iterations
    return Estimate(
        voxels=prod(header.shape),
        mesh=counts,
        unknowns=round(unknowns),
        memory=BYTES_PER_PROCESS + unknowns * BYTES_PER_UNKNOWN,
        seconds=work + counts.cells * SECONDS_PER_CELL,
    )


def unknown_fields(surroundings: Surroundings | None) -> tuple[str, ...]:
    """The fields that are solved for: all in a cell, some where the electrolyte is stirred."""
    if surroundings is None:
        return tuple(_FIELDS)
    return ("c_s",) if surroundings.stirred.everywhere else ("c_s", "phi_s")
