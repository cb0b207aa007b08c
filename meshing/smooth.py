"""The smooth mesh: isosurface stuffing of the image, slab by slab, each rank its own layers.

Labelle & Shewchuk 2007 (doi:10.1145/1276377.1276448) for two phases; where more meet, cells are
cleaved through their junctions. Every decision depends on the image and on lattice coordinates
alone, so the mesh is the same, bit for bit, on any number of ranks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.errors import InputError
from voxtrode.data.volume import VolumeHeader, read_header, read_slab
from voxtrode.meshing.build import BuiltMesh
from voxtrode.meshing.cells import MeshBlock, MeshInfo
from voxtrode.meshing.colours import Colours, coloured
from voxtrode.meshing.exchange import Exchange, block_offsets, gathered_offsets
from voxtrode.meshing.gate import refuse_bad_cells
from voxtrode.meshing.islands import with_halo, without_islands
from voxtrode.meshing.judging import alive_cells
from voxtrode.meshing.lattice import SEPARATOR
from voxtrode.meshing.smooth_evidence import contacts_of, evidence_of
from voxtrode.meshing.stuffing.box import Box, plan_box
from voxtrode.meshing.stuffing.calibration import Calibration
from voxtrode.meshing.stuffing.cutting import ANY
from voxtrode.meshing.stuffing.improve import Effort
from voxtrode.meshing.stuffing.nearest import nearest_particles
from voxtrode.meshing.stuffing.part import ImageSlab, Part, make_part
from voxtrode.meshing.stuffing.seams import Seams
from voxtrode.meshing.stuffing.window import Window
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.meshing.voxel import UM


@dataclass(frozen=True)
class SmoothSettings:
    """What a study may ask of the mesher.

    Attributes:
        levels: How often cells may double in size away from interfaces.
        calibration: How well phase volumes are met.
        effort: How much is done for the worst cells.
        islands: Voxels of the smallest face-connected region that is not given to the phase around.
        contacts: Whether contacts between particles are smooth surfaces, too.
    """

    levels: int = 2
    calibration: Calibration = field(default_factory=Calibration)
    effort: Effort = field(default_factory=Effort)
    islands: int = 0
    contacts: bool = False


def build_smooth_mesh(
    folder: Path,
    size: float,
    separator: float,
    roles: Roles,
    measured: Mapping[str, Any],
    settings: SmoothSettings,
    comm: MPI.Intracomm,
) -> BuiltMesh:
    """Mesh an image with smooth interfaces; collective.

    Args:
        folder: Folder of the image stage.
        size: Lattice spacing at interfaces [m]; changed by a tenth at most along each axis.
        separator: Separator thickness [m].
        roles: What the image's labels can do.
        measured: ``image.json``: areas by marching cubes and voxel faces.
        settings: What is asked of the mesher.
        comm: Communicator; the slabs are cut along z.

    Raises:
        InputError: Where the lattice does not fit the volume or the ranks.
    """
    header = read_header(folder)
    box = _box(header, size, separator, settings.levels)
    window = _window(box, settings.levels, comm)
    slab, lost = _read(folder, header, window, settings.islands, comm)
    told = _colours(slab, roles.active if settings.contacts else (), comm)
    apart = replace(slab, labels=told.labels, phases=len(told.phase))
    part = make_part(apart, window, settings.calibration, settings.effort, comm)
    particle = _particles(part, apart, told.phase, roles)
    part = replace(part, phase=_phases(part.phase, told.phase))
    block = _block(part, slab, particle, Seams.between(comm, window))
    info = MeshInfo(
        phases=(*header.phases, SEPARATOR),
        vertices=int(comm.allreduce(len(block.x))),
        cells=int(comm.allreduce(len(block.cells))),
        thickness=box.size[0] / UM,
        height=box.top / UM,
        area=box.size[1] * box.size[2] / UM**2,
        facet_scale={},
    )
    tagged = distribute(block, info, comm)
    block = replace(block, alive=_alive(tagged, len(block.cells), roles))
    evidence = evidence_of(tagged, part, slab, box, roles, measured)
    evidence["islands"] = {"smaller_than_voxels": settings.islands, "voxels": lost}
    evidence["contacts"] = contacts_of(tagged, settings.contacts)
    refuse_bad_cells(evidence)
    x = np.ascontiguousarray(part.x[:, ::-1])
    return BuiltMesh(block, info, part.cells, x, evidence, tagged.partition)


def _box(header: VolumeHeader, size: float, separator: float, levels: int) -> Box:
    z, y, x = (UM * n * edge for n, edge in zip(header.shape, header.voxel, strict=True))
    if UM * size > min(z, y, x):
        raise InputError(
            f"mesh.size: {size:g} m is larger than the volume {min(z, y, x) / UM:g} m; "
            "choose a smaller mesh.size"
        )
    return plan_box((z, y, x), UM * size, UM * separator, levels)


def _window(box: Box, levels: int, comm: MPI.Intracomm) -> Window:
    """Equal layers of the electrode on each rank; the last one adds the (few) separator cells."""
    if box.electrode[0] < comm.size:
        raise InputError(
            f"{comm.size} ranks for {box.electrode[0]} lattice layers; use at most one rank a layer"
        )
    offsets = block_offsets(box.electrode[0], comm.size)
    first, last = int(offsets[comm.rank]), int(offsets[comm.rank + 1])
    return Window.of(box, levels, first, box.shape[0] if comm.rank == comm.size - 1 else last)


def _read(
    folder: Path, header: VolumeHeader, window: Window, smallest: int, comm: MPI.Intracomm
) -> tuple[ImageSlab, dict[str, int]]:
    """This rank's voxels, without islands; and the voxels that each phase lost to others."""
    z, y, x = (UM * edge for edge in header.voxel)
    layers, phases = header.shape[0], len(header.phases)
    if layers < comm.size:
        raise InputError(
            f"{comm.size} ranks for {layers} voxel layers; use at most one rank a layer"
        )
    offsets = block_offsets(layers, comm.size)
    first, last = int(offsets[comm.rank]), int(offsets[comm.rank + 1])
    low, high = window.voxel_layers(z, layers)
    low, high = max(min(low, first - 1), 0), min(max(high, last + 2), layers)
    labels, particles = read_slab(folder, low, high)
    own = slice(first - low, last - low)
    lost = np.zeros(phases, dtype=np.int64)
    if smallest > 1:
        cleaned, lost = without_islands(labels, own, phases, smallest, comm)
        cleaned = np.asarray(with_halo(cleaned, offsets, low, high, comm), dtype=np.uint8)
        particles[cleaned != labels] = 0
        labels = cleaned
    slab = ImageSlab(labels, particles, low, layers, own, (z, y, x), phases)
    return slab, dict(zip(header.phases, lost.tolist(), strict=True))


