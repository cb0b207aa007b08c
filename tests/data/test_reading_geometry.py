"""Axes, crops, mirror images, padding and down-sampling against plain NumPy, whole and by slabs."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading import source as reading
from voxtrode.data.reading.labels import labelled, open_labels, read_labels
from voxtrode.data.reading.request import ImageRequest, Padding, PaddingMode
from voxtrode.data.reading.source import array_source

FILE = Path("memory")
SHAPE = (11, 9, 14)
EDGES = (4e-7, 3e-7, 2.5e-7)
# Blocks of two voxels with some noise, so that majorities and ties both occur.
RANDOM = np.random.default_rng(3)
BLOCKS = np.kron(RANDOM.integers(0, 3, (6, 5, 7)), np.ones((2, 2, 2), int))[:11, :9, :14]
VALUES = np.where(RANDOM.random(SHAPE) < 0.2, RANDOM.integers(0, 3, SHAPE), BLOCKS).astype(np.uint8)
LABELS = {"pore": 0, "nmc": 1, "cbd": 2}
MODES = {PaddingMode.MIRROR: "symmetric", PaddingMode.PERIODIC: "wrap"}

CROPS = [None, [[1, 10], [2, 9], [0, 13]]]
PADDINGS = [
    None,
    Padding(PaddingMode.MIRROR, 3, 0),
    Padding(PaddingMode.PERIODIC, 2, 5),
    Padding(PaddingMode.MIRROR, 20, 17),  # more than the volume itself
]
FACTORS = [(1, 1, 1), (2, 2, 2), (3, 1, 2), (2, 3, 1)]


def majority_of(block):
    """The commonest label; of equals the block's first voxel's, else the lower one."""
    counts = np.bincount(block.ravel(), minlength=3)
    best = np.flatnonzero(counts == counts.max())
    return block[0, 0, 0] if block[0, 0, 0] in best else best[0]


def oracle(values, axis, collector, crop, padding, factor):
    """The volume in five lines of NumPy."""
    kept = values[tuple(slice(*pair) for pair in crop)] if crop else values
    turned = np.moveaxis(kept, axis, 0)
    turned = turned if collector == "first" else turned[::-1]
    if padding:
        widths = [(0, 0), (padding.y, padding.y), (padding.x, padding.x)]
        turned = np.pad(turned, widths, mode=MODES[padding.mode])
    shape = [count // f for count, f in zip(turned.shape, factor, strict=True)]
    if factor == (1, 1, 1):
        return turned, turned
    coarse = np.empty(shape, np.uint8)
    for place in np.ndindex(*shape):
        block = tuple(slice(i * f, (i + 1) * f) for i, f in zip(place, factor, strict=True))
        coarse[place] = majority_of(turned[block])
    return turned, coarse


@pytest.fixture(params=[None, 100], ids=["at once", "piecewise"])
def chunk(request, monkeypatch):
    """Voxels held at a time: all, or about one layer."""
    if request.param:
        monkeypatch.setattr(reading, "CHUNK", request.param)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("collector", ["first", "last"])
@pytest.mark.usefixtures("chunk")
def test_all_together(tmp_path, axis, collector):
    """Exact, for every crop, padding and factor; also the shares and what is left over."""
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, VALUES, photometric="minisblack", compression="zlib")
    for crop, padding, factor in product(CROPS, PADDINGS, FACTORS):
        request = ImageRequest(
            file, EDGES, LABELS, axis, collector, crop, padding, downsample=factor
        )
        fine, expected = oracle(VALUES, axis, collector, crop, padding, factor)
        with open_labels(request) as image:
            header = image.header
            volume = image.volume()
            half = header.shape[0] // 2
            slabs = [image.slab(0, half), image.slab(half, header.shape[0])]
            assert image.slab(half, half).shape == (0, *header.shape[1:])
        np.testing.assert_array_equal(volume.labels, expected)
        np.testing.assert_array_equal(np.concatenate(slabs), expected)
        assert volume.header == header
        order = [axis, *(other for other in range(3) if other != axis)]
        assert header.voxel == pytest.approx(
            [EDGES[a] * f for a, f in zip(order, factor, strict=True)]
        )
        kept = VALUES[tuple(slice(*pair) for pair in crop)] if crop else VALUES
        check_evidence(volume.evidence, kept, fine, expected, factor)


def check_evidence(evidence, kept, fine, coarse, factor):
    for value, name in enumerate(LABELS):
        assert evidence["label_shares"][name] == np.count_nonzero(kept == value) / kept.size
    loss = evidence["downsampling"]
    if factor == (1, 1, 1):
        assert loss is None
        return
    assert loss["factor"] == list(factor)
    assert loss["cropped_voxels"] == [n % f for n, f in zip(fine.shape, factor, strict=True)]
    for value, name in enumerate(LABELS):
        change = loss["fractions"][name]
        assert change["before"] == np.count_nonzero(fine == value) / fine.size
        assert change["after"] == np.count_nonzero(coarse == value) / coarse.size
        assert change["relative_change"] == change["after"] / change["before"] - 1.0


def watched(values=VALUES, depth=1):
    """A source in memory, and the windows that it was asked for."""
    asked = []
    source = array_source(values, FILE, {}, {"format": "memory"})
    original = source.window

    def window(first, last, rows, columns):
        asked.append((first, last, rows, columns))
        return original(first, last, rows, columns)

    return replace(source, window=window, depth=depth), asked


@pytest.mark.parametrize("collector", ["first", "last"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slab_asks_for_its_voxels_only(axis, collector):
    """Layers 1 to 3 of the down-sampled volume are two by two layers of the file's axis."""
    source, asked = watched()
    request = ImageRequest(FILE, EDGES, LABELS, axis, collector, downsample=(2, 1, 1))
    image = labelled(source, request)
    image.slab(1, 3)
    first, last = (2, 6) if collector == "first" else (SHAPE[axis] - 6, SHAPE[axis] - 2)
    for window in asked:
        bounds = [(window[0], window[1]), *((s.start, s.stop) for s in window[2:])]
        assert bounds[axis] == (first, last)


