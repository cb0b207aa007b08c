"""How a grey-scale volume was segmented: its histogram with thresholds, and the middle layer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from voxtrode.data.segmentation.segment import Segmented
from voxtrode.pipeline.report.style import (
    ACCENT,
    FAINT,
    INK,
    WIDTH,
    drawing,
    light_grid,
    phase_colours,
    style,
)

DPI = 200.0
_HISTOGRAM = 2.6  # inches
_TITLE = 0.3  # above each picture
_TALLEST = 1.3  # of a picture, in its widths
_CONTRAST = (0.5, 99.5)  # percentiles of the grey values that are black and white


def segmentation_figure(segmented: Segmented, out: Path) -> None:
    """Draw what the segmentation did, as a PNG file.

    Above, the histogram with the thresholds and by how much they were moved; below, the middle
    layer: grey, denoised, its classes, and where the class depends on the exact thresholds.

    Args:
        segmented: What `voxtrode.data.segmentation.segment.segment` returned.
        out: The file.
    """
    with style():
        _draw(segmented).savefig(out, dpi=DPI)


def _draw(segmented: Segmented) -> Drawing:
    height, width = segmented.slices.labels.shape
    picture = 0.5 * WIDTH * min(height / width, _TALLEST)
    tall = max(picture, 0.4) + _TITLE
    figure = drawing(_HISTOGRAM + 2.0 * tall)
    # The legend beside the histogram must not narrow the pictures below.
    parts: Any = figure.subfigures(2, 1, height_ratios=[_HISTOGRAM, 2.0 * tall])
    names = list(segmented.evidence["class_grey"])
    colours = _colours(names)
    above, below = parts
    _histogram(above.add_subplot(), segmented.evidence, colours)
    slices = segmented.slices
    low, high = np.percentile(slices.grey, _CONTRAST)
    grey: dict[str, Any] = {"cmap": "gray", "vmin": low, "vmax": max(high, np.nextafter(low, high))}
    panels = list(below.subplots(2, 2).flat)
    panels[0].imshow(slices.grey, **grey)
    panels[1].imshow(slices.denoised, **grey)
    panels[2].imshow(
        slices.labels,
        cmap=ListedColormap(list(colours.values())),
        norm=BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names)),
    )
    panels[3].imshow(slices.denoised, alpha=0.6, **grey)
    marked = np.ma.masked_where(~slices.ambiguous, np.ones(slices.labels.shape))
    panels[3].imshow(marked, cmap=ListedColormap([ACCENT]), vmin=0.0, vmax=1.0)
    share = segmented.evidence["ambiguous"]["share"]
    titles = (
        f"Grey values, layer z = {slices.z}",
        "Denoised",
        "Classes",
        f"Class depends on the exact threshold: {100.0 * share:.1f} % of all voxels",
    )
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontweight="normal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[["top", "right"]].set_visible(True)
    return figure


def _histogram(axes: Axes, evidence: Mapping[str, Any], colours: Mapping[str, str]) -> None:
    counts = evidence["histogram"]
    edges, levels = counts["edges"], list(evidence["class_grey"].values())
    axes.stairs(counts["counts"], edges, color=FAINT, linewidth=1.0, label="as read")
    axes.stairs(counts["denoised_counts"], edges, color=INK, linewidth=1.3, label="denoised")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.8)
    axes.set_xlim(edges[0], edges[-1])
    vary = evidence["settings"]["vary"]
    steps = np.diff(levels)
    for k, (threshold, step) in enumerate(zip(evidence["thresholds"], steps, strict=True)):
        axes.axvspan(
            threshold - vary * step,
            threshold + vary * step,
            color=ACCENT,
            alpha=0.25,
            linewidth=0.0,
            label=f"± {100.0 * vary:g} % of the step" if k == 0 else None,
        )
        axes.axvline(threshold, color=ACCENT, linewidth=1.2, label="threshold" if k == 0 else None)
    axes.set_xlabel("grey value")
    axes.set_ylabel("voxels per bin")
    axes.set_title("Grey values and thresholds")
    light_grid(axes)
    fractions = evidence["sensitivity"]["base"]["fractions"]
    lines, _ = axes.get_legend_handles_labels()
    patches = [
        Patch(
            facecolor=colour,
            edgecolor=INK,
            linewidth=0.4,
            label=f"{name}: {100.0 * fractions[name]:.1f} %",
        )
        for name, colour in colours.items()
    ]
    axes.legend(handles=[*lines, *patches], loc="center left", bbox_to_anchor=(1.01, 0.5))


def _colours(names: list[str]) -> dict[str, str]:
    """From dark to bright as pores, binders and active material are drawn elsewhere."""
    kinds = [(False, False, True), *[(False, True, True)] * (len(names) - 2), (True, True, False)]
    keys = ("stores", "electrons", "ions")
    return phase_colours(
        {name: dict(zip(keys, kind, strict=True)) for name, kind in zip(names, kinds, strict=True)}
    )
