"""Segmentation of known volumes that were blurred and made noisy as a scanner would."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import erf

from voxtrode.data.segmentation.denoising import Median, NoDenoise, NonLocalMeans, noise_level
from voxtrode.data.segmentation.relaxation import known_model, relax
from voxtrode.data.segmentation.segment import Segmented, segment
from voxtrode.data.segmentation.settings import Segmentation
from voxtrode.data.segmentation.suggestion import suggested_thresholds

Labels = NDArray[np.uint8]
UNIT = (1.0, 1.0, 1.0)
THREE = ("pore", "cbd", "nmc")


def distance_to_balls(
    shape: tuple[int, int, int], radius: float, share: float, seed: int
) -> NDArray[np.float32]:
    """Distance of each voxel to the nearest of random balls that do not overlap [voxels]."""
    rng = np.random.default_rng(seed)
    at = np.indices(shape, dtype=np.float32)
    nearest = np.full(shape, np.inf, dtype=np.float32)
    centres: list[NDArray[np.float64]] = []
    while (nearest <= 0.0).mean() < share:
        for _ in range(3000):
            centre = rng.random(3) * shape
            if all(np.linalg.norm(centre - other) >= 2.0 * radius for other in centres):
                break
        else:
            break
        centres.append(centre)
        away = np.sqrt(((at - centre.astype(np.float32)[:, None, None, None]) ** 2).sum(axis=0))
        np.minimum(nearest, away - radius, out=nearest)
    return nearest


def film_on_balls(edge: int, radius: float, film: float, seed: int, covered: float) -> Labels:
    """Balls (2), a film (1) on a part of their surface, pores (0)."""
    away = distance_to_balls((edge,) * 3, radius, 0.45, seed)
    patches = ndimage.gaussian_filter(
        np.random.default_rng(seed).standard_normal(away.shape), radius
    )
    coated = (away <= film) & (patches >= np.quantile(patches, 1.0 - covered))
    return np.where(away <= 0.0, 2, coated).astype(np.uint8)


def scanned(
    labels: Labels,
    seed: int,
    levels: tuple[float, ...] = (0.0, 1.0, 2.0),
    blur: float = 1.0,
    contrast_to_noise: float = 3.0,
) -> NDArray[np.float32]:
    """Grey values of the classes, blurred, with white noise."""
    sharp = np.asarray(levels, dtype=np.float32)[labels]
    noise = min(b - a for a, b in pairwise(levels)) / contrast_to_noise
    random = np.random.default_rng(seed + 1000).standard_normal(labels.shape)
    return (
        ndimage.gaussian_filter(sharp, blur, mode="nearest") + (noise * random).astype(np.float32)
    ).astype(np.float32)


def fractions(labels: Labels, count: int) -> NDArray[np.float64]:
    return np.bincount(labels.ravel(), minlength=count) / labels.size


def boundary_share(labels: Labels) -> float:
    """Share of the voxels with a face to another class."""
    cross = ndimage.generate_binary_structure(3, 1)
    high = ndimage.maximum_filter(labels, footprint=cross)
    return float((high != ndimage.minimum_filter(labels, footprint=cross)).mean())


def two_planes(shape: tuple[int, int, int] = (24, 24, 24)) -> NDArray[np.float32]:
    """Dark where x is below the middle, else bright; blurred, hardly any noise."""
    labels = np.zeros(shape, dtype=np.uint8)
    labels[:, :, shape[2] // 2 :] = 1
    return scanned(labels, 0, (10.0, 20.0), contrast_to_noise=50.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
def test_packed_balls_with_a_film(seed: int) -> None:
    """Noise of a third of the step turns one in eight of the boundary's voxels, and no others."""
    truth = film_on_balls(80, 26.0, 6.0, seed, covered=0.5)
    found = segment(scanned(truth, seed), Segmentation(THREE, specks=27), UNIT)
    wrong = float((found.labels != truth).mean())
    assert wrong < 0.02
    assert wrong < 0.16 * boundary_share(truth)
    assert np.abs(fractions(found.labels, 3) - fractions(truth, 3)).max() < 0.01
    assert found.evidence["contrast_to_noise"] == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize(("seed", "levels"), [(31, (0.0, 1.0)), (32, (-3.0, 500.0))])
