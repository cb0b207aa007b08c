"""The fields of a run in PyVista, in a window or as a picture.

A picture is drawn in a process of its own: without OpenGL VTK ends the whole process.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.pipeline.opened import Run, open_run
from voxtrode.pipeline.report.picture import HINT, draw_apart

_SIZE = (1600, 900)
_PANELS = (
    ("solid", "SoL", "viridis"),
    ("interface", "J_ct [A.m-2]", "cividis"),
    ("electrolyte", "c_e [mol.m-3]", "cividis"),
    ("electrolyte", "phi_e [V]", "cividis"),
)
_MOST = 3
_BAR: dict[str, Any] = {"vertical": False, "n_labels": 3, "fmt": "%.4g", "color": "#1d2733"}


def view(folder: Path, screenshot: Path | None, dod: float | None) -> None:
    """Shows the fields at an instant, or draws them into a PNG file.

    Args:
        folder: The run folder.
        screenshot: The file; None: a window.
        dod: Depth of discharge; the stored instant nearest to it. None: the last instant.

    Raises:
        InputError: No fields are stored, there is no display, or nothing could be drawn.
    """
    run = open_run(folder)
    run.fields(_time(run, dod))
    if screenshot is None:
        if sys.platform == "linux" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise InputError("there is no display here; give --screenshot FILE.png")
        show(run, dod, None)
        return
    if screenshot.suffix.lower() != ".png":
        raise InputError(f"--screenshot {screenshot}: expected a file that ends in .png")
    command = [
        sys.executable,
        "-P",
        "-m",
        "voxtrode.pipeline.view",
        *(() if dod is None else (f"{dod}",)),
    ]
    if problem := draw_apart(run.path, screenshot, command):
        raise InputError(f"{problem}. {HINT}")


def show(run: Run, dod: float | None, screenshot: Path | None) -> None:
    """Draws the fields side by side: half of the volume cut away, so that the inside shows."""
    import pyvista as pv

    time = _time(run, dod)
    grids = run.fields(time)
    panels = [
        (grids[part], name, cmap)
        for part, name, cmap in _PANELS
        if part in grids and name in grids[part].array_names
    ]
    panels = panels[:_MOST]
    shown: Any = pv.Plotter(
        shape=(1, len(panels)), off_screen=screenshot is not None, window_size=list(_SIZE)
    )
    for k, (grid, name, cmap) in enumerate(panels):
        shown.subplot(0, k)
        half = (
            grid.clip(normal="y", origin=grid.center) if grid.bounds[3] > grid.bounds[2] else grid
        )
        shown.add_mesh(
            half,
            scalars=name,
            cmap=cmap,
            clim=_limits(half, name),
            scalar_bar_args={**_BAR, "title": f"{name}\n"},
        )
        shown.add_mesh(grid.outline(), color="#9aa4ae")
        shown.add_text(name.split(" [")[0], font_size=11)
        shown.view_vector((0.45, 1.0, 0.35), viewup=(0.0, 0.0, 1.0))
        shown.set_background("white")
    shown.link_views()
    if screenshot is None:
        shown.show(title=f"{run.path.name}, t = {time:.0f} s")
    else:
        shown.screenshot(screenshot)


def _limits(grid: Any, name: str) -> list[float]:
    """Where the colours end: single cells at kinks of the surface do not set them."""
    low, high = np.nanpercentile(grid[name], [1.0, 99.0])
    return [float(low), float(high)]


def _time(run: Run, dod: float | None) -> float:
    if not run.times:
        run.fields()  # raises what is missing
    return run.times[-1] if dod is None else run.instant(dod)


if __name__ == "__main__":
    *_chosen, _folder, _file = sys.argv[1:]
    show(open_run(_folder), float(_chosen[0]) if _chosen else None, Path(_file))
