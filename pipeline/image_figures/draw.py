"""Draws the figures of the image stage into its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.distributions import distributions_drawing
from voxtrode.pipeline.image_figures.profiles import profiles_drawing
from voxtrode.pipeline.image_figures.rendering import rendering_drawing
from voxtrode.pipeline.image_figures.slices import slices_drawing
from voxtrode.pipeline.report.style import style

DPI = 200.0

type Able = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True)
class Drawn:
    """What has been drawn.

    Attributes:
        files: The figures.
        warnings: Why figures are missing that should be there.
    """

    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def draw_figures(
    folder: Path,
    header: VolumeHeader,
    image: Mapping[str, Any],
    able: Able,
    collectors: tuple[str, str] = ("collector", ""),
) -> Drawn:
    """Draw what a volume looks like and how it is characterised, as PNG files.

    `slices.png` and `rendering.png` always; `distributions.png` where there are particles or sizes
    of phases, `profiles.png` where there are profiles. Voxels are read slab by slab.

    Args:
        folder: Holds volume.tif, particles.tif and, if there, particles.csv and grains.tif; the
            figures go there too.
        header: Of the volume.
        image: What `image.json` says.
        able: What each phase can do: `stores`, `electrons`, `ions`, by name.
        collectors: What those at z = 0 and at z = L are called; empty: none is there.
    """
    path = folder / "particles.csv"
    table = pd.read_csv(path) if path.is_file() else None
    with style():
        found: dict[str, Drawing | str | None] = {
            "slices.png": slices_drawing(folder, header, image, able, table),
            "rendering.png": rendering_drawing(folder, header, able, table, collectors),
            "distributions.png": distributions_drawing(header, image, able, table),
            "profiles.png": profiles_drawing(header, image, able, collectors),
        }
        files = []
        for name, figure in found.items():
            if isinstance(figure, Drawing):
                figure.savefig(folder / name, dpi=DPI)
                files.append(folder / name)
    warnings = tuple(fault for fault in found.values() if isinstance(fault, str))
    return Drawn(tuple(files), warnings)
