"""A grey-scale volume becomes classes, with evidence of every step and of what it depends on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.segmentation.denoising import noise_level
from voxtrode.data.segmentation.evidence import histogram_evidence, outcome, steps_evidence
from voxtrode.data.segmentation.flooding import (
    find_markers,
    flood,
    gradient_magnitude,
    place_boundaries,
)
from voxtrode.data.segmentation.greyscale import Range, unit_grey
from voxtrode.data.segmentation.relaxation import Model, fit_model, relax
from voxtrode.data.segmentation.settings import Segmentation
from voxtrode.data.segmentation.specks import remove_specks
from voxtrode.data.segmentation.thresholds import (
    Histogram,
    histogram,
    midpoints,
    multi_otsu,
    plateaus,
)

Grey = NDArray[np.float32]
Labels = NDArray[np.uint8]
Triple = tuple[float, float, float]

_AMBIGUOUS = "voxels whose class changes when the thresholds are moved down or up by `vary`"


@dataclass(frozen=True, eq=False)
class Slices:
    """The middle layer of the volume, [y, x].

    Attributes:
        z: Number of the layer.
        grey: Grey values as they came, float64.
        denoised: Grey values without noise, in the same unit, float64.
        labels: Class of each voxel, uint8.
        ambiguous: Where the class depends on the exact thresholds, bool.
    """

    z: int
    grey: NDArray[np.float64]
    denoised: NDArray[np.float64]
    labels: Labels
    ambiguous: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Segmented:
    """A segmented volume.

    Attributes:
        labels: Class of each voxel [z, y, x], 0..n-1 in the order of `Segmentation.classes`; uint8.
        evidence: What was asked for, found and changed at each step (JSON-able); grey values are in
            the file's unit.
        slices: The middle layer, for a picture.
    """

    labels: Labels
    evidence: dict[str, Any]
    slices: Slices


@dataclass(frozen=True, eq=False)
class _Field:
    """What classes are judged by: grey values between 0 and 1, and where they are to be cut.

    Attributes:
        raw: Grey values as they came.
        grey: Grey values without noise.
        gradient: Magnitude of the gradient of these.
        levels: Grey value of each class.
        thresholds: Between the classes.
    """

    raw: Grey
    grey: Grey
    gradient: Grey
    levels: list[float]
    thresholds: list[float]

    def cuts(self, shift: float) -> NDArray[np.float64]:
        """Grey value between each two classes, moved by a share of their distance; float[n, n]."""
        levels = np.asarray(self.levels)
        cuts = 0.5 * (levels[:, None] + levels)
        for index, threshold in enumerate(self.thresholds):
            cuts[index, index + 1] = cuts[index + 1, index] = threshold
        return cuts + shift * np.abs(levels[:, None] - levels)

    def moved(self, thresholds: list[float]) -> Grey:
        """Grey values as they came, moved so that the middles of classes are at the thresholds."""
        above = np.asarray(thresholds) - midpoints(self.levels)
        step = np.digitize(self.grey, self.levels[1:-1])
        return self.raw - above.astype(np.float32)[step]


@dataclass(frozen=True, eq=False)
class _Steps:
    """The thresholds, the classes after each step by its name, and the share of sure voxels."""

    thresholds: list[float]
    labels: dict[str, Labels]
    sure: list[float] | None

    @property
    def last(self) -> Labels:
        return next(reversed(self.labels.values()))


def segment(grey: NDArray[Any], settings: Segmentation, voxel: Triple) -> Segmented:
    """Segment a grey-scale volume.

    Noise is removed; thresholds are found or taken as given; with a watershed, boundaries are put
    on edges, so that blur leaves no layer of a class between two others, and relaxed on the noisy
    grey values; small components go to their neighbours. All is done three
    times, with the thresholds moved by -vary, 0, +vary.

    Where thresholds are found: multi-Otsu gives first ones; classes get the grey value of their
    flat voxels; with a watershed, thresholds then are half-way between these. Relaxation honours
    given thresholds by moving the grey values by what each is above the middle of its two classes.

    What limits it: a layer between two other classes thinner than about three standard deviations
    of the scanner's blur looks the same as no layer; without relaxation a boundary with the radius
    of curvature R lies too far inside by about blur²/R; and of the voxels at a boundary, noise
    turns some (with a step of three times the noise and a blur of one voxel one in eight or more).
    It needs about 160 bytes per voxel.

    Args:
        grey: Grey values [z, y, x], integers or floats.
        settings: How.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Raises:
        InputError: Values are not finite or constant, or the settings do not fit them.
    """
    unit, scale = unit_grey(grey)
    _check(unit, settings, scale)
    noise = noise_level(unit)
    denoised = settings.denoise.apply(unit, noise)
    edges = histogram(unit).edges
    seen = histogram(denoised, edges)
    field, otsu = _field(unit, denoised, seen, settings, scale)
    varied = [_classify(field, settings, shift * settings.vary) for shift in (-1, 0, 1)]
    model = None
    if settings.relaxes and noise > 0.0:
        model = fit_model(varied[1].last, unit, field.levels, noise, settings.relax)
    low, base, high = (_refine(steps, field, settings, model) for steps in varied)
    ambiguous = (low.last != base.last) | (high.last != base.last)
    z = len(unit) // 2
    evidence = {
        "settings": settings.described(),
        "noise": noise * (scale.high - scale.low),
        "grey_range": [scale.low, scale.high],
        "otsu_thresholds": None if otsu is None else [scale.to_file(value) for value in otsu],
        "thresholds": [scale.to_file(value) for value in field.thresholds],
        "class_grey": dict(zip(settings.classes, map(scale.to_file, field.levels), strict=True)),
        "contrast_to_noise": float(np.diff(field.levels).min() / noise) if noise > 0.0 else None,
        "steps": steps_evidence(base.labels, base.sure, model, settings.classes),
        "ambiguous": {"share": float(ambiguous.mean()), "means": _AMBIGUOUS},
        "sensitivity": {
            "vary": settings.vary,
            "means": "thresholds moved by -vary, 0, +vary of the distance between two classes",
            "low": outcome(low.last, settings.classes, voxel),
            "base": outcome(base.last, settings.classes, voxel),
            "high": outcome(high.last, settings.classes, voxel),
        },
        "histogram": histogram_evidence(histogram(unit, edges), seen, scale),
    }
    slices = Slices(
        z,
        np.asarray(grey[z], dtype=np.float64),
        scale.to_file(denoised[z].astype(np.float64)),
        base.last[z].copy(),
        ambiguous[z].copy(),
    )
    return Segmented(base.last, evidence, slices)


def _check(unit: Grey, settings: Segmentation, scale: Range) -> None:
    wanted, rest, different = len(settings.classes), unit.ravel(), 0
    while rest.size and different < wanted:
        rest, different = rest[rest != rest[0]], different + 1
    if different < wanted:
        raise InputError(
            f"{wanted} classes, but the volume has only {different} different grey values: ask for "
            "fewer classes"
        )
    for threshold in settings.thresholds or ():
        if not scale.low < threshold < scale.high:
            raise InputError(
                f"threshold {threshold:g} is outside the grey values, {scale.low:g} to "
                f"{scale.high:g}: give thresholds in the file's unit"
            )


def _field(
    raw: Grey,
    denoised: Grey,
    seen: Histogram,
    settings: Segmentation,
    scale: Range,
) -> tuple[_Field, list[float] | None]:
    gradient = gradient_magnitude(denoised)
    if settings.thresholds is not None:
        given = [scale.to_unit(value) for value in settings.thresholds]
        levels = plateaus(denoised, gradient, given, settings.classes)
        return _Field(raw, denoised, gradient, levels, given), None
    otsu = multi_otsu(seen, len(settings.classes))
    levels = plateaus(denoised, gradient, otsu, settings.classes)
    if not settings.watershed:
        return _Field(raw, denoised, gradient, levels, otsu), otsu
    levels = plateaus(denoised, gradient, midpoints(levels), settings.classes)
    return _Field(raw, denoised, gradient, levels, midpoints(levels)), otsu


def _classify(field: _Field, settings: Segmentation, shift: float) -> _Steps:
    cuts = field.cuts(shift)
    thresholds = [float(cuts[index, index + 1]) for index in range(len(field.thresholds))]
    labels = {"threshold": np.digitize(field.grey, thresholds).astype(np.uint8)}
    sure = None
    if settings.watershed:
        markers = find_markers(field.grey, field.gradient, field.levels, thresholds)
        sure = [float((markers == index + 1).mean()) for index in range(len(field.levels))]
        flooded = flood(field.gradient, markers)
        labels["watershed"] = place_boundaries(flooded, field.grey, cuts)
    return _Steps(thresholds, labels, sure)


def _refine(steps: _Steps, field: _Field, settings: Segmentation, model: Model | None) -> _Steps:
    labels = dict(steps.labels)
    if model is not None:
        labels["relaxation"] = relax(steps.last, field.moved(steps.thresholds), model)
    if settings.specks > 1:
        last = next(reversed(labels.values()))
        labels["specks"] = remove_specks(last, len(field.levels), settings.specks)
    return replace(steps, labels=labels)
