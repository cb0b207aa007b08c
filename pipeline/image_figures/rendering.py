"""The solids in three dimensions, a corner cut away, every active particle in its own colour."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.colours import largest_id
from voxtrode.pipeline.report.picture import HINT, draw_apart
from voxtrode.pipeline.report.solids import Able, Scene, box_edges, solid_surfaces, write_scene
from voxtrode.pipeline.report.style import WIDTH, drawing

_HEIGHT = 6.8  # largest height of the picture [inch]
_FLAT = 0.12  # shortest over longest edge below which labels would lie on each other


def rendering_drawing(
    folder: Path,
    header: VolumeHeader,
    able: Able,
    table: pd.DataFrame | None,
    collectors: tuple[str, str],
) -> Drawing | str:
    """The picture, or why there is none.

    Args:
        folder: The folder of the volume's files.
        header: Its header.
        able: What each phase can do.
        table: Its `particles.csv`, or None.
        collectors: What those at z = 0 and at z = L are called; empty: none is there.
    """
    surfaces = solid_surfaces(folder, header, able, largest_id(table))
    scene = Scene(surfaces, box_edges(header), 0.0, (0.0, 1.0), "", None, collectors)
    with TemporaryDirectory() as scratch:
        found = labelled_picture(scene, Path(scratch), 0.5)
    return found if isinstance(found, str) else found[0]


def labelled_picture(scene: Scene, folder: Path, room: float) -> tuple[Drawing, Axes] | str:
    """A scene as PyVista draws it, with its labels; or why there is none.

    Args:
        scene: What it shows.
        folder: Where files may lie for a while.
        room: Height beside the picture's own [inch].
    """
    write_scene(scene, folder / "scene.npz")
    png = folder / "scene.png"
    if fault := draw_apart(folder / "scene.npz", png):
        return f"No 3D picture: {fault}. {HINT}"
    pixels = image.imread(png)[..., :3]
    places = json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))
    inked = np.argwhere(pixels.min(axis=2) < 0.99)
    (top, left), (bottom, right) = inked.min(axis=0), inked.max(axis=0)
    cropped = pixels[top : bottom + 1, left : right + 1]
    ratio = cropped.shape[0] / cropped.shape[1]
    figure = drawing(min(WIDTH * ratio, _HEIGHT) + room)
    axes = figure.add_subplot()
    axes.imshow(cropped, interpolation="antialiased")
    axes.set_axis_off()
    flat = min(scene.size) < _FLAT * max(scene.size)
    if flat:
        edges = " × ".join(_um(edge) for edge in (scene.size[0], scene.size[2], scene.size[1]))
        near, far = scene.collectors
        sides = [f"{near} on the left" if near else "", f"{far} on the right" if far else ""]
        text = ", ".join([f"z × y × x = {edges} µm", *(side for side in sides if side)])
        axes.text(0.5, -0.02, text, transform=axes.transAxes, ha="center", va="top", fontsize=8.5)
    for name, text, at, move in () if flat else _labels(scene):
        x, y = places[name][0] - left, places[name][1] - top
        axes.annotate(
            text,
            (x, y),
            xytext=move,
            textcoords="offset points",
            ha=at,
            va="top" if move[1] < 0 else "center",
            fontsize=8.5,
            annotation_clip=False,
        )
    return figure, axes


def _labels(scene: Scene) -> list[tuple[str, str, str, tuple[float, float]]]:
    depth, width, height = scene.size
    what = "both electrodes" if all(scene.collectors) else "electrode"
    what = what if any(scene.collectors) else "volume"
    names = zip(("collector", "far collector"), scene.collectors, strict=True)
    labels = [
        *((place, name, "center", (0.0, -4.0)) for place, name in names if name),
        ("electrode", f"{what}, {_um(depth)} µm", "center", (0.0, -6.0)),
        ("width", f"x: {_um(width)} µm", "left", (6.0, -4.0)),
        ("height", f"y:\n{_um(height)} µm", "right", (-5.0, 0.0)),
    ]
    if scene.separator > 0.0:
        text = f"separator, {_um(scene.separator)} µm"
        labels.append(("separator", text, "center", (0.0, -6.0)))
    return labels


def _um(value: float) -> str:
    return f"{value:.3g}"
