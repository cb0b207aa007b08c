"""The likeliest class of each voxel near a boundary, given the noisy grey values around it.

The scanner's model: each class has one grey value, blurred by a Gaussian, plus white noise. The
fewest voxels are wrong where each gets the class with the largest marginal posterior (Marroquin,
Mitter, Poggio, J. Am. Stat. Assoc. 82 (1987) 76, doi:10.1080/01621459.1987.10478393). That needs to
know what shapes to expect, and they are taken from the volume itself (empirical Bayes): the present
classes are scanned anew by the model, a network learns to tell them from these grey values, and
is applied to the real ones. The classes get better so, and with them the shapes: this is repeated.

Giving every voxel its likeliest class takes from what is thin or rare. So the classes that are
learnt from next are not these but have the fractions that the chances add up to, which is what a
prior and its posterior agree in: without that, a thin class fades from round to round.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.segmentation.network import REACH, Network, patch_offsets

Grey = NDArray[np.float32]
Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BOX = 96  # edge of the box in the middle that is learnt from [voxels]
_BATCH = 512  # voxels in each step of learning
_STEPS = (100, 800)  # of learning in each round, fewest and most
_PER_STEP = 64  # voxels near boundaries that there are for each of them
_RATES = (3e-3, 5e-5)  # of learning, at the start and the end of a round
_CHUNK = 16384  # voxels that are classified at once
_BAND = 5  # edge of the cube that holds another class: voxels that are classified
_FINENESS = 0.05  # between blurs that are tried [voxels]
_SHARPEST = 4  # the smallest, over that
_PASSES = 2  # each moves a boundary by two voxels at most
_MATCHES = 60  # steps towards given fractions
_FEW = 1e-4  # share below which a class's fraction is not matched


@dataclass(frozen=True, eq=False)
class Model:
    """What a scanner makes of classes, and how these are told from it.

    Attributes:
        means: Grey value of each class, ascending.
        blur: Standard deviation of the scanner's blur [voxels].
        network: Gives the chances of classes.
        known: Whether the network has seen each class, bool[n]; others are kept as they are.
    """

    means: Floats
    blur: float
    network: Network
    known: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Band:
    """Voxels near a boundary and their surroundings.

    Attributes:
        at: Their places in the flat volume, int64[n].
        within: Their places in the flat volume with a margin.
        offsets: See `patch_offsets`.
    """

    at: Ints
    within: Ints
    offsets: Ints

    def patches(self, padded: Grey, chosen: Ints | slice, way: int) -> Grey:
        """Surroundings of some of the voxels, float32[n, PATCH]."""
        out: Grey = padded.ravel()[self.within[chosen, None] + self.offsets[way]]
        return out


def fit_model(
    labels: Labels, grey: Grey, levels: list[float], noise: float, rounds: int
) -> Model | None:
    """Fit the scanner's model and learn to tell classes.

    Args:
        labels: Class of each voxel [z, y, x], to start from.
        grey: Grey values as they came [z, y, x].
        levels: Grey value of each class, ascending; where they cannot be fitted.
        noise: Standard deviation of the noise.
        rounds: Of learning, from 1.

    Returns:
        The model, or None where the middle of the volume has no boundary.
    """
    corners = [max(0, (count - _BOX) // 2) for count in grey.shape]
    box = tuple(slice(corner, corner + _BOX) for corner in corners)
    labels, grey = labels[box], grey[box]
    random = np.random.default_rng(0)
    known = np.bincount(labels.ravel(), minlength=len(levels)) > 0
    if np.count_nonzero(known) < 2:
        return None
    model = Model(np.asarray(levels), 1.0, Network(len(levels), random), known)
    for _ in range(rounds):
        means, blur = _scanner(labels, grey, levels, model.blur)
        model = Model(means, blur, model.network, known)
        _learn(model, labels, noise, random)
        band = _band(_near(labels, known))
        labels = _matched(labels, band, _chances(grey, band, model))
    return model


def known_model(
    labels: Labels, levels: list[float], blur: float, noise: float, rounds: int
) -> Model:
    """The model of a scanner that is known, learnt from true classes of a like volume.

    What it makes of another volume tells how much of the wrong voxels comes from not knowing these.

    Args:
        labels: Class of each voxel [z, y, x].
        levels: Grey value of each class, ascending.
        blur: Standard deviation of the scanner's blur [voxels].
        noise: Standard deviation of the noise.
        rounds: Of learning, from 1, each of a new draw of the noise.
    """
    random = np.random.default_rng(0)
    known = np.bincount(labels.ravel(), minlength=len(levels)) > 0
    model = Model(np.asarray(levels), blur, Network(len(levels), random), known)
    for _ in range(rounds):
        _learn(model, labels, noise, random)
    return model


def relax(labels: Labels, grey: Grey, model: Model) -> Labels:
    """Give voxels near boundaries their likeliest class.

    Args:
        labels: Class of each voxel [z, y, x], to start from.
        grey: Grey values as they came [z, y, x].
        model: The scanner's.

    Returns:
        New labels.
    """
    out, done = labels.copy(), np.zeros(labels.shape, dtype=np.bool_)
    for _ in range(_PASSES):
        near = _near(out, model.known) & ~done
        band = _band(near)
        out[near] = _chances(grey, band, model).argmax(axis=1)
        done |= near
    return out


def _scanner(labels: Labels, grey: Grey, levels: list[float], guess: float) -> tuple[Floats, float]:
    """Grey values of the classes and blur with the least misfit, searched from a guess."""
    seen = grey.ravel().astype(np.float64)

    def fitted(blur: float) -> tuple[float, Floats]:
        shares: Floats = np.stack(
            [_blurred((labels == number).astype(np.float32), blur).ravel() for number in classes],
            dtype=np.float64,
        )
        right = shares @ seen
        means = np.linalg.lstsq(shares @ shares.T, right)[0]
        return float(-right @ means), means

    classes = range(len(levels))
    tried: dict[int, tuple[float, Floats]] = {}
    here, best = -1, round(guess / _FINENESS)
    while here != best:
        here = best
        around = range(max(here - 1, _SHARPEST), here + 2)
        tried |= {number: fitted(number * _FINENESS) for number in around if number not in tried}
        best = min(around, key=lambda number: tried[number][0])
    means = tried[best][1]
    sound = np.all(np.diff(means) > 0.5 * np.diff(levels))
    return means if sound else np.asarray(levels), best * _FINENESS


def _learn(model: Model, labels: Labels, noise: float, random: np.random.Generator) -> None:
    """Trains the network on the classes, scanned anew."""
    band = _band(_near(labels, model.known))
    if not band.at.size:
        return
    grey = _blurred(model.means.astype(np.float32)[labels], model.blur)
    grey += np.float32(noise) * random.standard_normal(grey.shape, dtype=np.float32)
    padded, classes = _padded(grey, model), labels.ravel()[band.at]
    steps = min(max(len(band.at) // _PER_STEP, _STEPS[0]), _STEPS[1])
    for rate in np.linspace(*_RATES, steps):
        chosen = random.integers(len(band.at), size=_BATCH)
        patches = band.patches(padded, chosen, int(random.integers(len(band.offsets))))
        model.network.learn(patches, classes[chosen], float(rate))


def _near(labels: Labels, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels near a boundary, of classes that are known."""
    near = ndimage.minimum_filter(labels, _BAND) != ndimage.maximum_filter(labels, _BAND)
    out: NDArray[np.bool_] = near & known[labels]
    return out


