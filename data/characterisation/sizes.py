"""Sizes of phases: local thickness and chords."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import AXES
from voxtrode.data.interfaces import Triple

SIZES = 25
MOST_REPEATS = 8  # of a layer of voxels longer than wide

Mask = NDArray[np.bool_]


def size_distributions(
    labels: NDArray[np.integer[Any]], phases: Sequence[str], voxel: Triple
) -> dict[str, dict[str, Any]]:
    """Local thickness and mean chords of each phase.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Per phase what `size_distribution` and, as `mean_chord_m`, `mean_chords` say.
    """
    sizes = {}
    for value, phase in enumerate(phases):
        mask = labels == value
        sizes[phase] = {
            **size_distribution(mask, voxel),
            "mean_chord_m": mean_chords(mask, voxel),
        }
    return sizes


def size_distribution(mask: Mask, voxel: Triple, count: int = SIZES) -> dict[str, Any]:
    """Continuous size distribution: share of a set that balls of a diameter inside it can cover.

    Local thickness of Hildebrand and Rüegsegger, J. Microsc. 185 (1997) 67-75, by openings with
    balls of geometrically spaced radii. The sides of the box are mirrors, so that a set is not
    narrower at a side; distances without a border are those of the mirrored set, since a mirror
    image is never nearer than what it is the image of. Voxels that are longer along one axis are
    cut into nearly cubic ones first. Distances are between centres of voxels: the diameter of a
    flat film is up to a voxel too large, that of a ball some 0.9 voxels too small (its centre lies
    between voxels).

    Args:
        mask: The set, bool[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        count: Number of diameters on the curve, less where fewer distances occur.

    Returns:
        `d10_m`, `d50_m`, `d90_m` (10, 50, 90 % of the volume is narrower), `mean_m` (by volume),
        `max_m`, and `curve` with `diameter_m` and `share` (covered by balls at least so large).
        All null for a set that is empty or fills the box: it has no size.
    """
    if not mask.any() or mask.all():
        names = ("d10_m", "d50_m", "d90_m", "mean_m", "max_m", "curve")
        return dict.fromkeys(names)
    fine, edges = _nearly_cubic(mask, voxel)
    unit = float(min(edges))  # distances are 32-bit: kept near 1
    steps = (edges[0] / unit, edges[1] / unit, edges[2] / unit)
    distance = _distance(fine, steps)
    attained = np.unique(distance[fine])
    wanted = np.geomspace(attained[0], attained[-1], count)[:-1].astype(np.float32)
    radii = attained[np.unique([*np.searchsorted(attained, wanted), len(attained) - 1])]
    shares = _shares(fine, distance, radii, steps)
    diameters = 2.0 * unit * radii.astype(np.float64)
    d10, d50, d90 = (_narrower(diameters, shares, share) for share in (0.1, 0.5, 0.9))
    return {
        "d10_m": d10,
        "d50_m": d50,
        "d90_m": d90,
        "mean_m": float(diameters[0] + np.trapezoid(shares, diameters)),
        "max_m": float(diameters[-1]),
        "curve": {"diameter_m": diameters.tolist(), "share": shares.tolist()},
    }


def mean_chords(mask: Mask, voxel: Triple) -> dict[str, float | None]:
    """Mean length of the straight pieces of grid lines inside a set, per axis [m].

    Twice the length in the set over the number of ends inside the box: chords cut by a side count
    with the end that they have.

    Args:
        mask: The set, bool[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        By axis "z", "y", "x"; null where no chord ends inside the box.
    """
    inside = int(np.count_nonzero(mask))
    chords: dict[str, float | None] = {}
    for axis, name in enumerate(AXES):
        ends = int(np.count_nonzero(np.diff(mask, axis=axis)))
        chords[name] = 2.0 * inside * voxel[axis] / ends if ends else None
    return chords


def _nearly_cubic(mask: Mask, voxel: Triple) -> tuple[Mask, Triple]:
    """The set on voxels whose edges differ by less than a half, and their edges."""
    edges = list(voxel)
    for axis in range(3):
        repeats = min(round(voxel[axis] / min(voxel)), MOST_REPEATS)
        if repeats > 1:
            mask = np.repeat(mask, repeats, axis=axis)
            edges[axis] /= repeats
    return mask, (edges[0], edges[1], edges[2])


def _distance(mask: Mask, steps: Triple) -> NDArray[np.float32]:
    """Distance of each voxel of a set to the nearest voxel outside it, between centres."""
    from porespy.tools import get_edt  # slow to import

    distance: NDArray[np.float32] = get_edt()(
        np.ascontiguousarray(mask), anisotropy=steps, black_border=False, parallel=1
    )
    return distance


def _shares(
    mask: Mask, distance: NDArray[np.float32], radii: NDArray[np.float32], steps: Triple
) -> NDArray[np.float64]:
    """Share of a set that open balls inside it, of each radius or a larger one, cover."""
    covered = np.zeros_like(mask)
    shares = np.empty(len(radii))
    # Balls of voxels are not quite nested: what a larger one covers counts for all smaller ones.
    for index in reversed(range(len(radii))):
        centres = distance >= radii[index]
        covered |= mask & (_distance(~centres, steps) < radii[index])
        shares[index] = np.count_nonzero(covered)
    return shares / np.count_nonzero(mask)


def _narrower(diameters: NDArray[np.float64], shares: NDArray[np.float64], share: float) -> float:
    """The diameter below which a share of the volume lies."""
    # Shares fall with the diameter, from 1; np.interp wants them ascending.
    return float(np.interp(1.0 - share, shares[::-1], diameters[::-1]))
