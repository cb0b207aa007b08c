"""Agreement of two partitions against values worked out by hand."""

import numpy as np
import pytest

from voxtrode.data.agreement import adjusted_rand_index, agreement


def test_by_hand():
    """Pairs: 2 alike in both, 2 in rows, 1 in columns of 6; (1 - 1/3) / (3/2 - 1/3) = 4/7."""
    assert adjusted_rand_index(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])) == pytest.approx(
        4 / 7
    )


def test_from_a_contingency_table():
    """13 voxels: pairs together in both, in the rows and in the columns counted by hand."""
    table = np.array([[4, 1, 0], [1, 3, 1], [0, 0, 3]])
    rows, columns = (np.repeat(axis, table.ravel()) for axis in np.indices((3, 3)).reshape(2, -1))
    both, in_rows, in_columns = 6 + 3 + 3, 10 + 10 + 3, 10 + 6 + 6
    chance = in_rows * in_columns / 78
    expected = (both - chance) / ((in_rows + in_columns) / 2 - chance)
    assert adjusted_rand_index(rows, columns) == pytest.approx(expected, rel=1e-14)


def test_renumbered_is_exactly_one():
    ids = np.random.default_rng(1).integers(0, 50, (20, 21, 22))
    numbers = np.random.default_rng(2).permutation(50) * 7
    assert adjusted_rand_index(ids, numbers[ids]) == 1.0


def test_random_is_near_zero():
    """Of two random partitions into 20: standard deviation some 1e-4 for 10⁴ voxels."""
    first, second = np.random.default_rng(3).integers(0, 20, (2, 10_000))
    assert abs(adjusted_rand_index(first, second)) < 1e-3


@pytest.mark.parametrize("count", [0, 1, 5])
def test_nothing_to_tell_apart(count):
    """One piece in both, or single voxels in both, or nothing at all: they agree."""
    assert adjusted_rand_index(np.zeros(count, int), np.ones(count, int)) == 1.0
    assert adjusted_rand_index(np.arange(count), np.arange(count)[::-1]) == 1.0


def test_one_piece_against_single_voxels():
    assert adjusted_rand_index(np.zeros(6, int), np.arange(6)) == 0.0


def test_only_the_mask_counts():
    first, second = np.array([1, 1, 2, 2, 0, 0]), np.array([3, 3, 1, 1, 5, 6])
    assert adjusted_rand_index(first, second) < 1.0
    assert adjusted_rand_index(first, second, first > 0) == 1.0


def test_agreement_of_split_and_merged():
    """1 is cut in halves (one bit for half of the voxels), 2 and 3 are merged (likewise)."""
    made = np.repeat([0, 1, 2, 3], [5, 8, 4, 4])
    found = np.repeat([9, 1, 2, 3], [5, 4, 4, 8])
    result = agreement(made, found)
    assert result["particles_made"] == 3
    assert result["particles_found"] == 4
    # Halves overlap by exactly half, which is no match.
    assert result["matched_share"] == 0.0
    bits = result["variation_of_information_bits"]
    assert bits["split"] == pytest.approx(0.5)
    assert bits["merged"] == pytest.approx(0.5)


def test_agreement_of_matched():
    """Of 10 voxels 8 are found, with 1 of others: 8/11; the other made one has 5 of 6."""
    made = np.repeat([1, 2, 0], [10, 6, 4])
    found = np.array([1] * 8 + [0] * 2 + [1] + [4] * 5 + [0] * 4)
    result = agreement(made, found)
    assert result["matched_share"] == 1.0
    assert 0.5 < result["adjusted_rand_index"] < 1.0
    assert agreement(made, made)["adjusted_rand_index"] == 1.0


def test_missing_particles_match_nothing():
    made = np.array([1, 1, 2, 2])
    assert agreement(made, np.zeros(4, int))["matched_share"] == 0.0
    assert agreement(np.zeros(4, int), made)["matched_share"] is None
