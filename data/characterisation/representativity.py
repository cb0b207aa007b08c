"""Whether a volume is large enough: do its parts say the same as the whole?"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.tiles import Floats, bins, face_areas, voxel_counts
from voxtrode.data.interfaces import Triple

TOLERANCE = 0.05
CRITERION = (
    "each half of the volume, cut across each axis, has the fraction and the specific area (voxel "
    f"faces) of each phase within {TOLERANCE:.0%} of the whole"
)


def representativity(
    labels: NDArray[np.integer[Any]], phases: Sequence[str], voxel: Triple
) -> dict[str, Any]:
    """Compare halves and in-plane quadrants with the whole volume.

    The standard error is about that of the whole volume as a sample of an infinite one of the same
    kind, from the spread over tiles of a half and of a quarter of the box along each axis
    (`standard_error`).

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        `fraction` and `specific_area_m-1` (voxel faces to all other phases, by volume of the box):
        per phase that occurs `whole`, `halves` (two per axis z, y, x of at least two voxels),
        `largest_deviation` (of a half from the whole, relative), `quadrants` (cut across y and x)
        and `standard_error` (null where there are no tiles). Then `criterion`, `representative`
        (null where nothing can be halved), and the `worst` quantity, phase and deviation.
    """
    # 4 tiles along an axis, so that two make a half; fewer where there are fewer voxels.
    parts = tuple(4 if length >= 4 else min(length, 2) for length in labels.shape)
    cut = (parts[0], parts[1], parts[2])
    sides = [
        np.bincount(bins(length, part)) * edge
        for length, part, edge in zip(labels.shape, cut, voxel, strict=True)
    ]
    volumes = sides[0][:, None, None] * sides[1][:, None] * sides[2]
    tallies = {
        "fraction": voxel_counts(labels, cut, len(phases)) * float(np.prod(voxel)),
        "specific_area_m-1": face_areas(labels, cut, len(phases), voxel),
    }
    result: dict[str, Any] = {
        quantity: {
            phase: _compare(tally[..., value], volumes)
            for value, phase in enumerate(phases)
            if tally[..., value].any()
        }
        for quantity, tally in tallies.items()
    }
    found = [
        (entry["largest_deviation"], quantity, phase)
        for quantity in tallies
        for phase, entry in result[quantity].items()
        if entry["largest_deviation"] is not None
    ]
    worst = max(found, key=lambda one: one[0]) if found else None
    return {
        **result,
        "criterion": CRITERION,
        "representative": worst[0] <= TOLERANCE if worst else None,
        "worst": dict(zip(("deviation", "quantity", "phase"), worst, strict=True))
        if worst
        else None,
    }


def standard_error(levels: Sequence[tuple[Floats, Floats]]) -> float | None:
    """Standard error of the whole volume's mean from the means of its tiles.

    Tiles that are large against the structure are independent, and the variance of their mean over
    their number is that of the whole. Smaller ones are correlated and underestimate it, by a share
    proportional to surface over volume of a tile, 1/L; so the two largest sizes of tiles are
    extrapolated linearly in 1/L to the whole. As this is noisy (8 tiles of half the length), the
    largest of the two and of the extrapolation is taken. The result is a rough one: on random
    volumes it is on average 0.8 to 1.2 times the true one, and single ones scatter more.

    Args:
        levels: Means and volumes of all tiles, of the length 1/2 and then 1/4 of the whole; levels
            that do not exist are left out.
    """
    squares = []
    for means, volumes in levels:
        if means.size > 1:
            weights = volumes / volumes.sum()
            spread = (weights * (means - (weights * means).sum()) ** 2).sum()
            squares.append(float(spread / (means.size - 1)))
    if not squares:
        return None
    if len(squares) == 2:
        half, quarter = squares
        squares.append(half + 0.5 * (half - quarter))
    return float(np.sqrt(max(squares)))


def _compare(tally: NDArray[Any], volumes: Floats) -> dict[str, Any]:
    whole = float(tally.sum() / volumes.sum())
    halves = [
        float(tally[index].sum() / volumes[index].sum())
        for axis in range(3)
        if tally.shape[axis] > 1
        for index in _halves(axis, tally.shape[axis])
    ]
    quadrants = []
    if min(tally.shape[1:]) > 1:
        coarse = _coarse(tally).sum(axis=0) / _coarse(volumes).sum(axis=0)
        quadrants = coarse.ravel().tolist()
    levels = [(_coarse(tally) / _coarse(volumes), _coarse(volumes))]
    if max(tally.shape) > 2:
        levels.append((tally / volumes, volumes))
    return {
        "whole": whole,
        "halves": halves,
        "largest_deviation": max((abs(half / whole - 1.0) for half in halves), default=None),
        "quadrants": quadrants,
        "standard_error": standard_error(levels),
    }


def _halves(axis: int, parts: int) -> Iterator[tuple[slice, ...]]:
    for part in (slice(None, parts // 2), slice(parts // 2, None)):
        yield (slice(None),) * axis + (part,)


def _coarse(tiles: NDArray[Any]) -> Floats:
    """Sums over tiles put together to two along each axis (one where there is one)."""
    sums: NDArray[Any] = tiles.astype(np.float64)
    for axis, parts in enumerate(tiles.shape):
        if parts > 2:
            sums = np.add.reduceat(sums, [0, parts // 2], axis=axis)
    return sums
