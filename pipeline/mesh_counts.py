"""How many cells and vertices a mesh will have, before it is made.

Smooth meshes: a body-centred cubic lattice has twelve cells and two vertices a cube. Cubes are
finest along interfaces and at the separator, and twice as large from level to level away from them;
where an interface cuts the lattice it adds cells and vertices by its area. The widths of the bands
and what an area adds were fitted to the meshes of several volumes (docs/meshing.md).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import exp, prod

from voxtrode.data.spacing import cubes_along, separator_layers
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.study_mesh import SmoothMesh, VoxelMesh

KUHN = 6  # tetrahedra a lattice voxel
BCC_CELLS, BCC_VERTICES = 12, 2  # a cube of the smooth mesh's lattice
BAND, WIDENING = (
    2.4,
    1.55,
)  # finest cells within BAND spacings of an interface; factor from level to level
SEPARATOR_BAND = 4.8  # spacings of the separator with finest cells
CUT_CELLS, CUT_VERTICES = 4.5, 2.0  # on an area of one spacing squared


@dataclass(frozen=True)
class Counts:
    """What a mesh will have.

    Attributes:
        lattice: Lattice cubes of the electrode along (z, y, x).
        separator_layers: Layers of cubes of the separator.
        cells: Tetrahedra.
        inside: Vertices of the electrode.
        surface: Of these, those on interfaces.
        behind: Vertices of the separator.
    """

    lattice: tuple[int, int, int]
    separator_layers: int
    cells: int
    inside: float
    surface: float
    behind: float


def voxel_counts(mesh: VoxelMesh, header: VolumeHeader, separator: float, area: float) -> Counts:
    """Of six tetrahedra a lattice voxel.

    Args:
        mesh: What is asked for.
        header: The volume.
        separator: Thickness of the separator [m].
        area: Area of all interfaces over the volume [1/m].
    """
    factors = [max(1, round(mesh.size / edge)) for edge in header.voxel]
    nz, ny, nx = (max(1, n // f) for n, f in zip(header.shape, factors, strict=True))
    layers = len(separator_layers(separator, header.voxel[0] * factors[0]))
    plane = (ny + 1) * (nx + 1)
    spacing = prod(edge * f for edge, f in zip(header.voxel, factors, strict=True)) ** (1 / 3)
    inside = float((nz + 1) * plane)
    # The staircase is half as large again as the surface, with a vertex a face.
    surface = min(1.5 * area * prod(header.size) / spacing**2, inside)
    cells = KUHN * (nz + layers) * ny * nx
    return Counts((nz, ny, nx), layers, cells, inside, surface, float(layers * plane))


def smooth_counts(mesh: SmoothMesh, header: VolumeHeader, separator: float, area: float) -> Counts:
    """Of a lattice that is fine along interfaces; arguments as for `voxel_counts`."""
    nz, ny, nx = (cubes_along(edge, mesh.size, mesh.coarsening) for edge in header.size)
    layers = cubes_along(separator, mesh.size, 0) if separator > 0.0 else 0
    spacing = (prod(header.size) / (nz * ny * nx)) ** (1 / 3)
    levels = range(mesh.coarsening)
    bands = [1.0 - exp(-2.0 * area * BAND * spacing * WIDENING**level) for level in levels]
    cubes = _cubes(nz * ny * nx, bands)
    within = [
        min(SEPARATOR_BAND * (2 ** (level + 1) - 1) / max(layers, 1), 1.0) for level in levels
    ]
    behind = _cubes(layers * ny * nx, within)
    cut = area * prod(header.size) / spacing**2
    return Counts(
        (nz, ny, nx),
        layers,
        round(BCC_CELLS * (cubes + behind) + CUT_CELLS * cut),
        BCC_VERTICES * cubes + CUT_VERTICES * cut,
        CUT_VERTICES * cut,
        BCC_VERTICES * behind,
    )


def _cubes(finest: int, shares: list[float]) -> float:
    """Number of cubes, of a finest number, where growing shares are at most of a level."""
    found, before = 0.0, 0.0
    for level, share in enumerate([*shares, 1.0]):
        found += max(share - before, 0.0) * finest / 8**level
        before = max(share, before)
    return found


def touching(shares: Mapping[str, float], names: Collection[str]) -> float:
    """Share of all interfaces that some phases are on one side of; two phases touch by chance."""
    pairs = {pair: shares[pair[0]] * shares[pair[1]] for pair in combinations(shares, 2)}
    total = sum(pairs.values())
    apart = sum(size for pair, size in pairs.items() if not set(pair) & set(names))
    return 1.0 - apart / total if total > 0.0 else 0.0
