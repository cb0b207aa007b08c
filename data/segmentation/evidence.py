"""What a segmentation says of itself (JSON-able); grey values in the file's unit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.interfaces import interface_areas
from voxtrode.data.segmentation.greyscale import Range
from voxtrode.data.segmentation.relaxation import Model
from voxtrode.data.segmentation.thresholds import Histogram

Labels = NDArray[np.uint8]
Triple = tuple[float, float, float]


def fractions(labels: Labels, names: tuple[str, ...]) -> dict[str, float]:
    """Share of each class among the voxels, by its name."""
    counts = np.bincount(labels.ravel(), minlength=len(names))
    return {name: int(count) / labels.size for name, count in zip(names, counts, strict=True)}


def steps_evidence(
    labels: Mapping[str, Labels],
    sure: list[float] | None,
    model: Model | None,
    names: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Fractions after each step, and the voxels it changed."""
    found: list[dict[str, Any]] = []
    before = labels["threshold"]
    for name, after in labels.items():
        found.append(
            {
                "step": name,
                "fractions": fractions(after, names),
                "voxels_changed": int(np.count_nonzero(after != before)),
            }
        )
        if name == "watershed" and sure is not None:
            found[-1]["sure"] = dict(zip(names, sure, strict=True))
        if name == "relaxation" and model is not None:
            found[-1]["blur_voxels"] = model.blur
        before = after
    return found


def outcome(labels: Labels, names: tuple[str, ...], voxel: Triple) -> dict[str, Any]:
    """Fractions of the classes, and areas [m²] of their interfaces in both measures."""
    areas, _ = interface_areas(labels, names, voxel)
    return {"fractions": fractions(labels, names), "interfaces": areas}


def histogram_evidence(raw: Histogram, denoised: Histogram, scale: Range) -> dict[str, Any]:
    """Edges of the bins, and voxels in each before and after denoising."""
    return {
        "edges": [scale.to_file(float(edge)) for edge in raw.edges],
        "counts": raw.counts.tolist(),
        "denoised_counts": denoised.counts.tolist(),
    }
