"""Numbers of a volume: fractions, percolation and isolated shares; counts, sizes of particles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import AXES, Flags, Roles, isolated_fractions, percolating_shares
from voxtrode.data.particle_table import ParticleTable
from voxtrode.data.volume import Volume

_DIAMETER_OF = {
    0: "ball of equal volume",
    1: "length on a line",
    2: "circle of equal area, in a section one voxel thick",
    3: "ball of equal volume",
}  # by the number of axes longer than a voxel


def phase_numbers(volume: Volume, roles: Roles, flags: Flags) -> dict[str, dict[str, Any]]:
    """Fraction, percolation and isolated share of each phase by name.

    Args:
        volume: The volume.
        roles: What each label can do.
        flags: What is connected.

    Returns:
        Per phase: `label`; `fraction`; `percolates` with z, y, x (a component of this phase alone
        spans the box) and `percolating_fraction` (its share in such components);
        `isolated_fraction` (share of its voxels dead in at least one of its roles) and
        `isolated_by_role`.
    """
    numbers = {}
    for value, name in enumerate(volume.phases):
        mask = volume.labels == value
        shares = percolating_shares(mask)
        isolated, by_role = isolated_fractions(volume.labels, roles, flags, value)
        numbers[name] = {
            "label": value,
            "fraction": int(np.count_nonzero(mask)) / mask.size,
            "percolates": {axis: share > 0.0 for axis, share in shares.items()},
            "percolating_fraction": shares,
            "isolated_fraction": isolated,
            "isolated_by_role": by_role,
        }
    return numbers


def particle_numbers(table: ParticleTable, walls: bool = False) -> dict[str, Any]:
    """Count, dead share, sizes and shapes of particles.

    Sizes, sphericity and coordination are those of whole particles: the ones that no side of the
    box may have cut; None where there are none. Large particles are whole less often than small
    ones, so each one counts with the inverse of its chance to be whole, by Miles and Lantuéjoul
    (Serra, Image Analysis and Mathematical Morphology, 1982, chapter VIII). Particles too
    large for the box have no such chance and are missed still.

    Args:
        table: The particles.
        walls: Whether the sides across z are walls, which cut nothing: what rests on them is whole.

    Returns:
        Among them `number_weighted_m` and `volume_weighted_m`: D10, D50 and D90, the least diameter
        up to which the particles make up that share of the number or of the volume; `whole`, the
        number of particles that sizes and shapes are said of, `weighting` and `diameter_of`;
        `unweighted_mean_diameter_m`, of the same particles without weights.
    """
    cutting = np.array(table.box) > 1  # one voxel thick is a section
    if walls:
        cutting[0] = False
    whole = ~table.touches[:, cutting].any(axis=1)
    diameter = table.diameter[whole]
    weights = _weights(table.extent[whole][:, cutting], np.array(table.box)[cutting])
    total = float(table.volume.sum())
    mean = _mean(diameter, weights)
    return {
        "count": len(table),
        "touching_box": int(table.touches_box.sum()),
        "dead": int(table.dead.sum()),
        "dead_volume_share": float(table.volume[table.dead].sum()) / total if total else 0.0,
        "whole": len(diameter),
        "weighting": _weighting(cutting),
        "diameter_of": _DIAMETER_OF[int(np.count_nonzero(np.array(table.box) > 1))],
        "mean_diameter_m": mean,
        "std_diameter_m": _spread(diameter, weights, mean),
        "unweighted_mean_diameter_m": _mean(diameter, np.ones(len(diameter))),
        "number_weighted_m": _percentiles(diameter, weights),
        "volume_weighted_m": _percentiles(diameter, weights * table.volume[whole]),
        "mean_sphericity": _mean(table.sphericity[whole], weights),
        "mean_coordination": _mean(table.coordination[whole], weights),
    }


def _weights(extent: NDArray[np.int64], box: NDArray[np.int64]) -> NDArray[np.float64]:
    """Inverse chance of a particle of an extent [voxels] to have no voxel at the sides of a box.

    Of L places of its bounding box along an axis, L - extent - 1 leave the first and the last layer
    of voxels free: in those it may be cut.
    """
    weights: NDArray[np.float64] = np.prod(box / (box - extent - 1.0), axis=1)
    return weights


def _weighting(cutting: NDArray[np.bool_]) -> str:
    axes = ", ".join(name for name, cuts in zip(AXES, cutting, strict=True) if cuts)
    if not axes:
        return "none: no side of the box cuts particles"
    return f"Miles-Lantuejoul: product of L/(L - extent - 1 voxel) over {axes}, whole particles"


def _mean(values: NDArray[Any], weights: NDArray[np.float64]) -> float | None:
    return float(np.average(values, weights=weights)) if len(values) else None


def _spread(
    values: NDArray[np.float64], weights: NDArray[np.float64], mean: float | None
) -> float | None:
    if mean is None:
        return None
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def _percentiles(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, float | None]:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    percentiles: dict[str, float | None] = {}
    for name, part in (("D10", 0.1), ("D50", 0.5), ("D90", 0.9)):
        # Summed shares err in the last digits: 0.9 of ten equal ones must be reached by nine.
        first = int(np.searchsorted(share, part * share[-1] * (1 - 1e-12))) if len(values) else 0
        percentiles[name] = float(values[order[first]]) if len(values) else None
    return percentiles
