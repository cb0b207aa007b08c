"""Reading labelled TIFFs: order of axes, sizes stated by the file, and images that are refused."""

import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.image import read_image
from voxtrode.data.partition import partition

NM = 1e-9
LABELS = {"pore": 0, "nmc": 1}
VALUES = (np.random.default_rng(0).random((9, 12, 14)) > 0.5).astype(np.uint8)


def write(path, values=VALUES, **options):
    tifffile.imwrite(path, values, **{"photometric": "minisblack", **options})
    return path


def per_cm(nanometres):
    return 1e7 / nanometres


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_reads_stacks(tmp_path, dtype, compression):
    file = write(tmp_path / "a.tif", VALUES.astype(dtype), compression=compression)
    volume = read_image(file, [400 * NM], LABELS)
    np.testing.assert_array_equal(volume.labels, VALUES)
    assert volume.labels.dtype == np.uint8
    assert volume.phases == ("pore", "nmc")
    assert volume.voxel == (400 * NM,) * 3
    assert not volume.particles.any()


def test_reads_pages_written_one_by_one(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in VALUES:
            tiff.write(page, contiguous=False, metadata=None, photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", [400 * NM], LABELS).labels, VALUES)


def test_labels_by_name_in_the_order_of_the_study(tmp_path):
    """16-bit values far apart become 0..n-1 in the order of the names."""
    values = np.array([7, 1000, 65535], dtype=np.uint16)[np.arange(24).reshape(2, 3, 4) % 3]
    file = write(tmp_path / "a.tif", values)
    volume = read_image(file, [1e-6], {"cbd": 65535, "pore": 7, "nmc": 1000})
    assert volume.phases == ("cbd", "pore", "nmc")
    np.testing.assert_array_equal(
        volume.labels, np.array([1, 2, 0])[np.arange(24).reshape(2, 3, 4) % 3]
    )
    assert volume.evidence["label_shares"] == {"cbd": 1 / 3, "pore": 1 / 3, "nmc": 1 / 3}


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("collector", ["first", "last"])
def test_axes_crop_and_collector(tmp_path, axis, collector):
    """Crop and voxel size are in the image's axes; z runs from the collector; the rest stays."""
    file = write(tmp_path / "a.tif")
    edges = (400 * NM, 300 * NM, 200 * NM)
    crop = [[1, 8], [2, 12], [0, 13]]
    volume = read_image(file, edges, LABELS, axis, collector, crop)
    expected = np.moveaxis(VALUES[1:8, 2:12, 0:13], axis, 0)
    expected = expected if collector == "first" else expected[::-1]
    np.testing.assert_array_equal(volume.labels, expected)
    assert volume.voxel == (edges[axis], *(edges[other] for other in range(3) if other != axis))
    assert volume.labels.flags.c_contiguous
    assert volume.evidence["crop"] == crop


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
    volume = read_image(write(tmp_path / "a.tif", **options), [400 * NM], LABELS)
    assert volume.evidence["stated_voxel_m"] == {}


@pytest.mark.parametrize("options", STATING.values(), ids=STATING.keys())
def test_stated_voxel_size_must_agree(tmp_path, options):
    """1 % is the bound: 0.9 % beside what the file says passes, 1.1 % does not."""
    file = write(tmp_path / "a.tif", **options)
    stated = read_image(file, [400 * NM], LABELS).evidence["stated_voxel_m"]
    assert list(stated.values()) == pytest.approx([400 * NM] * len(stated), rel=1e-4)
    assert stated
    read_image(file, [400 * NM / 1.009], LABELS)
    for wrong in (400 * NM / 1.011, 398e-6, 40 * NM):
        with pytest.raises(InputError, match=r"voxel_size is .* says 400 nm"):
            read_image(file, [wrong], LABELS)


def test_anisotropic_size_is_compared_per_axis(tmp_path):
    options = {
        "imagej": True,
        "resolution": (1 / 0.2, 1 / 0.3),
        "metadata": {"unit": "um", "spacing": 0.4},
    }
    file = write(tmp_path / "a.tif", **options)
    volume = read_image(file, [400 * NM, 300 * NM, 200 * NM], LABELS, thickness_axis=2)
    assert volume.voxel == (200 * NM, 400 * NM, 300 * NM)
    with pytest.raises(InputError, match="along image axis 1"):
        read_image(file, [400 * NM, 200 * NM, 200 * NM], LABELS)


LAYOUTS = {
    "plain": {},
    "zlib": {"compression": "zlib"},
    "imagej": {"imagej": True},
    "strips": {"metadata": None, "rowsperstrip": 3},
}


@pytest.mark.parametrize("options", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_truncated_files_are_refused(tmp_path, options):
    """Cut anywhere up to 95 %: in the header, in tags, in voxels. One line says so."""
    file = write(tmp_path / "a.tif", np.tile(VALUES, (2, 3, 3)), **options)
    whole = file.read_bytes()
    for share in np.linspace(0.0, 0.95, 40):
        file.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(InputError, match="truncated or no valid TIFF") as refusal:
            read_image(file, [400 * NM], LABELS)
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("options", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_the_last_bytes_missing(tmp_path, options):
    """The end may hold tags that nobody needs; never are other voxels read than were written."""
    file = write(tmp_path / "a.tif", **options)
    whole = file.read_bytes()
    for missing in range(1, 60):
        file.write_bytes(whole[:-missing])
        try:
            labels = read_image(file, [400 * NM], LABELS).labels
        except InputError:
            continue
        np.testing.assert_array_equal(labels, VALUES)


def test_damaged_voxels_are_refused(tmp_path):
    file = write(tmp_path / "a.tif", compression="zlib")
    data = bytearray(file.read_bytes())
    data[-300:-200] = bytes(100)
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="truncated or no valid TIFF"):
        read_image(file, [400 * NM], LABELS)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (VALUES[0], {}, "2 dimensions"),
        (VALUES.astype(np.float32), {}, "holds float32 values"),
        (VALUES.astype(np.int32), {}, "holds int32 values"),
        (VALUES.astype(np.int16) - 1, {}, "from -1 to 0"),
        (np.stack([VALUES] * 3, axis=-1), {"photometric": "rgb"}, "colour image"),
        (np.stack([VALUES] * 2), {}, "4 dimensions"),
        (np.arange(12 * 20 * 20, dtype=np.uint16).reshape(12, 20, 20), {}, "greyscale"),
    ],
)
def test_images_that_are_no_stack_of_labels(tmp_path, values, options, message):
    file = write(tmp_path / "a.tif", values, **options)
    with pytest.raises(InputError, match=message):
        read_image(file, [400 * NM], LABELS)


def test_images_of_several_sizes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(VALUES, photometric="minisblack")
        tiff.write(VALUES[:, :5], photometric="minisblack")
    with pytest.raises(InputError, match="different sizes"):
        read_image(tmp_path / "a.tif", [400 * NM], LABELS)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no image at"):
        read_image(tmp_path / "a.tif", [400 * NM], LABELS)
    with pytest.raises(InputError, match="no image at"):
        read_image(tmp_path, [400 * NM], LABELS)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            {"pore": 0, "nmc": 1, "cbd": 2},
            r"label 2 \('cbd'\) does not occur .* holds 0 \(50.00%\), 1 \(50.00%\)",
        ),
        ({"nmc": 1}, r"not listed: 0 \(50.00%\)"),
        ({"pore": 0, "nmc": 0}, "different values"),
    ],
)
def test_labels_must_be_those_of_the_image(tmp_path, labels, message):
    values = np.indices((4, 5, 6))[0] % 2
    file = write(tmp_path / "a.tif", values.astype(np.uint8))
    with pytest.raises(InputError, match=message):
        read_image(file, [400 * NM], labels)


