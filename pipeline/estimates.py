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

# From smooth meshes of 3 000 to 241 000 unknowns on one rank, see docs/solver.md.
BYTES_PER_UNKNOWN = 2.4e3
BYTES_PER_PROCESS = 6e8  # libraries and pictures, before any mesh
SECONDS_PER_UNKNOWN_AND_ITERATION = 5.5e-6  # Newton: residual, Jacobian, linear solve; one core
SECONDS_PER_ITERATION = 0.012  # of a Newton iteration on the smallest of meshes
SECONDS_PER_CELL = 5e-5  # meshing, tagging, writing, transport; one core
SECONDS_PER_RUN = 25.0  # five stages that start, load their libraries and draw

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
    each = SECONDS_PER_ITERATION + unknowns * SECONDS_PER_UNKNOWN_AND_ITERATION
    return Estimate(
        voxels=prod(header.shape),
        mesh=counts,
        unknowns=round(unknowns),
        memory=BYTES_PER_PROCESS + unknowns * BYTES_PER_UNKNOWN,
        seconds=SECONDS_PER_RUN + counts.cells * SECONDS_PER_CELL + each * iterations,
    )


def unknown_fields(surroundings: Surroundings | None) -> tuple[str, ...]:
    """The fields that are solved for: all in a cell, some where the electrolyte is stirred."""
    if surroundings is None:
        return tuple(_FIELDS)
    return ("c_s",) if surroundings.stirred.everywhere else ("c_s", "phi_s")
