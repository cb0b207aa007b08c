"""Labelled images: phases of values, voxel sizes that files state, memory, published images."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout
from voxtrode.data.reading.labels import labelled, open_labels, read_labels
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.reading.source import array_source

NM = 1e-9
LABELS = {"pore": 0, "nmc": 1}
VALUES = (np.random.default_rng(0).random((9, 12, 14)) > 0.5).astype(np.uint8)


def write(path, values=VALUES, **options):
    tifffile.imwrite(path, values, **{"photometric": "minisblack", **options})
    return path


def per_cm(nanometres):
    return 1e7 / nanometres


def in_memory(values, labels):
    source = array_source(values, Path("memory"), {}, {"format": "memory"})
    return labelled(source, ImageRequest(Path("memory"), [1e-6], labels))


TYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", ">u2", ">i4", ">f4"]


@pytest.mark.parametrize("dtype", TYPES)
def test_labels_by_name_in_the_order_of_the_study(dtype):
    """Values far apart, of any type and byte order, become 0..n-1 in the order of the names."""
    numbers = {"u": (0, 7, 200), "i": (-100, 0, 127), "f": (-2048, 0, 2048)}[np.dtype(dtype).kind]
    pattern = np.arange(24).reshape(2, 3, 4) % 3
    values = np.array(numbers).astype(dtype)[pattern]
    labels = {"cbd": numbers[2], "pore": numbers[0], "nmc": numbers[1]}
    volume = in_memory(values, labels).volume()
    assert volume.phases == ("cbd", "pore", "nmc")
    np.testing.assert_array_equal(volume.labels, np.array([1, 2, 0])[pattern])
    assert volume.evidence["label_shares"] == {"cbd": 1 / 3, "pore": 1 / 3, "nmc": 1 / 3}
    assert volume.evidence["labels"] == labels


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("u8", 2**64 - 1), ("i8", -(2**63)), ("u4", 2**32 - 1), ("f4", 2**24), ("f8", 2**53)],
)
def test_extreme_labels(dtype, value):
    """The largest of a type are no others: 2^24 + 1 is no number of 32 bits, but rounds to one."""
    values = np.array([0, value, value, 0], dtype=dtype).reshape(1, 2, 2)
    assert in_memory(values, {"a": 0, "b": value}).volume().labels.ravel().tolist() == [0, 1, 1, 0]
    with pytest.raises(InputError, match="does not occur"):
        in_memory(values, {"a": 0, "b": value + 1 if dtype != "i8" else value - 1}).volume()


def test_a_phase_of_several_labels():
    """Shares add up, and each of the values must occur."""
    values = np.arange(24).reshape(2, 3, 4) % 4
    volume = in_memory(values.astype(np.uint8), {"solid": (3, 1), "pore": (0, 2)}).volume()
    np.testing.assert_array_equal(volume.labels, 1 - values % 2)
    assert volume.evidence["label_shares"] == {"solid": 0.5, "pore": 0.5}
    assert volume.evidence["labels"] == {"solid": [3, 1], "pore": [0, 2]}
    with pytest.raises(InputError, match=r"label 9 \('solid'\) does not occur"):
        in_memory(values, {"solid": (3, 1, 9), "pore": (0, 2)}).volume()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_more_label_values_than_phases_can_have(dtype):
    """600 particles with a value of their own are one phase."""
    values = np.arange(600, dtype=dtype).reshape(10, 10, 6)
    volume = in_memory(values, {"pore": 0, "nmc": tuple(range(1, 600))}).volume()
    assert volume.labels.sum() == 599


def test_as_many_phases_as_a_byte_has():
    values = np.arange(255, dtype=np.uint8).reshape(5, 51, 1)
    volume = in_memory(values, {f"p{value}": value for value in range(255)}).volume()
    np.testing.assert_array_equal(volume.labels, values)


def test_a_constant_image_is_a_volume_of_one_phase():
    """Only a named label that is missing makes it wrong."""
    constant = np.ones((3, 4, 5), np.uint8)
    volume = in_memory(constant, {"nmc": 1}).volume()
    assert volume.evidence["label_shares"] == {"nmc": 1.0}
    assert not volume.labels.any()
    with pytest.raises(InputError, match=r"label 0 \('pore'\) does not occur .* 1 \(100\.00%\)"):
        in_memory(constant, {"pore": 0, "nmc": 1}).volume()


def test_labels_are_those_of_the_crop(tmp_path):
    """A phase that the crop leaves out is refused, and a label outside the crop is no matter."""
    values = np.zeros((6, 5, 5), np.uint8)
    values[1], values[4] = 1, 2
    file = write(tmp_path / "a.tif", values)
    whole = {"pore": 0, "nmc": 1, "cbd": 2}
    crop = [[0, 3], [0, 5], [0, 5]]
    assert read_labels(ImageRequest(file, [1e-6], whole)).phases == ("pore", "nmc", "cbd")
    with pytest.raises(InputError, match=r"'cbd'\) does not occur in the crop"):
        read_labels(ImageRequest(file, [1e-6], whole, crop=crop))
    assert read_labels(ImageRequest(file, [1e-6], LABELS, crop=crop)).labels.max() == 1


def test_a_slab_needs_no_label_but_knows_all():
    """A phase may be missing in a slab; a value that is not listed is refused with its layers."""
    values = np.zeros((6, 5, 5), np.uint8)
    values[1], values[4] = 1, 2
    image = in_memory(values, LABELS)
    assert not image.slab(2, 4).any()
    with pytest.raises(InputError, match=r"\(layers 3 to 6\) .* not listed: 2 \(33\.33%\)"):
        image.slab(3, 6)


SILENT = {
    "no tags": {},
    "1/1": {"resolution": (1, 1), "resolutionunit": "CENTIMETER"},
    "72 dpi": {"resolution": (72, 72), "resolutionunit": "INCH"},
    "96 dpi": {"resolution": (96, 96), "resolutionunit": "INCH"},
    "72 dpi per cm": {"resolution": (28.35, 28.35), "resolutionunit": "CENTIMETER"},
    "no unit": {"resolution": (2.5, 2.5), "resolutionunit": "NONE"},
    "ImageJ pixels": {
        "imagej": True,
        "resolution": (2.5, 2.5),
        "metadata": {"unit": "pixel", "spacing": 3.0},
    },
    "ImageJ default": {"imagej": True, "metadata": {"unit": "um", "spacing": 1.0}},
    "OME pixels": {
        "ome": True,
        "metadata": {"axes": "ZYX", "PhysicalSizeX": 3.0, "PhysicalSizeXUnit": "pixel"},
    },
}
STATING = {
    "per cm": {"resolution": (per_cm(400), per_cm(400)), "resolutionunit": "CENTIMETER"},
    "per inch": {"resolution": (2.54 * per_cm(400),) * 2, "resolutionunit": "INCH"},
    "ImageJ": {
        "imagej": True,
        "resolution": (2.5, 2.5),
        "metadata": {"unit": "um", "spacing": 0.4},
    },
    "ImageJ micro sign": {
        "imagej": True,
        "resolution": (2.5, 2.5),
        "metadata": {"unit": "\\u00B5m", "spacing": 0.4},
    },
    "ImageJ spacing alone": {"imagej": True, "metadata": {"unit": "nm", "spacing": 400}},
    "OME": {
        "ome": True,
        "metadata": {
            "axes": "ZYX",
            **{f"PhysicalSize{axis}": 400.0 for axis in "XYZ"},
            **{f"PhysicalSize{axis}Unit": "nm" for axis in "XYZ"},
        },
    },
    "OME default unit": {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeY": 0.4}},
}


@pytest.mark.parametrize("options", SILENT.values(), ids=SILENT.keys())
def test_no_voxel_size_is_read_into_these(tmp_path, options):
    request = ImageRequest(write(tmp_path / "a.tif", **options), [400 * NM], LABELS)
    assert read_labels(request).evidence["stated_voxel_m"] == {}


@pytest.mark.parametrize("options", STATING.values(), ids=STATING.keys())
def test_stated_voxel_size_must_agree(tmp_path, options):
    """1 % is the bound: 0.9 % beside what the file says passes, 1.1 % does not."""
    file = write(tmp_path / "a.tif", **options)
    volume = read_labels(ImageRequest(file, [400 * NM], LABELS))
    stated = volume.evidence["stated_voxel_m"]
    assert list(stated.values()) == pytest.approx([400 * NM] * len(stated), rel=1e-4)
    assert stated
    read_labels(ImageRequest(file, [400 * NM / 1.009], LABELS))
    for wrong in (400 * NM / 1.011, 398e-6, 40 * NM):
        with pytest.raises(InputError, match=r"voxel_size is .* says 400 nm"):
            read_labels(ImageRequest(file, [wrong], LABELS))


def test_anisotropic_size_is_compared_per_axis(tmp_path):
    options = {
        "imagej": True,
        "resolution": (1 / 0.2, 1 / 0.3),
        "metadata": {"unit": "um", "spacing": 0.4},
    }
    file = write(tmp_path / "a.tif", **options)
    edges = [400 * NM, 300 * NM, 200 * NM]
    volume = read_labels(ImageRequest(file, edges, LABELS, thickness_axis=2))
    assert volume.voxel == (200 * NM, 400 * NM, 300 * NM)
    with pytest.raises(InputError, match="along image axis 1"):
        read_labels(ImageRequest(file, [400 * NM, 200 * NM, 200 * NM], LABELS))


@pytest.mark.parametrize(("axis", "layers"), [(0, 1000), (1, 100), (2, 100)])
def test_a_slab_of_a_file_of_two_gigabytes(tmp_path, axis, layers):
    """Sparse on the disk. Held: a slab of two layers and some pieces of 2 M voxels, not the file.

    Across the file's layers a tenth of it: the disk then reads nearly all pages of the file.
    """
    file, shape = tmp_path / "a.raw", (layers, 1000, 1000)
    with file.open("wb") as stream:
        stream.truncate(2 * layers * 1000**2)
        place = [7, 11, 13]
        place[axis] = 501
        stream.seek(2 * int(np.ravel_multi_index(place, shape)))
        stream.write(b"\x01\x00")
    request = ImageRequest(file, [1e-7], LABELS, axis, raw=RawLayout(shape, "uint16"))
    tracemalloc.start()
    with open_labels(request) as image:
        assert image.header.shape == (shape[axis], *(shape[a] for a in range(3) if a != axis))
        labels = image.slab(500, 502)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.argwhere(labels).tolist() == [[1, *(place[a] for a in range(3) if a != axis)]]
    assert peak < 100e6


@pytest.mark.parametrize("axis", [0, 2])
def test_a_volume_holds_one_piece_beside_itself(tmp_path, axis):
    """120 MB of float64 become 15 MB of labels and 60 MB of zeros, and one piece of 2 M voxels.

    A piece is held as float64 values, as positions and as indices for NumPy: 60 MB.
    """
    file = tmp_path / "a.raw"
    with file.open("wb") as stream:
        stream.truncate(8 * 15 * 10**6)
        stream.write(np.array([1.0]).tobytes())
    raw = RawLayout((300, 100, 500), "float64")
    tracemalloc.start()
    volume = read_labels(ImageRequest(file, [1e-7], LABELS, axis, raw=raw))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert volume.labels.sum() == 1
    assert peak < 5 * volume.labels.size + 80e6


@pytest.mark.parametrize(("phase", "share"), [("pore", 0.40055), ("nmc", 0.49945), ("cbd", 0.1)])
def test_real_image(image_file, phase, share):
    """Published shares, to their printed digits."""
    file = image_file("nmc1cal_xct_cbd.tif")
    volume = read_labels(ImageRequest(file, [398 * NM], {"pore": 0, "nmc": 1, "cbd": 2}))
    assert volume.labels.shape == (251, 301, 301)
    assert volume.evidence["label_shares"][phase] == pytest.approx(share, abs=5e-6)


def test_image_of_openimpala(image_file):
    """Its two phases' shares, to their printed digits."""
    file = image_file("openimpala_blobs_100.tif")
    volume = read_labels(ImageRequest(file, [1e-6], {"void": 0, "solid": 1}))
    assert volume.labels.shape == (100, 100, 100)
    shares = volume.evidence["label_shares"]
    assert shares == pytest.approx({"void": 0.60169, "solid": 0.39831}, abs=5e-6)
