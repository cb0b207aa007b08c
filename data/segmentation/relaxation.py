"""Classes that explain the noisy grey values best, with smooth boundaries (a Markov random field).

The scanner's model: each class has one grey value, blurred by a Gaussian, plus white noise. The
energy of a labelling is the squared misfit of the grey values as they came, over twice the noise's
variance, and a cost of boundaries (Potts model over 26 neighbours). Voxels next to a boundary
change their class one by one while that lowers the energy (iterated conditional modes; Besag,
J. R. Stat. Soc. B 48 (1986) 259, doi:10.1111/j.2517-6161.1986.tb01412.x), blur included.

A cost of boundaries alone shrinks whatever is convex. So what it leaves of the misfit along
boundaries, averaged over some voxels, is added back to the grey values (Bregman iteration; Osher
et al., Multiscale Model. Simul. 4 (2005) 460, doi:10.1137/040605412): fractions stay unbiased.
"""

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.float32]
Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]

_ROUNDS = 3  # estimates of blur and grey values, and misfits that are added back
_SWEEPS = 6  # through all voxels in each round, at most
_REACH = 4.0  # standard deviation of the average of the misfit along boundaries [voxels]
_ADDED = np.float32(0.5)  # share of the misfit that is added back: noise is in it, too
_CORE = 200  # voxels deep inside a class that tell its grey value
_APART = 0.7  # a boundary between the classes i and j costs |i - j| to this power
_BLURS = np.arange(6, 51) * 0.05  # standard deviations that are tried [voxels]
_SHARPEST = 0.5  # blur below which boundaries cost no more [voxels]
_BOX = 128  # edge of the box in the middle from which the blur is estimated [voxels]
_CUT = 3.5  # standard deviations after which a response is cut off


@dataclass(frozen=True, eq=False)
class Model:
    """What a scanner made of classes.

    Attributes:
        means: Grey value of each class, ascending.
        blur: Standard deviation of the scanner's blur [voxels].
        variance: Mean square of what this does not explain: the noise.
        left_over: What the cost of boundaries leaves of the misfit, to be added back [z, y, x].
    """

    means: Floats
    blur: float
    variance: float
    left_over: Grey


def fit_model(labels: Labels, grey: Grey, levels: list[float], strength: float) -> Model:
    """Fits the scanner's model, with classes that are relaxed as it gets better.

    Args:
        labels: Class of each voxel [z, y, x], to start from.
        grey: Grey values as they came [z, y, x].
        levels: Grey value of each class, ascending; for classes that are nowhere thick.
        strength: See `relax`.
    """
    model = _fitted(labels, grey, levels, 1.0, np.zeros_like(grey))
    for _ in range(_ROUNDS):
        labels = relax(labels, grey, model, np.zeros(len(levels) - 1), strength)
        model = _fitted(labels, grey, levels, model.blur, model.left_over)
        more = _mean_at_boundaries(labels, _pull(labels, grey, model))
        model = replace(model, left_over=model.left_over + _ADDED * more)
    return model


def relax(labels: Labels, grey: Grey, model: Model, offsets: Floats, strength: float) -> Labels:
    """Relax classes on the noisy grey values.

    Args:
        labels: Class of each voxel [z, y, x], to start from.
        grey: Grey values as they came [z, y, x].
        model: The scanner's.
        offsets: How far each threshold is above the middle of its two classes, float[n - 1].
        strength: Cost of the boundary per face of a voxel at a blur of one voxel, as a logarithm of
            likelihood; it goes with 1/blur, as the misfit of a moved boundary does.

    Returns:
        New labels.
    """
    out = labels.copy()
    pull = _pull(out, grey, model) + model.left_over
    # Blurred twice, an edge is less steep by the square root of two than blurred once.
    bias = np.append(0.0, np.cumsum(np.diff(model.means) * offsets)) * np.sqrt(2.0)
    apart = np.arange(len(model.means), dtype=np.float64) ** _APART
    cost = 2.0 * model.variance * strength / max(model.blur, _SHARPEST)
    z, y, x = (_responses(model.blur, count) for count in grey.shape)
    for _ in range(_SWEEPS):
        if not _sweep(out, pull, z, y, x, model.means, bias, cost * apart, _WEIGHTS):
            break
    return out