def test_two_phases(seed: int, levels: tuple[float, float]) -> None:
    """An unknown place of a patch of 25 voxels of boundary is 0.13 blurs: 1 % here at most."""
    truth = (distance_to_balls((56,) * 3, 18.0, 0.4, seed) <= 0.0).astype(np.uint8)
    found = segment(scanned(truth, seed, levels), Segmentation(("pore", "nmc"), relax=3), UNIT)
    assert (found.labels != truth).mean() < 0.015
    assert np.abs(fractions(found.labels, 2) - fractions(truth, 2)).max() < 0.005


@pytest.mark.slow
@pytest.mark.parametrize(("radius", "blur"), [(6.0, 0.5), (7.0, 0.7), (9.0, 1.0)])
def test_balls_down_to_a_radius_of_six(radius: float, blur: float) -> None:
    """Below 2 % wrong where small convex bodies are shrunk by smoothing alone."""
    truth = (distance_to_balls((48,) * 3, radius, 0.3, 33) <= 0.0).astype(np.uint8)
    found = segment(scanned(truth, 33, (0.0, 1.0), blur), Segmentation(("pore", "nmc")), UNIT)
    assert (found.labels != truth).mean() < 0.02
    assert abs(float(found.labels.mean()) - float(truth.mean())) < 0.005


@pytest.mark.slow
def test_a_film_in_three_phases() -> None:
    """Below 2 % wrong with a film of four voxels on balls, and the film keeps its fraction."""
    truth = film_on_balls(48, 14.0, 4.0, 44, covered=0.5)
    found = segment(scanned(truth, 44, blur=0.5), Segmentation(THREE), UNIT)
    assert (found.labels != truth).mean() < 0.02
    assert np.abs(fractions(found.labels, 3) - fractions(truth, 3)).max() < 0.01


def blurred_ball(radius: float, edge: int) -> NDArray[np.float64]:
    """The indicator of a ball, convolved with a Gaussian of one voxel: in closed form."""
    centre = np.indices((edge,) * 3) + np.array([0.5, 0.31, 0.17])[:, None, None, None] - edge // 2
    r = np.sqrt((centre**2).sum(axis=0))
    inner, outer = radius - r, radius + r
    steps = 0.5 * (erf(inner / np.sqrt(2.0)) + erf(outer / np.sqrt(2.0)))
    rims = np.exp(-0.5 * inner**2) - np.exp(-0.5 * outer**2)
    ball: NDArray[np.float64] = steps - rims / (r * np.sqrt(2.0 * np.pi))
    return ball


@pytest.mark.parametrize("radius", [6.0, 8.0, 11.0])
def test_curved_boundaries_move_by_blur_squared_over_radius(radius: float) -> None:
    """What limits it without any noise: half the grey lies at R - blur²/R (leading order).

    The volume then is smaller by the share 3 blur²/R². Next orders are below 10 % of that, and
    counting voxels tells the volume of such balls to 0.3 %.
    """
    grey = blurred_ball(radius, 30)
    found = segment(grey, Segmentation(("pore", "nmc"), NoDenoise(), relax=0.0), UNIT)
    lost = 1.0 - found.labels.sum() / (4.0 / 3.0 * np.pi * radius**3)
    assert lost == pytest.approx(3.0 / radius**2, rel=0.1, abs=0.004)


@pytest.mark.parametrize("radius", [6.0, 8.0])
def test_relaxation_puts_curved_boundaries_back(radius: float) -> None:
    """Relaxation knows the blur, and what balls look like through it.

    Without it the ball loses 3/R² and more, 8 % and 5 %. Noise moves the whole surface of 450 or
    more voxels by below 0.03 voxels, 1.5 % of the volume of the smaller.
    """
    noise = np.random.default_rng(9).standard_normal((30, 30, 30)) / 6.0
    grey = blurred_ball(radius, 30) + noise
    found = segment(grey, Segmentation(("pore", "nmc")), UNIT)
    plain = segment(grey, Segmentation(("pore", "nmc"), relax=0.0), UNIT)
    volume = 4.0 / 3.0 * np.pi * radius**3
    assert found.labels.sum() / volume == pytest.approx(1.0, abs=0.02)
    assert plain.labels.sum() / volume < 0.97
    relaxed = found.evidence["steps"][-1]
    assert relaxed["step"] == "relaxation"
    assert relaxed["blur_voxels"] == pytest.approx(1.0, abs=0.1)
    assert [step["step"] for step in plain.evidence["steps"]] == ["threshold", "watershed"]