def test_labels_are_those_of_the_crop(tmp_path):
    """A phase that the crop leaves out is refused, and a label outside the crop is no matter."""
    values = np.zeros((6, 5, 5), np.uint8)
    values[1], values[4] = 1, 2
    file = write(tmp_path / "a.tif", values)
    whole = {"pore": 0, "nmc": 1, "cbd": 2}
    assert read_image(file, [1e-6], whole).phases == ("pore", "nmc", "cbd")
    with pytest.raises(InputError, match=r"'cbd'\) does not occur in the crop"):
        read_image(file, [1e-6], whole, crop=[[0, 3], [0, 5], [0, 5]])
    assert read_image(file, [1e-6], LABELS, crop=[[0, 3], [0, 5], [0, 5]]).labels.max() == 1


@pytest.mark.parametrize("pair", [[0, 10], [-1, 5], [5, 5], [6, 4]])
def test_crop_must_lie_inside(tmp_path, pair):
    file = write(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"crop .* along image axis 0 .* \[0, 9\]"):
        read_image(file, [400 * NM], LABELS, crop=[pair, [0, 12], [0, 14]])


@pytest.mark.parametrize("size", [[0.0], [-1e-6], [float("nan")], [1e-6, 1e-6], []])
def test_voxel_size_must_be_a_length(tmp_path, size):
    with pytest.raises(InputError, match="one or three positive lengths"):
        read_image(write(tmp_path / "a.tif"), size, LABELS)