def _fitted(labels: Labels, grey: Grey, levels: list[float], blur: float, left_over: Grey) -> Model:
    means = _class_means(labels, grey, levels, blur)
    blur = _estimated_blur(labels, grey, means)
    misfit = grey - _blurred(means.astype(np.float32)[labels], blur)
    variance = float(np.mean(np.square(misfit, dtype=np.float64)))
    return Model(means, blur, variance, left_over)


def _pull(labels: Labels, grey: Grey, model: Model) -> Grey:
    """The misfit, blurred again: half the negative derivative of its square."""
    explained = _blurred(model.means.astype(np.float32)[labels], model.blur)
    return _blurred(grey - explained, model.blur)


def _blurred(values: Grey, blur: float) -> Grey:
    out: Grey = ndimage.gaussian_filter(values, blur, mode="reflect")
    return out


def _class_means(labels: Labels, grey: Grey, levels: list[float], blur: float) -> Floats:
    """Mean grey value of each class beyond the blur of others; its level where there is no such."""
    size = 2 * int(np.ceil(2.0 * blur + 0.5)) + 1
    inside = ndimage.minimum_filter(labels, size) == ndimage.maximum_filter(labels, size)
    cores = [grey[inside & (labels == index)] for index in range(len(levels))]
    found = [
        core.mean(dtype=np.float64) if core.size >= _CORE else level
        for core, level in zip(cores, levels, strict=True)
    ]
    return np.asarray(found if np.all(np.diff(found) > 0.0) else levels, dtype=np.float64)


