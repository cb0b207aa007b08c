"""How well a partition into particles agrees with the one it should find."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ids = NDArray[np.integer[Any]]

MATCH = 0.5
"""Least overlap (intersection over union) of a matched pair; above 0.5 it is the only one."""


def adjusted_rand_index(first: Ids, second: Ids, mask: NDArray[np.bool_] | None = None) -> float:
    """Share of pairs of voxels that two partitions treat alike, corrected for chance.

    Hubert and Arabie, J. Classification 2, 193 (1985), equation 5, from the contingency table.

    Args:
        first, second: Non-negative ids of equal shape.
        mask: The voxels that count; all where not given.

    Returns:
        1 for partitions that are equal up to renumbering, 0 on average for random ones.
    """
    return _adjusted_rand_index(_contingency(first, second, mask))


def agreement(made: Ids, found: Ids) -> dict[str, Any]:
    """Compare found particles with the made ones, over the voxels of the made ones.

    Args:
        made: Ids of the particles as generated, 0 where there is none.
        found: Ids of the particles as labelled; 0 there counts as one more piece.

    Returns:
        `adjusted_rand_index`; `particles_made` and `particles_found`; `matched_share`, the share of
        made particles with a found one that they overlap by more than half of both together; and
        `variation_of_information_bits` (Meilă, J. Multivar. Anal. 98, 873 (2007)), its parts
        `split` (made particles in several found ones) and `merged` (several made in one found).
    """
    mask = made > 0
    table = _contingency(made, found, mask)
    sizes_made, sizes_found = np.bincount(made.ravel()), np.bincount(found.ravel())
    count = int(np.count_nonzero(sizes_made[1:]))
    return {
        "adjusted_rand_index": _adjusted_rand_index(table),
        "particles_made": count,
        "particles_found": int(np.count_nonzero(sizes_found[1:])),
        "matched_share": _matched(table, sizes_made, sizes_found) / count if count else None,
        "variation_of_information_bits": {
            "split": _conditional_entropy(table),
            "merged": _conditional_entropy(table.T.tocsr()),
        },
    }


def _contingency(first: Ids, second: Ids, mask: NDArray[np.bool_] | None) -> sparse.csr_matrix:
    """Number of voxels for each pair of ids; rows: first."""
    rows, columns = (first.ravel(), second.ravel()) if mask is None else (first[mask], second[mask])
    shape = (int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1)
    table = sparse.coo_matrix((np.ones(len(rows), dtype=np.int64), (rows, columns)), shape=shape)
    return sparse.csr_matrix(table)


def _adjusted_rand_index(table: sparse.csr_matrix) -> float:
    rows, columns = np.asarray(table.sum(axis=1)).ravel(), np.asarray(table.sum(axis=0)).ravel()
    both, in_rows, in_columns = (_pairs(counts) for counts in (table.data, rows, columns))
    total = _pairs(np.array([rows.sum()]))
    # One piece each, or single voxels each: alike, and nothing is left to chance.
    if both == in_rows == in_columns:
        return 1.0
    chance = in_rows * in_columns / total
    return (both - chance) / (0.5 * (in_rows + in_columns) - chance)


def _pairs(counts: NDArray[np.integer[Any]]) -> int:
    whole = counts.astype(np.int64)
    return int((whole * (whole - 1) // 2).sum())


def _matched(
    table: sparse.csr_matrix, made: NDArray[np.integer[Any]], found: NDArray[np.integer[Any]]
) -> int:
    pairs = table.tocoo()
    union = made[pairs.row] + found[pairs.col] - pairs.data
    return int(np.count_nonzero((pairs.data > MATCH * union) & (pairs.col > 0)))


def _conditional_entropy(table: sparse.csr_matrix) -> float:
    """What the rows' partition leaves open of the columns' one [bits]."""
    pairs = table.tocoo()
    rows = np.asarray(table.sum(axis=1)).ravel()[pairs.row]
    return float((pairs.data * np.log2(rows / pairs.data)).sum() / max(int(pairs.data.sum()), 1))
