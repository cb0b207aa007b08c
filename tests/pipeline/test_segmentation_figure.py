"""The picture of a segmentation, read back."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from voxtrode.data.segmentation.segment import segment
from voxtrode.data.segmentation.settings import Segmentation
from voxtrode.pipeline.image_figures.segmentation_figure import segmentation_figure
from voxtrode.pipeline.report.style import ACCENT, WIDTH


@pytest.mark.parametrize("shape", [(6, 24, 24), (1, 12, 60), (3, 60, 12), (12, 2, 30)])
def test_the_figure(shape: tuple[int, int, int], tmp_path: Path) -> None:
    """Whatever the shape of a layer: full width, the thresholds and the doubtful voxels marked."""
    noise = np.random.default_rng(0).standard_normal(shape)
    grey = np.indices(shape)[2] / shape[2] + 0.02 * noise
    found = segment(grey, Segmentation(("pore", "nmc"), vary=0.2), (1.0, 1.0, 1.0))
    segmentation_figure(found, tmp_path / "segmentation.png")
    pixels = image.imread(tmp_path / "segmentation.png")[..., :3]
    assert pixels.shape[1] == round(200.0 * WIDTH)
    red = np.array([int(ACCENT[k : k + 2], 16) for k in (1, 3, 5)]) / 255.0
    marked = np.abs(pixels - red).max(axis=2) < 0.01
    upper = pixels.shape[0] // 4
    assert marked[:upper].any(axis=0).sum() >= 2  # the line of the threshold
    assert marked[-pixels.shape[0] // 2 :].sum() > 50  # the voxels
