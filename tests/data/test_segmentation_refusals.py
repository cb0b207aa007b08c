"""Grey values and settings that cannot be segmented; and specks."""

from typing import Any

import numpy as np
import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.segmentation.denoising import Median, NoDenoise, NonLocalMeans
from voxtrode.data.segmentation.flooding import find_markers
from voxtrode.data.segmentation.segment import segment
from voxtrode.data.segmentation.settings import Segmentation
from voxtrode.data.segmentation.specks import remove_specks

UNIT = (1.0, 1.0, 1.0)
GOOD = np.arange(64.0).reshape(4, 4, 4)


def with_value(value: float) -> Any:
    grey = GOOD.copy()
    grey[1, 2, 3] = value
    return grey


@pytest.mark.parametrize(
    ("grey", "settings", "fault"),
    [
        (with_value(np.nan), {}, "1 of 64 grey values are not finite"),
        (with_value(np.inf), {}, "not finite"),
        (np.ones((3, 3, 3)), {}, "all grey values are 1"),
        (GOOD[0], {}, "shape (4, 4)"),
        (GOOD[:0], {}, "shape (0, 4, 4)"),
        (GOOD.astype(complex), {}, "complex"),
        (GOOD, {"thresholds": (64.0,)}, "threshold 64 is outside the grey values, 0 to 63"),
        (GOOD, {"thresholds": (0.0,)}, "threshold 0 is outside"),
        (GOOD % 2, {"classes": ("a", "b", "c")}, "only 2 different grey values"),
        (
            np.where(GOOD > 30, 9.0, 1.0),
            {"thresholds": (2.0, 3.0), "classes": ("a", "b", "c")},
            "only 2 different grey values",
        ),
        (
            np.where(GOOD > 30, 9.0, np.where(GOOD > 10, 5.0, 1.0)),
            {"thresholds": (2.0, 3.0), "classes": ("a", "b", "c")},
            "no grey value lies in class 'b'",
        ),
    ],
)
def test_refused(grey: Any, settings: dict[str, Any], fault: str) -> None:
    """In one line that says what came."""
    with pytest.raises(InputError) as error:
        segment(grey, Segmentation(**{"classes": ("a", "b"), **settings}), UNIT)
    assert fault in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"classes": ("a",)},
        {"classes": ("a", "a")},
        {"classes": tuple("abcdef")},
        {"thresholds": (1.0, 2.0)},
        {"classes": ("a", "b", "c"), "thresholds": (2.0, 1.0)},
        {"classes": ("a", "b", "c"), "thresholds": (1.0, 1.0)},
        {"thresholds": (np.nan,)},
        {"specks": -1},
        {"vary": 0.0},
        {"vary": 0.5},
        {"relax": -1},
        {"relax": 101},
    ],
)
def test_settings_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^segment: "):
        Segmentation(**{"classes": ("a", "b"), **settings})


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (NonLocalMeans, {"strength": 0.0}),
        (NonLocalMeans, {"strength": np.nan}),
        (NonLocalMeans, {"patch": 4}),
        (NonLocalMeans, {"distance": 0}),
        (Median, {"radius": 0}),
    ],
)
def test_denoising_refused(kind: type, arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        kind(**arguments)


def test_specks_go_to_most_of_their_neighbours() -> None:
    """Two voxels of class 1 with 6 faces to class 0 and 4 to class 2; corners do not connect."""
    labels = np.zeros((4, 4, 6), dtype=np.uint8)
    labels[:, 2:] = 2
    labels[1, 1, 2:4] = 1
    out = remove_specks(labels, 3, 3)
    assert out[1, 1, 2:4].tolist() == [0, 0]
    assert np.array_equal(remove_specks(labels, 3, 2), labels)
    assert np.array_equal(remove_specks(labels, 3, 0), labels)
    diagonal = np.zeros((3, 3, 3), dtype=np.uint8)
    diagonal[0, 0, 0] = diagonal[1, 1, 1] = 1
    assert not remove_specks(diagonal, 2, 2).any()


def test_specks_in_specks() -> None:
    """Classes are treated in order: what the first gives away is kept from the second's mercy."""
    labels = np.full((7, 7, 7), 2, dtype=np.uint8)
    labels[2:5, 2:5, 2:5] = 1
    labels[3, 3, 3] = 0
    assert (remove_specks(labels, 3, 2) == 1).sum() == 27
    assert (remove_specks(labels, 3, 27) == 1).sum() == 27
    assert (remove_specks(labels, 3, 28) == 2).all()


def test_a_volume_of_specks_alone_is_left() -> None:
    """There is nobody to give them to: one class throughout."""
    labels = np.ones((2, 2, 2), dtype=np.uint8)
    assert np.array_equal(remove_specks(labels, 2, 100), labels)


def test_nothing_is_sure() -> None:
    """Steps everywhere: the watershed has nothing to start from, and says so."""
    grey = np.random.default_rng(0).random((9, 9, 9))
    settings = Segmentation(("a", "b"), NoDenoise(), watershed=False)
    assert segment(grey, settings, UNIT).labels.mean() == pytest.approx(0.5, abs=0.1)
    levels, thresholds = [0.25, 0.75], [0.5]
    steep = np.full(grey.shape, 1.0, dtype=np.float32)
    middling = np.full(grey.shape, 0.5, dtype=np.float32)
    with pytest.raises(InputError, match="no voxel's class is sure"):
        find_markers(middling, steep, levels, thresholds)