def _estimated_blur(labels: Labels, grey: Grey, means: Floats) -> float:
    """The blur with the least misfit, by bisection: the misfit has one minimum."""
    corners = [max(0, (count - _BOX) // 2) for count in grey.shape]
    box = tuple(slice(corner, corner + _BOX) for corner in corners)
    sharp, seen = means.astype(np.float32)[labels[box]], grey[box]

    def misfit(index: int) -> float:
        left = seen - _blurred(sharp, float(_BLURS[index]))
        return float(np.mean(np.square(left, dtype=np.float64)))

    low, high = 0, len(_BLURS) - 1
    while low < high:
        middle = (low + high) // 2
        if misfit(middle) <= misfit(middle + 1):
            high = middle
        else:
            low = middle + 1
    return float(_BLURS[low])


def _responses(blur: float, count: int) -> Floats:
    """What a voxel gives, blurred twice, to those before and after it, float[count, 2 reach + 1].

    Mirrored at the ends, like `_blurred`: so blurring is its own adjoint.
    """
    unit = np.eye(count)
    for _ in range(2):
        unit = ndimage.gaussian_filter1d(unit, blur, axis=0, mode="reflect")
    reach = min(int(np.ceil(_CUT * np.sqrt(2.0) * blur)), count - 1)
    out = np.zeros((count, 2 * reach + 1))
    for shift in range(-reach, reach + 1):
        from_here = np.arange(max(0, -shift), count - max(0, shift))
        out[from_here, shift + reach] = unit[from_here, from_here + shift]
    return out


def _mean_at_boundaries(labels: Labels, pull: Grey) -> Grey:
    """Mean pull at the boundaries around."""
    mixed = ndimage.minimum_filter(labels, 3) != ndimage.maximum_filter(labels, 3)
    near = mixed.astype(np.float32)
    return _blurred(pull * near, _REACH) / (_blurred(near, _REACH) + np.float32(1e-3))


def _weights() -> Floats:
    """Of neighbours by the axes they differ in: 1/distance; a face of a plane costs 1."""
    weights = np.append(0.0, 1.0 / np.sqrt(np.arange(1.0, 4.0)))
    out: Floats = weights / (weights[1] + 4.0 * weights[2] + 4.0 * weights[3])
    return out


_WEIGHTS = _weights()


@njit(cache=True)
def _sweep(
    labels: Labels,
    pull: Grey,
    along_z: Floats,
    along_y: Floats,
    along_x: Floats,
    means: Floats,
    bias: Floats,
    apart: Floats,
    weights: Floats,
) -> int:
    """Gives each voxel at a boundary, in turn, the class of the least energy; how many changed.

    Energies are in units of 1 / (2 variance). `pull` is that of `_pull` and
    what was left over; it is kept up to date.
    """
    reach = along_z.shape[1] // 2, along_y.shape[1] // 2, along_x.shape[1] // 2
    around = np.zeros(len(means))
    nz, ny, nx = labels.shape
    changed = 0
    # Eight lattices in turn: neighbours that follow each other would all answer to the same misfit.
    for lattice in range(8):
        for z in range(lattice % 2, nz, 2):
            for y in range(lattice // 2 % 2, ny, 2):
                for x in range(lattice // 4, nx, 2):
                    if not _neighbours(labels, z, y, x, weights, around):
                        continue
                    own = along_z[z, reach[0]] * along_y[y, reach[1]] * along_x[x, reach[2]]
                    mine = int(labels[z, y, x])
                    best = _best(mine, own, pull[z, y, x], around, means, bias, apart)
                    if best != mine:
                        changed += 1
                        labels[z, y, x] = best
                        step = means[best] - means[mine]
                        _push(pull, z, y, x, step, along_z[z], along_y[y], along_x[x])
    return changed


@njit(cache=True)
def _best(
    mine: int,
    own: float,
    pull: float,
    around: Floats,
    means: Floats,
    bias: Floats,
    apart: Floats,
) -> int:
    """The class of the least energy for a voxel whose own share of its blurred grey is given."""
    best, least = mine, 0.0
    for other in range(len(means)):
        step = means[other] - means[mine]
        energy = step * (own * step - 2.0 * pull) + bias[other] - bias[mine]
        for near in range(len(means)):
            energy += around[near] * (apart[abs(other - near)] - apart[abs(mine - near)])
        if energy < least:
            best, least = other, energy
    return best


@njit(cache=True)
def _neighbours(labels: Labels, z: int, y: int, x: int, weights: Floats, around: Floats) -> bool:
    """Writes the weight of each class among the neighbours; whether there is another class."""
    nz, ny, nx = labels.shape
    mixed = False
    around[:] = 0.0
    for k in range(max(z - 1, 0), min(z + 2, nz)):
        for j in range(max(y - 1, 0), min(y + 2, ny)):
            for i in range(max(x - 1, 0), min(x + 2, nx)):
                mixed |= labels[k, j, i] != labels[z, y, x]
                around[labels[k, j, i]] += weights[abs(k - z) + abs(j - y) + abs(i - x)]
    return mixed


@njit(cache=True)
def _push(
    pull: Grey, z: int, y: int, x: int, step: float, here_z: Floats, here_y: Floats, here_x: Floats
) -> None:
    """Takes from the pull around a voxel what its new grey value explains."""
    nz, ny, nx = pull.shape
    rz, ry, rx = len(here_z) // 2, len(here_y) // 2, len(here_x) // 2
    for k in range(max(z - rz, 0), min(z + rz + 1, nz)):
        for j in range(max(y - ry, 0), min(y + ry + 1, ny)):
            moved = step * here_z[k - z + rz] * here_y[j - y + ry]
            for i in range(max(x - rx, 0), min(x + rx + 1, nx)):
                pull[k, j, i] -= moved * here_x[i - x + rx]
