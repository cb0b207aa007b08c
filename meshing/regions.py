"""Regions of the image against those of the mesh: what was lost, joined or split."""

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.meshing.cell_components import face_components
from voxtrode.meshing.components import SlabLabeller
from voxtrode.meshing.exchange import Exchange, block_offsets, gathered_offsets
from voxtrode.meshing.islands import with_halo
from voxtrode.meshing.stuffing.part import ImageSlab, Part
from voxtrode.meshing.tagged import TaggedMesh

Ids = npt.NDArray[np.int64]


def regions_of(mesh: TaggedMesh, part: Part, slab: ImageSlab) -> dict[str, dict[str, int]]:
    """Face-connected regions of each phase on both sides; collective.

    A region of the image lies under a region of the mesh where a cell of that phase has its centre
    in one of its voxels.

    Args:
        mesh: The distributed mesh.
        part: This rank's own cells.
        slab: This rank's voxels.

    Returns:
        By phase: ``image`` and ``mesh``, the numbers of regions; ``lost``, regions of the image
        without a cell, and ``lost_voxels`` in them; ``joined`` and ``split``, by how much fewer or
        more the others became; ``new``, regions of the mesh, of a few cells each, without any.
    """
    result = {}
    where = _voxels_under(part, slab)
    for value, name in enumerate(mesh.info.phases[:-1]):
        image, n_image, size = _image_regions(slab, value, mesh.mesh.comm)
        own, n_mesh = _mesh_regions(mesh, value, len(part.cells))
        at = (part.phase == value) & (image[where] > 0)
        pairs = np.unique(np.stack([image[where][at], own[at]], axis=1), axis=0)
        seen = np.unique(np.concatenate(mesh.mesh.comm.allgather(pairs)), axis=0)
        kept = np.unique(seen[:, 0])
        found = np.unique(seen[:, 1])
        lost = np.ones(n_image + 1, dtype=bool)
        lost[kept] = False
        lost[0] = False
        result[name] = {
            "image": n_image,
            "mesh": n_mesh,
            "lost": int(np.count_nonzero(lost)),
            "lost_voxels": int(size[lost].sum()),
            "joined": len(seen) - len(found),
            "split": len(seen) - len(kept),
            "new": n_mesh - len(found),
        }
    return result


def _image_regions(slab: ImageSlab, value: int, comm: MPI.Intracomm) -> tuple[Ids, int, Ids]:
    """Region of each voxel held, their number, and the voxels of each (0: outside)."""
    labeller = SlabLabeller(comm)
    below, above = int(labeller.below), int(labeller.above)
    labels = slab.labels[slab.own.start - below : slab.own.stop + above]
    ids, count = labeller.label(labels == value)
    own = ids[below : below + slab.own.stop - slab.own.start]
    size = np.bincount(own.ravel(), minlength=count + 1).astype(np.int64)
    comm.Allreduce(MPI.IN_PLACE, size)
    offsets = block_offsets(slab.layers, comm.size)
    held = with_halo(own, offsets, slab.first, slab.first + len(slab.labels), comm)
    return np.asarray(held, dtype=np.int64), count, size


def _mesh_regions(mesh: TaggedMesh, value: int, rows: int) -> tuple[Ids, int]:
    """Region of each cell of this rank's block, 0 in other phases, and their number."""
    comm: MPI.Intracomm = mesh.mesh.comm
    ids, count = face_components(mesh, mesh.phase == value)
    owned = mesh.mesh.topology.index_map(3).size_local
    back = Exchange.create(comm, mesh.cell_number[:owned], gathered_offsets(comm, rows))
    return np.asarray(back.put(ids[:owned], 0), dtype=np.int64), count


def _voxels_under(part: Part, slab: ImageSlab) -> tuple[Ids, Ids, Ids]:
    """Voxel that holds the centre of each own cell, as indices of the layers held."""
    middles = part.x[part.cells].mean(axis=1) / np.array(slab.voxel)
    index = middles.astype(np.int64)
    index[:, 0] -= slab.first
    k, j, i = (
        np.clip(column, 0, n - 1) for column, n in zip(index.T, slab.labels.shape, strict=True)
    )
    return k, j, i
