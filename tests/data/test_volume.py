"""Volume files: what is written is what is read, slab by slab, and other programs see the size."""

import tracemalloc

import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading.tiff_scale import stated_voxel_size
from voxtrode.data.volume import LABELS_FILE, Volume, read_header, read_slab, write_volume

VOXEL = (4e-7, 3e-7, 2.5e-7)


def small_volume(shape=(7, 5, 6)):
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, shape).astype(np.uint8)
    particles = random.integers(0, 2**31 - 1, shape).astype(np.int32)
    return Volume(labels, ("pore", "nmc", "cbd"), VOXEL, particles, {})


@pytest.mark.parametrize("shape", [(7, 5, 6), (1, 5, 6), (7, 1, 1)])
def test_round_trip(tmp_path, shape):
    """Exact: integers and the header's own numbers."""
    volume = small_volume(shape)
    write_volume(volume, tmp_path / "image")
    header = read_header(tmp_path / "image")
    labels, particles = read_slab(tmp_path / "image", 0, shape[0])
    assert header == volume.header
    assert header.shape == shape
    assert header.voxel == VOXEL
    assert header.phases == ("pore", "nmc", "cbd")
    assert labels.dtype == np.uint8
    assert particles.dtype == np.int32
    np.testing.assert_array_equal(labels, volume.labels)
    np.testing.assert_array_equal(particles, volume.particles)


def test_slab_is_the_asked_layers(tmp_path):
    volume = small_volume()
    write_volume(volume, tmp_path)
    labels, particles = read_slab(tmp_path, 2, 5)
    np.testing.assert_array_equal(labels, volume.labels[2:5])
    np.testing.assert_array_equal(particles, volume.particles[2:5])
    assert read_slab(tmp_path, 3, 3)[0].shape == (0, 5, 6)
    with pytest.raises(ValueError, match="outside"):
        read_slab(tmp_path, 5, 8)


def test_slab_reads_only_its_pages(tmp_path):
    """One layer of 80 kB of an 8 MB volume: the bound is a tenth of the volume, tags included."""
    volume = small_volume((100, 128, 128))
    write_volume(volume, tmp_path)
    tracemalloc.start()
    labels, _ = read_slab(tmp_path, 50, 51)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(labels, volume.labels[50:51])
    assert peak < 0.1 * (volume.labels.nbytes + volume.particles.nbytes)


def test_other_programs_see_the_voxel_size(tmp_path):
    """Resolution tags are ratios of 32-bit integers: six digits are safe."""
    write_volume(small_volume(), tmp_path)
    for name in ("volume.tif", "particles.tif"):
        with tifffile.TiffFile(tmp_path / name) as tiff:
            stated = stated_voxel_size(tiff)
            assert tiff.pages.first.compression == 1
        assert [stated[axis][0] for axis in range(3)] == pytest.approx(VOXEL, rel=1e-6)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="no volume at"):
        read_header(tmp_path)
    tifffile.imwrite(tmp_path / LABELS_FILE, np.zeros((9, 8, 7), np.uint8))
    with pytest.raises(InputError, match="not a volume written by voxtrode"):
        read_header(tmp_path)
    (tmp_path / LABELS_FILE).write_bytes(b"II*\0")
    with pytest.raises(InputError, match="not a volume written by voxtrode"):
        read_header(tmp_path)


def test_truncated_volume_is_refused(tmp_path):
    write_volume(small_volume((20, 40, 40)), tmp_path)
    whole = (tmp_path / LABELS_FILE).read_bytes()
    (tmp_path / LABELS_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        read_slab(tmp_path, 15, 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros((2, 2), np.uint8)}, "3D"),
        ({"particles": np.zeros((2, 2, 3), np.int32)}, "shape"),
        ({"phases": ("pore",)}, "no name"),
        ({"voxel": (1e-6, 0.0, 1e-6)}, "positive"),
    ],
)
def test_a_volume_is_consistent(change, message):
    good = {
        "labels": np.ones((2, 2, 2), np.uint8),
        "phases": ("pore", "nmc"),
        "voxel": VOXEL,
        "particles": np.zeros((2, 2, 2), np.int32),
    }
    Volume(**good)
    with pytest.raises(ValueError, match=message):
        Volume(**{**good, **change})