def test_each_layer_is_read_once():
    """Along which axis ever the volume is thick, and in pieces of the file's own depth."""
    for axis, depth in product(range(3), (1, 4)):
        source, asked = watched(depth=depth)
        labelled(source, ImageRequest(FILE, EDGES, LABELS, axis, "last")).volume()
        assert sorted(asked)[0][0] == 0
        assert sum(last - first for first, last, *_ in asked) == SHAPE[0]


def test_a_crop_reads_nothing_else():
    source, asked = watched()
    labelled(source, ImageRequest(FILE, EDGES, LABELS, crop=[[2, 9], [1, 5], [3, 14]])).volume()
    assert asked == [(2, 9, slice(1, 5), slice(3, 14))]


def test_mirror_padding_makes_a_periodic_volume():
    """Reflected by its whole width at one side and cropped: opposite sides hold equal voxels."""
    padding = Padding(PaddingMode.MIRROR, SHAPE[1], SHAPE[2])
    request = ImageRequest(FILE, EDGES, LABELS, padding=padding)
    labels = labelled(watched()[0], request).volume().labels
    periodic = labels[:, SHAPE[1] :, SHAPE[2] :]
    np.testing.assert_array_equal(periodic[:, 0], periodic[:, -1])
    np.testing.assert_array_equal(periodic[:, :, 0], periodic[:, :, -1])


def test_a_phase_that_down_sampling_loses_is_named(tmp_path):
    values = np.zeros((8, 8, 8), np.uint8)
    values[3, 3, 3] = 1
    np.save(tmp_path / "a.npy", values)
    request = ImageRequest(tmp_path / "a.npy", [1e-6], {"pore": 0, "nmc": 1}, downsample=(2, 2, 2))
    with pytest.raises(InputError, match=r"leaves no voxel of 'nmc', which is 0\.20%"):
        read_labels(request)


REFUSED = {
    "axis": ({"thickness_axis": 3}, "thickness_axis 3"),
    "collector": ({"collector": "top"}, "collector 'top'"),
    "factor 0": ({"downsample": (1, 0, 1)}, "whole factors from 1"),
    "factor too large": ({"downsample": (12, 1, 1)}, "factor 12 along z is more than the 11"),
    "padding": ({"padding": Padding(PaddingMode.MIRROR, -1, 0)}, "padding y = -1"),
    "crop of two axes": ({"crop": [[0, 5], [0, 5]]}, "each of the image's three axes"),
    "crop of one number": ({"crop": [[0, 5], [0, 5], [3]]}, "each of the image's three axes"),
    "crop outside": ({"crop": [[0, 12], [0, 9], [0, 14]]}, r"axis 0 .* \[0, 11\]"),
    "crop before": ({"crop": [[0, 11], [-1, 9], [0, 14]]}, "axis 1"),
    "crop empty": ({"crop": [[0, 11], [0, 9], [5, 5]]}, "axis 2"),
    "crop reversed": ({"crop": [[6, 4], [0, 9], [0, 14]]}, "axis 0"),
    **{
        f"voxel {size}": ({"voxel_size": size}, "one or three positive lengths")
        for size in ([0.0], [-1e-6], [float("nan")], [float("inf")], [1e-6, 1e-6], [])
    },
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_requests_that_do_not_fit(change, message):
    request = ImageRequest(FILE, EDGES, LABELS)
    with pytest.raises(InputError, match=message) as refusal:
        labelled(watched()[0], replace(request, **change))
    assert "\n" not in str(refusal.value)


def test_slabs_lie_inside():
    image = labelled(watched()[0], ImageRequest(FILE, EDGES, LABELS))
    with pytest.raises(ValueError, match="outside"):
        image.slab(5, 12)
