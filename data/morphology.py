"""Numbers of a volume: fractions, percolation and isolated shares; counts, sizes of particles."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import Flags, Roles, isolated_fractions, percolating_shares
from voxtrode.data.particle_table import ParticleTable
from voxtrode.data.volume import Volume


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


def particle_numbers(table: ParticleTable) -> dict[str, Any]:
    """Count, dead share, sizes and shapes of particles.

    Sizes, sphericity and coordination are those of the particles that do not touch the box, None
    where all do.

    Args:
        table: The particles.

    Returns:
        Among them `number_weighted_m` and `volume_weighted_m`: D10, D50 and D90, the least diameter
        up to which the particles make up that share of the number or of the volume.
    """
    whole = ~table.touches_box
    diameter = table.diameter[whole]
    total = float(table.volume.sum())
    return {
        "count": len(table),
        "touching_box": int(table.touches_box.sum()),
        "dead": int(table.dead.sum()),
        "dead_volume_share": float(table.volume[table.dead].sum()) / total if total else 0.0,
        "mean_diameter_m": _mean(diameter),
        "std_diameter_m": float(diameter.std()) if len(diameter) else None,
        "number_weighted_m": _percentiles(diameter, np.ones(len(diameter))),
        "volume_weighted_m": _percentiles(diameter, table.volume[whole]),
        "mean_sphericity": _mean(table.sphericity[whole]),
        "mean_coordination": _mean(table.coordination[whole]),
    }


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


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
