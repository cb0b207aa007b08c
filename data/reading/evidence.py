"""What was read from an image: counts of voxels, and the record of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.geometry import Geometry
from voxtrode.data.reading.lookup import Lookup
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.reading.source import ImageSource

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tally:
    """Voxels counted so far.

    Attributes:
        values: Of each listed value, and as the last entry of those not listed; padding counts.
        core: Of each phase, in what is kept of the image.
        fine: Of each phase, after padding; counted where the image is down-sampled.
        coarse: Of each phase, after down-sampling; likewise.
    """

    values: Counts
    core: Counts
    fine: Counts
    coarse: Counts


def empty_tally(lookup: Lookup) -> Tally:
    """Nothing counted yet."""
    core, fine, coarse = (np.zeros(len(set(lookup.names)), dtype=np.int64) for _ in range(3))
    return Tally(np.zeros(len(lookup.values) + 1, dtype=np.int64), core, fine, coarse)


def count(counts: Counts, values: NDArray[Any]) -> None:
    """Add the numbers of the values 0, 1, ... to the counts."""
    counts += np.bincount(values.ravel(), minlength=len(counts))


def evidence_of(
    source: ImageSource, request: ImageRequest, geometry: Geometry, tally: Tally
) -> dict[str, Any]:
    """The record of an image that was read whole (JSON-able).

    Raises:
        InputError: Down-sampling left nothing of a phase.
    """
    padding = request.padding
    return {
        "kind": "image",
        "file": source.file.name,
        "format": dict(source.metadata),
        "image_shape": list(source.shape),
        "image_dtype": str(source.dtype),
        "image_voxel_m": list(geometry.edges),
        "stated_voxel_m": {str(axis): length for axis, (length, _) in source.stated.items()},
        "crop": [list(pair) for pair in geometry.crop],
        "thickness_axis": request.thickness_axis,
        "collector": request.collector,
        "mirrored": request.collector == "last",
        "labels": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in request.labels.items()
        },
        "label_shares": _shares(request.labels, tally.core),
        "padding": None
        if padding is None
        else {"mode": padding.mode.name.lower(), "y": padding.y, "x": padding.x},
        "downsampling": _loss(source, request, geometry, tally),
    }


def _loss(
    source: ImageSource, request: ImageRequest, geometry: Geometry, tally: Tally
) -> dict[str, Any] | None:
    """What down-sampling did to each phase's share of the (padded) volume."""
    factor = list(geometry.factor)
    if factor == [1, 1, 1]:
        return None
    before = _shares(request.labels, tally.fine)
    after = _shares(request.labels, tally.coarse)
    for name, share in after.items():
        if share == 0.0:
            raise InputError(
                f"downsample {factor} leaves no voxel of '{name}', which is {before[name]:.2%} of"
                f" {source.file}: take smaller factors"
            )
    phases = {
        name: {
            "before": before[name],
            "after": after[name],
            "relative_change": after[name] / before[name] - 1.0,
        }
        for name in before
    }
    cropped = list(geometry.remainder)
    return {"factor": factor, "cropped_voxels": cropped, "fractions": phases}


def _shares(labels: Mapping[str, Any], counts: Counts) -> dict[str, float]:
    total = int(counts.sum())
    return {name: int(number) / total for name, number in zip(labels, counts, strict=True)}
