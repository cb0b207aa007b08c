"""Down-sampling by majority: ties, ids, and shares of a half-space."""

import numpy as np
import pytest

from voxtrode.data.downsampling import blocks, majority, majority_ids

FACTOR = (2, 2, 2)


def block(*voxels):
    return np.array(voxels, dtype=np.uint8).reshape(2, 2, 2)


@pytest.mark.parametrize(
    ("voxels", "label"),
    [
        ((1, 0, 0, 0, 0, 0, 0, 0), 0),
        ((1, 1, 1, 1, 0, 0, 0, 0), 1),  # a tie goes to the first voxel's label
        ((0, 1, 1, 1, 1, 0, 0, 0), 0),
        ((2, 1, 1, 1, 0, 0, 0, 2), 0),  # a tie of others goes to the lower one
        ((2, 2, 1, 1, 1, 0, 0, 2), 2),
    ],
)
def test_the_commonest_label(voxels, label):
    assert majority(block(*voxels), FACTOR, 3).item() == label


def test_a_flat_interface_stays_flat():
    """Wherever it lies within the blocks, and it moves by less than a block."""
    for height in range(1, 8):
        labels = np.zeros((8, 6, 6), np.uint8)
        labels[height:] = 1
        coarse = majority(labels, FACTOR, 2)
        assert (coarse == coarse[:, :1, :1]).all()
        assert abs(2 * int((coarse[:, 0, 0] == 0).sum()) - height) <= 1


def test_ids_are_those_of_the_label():
    """The commonest id among the voxels of the label, the smallest of equals, 0 where none has."""
    labels = block(1, 1, 1, 1, 1, 0, 0, 0)
    coarse = majority(labels, FACTOR, 2)
    for given, expected in (
        ((5, 5, 7, 7, 7, 9, 9, 9), 7),
        ((5, 5, 7, 7, 3, 9, 9, 9), 5),
        ((0, 0, 0, 0, 4, 9, 9, 9), 4),
        ((0, 0, 0, 0, 0, 9, 9, 9), 0),
    ):
        ids = np.array(given, np.int32).reshape(2, 2, 2)
        assert majority_ids(ids, labels, coarse, FACTOR).item() == expected


def test_blocks_and_factor_one():
    values = np.arange(4 * 6 * 3).reshape(4, 6, 3)
    np.testing.assert_array_equal(blocks(values, (2, 3, 1))[1, 0, 2], values[2:4, 0:3, 2].ravel())
    labels = np.zeros((2, 3, 4), np.uint8)
    assert majority(labels, (1, 1, 1), 1) is labels
    ids = np.ones((2, 3, 4), np.int32)
    assert majority_ids(ids, labels, labels, (1, 1, 1)) is ids
