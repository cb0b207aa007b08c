"""The scene of a run: its solids, coloured by state of lithiation where there is a solution.

Depth z runs to the right, x to the back and y up.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.colours import largest_id
from voxtrode.pipeline.report.fields import vertex_values
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.solids import Scene, Surface, box_edges, solid_surfaces
from voxtrode.pipeline.report.style import UM

type Floats = NDArray[np.float64]


def make_scene(results: Results, header: VolumeHeader, dod: float = 0.5) -> Scene:
    """The solids of a run, the active ones coloured by SoL where there is a solution.

    Without a solution every particle has a colour of its own.

    Args:
        results: The run.
        header: Its volume.
        dod: Wanted depth of discharge, as a share of the last one.
    """
    time = _instant(results, dod)
    surfaces = solid_surfaces(
        results.folder / "image", header, results.able, largest_id(results.image_particles)
    )
    if time is not None:
        path = results.series.files[time]["solid"]
        surfaces = tuple(
            _coloured(surface, path) if results.able[surface.name]["stores"] else surface
            for surface in surfaces
        )
    shown = np.concatenate([surface.values for surface in surfaces] or [np.empty(0)])
    low, high = (float(np.percentile(shown, q)) for q in (1, 99)) if len(shown) else (0.0, 1.0)
    return Scene(
        surfaces,
        box_edges(header),
        results.study.separator_thickness * UM,
        (low, high if high > low + 1e-6 else low + 1e-6),
        "SoL" if len(shown) else "",
        time,
        results.study.collectors,
    )


def _instant(results: Results, dod: float) -> float | None:
    if not results.series.has("solid"):
        return None
    table = results.instants()
    if table.empty:
        return results.series.times[-1]
    wanted = dod * float(table["DoD"].max())
    nearest = int(np.argmin(np.abs(table["DoD"].to_numpy() - wanted)))
    return results.series.nearest(float(table["Time [s]"].iloc[nearest]))


def _coloured(surface: Surface, path: Path) -> Surface:
    """The surface with SoL at its points, from the nearest vertices of the mesh."""
    if not len(surface.points):
        return surface
    vertices, values = vertex_values(path, "SoL")
    points = surface.points[:, [1, 2, 0]] / UM
    distance, nearest = cKDTree(vertices).query(points, k=min(4, len(vertices)))
    weight = 1.0 / (distance + 1e-3 * float(np.max(distance)) + 1e-30)
    shares: Floats = weight / weight.sum(axis=1, keepdims=True)
    return replace(surface, values=(shares * values[nearest]).sum(axis=1))
