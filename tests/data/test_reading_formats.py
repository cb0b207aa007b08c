"""The same volume in every format and variant, as sources of values and as labels."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout
from voxtrode.data.reading.formats import open_image
from voxtrode.data.reading.labels import read_labels
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.reading.slices import natural_order

SHAPE = (13, 7, 9)
EDGES = (4e-7, 3e-7, 2.5e-7)
VALUES = np.random.default_rng(0).choice(3, SHAPE, p=[0.5, 0.3, 0.2]).astype(np.uint8)
LABELS = {"pore": 0, "nmc": 1, "cbd": 2}


def tiff(dtype="u1", **options):
    def write(folder: Path):
        file = folder / "a.tif"
        options.setdefault("photometric", "minisblack")
        tifffile.imwrite(file, VALUES.astype(dtype), **options)
        return {"file": file}

    return write


def page_by_page(folder):
    with tifffile.TiffWriter(folder / "a.tif") as stack:
        for page in VALUES:
            stack.write(page, contiguous=False, metadata=None, photometric="minisblack")
    return {"file": folder / "a.tif"}


def slices(name, **options):
    def write(folder: Path):
        place = folder / "slices"
        place.mkdir()
        (place / ".DS_Store").write_bytes(b"x")
        (place / "Thumbs.db").write_bytes(b"x")
        for index in range(SHAPE[0])[::-1]:
            page = VALUES[index]
            tifffile.imwrite(place / name.format(index), page, photometric="minisblack", **options)
        return {"file": place}

    return write


def npy(values, version=None):
    def write(folder: Path):
        with (folder / "a.npy").open("wb") as stream:
            np.lib.format.write_array(stream, values, version)
        return {"file": folder / "a.npy"}

    return write


def raw(dtype, byte_order="little", offset=0):
    def write(folder: Path):
        stored = np.dtype(dtype).newbyteorder("<" if byte_order == "little" else ">")
        (folder / "a.raw").write_bytes(b"h" * offset + VALUES.astype(stored).tobytes())
        return {"file": folder / "a.raw", "raw": RawLayout(SHAPE, dtype, byte_order, offset)}

    return write


def hdf5(path="volume", given=None, beside=(), suffix=".h5", user_block=0, **options):
    def write(folder: Path):
        with h5py.File(folder / f"a{suffix}", "w", userblock_size=user_block) as file:
            file.create_dataset(path, data=VALUES, **options)
            for name, shape in beside:
                file.create_dataset(name, data=np.zeros(shape))
        return {"file": folder / f"a{suffix}", "dataset": given}

    return write


def named_otherwise(folder):
    file = tiff()(folder)["file"]
    return {"file": file.rename(folder / "volume.dat")}


VOLUMETRIC = {"tile": (16, 16, 16), "volumetric": True}
WRITERS = {
    **{f"tiff {d}": tiff(d) for d in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8")},
    **{f"tiff {d}": tiff(d) for d in ("f2", "f4", "f8")},
    **{f"tiff {c}": tiff("u2", compression=c) for c in ("zlib", "lzw", "packbits", "zstd", "lzma")},
    "tiff lzw predictor": tiff("u2", compression="lzw", predictor=True),
    "tiff zlib float predictor": tiff("f4", compression="zlib", predictor=3),
    "tiff strips": tiff(rowsperstrip=3, metadata=None),
    "tiff tiles": tiff(tile=(16, 16), compression="zlib"),
    "tiff volumetric": tiff(**VOLUMETRIC, compression="zlib"),
    "tiff pages": page_by_page,
    "tiff big-endian": tiff("u2", byteorder=">"),
    "tiff big-endian zlib": tiff("u2", byteorder=">", compression="zlib"),
    "bigtiff": tiff(bigtiff=True),
    "imagej": tiff(imagej=True),
    "imagej lzw": tiff("u2", imagej=True, compression="lzw"),
    "imagej hyperstack": tiff(imagej=True, metadata={"axes": "ZYX", "hyperstack": True}),
    "ome": tiff("u2", ome=True, metadata={"axes": "ZYX"}),
    "ome zlib": tiff("u2", ome=True, metadata={"axes": "ZYX"}, compression="zlib"),
    "tiff first page says the shape": tiff(truncate=True),
    "tiff by its content": named_otherwise,
    "slices": slices("slice{}.tif"),
    "slices padded": slices("A_{:04}_ct.TIFF", compression="lzw"),
    "slices imagej": slices("{}.tif", imagej=True),
    "npy": npy(VALUES),
    "npy fortran": npy(np.asfortranarray(VALUES)),
    "npy big-endian": npy(VALUES.astype(">u4")),
    "npy int64": npy(VALUES.astype(np.int64)),
    "npy float": npy(VALUES.astype(np.float32)),
    "npy version 2": npy(VALUES, (2, 0)),
    "npy version 3": npy(VALUES, (3, 0)),
    "raw": raw("uint8"),
    "raw offset": raw("uint16", offset=513),
    "raw big-endian": raw("uint16", "big"),
    "raw int32": raw("int32", "big", 7),
    "raw float": raw("float64"),
    "hdf5": hdf5(),
    "hdf5 in a group": hdf5("a/b/volume", beside=[("a/mask", (3, 3)), ("b", (2,))]),
    "hdf5 by path": hdf5("a/b", "/a/b", beside=[("c", SHAPE)]),
    "hdf5 gzip": hdf5(chunks=(4, 4, 4), compression="gzip", shuffle=True),
    "hdf5 lzf": hdf5(chunks=(1, 7, 9), compression="lzf"),
    "hdf5 by its content": hdf5(suffix=".img"),
    "hdf5 behind a user block": hdf5(user_block=512),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_one_volume_in_every_format(tmp_path, write):
    """Exact: values, parts of them, labels and shares are those that were written."""
    given = write(tmp_path)
    with open_image(**given) as source:
        assert source.shape == SHAPE
        assert source.read(0, 13).dtype == source.dtype
        assert source.dtype.isnative
        np.testing.assert_array_equal(source.read(0, 13), VALUES)
        part = source.read(5, 6, slice(2, 6), slice(1, 9))
        np.testing.assert_array_equal(part, VALUES[5:6, 2:6, 1:9])
        for layers in ((5, 14), (-1, 3), (4, 4)):
            with pytest.raises(ValueError, match="outside"):
                source.read(*layers)
    volume = read_labels(ImageRequest(voxel_size=EDGES, labels=LABELS, **given))
    np.testing.assert_array_equal(volume.labels, VALUES)
    assert volume.labels.dtype == np.uint8
    assert volume.labels.flags.c_contiguous
    assert volume.phases == ("pore", "nmc", "cbd")
    assert volume.voxel == EDGES
    assert not volume.particles.any()
    for index, name in enumerate(LABELS):
        assert volume.evidence["label_shares"][name] == np.mean(index == VALUES)


@pytest.mark.parametrize("compression", [None, "packbits", "lzw", "zlib"])
def test_one_bit(tmp_path, compression):
    """Bits are labels 0 and 1, of a width that is no multiple of a byte."""
    bits = VALUES > 0
    tifffile.imwrite(tmp_path / "a.tif", bits, compression=compression, photometric="minisblack")
    labels = {"pore": 0, "solid": 1}
    volume = read_labels(ImageRequest(tmp_path / "a.tif", EDGES, labels))
    np.testing.assert_array_equal(volume.labels, bits)
    assert volume.evidence["format"]["bits"] in {1, 8}
    np.save(tmp_path / "a.npy", bits)
    volume = read_labels(ImageRequest(tmp_path / "a.npy", EDGES, labels))
    np.testing.assert_array_equal(volume.labels, bits)


@pytest.mark.parametrize("shape", [(1, 5, 6), (5, 1, 6), (5, 6, 1), (1, 1, 6), (1, 1, 1)])
@pytest.mark.parametrize("write", ["tif", "npy", "raw", "h5"])
def test_one_voxel_thick(tmp_path, shape, write):
    """Axes of one voxel stay; a TIFF of one page, though, is no stack."""
    values = (np.arange(np.prod(shape)) % 2).astype(np.uint8).reshape(shape)
    file, raw_layout = tmp_path / f"a.{write}", None
    if write == "tif":
        tifffile.imwrite(file, values, photometric="minisblack")
    elif write == "npy":
        np.save(file, values)
    elif write == "raw":
        values.tofile(file)
        raw_layout = RawLayout(shape, "uint8")
    else:
        with h5py.File(file, "w") as handle:
            handle["a"] = values
    if write == "tif" and 1 in {shape[0], shape[2]}:  # tifffile makes one page of (5, 6, 1)
        with pytest.raises(InputError, match="1 page"):
            open_image(file)
        return
    with open_image(file, raw_layout) as source:
        np.testing.assert_array_equal(source.read(0, shape[0]), values)


def test_what_is_mapped_is_not_copied(tmp_path):
    """Reading contiguous files gives views of a memory map."""
    for name in ("tiff u2", "bigtiff", "imagej", "npy", "npy fortran", "raw offset"):
        (tmp_path / name).mkdir()
        with open_image(**WRITERS[name](tmp_path / name)) as source:
            assert source.metadata["access"] == "mapped"
            base = source.read(3, 5)
            while not isinstance(base, np.memmap):
                base = base.base


def test_pages_are_decoded_one_by_one(tmp_path, monkeypatch):
    decoded = []
    original = tifffile.TiffFrame.asarray

    def counted(page, *args, **options):
        decoded.append(page.index)
        return original(page, *args, **options)

    monkeypatch.setattr(tifffile.TiffFrame, "asarray", counted)
    with open_image(**tiff(compression="zlib")(tmp_path)) as source:
        source.read(4, 6)
    assert decoded == [4, 5]


def test_hdf5_states_voxel_sizes(tmp_path):
    """Attributes of the dataset or of its group; a size without a unit says nothing."""
    cases = [
        ("volume", {"element_size_um": [0.4, 0.3, 0.25]}, "element_size_um"),
        ("volume", {"voxel_size": [400, 300, 250.0], "unit": "nm"}, "voxel_size"),
        ("/", {"voxel_size": [4e-7, 3e-7, 2.5e-7], "voxel_size_unit": b"m"}, "voxel_size"),
    ]
    for place, attributes, origin in cases:
        file = hdf5()(tmp_path)["file"]
        with h5py.File(file, "a") as handle:
            handle[place].attrs.update(attributes)
        with open_image(file) as source:
            assert [length for length, _ in source.stated.values()] == pytest.approx(EDGES)
            assert {found for _, found in source.stated.values()} == {origin}
        with pytest.raises(InputError, match=r"axis 1, but .* says 300 nm"):
            read_labels(ImageRequest(file, [4e-7], LABELS))
    for attributes in (
        {"voxel_size": [1, 1, 1]},
        {"voxel_size": "x", "unit": "nm"},
        {"unit": "nm"},
    ):
        file = hdf5()(tmp_path)["file"]
        with h5py.File(file, "a") as handle:
            handle["volume"].attrs.update(attributes)
        with open_image(file) as source:
            assert source.stated == {}


def test_natural_order():
    names = ["s10.tif", "s2.tif", "S1.tif", "a.tif", "s02.tif", "s2b3.tif"]
    ordered = sorted(names, key=natural_order)
    assert ordered == ["a.tif", "S1.tif", "s02.tif", "s2.tif", "s10.tif", "s2b3.tif"]


def test_metadata(tmp_path):
    with open_image(**WRITERS["imagej lzw"](tmp_path)) as source:
        assert source.metadata == {
            "format": "TIFF",
            "flavour": "imagej",
            "axes": "CYX",  # what tifffile writes where no axes are given
            "pages": 13,
            "bits": 16,
            "compression": "lzw",
            "photometric": "minisblack",
            "byte_order": "little",
            "access": "pages",
        }
