"""Connected components of each phase: how many, how large, and what they touch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import Mask, scipy_label, spanning_shares


def percolation(
    labels: NDArray[np.integer[Any]],
    phases: Sequence[str],
    unions: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Connection by faces of each phase, and of unions of phases.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        unions: Phases that conduct the same, by a name for them (such as "electronic").

    Returns:
        Per phase and union what `components` says.
    """
    groups = {phase: [phase] for phase in phases} | {
        name: list(members) for name, members in (unions or {}).items()
    }
    return {
        name: components(np.isin(labels, [phases.index(member) for member in members]))
        for name, members in groups.items()
    }


def components(mask: Mask) -> dict[str, Any]:
    """Face-connected components of a set.

    Args:
        mask: The set, bool[z, y, x].

    Returns:
        `components` (their number), `largest_share` (of the set's voxels), `closed_share` (in
        components that touch no side of the box) and `percolating_share` by axis (in components
        that touch both sides). Shares of an empty set are 0.
    """
    ids, count = scipy_label(mask)
    sizes = np.bincount(ids.ravel(), minlength=count + 1)
    sizes[0] = 0
    closed = np.ones(count + 1, dtype=bool)
    for axis in range(3):
        for side in (0, -1):
            closed[np.take(ids, side, axis=axis)] = False
    total = max(int(sizes.sum()), 1)
    return {
        "components": count,
        "largest_share": int(sizes.max()) / total,
        "closed_share": int(sizes[closed].sum()) / total,
        "percolating_share": spanning_shares(ids, count),
    }
