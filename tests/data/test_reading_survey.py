"""What values an image has: labels with shares, or grey with a histogram, in bounded memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from voxtrode.data.reading import source as reading
from voxtrode.data.reading.source import array_source
from voxtrode.data.reading.survey import survey

SHAPE = (10, 11, 12)


def memory(values):
    return array_source(values, Path("memory"), {}, {"format": "memory"})


@pytest.fixture(params=[None, 100], ids=["at once", "piecewise"], autouse=True)
def chunk(request, monkeypatch):
    """Voxels held at a time: all, or one layer."""
    if request.param:
        monkeypatch.setattr(reading, "CHUNK", request.param)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "i4", "u8", "f2", "f4", ">f8", "b"])
def test_labels_have_shares(dtype):
    """Exact: the shares of the values that are there, in rising order."""
    choice = [0, 1] if dtype == "b" else [3, 0, 100] + ([-5] if dtype[-2] in "if" else [])
    values = np.random.default_rng(1).choice(choice, SHAPE).astype(bool if dtype == "b" else dtype)
    found = survey(memory(values))
    numbers, counts = np.unique(values, return_counts=True)
    assert found.counts == {int(n): int(c) for n, c in zip(numbers, counts, strict=True)}
    assert list(found.counts) == sorted(found.counts)
    assert sum(found.labels.values()) == pytest.approx(1.0, rel=1e-14)
    assert (found.minimum, found.maximum) == (min(choice), max(choice))
    assert found.mean == pytest.approx(values.astype(float).mean(), rel=1e-12)
    assert found.histogram is None


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4", "f8"])
def test_grey_values_have_a_histogram(dtype):
    """256 equal bins between the extremes, as NumPy counts them, the last one closed."""
    values = (np.random.default_rng(1).normal(100.0, 25.0, SHAPE)).astype(dtype)
    found = survey(memory(values))
    assert found.counts is None
    assert found.labels is None
    expected, edges = np.histogram(values.astype(float), found.edges)
    np.testing.assert_array_equal(found.histogram, expected)
    assert edges == pytest.approx(
        np.linspace(*map(float, (values.min(), values.max())), 257), rel=1e-12
    )
    assert found.histogram.sum() == found.voxels == values.size
    assert found.mean == pytest.approx(values.astype(float).mean(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "u4", "f8"])
def test_thirty_two_values_are_labels_and_one_more_is_grey(dtype):
    values = np.arange(66).reshape(1, 6, 11)
    assert len(survey(memory((values % 32).astype(dtype))).counts) == 32
    assert survey(memory((values % 33).astype(dtype))).counts is None


def test_one_fraction_makes_an_image_grey():
    values = np.zeros(SHAPE)
    values[9, 3, 3] = 0.5
    found = survey(memory(values))
    assert found.counts is None
    assert found.histogram[0] == values.size - 1
    assert found.histogram[-1] == 1


def test_what_is_no_number_is_counted():
    values = np.zeros(SHAPE, np.float32)
    values[1, 2, :5], values[9, 0, 0], values[9, 0, 1] = np.nan, np.inf, -np.inf
    found = survey(memory(values))
    assert (found.nan, found.infinite) == (5, 2)
    assert found.counts == {0: values.size - 7}
    nothing = survey(memory(np.full((2, 3, 4), np.nan)))
    assert (nothing.nan, nothing.counts) == (24, {})


def test_numbers_of_any_size():
    """What bytes in the wrong order look like: the range is more than a number can hold."""
    values = np.random.default_rng(1).choice([-1.7e308, 1.7e308, 0.5], SHAPE)
    found = survey(memory(values))
    assert found.histogram.sum() == values.size
    assert found.histogram[0] == np.count_nonzero(values < 0)
    assert found.histogram[-1] == np.count_nonzero(values > 1)


@pytest.mark.parametrize("layers", [range(2, 5), range(0, 10, 3), range(9, 10)])
def test_some_layers(layers):
    values = np.random.default_rng(1).integers(0, 4, SHAPE).astype(np.int32)
    found = survey(memory(values), layers, slice(1, 4), slice(2, 12))
    part = values[layers.start : layers.stop : layers.step, 1:4, 2:12]
    assert found.voxels == part.size
    assert found.counts == dict(enumerate(np.bincount(part.ravel()).tolist()))


def test_no_layer_is_no_look():
    with pytest.raises(ValueError, match="no layers"):
        survey(memory(np.zeros(SHAPE)), range(4, 4))


def test_memory_is_bounded(tmp_path, monkeypatch):
    """80 MB of float32 in pieces of 0.1 M voxels: each is held as some float64 arrays."""
    monkeypatch.setattr(reading, "CHUNK", 10**5)
    np.save(tmp_path / "a.npy", np.zeros((200, 100, 1000), np.float32))
    values = np.load(tmp_path / "a.npy", mmap_mode="r+")
    values[-1] = np.random.default_rng(1).random(values.shape[1:])
    tracemalloc.start()
    found = survey(memory(np.load(tmp_path / "a.npy", mmap_mode="r")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.histogram.sum() == values.size
    assert peak < 10e6
