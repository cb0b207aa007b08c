"""The 3D picture, drawn by PyVista in a process of its own: `python -m …picture SCENE OUT`.

Without libEGL VTK ends the whole process, so the report starts this one and looks at what it left.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

SIZE = (1600, 1000)
SECONDS = 300.0
HINT = (
    "PyVista could not draw off-screen here. Install the libraries it draws with, on Debian"
    " libegl1 libegl-mesa0 libgl1 libglx-mesa0 libx11-6 libxrender1, and make the report again."
)
_VIEW = (0.42, -1.0, 0.5)


def draw_apart(scene: Path, out: Path, command: Sequence[str] = ()) -> str:
    """Draws a scene in a process of its own.

    Args:
        scene: File that `solids.write_scene` wrote.
        out: The PNG file; beside it, as `.json`, where the labels go [pixels from the top left].
        command: How to start the process; empty: this module with this Python.

    Returns:
        Empty, or why there is no picture.
    """
    start = [*command] or [sys.executable, "-P", "-m", "voxtrode.pipeline.report.picture"]
    try:
        done = subprocess.run(
            [*start, str(scene), str(out)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return f"{type(error).__name__} while drawing"
    if done.returncode == 0 and out.is_file():
        return ""
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return f"exit status {done.returncode}: {last}"


def draw(scene: Path, out: Path) -> None:
    """Draws a scene off-screen into a PNG file; needs OpenGL (EGL or X)."""
    import pyvista as pv

    with np.load(scene) as file:
        parts = dict(file)
    plotter: Any = pv.Plotter(off_screen=True, window_size=list(SIZE))
    plotter.set_background("white")
    size, separator = parts["size"], float(parts["separator"])
    for k in range(int(parts["surfaces"])):
        _add_surface(plotter, parts, k)
    _add_frame(plotter, size, separator, parts["collectors"])
    places = _look(plotter, size, separator)
    plotter.screenshot(out)
    out.with_suffix(".json").write_text(json.dumps(places), encoding="utf-8")


def _add_surface(plotter: Any, parts: dict[str, Any], k: int) -> None:
    import pyvista as pv

    if len(parts[f"triangles_{k}"]) == 0:
        return
    surface = pv.PolyData.from_regular_faces(parts[f"points_{k}"], parts[f"triangles_{k}"])
    values, paint = parts[f"values_{k}"], parts[f"paint_{k}"]
    if len(values):
        surface["values"] = values
    elif len(paint):
        surface.cell_data["paint"] = paint
    surface = surface.compute_normals(
        split_vertices=True, feature_angle=45.0, auto_orient_normals=True
    )
    colour: dict[str, Any] = {"color": str(parts[f"colour_{k}"])}
    if len(values):
        low, high = parts["limits"]
        colour = {"scalars": "values", "cmap": "viridis", "clim": (low, high)}
    elif len(paint):
        colour = {"scalars": "paint", "rgb": True, "preference": "cell"}
    plotter.add_mesh(
        surface,
        smooth_shading=True,
        specular=0.15,
        specular_power=15.0,
        ambient=0.22,
        show_scalar_bar=False,
        **colour,
    )


def _add_frame(plotter: Any, size: Any, separator: float, collectors: Any) -> None:
    """The box's edges, collectors as plates and the separator, if any, as a pale block."""
    import pyvista as pv

    depth, width, height = size
    box = pv.Box(bounds=(0, depth, 0, width, 0, height))
    plotter.add_mesh(box.extract_all_edges(), color="#9aa4ae", line_width=2.0)
    for start, there in zip((-0.05 * depth, 1.012 * depth), collectors, strict=True):
        if there:
            plate = pv.Box(bounds=(start, start + 0.038 * depth, 0, width, 0, height))
            plotter.add_mesh(plate, color="#c8a27c", ambient=0.35, specular=0.2)
    if separator == 0.0:
        return
    block = pv.Box(bounds=(1.004 * depth, depth + separator, 0, width, 0, height))
    plotter.add_mesh(block, color="#bfd9ea", opacity=0.3, ambient=1.0, diffuse=0.0)
    plotter.add_mesh(block.extract_all_edges(), color="#9dbbd0", line_width=2.0)


def _look(plotter: Any, size: Any, separator: float) -> dict[str, list[float]]:
    """Places camera and light; pixels at which the labels go."""
    plotter.enable_parallel_projection()
    plotter.view_vector(_VIEW, viewup=(0.0, 0.0, 1.0))
    plotter.reset_camera(render=False)
    plotter.enable_anti_aliasing("msaa", multi_samples=8)
    plotter.render()
    depth, width, height = (float(edge) for edge in size)
    last = max(1.05 * depth, depth + separator)
    ends = product((-0.05 * depth, last), (0.0, width), (0.0, height))
    reach = np.ptp([_pixel(plotter, end) for end in ends], axis=0)
    plotter.camera.zoom(0.97 * float(np.min(np.array(SIZE) / reach)))
    plotter.render()
    wanted = {
        "collector": (-0.03 * depth, 0.0, 0.0),
        "far collector": (1.03 * depth, 0.0, 0.0),
        "electrode": (0.5 * depth, 0.0, 0.0),
        "separator": (depth + 0.5 * separator, 0.0, 0.0),
        "width": (last, 0.5 * width, 0.0),
        "height": (-0.05 * depth, 0.0, 0.5 * height),
    }
    return {name: _pixel(plotter, place) for name, place in wanted.items()}


def _pixel(plotter: Any, place: tuple[float, float, float]) -> list[float]:
    renderer = plotter.renderer
    renderer.SetWorldPoint(*place, 1.0)
    renderer.WorldToDisplay()
    x, y, _ = renderer.GetDisplayPoint()
    return [x, SIZE[1] - y]


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
