"""The mesh of twice the spacing that estimates the error of transport on the simulation's mesh."""

from dataclasses import dataclass

from mpi4py import MPI

from voxtrode.data.errors import InputError, NumericalError, VoxtrodeError
from voxtrode.data.volume import VolumeHeader
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.pipeline.records import read_json
from voxtrode.pipeline.stage_mesh import build_mesh
from voxtrode.pipeline.stages import StageContext
from voxtrode.solvers.transport import TransportRow, mesh_transport
from voxtrode.solvers.voxel_transport.problem import Inside

FACTOR = 2.0
"""Its spacing over that of the simulation's mesh."""

LAYERS = 4
"""Layers of its lattice, about, for each rank: with less the mesher would refuse the ranks."""


@dataclass(frozen=True, eq=False)
class CoarseMesh:
    """A mesh on some of the ranks, whose results all of them hear.

    Attributes:
        mesh: On the first ranks; None on the others.
        comm: All ranks.
    """

    mesh: TaggedMesh | None
    comm: MPI.Intracomm

    def solve(self, name: str, inside: Inside, axis: str) -> TransportRow:
        """As `mesh_transport`; collective on all ranks."""
        row: TransportRow | None = None
        error: VoxtrodeError | None = None
        if self.mesh is not None:
            try:
                row = mesh_transport(self.mesh, name, inside, axis)
            except VoxtrodeError as raised:  # the same on the ranks that hold the mesh
                error = raised
        row, error = self.comm.bcast((row, error))
        if error is not None:
            raise error
        assert row is not None  # rank 0 holds a part
        return row


def coarse_mesh(context: StageContext, header: VolumeHeader) -> CoarseMesh | None:
    """The mesh with twice the spacing; None, with a warning, where there can be none; collective.

    It has half as many layers as the simulation's, so that as many ranks may be too many for it:
    the first of them make it, as many as have `LAYERS` layers each.

    Args:
        context: Of the stage.
        header: Of the volume.
    """
    comm = context.comm
    ranks = usable_ranks(header, context.study.mesh.size, comm.size)
    part = MPI.Intracomm(comm.Split(int(comm.rank >= ranks), comm.rank))
    image = context.run_dir / "image"
    mesh: TaggedMesh | None = None
    error: VoxtrodeError | None = None
    if comm.rank < ranks:
        try:
            measured = read_json(image / "image.json")
            built = build_mesh(context.study, image, measured, part, factor=FACTOR)
            mesh = distribute(built.block, built.info, part, built.partition)
        except (InputError, NumericalError) as raised:  # the same on the ranks that take part
            error = raised
    error = comm.bcast(error)
    if error is not None:
        context.log.warning(f"no error estimate of transport on the mesh: {error}")
        return None
    return CoarseMesh(mesh, comm)


def usable_ranks(header: VolumeHeader, size: float, ranks: int) -> int:
    """How many of the ranks have enough layers of the coarse lattice.

    Args:
        header: Of the volume.
        size: Spacing of the simulation's mesh [m].
        ranks: How many there are.
    """
    layers = min(header.shape[0], int(header.size[0] / (FACTOR * size)))
    return min(ranks, max(1, layers // LAYERS))