def _colours(slab: ImageSlab, active: tuple[int, ...], comm: MPI.Intracomm) -> Colours:
    """Labels that tell touching particles of these phases apart; else those of the image."""
    if not active:
        return Colours(slab.labels, np.arange(slab.phases, dtype=np.uint8))
    return coloured(slab.labels, slab.particles, slab.own, slab.phases, active, comm)


def _phases(label: npt.NDArray[np.uint8], phase: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Phase of each cell by its label; ``ANY`` stays."""
    return np.where(label == ANY, label, phase[np.where(label == ANY, 0, label)])


def _particles(
    part: Part, slab: ImageSlab, phase: npt.NDArray[np.uint8], roles: Roles
) -> npt.NDArray[np.int32]:
    """Particle of each cell: that of the nearest voxel of its label, 0 outside active phases."""
    particle = np.zeros(len(part.phase), dtype=np.int32)
    active = np.flatnonzero(np.isin(_phases(part.phase, phase), roles.active) & (part.phase != ANY))
    middles = part.x[part.cells[active]].mean(axis=1)
    particle[active] = nearest_particles(
        middles, part.phase[active], slab.labels, slab.particles, slab.first, slab.voxel
    )
    return particle


def _block(part: Part, slab: ImageSlab, particle: npt.NDArray[np.int32], seams: Seams) -> MeshBlock:
    """Rows of the global arrays; what is alive is judged later."""
    numbers = seams.numbers(part.keys[part.owned], part.keys)
    phase = np.where(part.phase == ANY, slab.phases, part.phase).astype(np.int32)
    return MeshBlock(
        x=np.ascontiguousarray(part.x[part.owned][:, ::-1]),
        cells=numbers[part.cells],
        phase=phase,
        particle=particle,
        alive=np.zeros(len(phase), dtype=np.uint8),
        normal=np.zeros((len(phase), 3)),
    )


def _alive(tagged: TaggedMesh, rows: int, roles: Roles) -> Any:
    """Living cells, judged on the mesh itself, in the rows of the block."""
    comm: MPI.Intracomm = tagged.mesh.comm
    owned = tagged.mesh.topology.index_map(3).size_local
    back = Exchange.create(comm, tagged.cell_number[:owned], gathered_offsets(comm, rows))
    return back.put(alive_cells(tagged, roles)[:owned], 0)