def test_relaxation_turns_fewer_voxels() -> None:
    """A third fewer wrong voxels on small particles at least, and the fraction within 0.5 %."""
    truth = (distance_to_balls((48,) * 3, 7.0, 0.4, 33) <= 0.0).astype(np.uint8)
    grey = scanned(truth, 33, (0.0, 1.0))
    settings = Segmentation(("pore", "nmc"))
    found = segment(grey, settings, UNIT).labels
    plain = segment(grey, replace(settings, relax=0.0), UNIT).labels
    assert (found != truth).mean() < 0.67 * (plain != truth).mean()
    assert abs(float(found.mean()) - float(truth.mean())) < 0.005


def test_a_scanner_that_is_known() -> None:
    """What is learnt from the true classes of other balls tells these better than a filter."""
    other, truth = (
        (distance_to_balls((40,) * 3, 9.0, 0.4, seed) <= 0.0).astype(np.uint8) for seed in (51, 52)
    )
    grey = scanned(truth, 53, (0.0, 1.0), blur=0.5)
    model = known_model(other, [0.0, 1.0], 0.5, 1.0 / 3.0, rounds=2)
    rough = (ndimage.gaussian_filter(grey, 1.0) > 0.5).astype(np.uint8)
    found = relax(rough, grey, model)
    assert (found != truth).mean() < min(0.02, 0.7 * (rough != truth).mean())


def test_no_layer_between_dark_and_bright() -> None:
    """Blur alone makes a layer of the middle class; thresholds see it, the watershed does not."""
    truth = np.zeros((40, 40, 40), dtype=np.uint8)
    truth[:, :, 14:] = 2
    truth[:12, :, 14:] = 1
    grey = scanned(truth, 3)
    plain = segment(grey, Segmentation(THREE, watershed=False), UNIT).labels
    flooded = segment(grey, Segmentation(THREE), UNIT).labels
    dark_to_bright = (slice(16, None), slice(None), slice(8, 20))
    assert (plain[dark_to_bright] == 1).mean() > 0.05
    # Noise wets the boundary here and there at most.
    assert (flooded[dark_to_bright] == 1).mean() < 0.001


@pytest.mark.parametrize("blur", [0.7, 1.0, 1.4])
def test_a_film_of_four_blurs_is_kept(blur: float) -> None:
    """The steepness of edges is taken from the volume, so that no blur need be given."""
    film = max(3, round(4.0 * blur))
    truth = np.zeros((32, 40, 40), dtype=np.uint8)
    truth[:, :, 16:] = 1
    truth[:, :, 16 + film :] = 2
    truth[:, 20:, 16 : 16 + film] = 2  # and bare next to it
    found = segment(scanned(truth, 4, blur=blur), Segmentation(THREE), UNIT).labels
    share = (found == 1).mean() / (truth == 1).mean()
    assert share == pytest.approx(1.0, abs=0.12)


def test_uneven_steps() -> None:
    """Midpoints of the classes, where Otsu's thresholds depend on how much there is of each."""
    truth = film_on_balls(48, 18.0, 6.0, 41, covered=1.0)
    found = segment(scanned(truth, 41, (0.0, 1.0, 4.0)), Segmentation(THREE), UNIT)
    assert found.evidence["thresholds"] == pytest.approx([0.5, 2.5], abs=0.05)
    assert np.abs(fractions(found.labels, 3) - fractions(truth, 3)).max() < 0.012


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int32, np.uint64, np.float16, np.float32, np.float64]
)
def test_any_type_gives_the_same(dtype: type[np.number[Any]]) -> None:
    """Scaled to whole values from 0 to 200 all types hold the same numbers."""
    grey = np.rint(two_planes((10, 12, 20)) * 5.0)
    wanted = segment(grey, Segmentation(("a", "b"), relax=1), UNIT)
    found = segment(grey.astype(dtype), Segmentation(("a", "b"), relax=1), UNIT)
    assert np.array_equal(found.labels, wanted.labels)
    assert found.labels.dtype == np.uint8
    assert found.evidence["thresholds"] == wanted.evidence["thresholds"]
    assert 70.0 < found.evidence["thresholds"][0] < 80.0