def balls(shape, centres, radii, voxel=(1.0, 1.0, 1.0)):
    """1 in balls, 0 outside; and the nearest ball of each voxel; coordinates as the voxel's."""
    place = (np.stack(np.indices(shape), axis=-1) + 0.5) * voxel
    depth = np.linalg.norm(place[..., None, :] - np.array(centres), axis=-1) - np.array(radii)
    inside = depth.min(axis=-1) < 0
    return inside.astype(np.uint8), np.where(inside, 1 + depth.argmin(axis=-1), 0)


@pytest.mark.parametrize("stretch", [1.0, 2.0])
def test_watershed_parts_touching_balls(stretch):
    """Overlapping balls of unlike size, also in flat voxels: each voxel to its ball, bar the necks.

    The neck of two unlike balls is not where their spheres part, which moves 2 % of the voxels.
    """
    shape = (int(40 / stretch), 40, 60)
    centres = [(20.0, 20.0, 13.0), (20.0, 20.0, 30.0), (20.0, 22.0, 45.0)]
    voxel = (stretch, 1.0, 1.0)
    labels, truth = balls(shape, centres, [10.0, 8.0, 8.0], voxel)
    particles, method = partition(labels, [1], (stretch * 1e-6, 1e-6, 1e-6))
    assert method["particles"] == 3
    match = np.zeros((4, 4), int)
    np.add.at(match, (truth, particles), 1)
    assert match[0, 0] == (labels == 0).sum()
    assert match[1:, 1:].max(axis=1).sum() >= 0.98 * labels.sum()


def test_particles_stay_in_their_component_and_phase():
    """Two phases that touch, and two voxels that meet in a corner: no particle spans them."""
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[:6, :6, :6], labels[6:, :6, :6] = 1, 2
    labels[9, 9, 9] = labels[10, 10, 10] = 1
    particles, method = partition(labels, [1, 2], (1e-6,) * 3)
    assert method["particles"] == 4
    assert len({int(particles[9, 9, 9]), int(particles[10, 10, 10]), int(particles[0, 0, 0])}) == 3
    assert (particles[6:, :6, :6] == 4).all()
    assert not particles[labels == 0].any()


def test_box_sides_cut_particles_without_parting_them():
    """A quarter of a ball at an edge of the box is one particle; a full phase is one."""
    labels, _ = balls((20, 20, 20), [(0.0, 0.0, 10.0)], [9.0])
    assert partition(labels, [1], (1e-6,) * 3)[1]["particles"] == 1
    assert partition(np.ones((5, 5, 5), np.uint8), [1], (1e-6,) * 3)[1]["particles"] == 1


@pytest.mark.parametrize(("phase", "share"), [("pore", 0.40055), ("nmc", 0.49945), ("cbd", 0.1)])
def test_real_image(image_file, phase, share):
    """Published shares, to their printed digits."""
    file = image_file("nmc1cal_xct_cbd.tif")
    volume = read_image(file, [398 * NM], {"pore": 0, "nmc": 1, "cbd": 2})
    assert volume.labels.shape == (251, 301, 301)
    assert volume.evidence["label_shares"][phase] == pytest.approx(share, abs=5e-6)
