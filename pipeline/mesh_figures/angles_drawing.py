"""How the dihedral angles of the cells are spread."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from voxtrode.pipeline.report.numbers import number
from voxtrode.pipeline.report.style import ACCENT, WIDTH, drawing, light_grid


def angles_drawing(mesh: Mapping[str, Any]) -> Drawing | None:
    """Histogram of the smallest and of the largest dihedral angle of each cell.

    The axis of counts is logarithmic, so that a single bad cell among millions is seen.

    Args:
        mesh: Content of `mesh.json`.

    Returns:
        The figure, or None where `mesh.json` has no histogram.
    """
    histogram = mesh.get("dihedral_histogram")
    if not histogram:
        return None
    figure = drawing(2.6, WIDTH)
    axes = figure.add_subplot()
    for name, colour, words in (
        ("smallest", "#1f5a8a", f"from {number(mesh.get('min_dihedral_deg'))}°"),
        ("largest", ACCENT, f"up to {number(mesh.get('max_dihedral_deg'))}°"),
    ):
        counts = np.array(histogram[name])
        edges = histogram["bin_deg"] * np.arange(len(counts) + 1)
        axes.stairs(counts, edges, baseline=0.5, fill=True, color=colour, alpha=0.3)
        label = f"{name} angle of a cell, {words}"
        axes.stairs(counts, edges, baseline=0.5, color=colour, linewidth=1.3, label=label)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.5)
    axes.set_xlim(0.0, 180.0)
    axes.set_xticks(np.arange(0, 181, 20))
    axes.set_xlabel("dihedral angle [°]")
    axes.set_ylabel("cells")
    light_grid(axes)
    figure.legend(loc="outside upper center", ncols=2)
    return figure