def test_huge_values() -> None:
    """Ranges that single precision does not hold."""
    grey = two_planes((6, 12, 20)).astype(np.float64) * 1e300
    labels = segment(grey, Segmentation(("a", "b"), relax=1), UNIT).labels
    assert np.array_equal(labels, np.broadcast_to(np.arange(20) >= 10, labels.shape))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("denoise", [NonLocalMeans(), Median(1), NoDenoise()])
def test_one_voxel_thick(axis: int, denoise: Any) -> None:
    """A plane is segmented as a plane, whichever way it lies."""
    plane = two_planes((1, 20, 20))[0]
    grey = np.expand_dims(plane, axis)
    found = segment(grey, Segmentation(("a", "b"), denoise, relax=1), UNIT)
    expected = np.expand_dims(np.broadcast_to(np.arange(20) >= 10, (20, 20)), axis)
    assert np.array_equal(found.labels, expected)


@pytest.mark.parametrize("shape", [(1, 1, 40), (2, 3, 40), (1, 40, 2)])
def test_few_voxels(shape: tuple[int, int, int]) -> None:
    along = int(np.argmax(shape))
    ramp = np.expand_dims(np.arange(40) >= 20, tuple(a for a in range(3) if a != along))
    grey = np.broadcast_to(np.where(ramp, 9.0, 1.0), shape)
    found = segment(grey, Segmentation(("a", "b")), UNIT)
    assert np.array_equal(found.labels, np.broadcast_to(ramp, shape))


def test_labels_as_grey_values_come_back() -> None:
    """Nothing to denoise, sharp edges: the classes are the values."""
    truth = film_on_balls(40, 12.0, 4.0, 5, covered=1.0)
    grey = (truth.astype(np.uint16) * 120 + 7).astype(np.uint16)
    found = segment(grey, Segmentation(THREE), UNIT)
    assert found.evidence["noise"] == 0.0
    assert found.evidence["contrast_to_noise"] is None
    assert (found.labels != truth).mean() < 0.001


def evidence_of(found: Segmented) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(json.dumps(found.evidence, allow_nan=False))
    return decoded


def test_evidence() -> None:
    """Steps, sensitivity and histogram add up, and are plain JSON."""
    truth = film_on_balls(36, 12.0, 5.0, 6, covered=0.6)
    grey = scanned(truth, 6)
    voxel = (1e-6, 2e-6, 0.5e-6)
    settings = Segmentation(THREE, specks=8, relax=2)
    found = segment(grey, settings, voxel)
    evidence = evidence_of(found)
    assert evidence == found.evidence
    assert [step["step"] for step in evidence["steps"]] == [
        "threshold",
        "watershed",
        "relaxation",
        "specks",
    ]
    for step in evidence["steps"]:
        assert sum(step["fractions"].values()) == pytest.approx(1.0)
    last = dict(zip(THREE, fractions(found.labels, 3), strict=True))
    assert evidence["steps"][-1]["fractions"] == pytest.approx(last)
    assert evidence["sensitivity"]["base"]["fractions"] == pytest.approx(last)
    low, high = (evidence["sensitivity"][name]["fractions"] for name in ("low", "high"))
    assert low["nmc"] > last["nmc"] > high["nmc"]
    assert low["pore"] < last["pore"] < high["pore"]
    moved = sum(abs(low[name] - high[name]) for name in THREE) / 2.0
    assert moved <= evidence["ambiguous"]["share"] <= boundary_share(found.labels)
    areas = evidence["sensitivity"]["base"]["interfaces"]
    assert set(areas) == {"pore|cbd", "pore|nmc", "cbd|nmc"}
    assert (
        areas["cbd|nmc"]["area_m2"]["voxel_faces"] > areas["cbd|nmc"]["area_m2"]["marching_cubes"]
    )
    assert sum(evidence["histogram"]["counts"]) == grey.size
    assert sum(evidence["histogram"]["denoised_counts"]) == grey.size
    assert evidence["grey_range"] == [grey.min(), grey.max()]
    assert evidence["noise"] == pytest.approx(1.0 / 3.0, rel=0.05)
    assert list(evidence["class_grey"].values()) == pytest.approx([0.0, 1.0, 2.0], abs=0.06)
    slices = found.slices
    assert slices.z == 18
    assert np.array_equal(slices.grey, grey[18])
    assert np.array_equal(slices.labels, found.labels[18])
    assert slices.denoised.std() < slices.grey.std()
    again = segment(grey, settings, voxel)
    assert np.array_equal(again.labels, found.labels)
    assert again.evidence == evidence


