"""Small components of a class are given to their neighbours."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.connectivity import neighbours

Labels = NDArray[np.uint8]


def remove_specks(labels: Labels, classes: int, smallest: int) -> Labels:
    """Gives face-connected components of few voxels to the class they share most faces with.

    Classes are treated in order, each on the result of the one before. Of classes with equally
    many faces the first takes the component. The box cuts components: those that touch its sides
    may be small for that reason, and are treated like the others.

    Args:
        labels: Class of each voxel [z, y, x], 0..classes-1.
        classes: Number of classes.
        smallest: Components of fewer voxels are removed.

    Returns:
        New labels.
    """
    out = labels.copy()
    if smallest <= 1:
        return out
    for index in range(classes):
        ids, count = ndimage.label(out == index)
        sizes = np.bincount(ids.ravel(), minlength=count + 1)
        small = sizes < smallest
        small[0] = False
        if not small.any():
            continue
        number = np.where(small, np.cumsum(small), 0)  # 1..n for the small ones
        numbers = number[ids]
        faces = _faces(numbers, out, int(number.max()), classes)
        faces[:, index] = 0  # its own
        owner = np.where(faces.any(axis=1), faces.argmax(axis=1), index).astype(np.uint8)
        inside = numbers > 0
        out[inside] = owner[numbers[inside]]
    return out


def _faces(
    numbers: NDArray[np.int64], labels: Labels, count: int, classes: int
) -> NDArray[np.int64]:
    """Faces between each numbered component and each class, int[count + 1, classes]."""
    faces = np.zeros((count + 1, classes), dtype=np.int64)
    for here, there in neighbours():
        for mine, other in ((here, there), (there, here)):
            touching = numbers[mine] > 0
            pairs = numbers[mine][touching] * classes + labels[other][touching]
            faces += np.bincount(pairs, minlength=faces.size).reshape(faces.shape)
    return faces