def _band(near: NDArray[np.bool_]) -> _Band:
    inside = np.pad(near, REACH)
    return _Band(np.flatnonzero(near), np.flatnonzero(inside), patch_offsets(inside.shape))


def _chances(grey: Grey, band: _Band, model: Model) -> Grey:
    """Chance of each class for the voxels of the band, float32[n, classes]."""
    padded = _padded(grey, model)
    out = np.empty((len(band.at), len(model.means)), dtype=np.float32)
    for start in range(0, len(band.at), _CHUNK):
        some = slice(start, start + _CHUNK)
        out[some] = model.network.chances(band.patches(padded, some, 0))
    return out


def _matched(labels: Labels, band: _Band, chances: Grey) -> Labels:
    """Classes by the chances, these weighted so that fractions are those of the chances' sums."""
    out = labels.copy()
    wanted = chances.mean(axis=0, dtype=np.float64) + _FEW
    scores = np.log(chances + np.float32(1e-6))
    shifts = np.zeros(len(wanted), dtype=np.float32)
    for _ in range(_MATCHES):
        found = (scores + shifts).argmax(axis=1)
        got = np.bincount(found, minlength=len(wanted)) / len(found) + _FEW
        shifts += (0.5 * np.log(wanted / got)).astype(np.float32)
    out.ravel()[band.at] = (scores + shifts).argmax(axis=1)
    return out


def _padded(grey: Grey, model: Model) -> Grey:
    """Grey values in units of the smallest step, with a margin that mirrors them."""
    middle, step = np.float32(model.means.mean()), np.float32(np.diff(model.means).min())
    out: Grey = np.pad((grey - middle) / step, REACH, mode="symmetric")
    return out


def _blurred(values: Grey, blur: float) -> Grey:
    out: Grey = ndimage.gaussian_filter(values, blur, mode="reflect")
    return out