def test_otsu_takes_the_middle_of_a_gap() -> None:
    """Every threshold between two values is as good."""
    grey = np.where(np.arange(60).reshape(3, 4, 5) % 3 == 0, 100, 20)
    plain = Segmentation(("a", "b"), NoDenoise(), watershed=False)
    found = segment(grey, plain, UNIT)
    assert found.evidence["thresholds"] == pytest.approx([60.0])
    assert found.evidence["ambiguous"]["share"] == 0.0
    assert np.array_equal(found.labels, grey == 100)


def test_given_thresholds_are_kept() -> None:
    """A threshold at a quarter of the step moves the blurred plane by 0.67 of the blur."""
    grey = two_planes((16, 16, 40))
    labels = segment(grey, Segmentation(("a", "b"), thresholds=(15.0,)), UNIT).labels
    lower = segment(grey, Segmentation(("a", "b"), thresholds=(12.5,)), UNIT)
    assert np.array_equal(labels, np.broadcast_to(np.arange(40) >= 20, labels.shape))
    assert np.array_equal(lower.labels, np.broadcast_to(np.arange(40) >= 19, labels.shape))
    assert lower.evidence["thresholds"] == [12.5]
    assert lower.evidence["otsu_thresholds"] is None


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("flip", [False, True])
def test_directions_are_alike(axis: int, flip: bool) -> None:
    """A turned image gives turned labels."""
    grey = two_planes((12, 14, 16))
    turned = np.moveaxis(grey, 2, axis)[::-1] if flip else np.moveaxis(grey, 2, axis)
    expected = segment(grey, Segmentation(("a", "b"), relax=1), UNIT).labels
    expected = np.moveaxis(expected, 2, axis)[::-1] if flip else np.moveaxis(expected, 2, axis)
    assert np.array_equal(segment(turned, Segmentation(("a", "b"), relax=1), UNIT).labels, expected)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2), (2,)])
def test_noise_level(axes: tuple[int, ...]) -> None:
    """White noise of a known deviation on a smooth ramp; 3 % from 1500 values or more."""
    shape = tuple(40 if axis in axes else 1 for axis in range(3))
    if axes == (2,):
        shape = (1, 1, 20000)
    ramp = np.linspace(0.0, 1.0, shape[2])
    random = np.random.default_rng(1).standard_normal(shape)
    assert noise_level((ramp + 0.2 * random).astype(np.float32)) == pytest.approx(0.2, rel=0.05)
    assert noise_level(np.broadcast_to(ramp, shape).astype(np.float32)) < 1e-6


def test_denoising_in_blocks_is_seamless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks see all that a voxel depends on; left is the rounding of running sums."""
    grey = scanned(film_on_balls(26, 9.0, 4.0, 7, covered=1.0), 7)
    whole = NonLocalMeans().apply(grey, 0.3)
    monkeypatch.setattr("voxtrode.data.segmentation.denoising._BLOCK", 17)
    assert np.abs(NonLocalMeans().apply(grey, 0.3) - whole).max() < 1e-3


def test_suggested_classes() -> None:
    truth = film_on_balls(48, 16.0, 6.0, 8, covered=0.6)
    three = suggested_thresholds(scanned(truth, 8) * 100.0 + 50.0)
    assert three == pytest.approx((100.0, 200.0), abs=15.0)
    two = suggested_thresholds(scanned((truth == 2).astype(np.uint8), 8, (0.0, 1.0)))
    assert two == pytest.approx((0.5,), abs=0.1)
    assert len(suggested_thresholds(np.arange(2.0).reshape(1, 1, 2))) == 1
