"""Draws the figures of the mesh stage into its folder."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mpi4py import MPI

from voxtrode.meshing.build import BuiltMesh
from voxtrode.meshing.lattice import SEPARATOR
from voxtrode.meshing.voxel import UM
from voxtrode.pipeline.communicator import on_root
from voxtrode.pipeline.image_figures.colours import named_colours
from voxtrode.pipeline.image_figures.draw import DPI
from voxtrode.pipeline.mesh_figures import ANGLES, CUT
from voxtrode.pipeline.mesh_figures.angles_drawing import angles_drawing
from voxtrode.pipeline.mesh_figures.cut_drawing import Extent, cut_drawing
from voxtrode.pipeline.mesh_figures.plane_cut import PlaneCut, gathered, plane_cut
from voxtrode.pipeline.report.style import style

type Able = Mapping[str, Mapping[str, bool]]


def draw_mesh(folder: Path, built: BuiltMesh, able: Able, comm: MPI.Intracomm) -> None:
    """Draw the middle plane of the mesh, and its angles; collective.

    Each rank cuts its own cells, and rank 0 gathers the polygons: no rank holds the whole mesh.

    Args:
        folder: Where the figures go.
        built: The mesh.
        able: What each phase can do: `stores`, `electrons`, `ions`, by name.
        comm: Communicator.
    """
    ends = built.local_x.max(axis=0, initial=0.0)
    comm.Allreduce(MPI.IN_PLACE, ends, op=MPI.MAX)
    y = 0.5 * float(ends[1])
    cut = gathered(plane_cut(built.local_x, built.local_cells, built.block.phase, y), comm)
    extent = Extent(
        size=(float(ends[2]), float(ends[0])),
        top=UM * built.info.thickness,
        spacing=UM * float(np.mean(built.evidence["spacing_m"])),
        y=y,
    )
    on_root(comm, lambda: _save(folder, cut, extent, built, able))


def _save(folder: Path, cut: PlaneCut, extent: Extent, built: BuiltMesh, able: Able) -> None:
    phases = built.info.phases
    liquid = {"stores": False, "electrons": False, "ions": True}
    colours = named_colours(phases, {**able, SEPARATOR: liquid})
    with style():
        drawn = cut_drawing(cut, extent, phases, colours)
        drawn.savefig(folder / CUT, dpi=DPI, bbox_inches="tight")
        if (angles := angles_drawing(built.evidence)) is not None:
            angles.savefig(folder / ANGLES, dpi=DPI)
