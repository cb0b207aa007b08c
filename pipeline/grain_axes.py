"""The c axes of the mesh's cells, where phases take them from the grains of the volume."""

import numpy as np
import numpy.typing as npt

from voxtrode.data.grain_axes import c_axes_at
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.pipeline.stages import StageContext
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.units import UM


def c_axes(context: StageContext, mesh: TaggedMesh, cell: Cell) -> npt.NDArray[np.float64] | None:
    """The c axis in each local cell of the phases that take it from their grains; collective."""
    labels = [
        label
        for label, phase in cell.phases.items()
        if phase.anisotropy is not None and phase.anisotropy.axis is None
    ]
    if not labels:
        return None
    axes = np.zeros((len(mesh.phase), 3))
    cells = np.flatnonzero(np.isin(mesh.phase, labels))
    corners = mesh.mesh.geometry.x[mesh.mesh.geometry.dofmaps[0][cells]]
    axes[cells] = c_axes_at(context.run_dir / "image", corners.mean(axis=1) / UM)
    owned = cells[cells < mesh.mesh.topology.index_map(3).size_local]
    unknown = int(np.count_nonzero(~axes[owned].any(axis=1)))
    total = mesh.mesh.comm.allreduce(unknown)
    if total:
        context.log.warning(
            f"{total} cells lie in no grain; lithium diffuses there as along the layers in all"
            " directions"
        )
    return axes
