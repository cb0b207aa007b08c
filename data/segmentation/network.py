"""A small network that gives the chances of each class from the grey values around a voxel.

Two hidden layers with leaky rectifiers, trained by Adam (Kingma, Ba, ICLR 2015, arXiv:1412.6980)
on the cross entropy, in single precision. Trained on draws of classes and grey values it tends to
the marginal posterior of a voxel's class (Richard, Lippmann, Neural Comput. 3 (1991) 461,
doi:10.1162/neco.1991.3.4.461).
"""

from dataclasses import dataclass
from itertools import pairwise, permutations, product

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

REACH = 4
"""Radius of the ball of voxels that a voxel is classified by."""
_POINTS = np.indices((2 * REACH + 1,) * 3).reshape(3, -1) - REACH
_POINTS = _POINTS[:, np.square(_POINTS).sum(axis=0) <= REACH**2]
PATCH = _POINTS.shape[1]
"""Voxels of that ball."""
_HIDDEN = (128, 48)
_LEAK = np.float32(0.05)
_DECAYS = (0.9, 0.999)  # of the averages of the slope and its square
_TINY = np.float32(1e-8)


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer and the averages of its slopes; arrays are changed in place."""

    weights: Singles
    offsets: Singles
    averages: tuple[Singles, Singles, Singles, Singles]


class Network:
    """Chances of classes from the grey values of a ball of voxels."""

    def __init__(self, classes: int, random: np.random.Generator) -> None:
        """Draw small weights (He et al., ICCV 2015) for a number of classes."""
        widths = (PATCH, *_HIDDEN, classes)
        self._layers = [_layer(here, there, random) for here, there in pairwise(widths)]
        self._steps = 0

    def chances(self, patches: Singles) -> Singles:
        """Chance of each class, float32[n, classes], from patches float32[n, PATCH]."""
        return self._forward(patches)[-1]

    def learn(self, patches: Singles, classes: NDArray[np.uint8], rate: float) -> None:
        """One step of Adam on patches of known classes."""
        seen = self._forward(patches)
        slope = seen[-1].copy()
        slope[np.arange(len(classes)), classes] -= 1.0
        slope /= np.float32(len(classes))
        self._steps += 1
        for number in range(len(self._layers) - 1, -1, -1):
            layer, below = self._layers[number], seen[number]
            slopes = below.T @ slope, slope.sum(axis=0)
            if number:
                slope = slope @ layer.weights.T
                slope *= np.where(below > 0.0, np.float32(1.0), _LEAK)
            _descend(layer, slopes, rate, self._steps)

    def _forward(self, patches: Singles) -> list[Singles]:
        seen = [patches]
        for layer in self._layers[:-1]:
            sums: Singles = seen[-1] @ layer.weights + layer.offsets
            seen.append(np.maximum(sums, _LEAK * sums))
        sums = seen[-1] @ self._layers[-1].weights + self._layers[-1].offsets
        powers: Singles = np.exp(sums - sums.max(axis=1, keepdims=True))
        seen.append(powers / powers.sum(axis=1, keepdims=True))
        return seen


def patch_offsets(shape: tuple[int, ...]) -> Ints:
    """Distances in memory from a voxel to those of its patch, turned and mirrored in 48 ways.

    Args:
        shape: Of the array that holds the patches, in the order of C.

    Returns:
        int64[48, PATCH].
    """
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    ways = product(permutations(range(3)), product((1, -1), repeat=3))
    return np.stack([(strides * signs) @ _POINTS[list(order)] for order, signs in ways])


def _layer(here: int, there: int, random: np.random.Generator) -> Layer:
    weights = random.standard_normal((here, there), dtype=np.float32)
    weights *= np.float32(np.sqrt(2.0 / here))
    offsets = np.zeros(there, dtype=np.float32)
    first, second = (np.zeros_like(weights), np.zeros_like(weights)), (offsets.copy(), offsets + 0)
    return Layer(weights, offsets, (*first, *second))


def _descend(layer: Layer, slopes: tuple[Singles, Singles], rate: float, steps: int) -> None:
    step = np.float32(rate / (1.0 - _DECAYS[0] ** steps))
    scale = np.float32(1.0 / (1.0 - _DECAYS[1] ** steps))
    means, squares = layer.averages[::2], layer.averages[1::2]
    for part, value in enumerate((layer.weights, layer.offsets)):
        means[part][...] += np.float32(1.0 - _DECAYS[0]) * (slopes[part] - means[part])
        squares[part][...] += np.float32(1.0 - _DECAYS[1]) * (slopes[part] ** 2 - squares[part])
        value[...] -= step * means[part] / (np.sqrt(scale * squares[part]) + _TINY)
