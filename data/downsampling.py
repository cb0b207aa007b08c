"""Down-sampling by majority: blocks of voxels become one voxel of their commonest label."""

import numpy as np
from numpy.typing import NDArray

Factor = tuple[int, int, int]


def blocks(fine: NDArray[np.generic], factor: Factor) -> NDArray[np.generic]:
    """Voxels by coarse voxel: shape ``(nz, ny, nx, voxels per coarse voxel)``.

    Args:
        fine: Array whose lengths are multiples of the factor.
        factor: Fine voxels per coarse one along z, y, x.
    """
    nz, ny, nx = (n // f for n, f in zip(fine.shape, factor, strict=True))
    split = fine.reshape(nz, factor[0], ny, factor[1], nx, factor[2])
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(nz, ny, nx, -1)


def majority(labels: NDArray[np.uint8], factor: Factor, count: int) -> NDArray[np.uint8]:
    """The commonest label of each block.

    Among equal counts the label of the block's first voxel wins, else the lower one: a flat
    interface stays flat, and no phase gains where another has two such faces.

    Args:
        labels: Labels 0..count-1 [z, y, x], lengths multiples of the factor.
        factor: Fine voxels per coarse one along z, y, x.
        count: Number of labels.

    Returns:
        Labels of the coarse voxels; the given array itself where the factor is one.
    """
    if factor == (1, 1, 1):
        return np.asarray(labels)
    # One voxel of every block at a time: long loops over few small arrays.
    members = [
        np.asarray(labels)[z :: factor[0], y :: factor[1], x :: factor[2]]
        for z, y, x in np.ndindex(*factor)
    ]
    best = np.full(members[0].shape, -1, dtype=np.int32)
    coarse = np.zeros(members[0].shape, dtype=np.uint8)
    for label in range(count):
        number = np.zeros(best.shape, dtype=np.int32)
        for member in members:
            number += member == label
        score = 2 * number + (members[0] == label)  # the first voxel decides between equals
        better = score > best
        coarse[better] = label
        best[better] = score[better]
    return coarse


def majority_ids(
    ids: NDArray[np.int32],
    labels: NDArray[np.uint8],
    coarse: NDArray[np.uint8],
    factor: Factor,
) -> NDArray[np.int32]:
    """The commonest id (the smallest of equals) among the voxels with the coarse voxel's label.

    Args:
        ids: Ids [z, y, x], 0 for none; lengths multiples of the factor.
        labels: Labels of the same voxels.
        coarse: Labels of the coarse voxels.
        factor: Fine voxels per coarse one along z, y, x.

    Returns:
        Ids of the coarse voxels, 0 where no voxel of the label has one.
    """
    if factor == (1, 1, 1):
        return np.asarray(ids)
    same = blocks(np.asarray(labels), factor) == coarse[..., None]
    return _mode(np.where(same, blocks(np.asarray(ids), factor), 0).astype(np.int32))


def _mode(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Most frequent non-zero entry along the last axis (the smallest on a tie), 0 if none."""
    result = np.zeros(ids.shape[:-1], dtype=np.int32)
    most = np.zeros(ids.shape[:-1], dtype=np.int32)
    ordered = np.sort(ids, axis=-1)
    for column in range(ids.shape[-1]):
        candidate = ordered[..., column]
        count = np.count_nonzero(ordered == candidate[..., None], axis=-1)
        better = (candidate > 0) & (count > most)
        result[better] = candidate[better]
        most[better] = count[better]
    return result
