"""Pictures of the mesh: a cut through it, and how its angles are spread."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxtrode.pipeline.mesh_figures.angles_drawing import angles_drawing
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.style import as_figure, data_uri


def cut_figure(path: Path) -> Figure | None:
    """The picture that the mesh stage has drawn; None where there is none."""
    if not path.is_file():
        return None
    return Figure(
        data_uri(path.read_bytes(), "image/png"),
        "The mesh in the plane through its middle: by phase, and its cells by their smallest"
        " dihedral angle (60° in the undisturbed lattice, 45° where cells change in size). A plane"
        " cuts slanted cells, so that narrow shapes here are no narrow cells.",
        "Cut through the mesh, coloured by phase and by quality of the cells",
    )


def angles_figure(mesh: Mapping[str, Any]) -> Figure | None:
    """Histogram of the angles; None where `mesh.json` has none."""
    figure = angles_drawing(mesh)
    if figure is None:
        return None
    return as_figure(
        figure,
        "Smallest and largest dihedral angle of each cell; the axis of counts is logarithmic, so"
        " that a single cell is seen.",
        "Histogram of smallest and largest dihedral angles",
    )
