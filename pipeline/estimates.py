"""What a study will cost, estimated before anything runs. Every constant stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from voxtrode.data.phases import Phase
from voxtrode.data.volume import VolumeHeader

TETRAHEDRA = 6  # per lattice voxel
GROWTH, LARGEST_LAYER = 1.25, 3.0  # of separator layers, as the mesher grows them
BYTES_PER_UNKNOWN = 5000.0
BYTES_PER_PROCESS = 4e8  # libraries, before any mesh
# Both from the study `quickstart` on two ranks: 131 779 unknowns, 1.46 GiB.
SECONDS_PER_UNKNOWN_AND_ITERATION = 1.3e-5  # Newton: residual, Jacobian, linear solve; one core
ITERATIONS_PER_STEP = 220  # Newton iterations of a 1C discharge
SECONDS_PER_CELL = 2e-5  # meshing, tagging, writing; one core


_FIELDS = (
    (1, attrgetter("stores")),  # c_s
    (1, attrgetter("conducts_electrons")),  # φ_s
    (2, attrgetter("conducts_ions")),  # c_e, φ_e
)


@dataclass(frozen=True)
class Estimate:
    """Sizes and costs of a study.

    Attributes:
        voxels: Voxels of the volume.
        lattice: Lattice voxels of the electrode along (z, y, x).
        separator_layers: Lattice layers of the separator.
        cells: Tetrahedra.
        unknowns: Unknowns of the coupled problem.
        memory: Memory on one rank [bytes]; each further one adds that of a process.
        seconds: Wall time on one core [s].
    """

    voxels: int
    lattice: tuple[int, int, int]
    separator_layers: int
    cells: int
    unknowns: int
    memory: float
    seconds: float


def estimate(
    header: VolumeHeader,
    shares: Mapping[str, float],
    phases: Mapping[str, Phase],
    size: float,
    separator: float,
    steps: int,
) -> Estimate:
    """Estimates the cost of a study.

    Args:
        header: The volume.
        shares: Volume fraction of each phase.
        phases: What each phase can do.
        size: Wanted lattice spacing [m].
        separator: Thickness of the separator [m].
        steps: Number of protocol steps.
    """
    factors = [max(1, round(size / edge)) for edge in header.voxel]
    nz, ny, nx = (max(1, n // f) for n, f in zip(header.shape, factors, strict=True))
    layers = separator_layers(separator, header.voxel[0] * factors[0])
    vertices = (nz + 1) * (ny + 1) * (nx + 1)
    behind = layers * (ny + 1) * (nx + 1)
    unknowns = 2 * behind
    for fields, carries in _FIELDS:
        share = sum(shares[name] for name, phase in phases.items() if carries(phase))
        unknowns += round(fields * vertices * touched(share))
    cells = TETRAHEDRA * (nz + layers) * ny * nx
    work = unknowns * SECONDS_PER_UNKNOWN_AND_ITERATION * ITERATIONS_PER_STEP * steps
    nz0, ny0, nx0 = header.shape
    return Estimate(
        voxels=nz0 * ny0 * nx0,
        lattice=(nz, ny, nx),
        separator_layers=layers,
        cells=cells,
        unknowns=unknowns,
        memory=BYTES_PER_PROCESS + unknowns * BYTES_PER_UNKNOWN,
        seconds=work + cells * SECONDS_PER_CELL,
    )


def separator_layers(thickness: float, first: float) -> int:
    """Number of layers that grow from `first` [m] until they fill the separator."""
    filled, count = 0.0, 0
    while filled < thickness * (1.0 - 1e-9):
        filled += first * min(GROWTH**count, LARGEST_LAYER)
        count += 1
    return count


def touched(share: float) -> float:
    """Share of the vertices that belong to a phase: its own, and those on its surface."""
    untouched: float = (1.0 - share) ** 1.6
    return 1.0 - untouched
