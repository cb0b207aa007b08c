"""Malformed images: each is refused in one line that names the file and says what to do."""

import os
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout
from voxtrode.data.reading.labels import read_labels
from voxtrode.data.reading.request import ImageRequest

EDGE = 4e-7
SHAPE = (9, 12, 14)
VALUES = (np.random.default_rng(0).random(SHAPE) > 0.5).astype(np.uint8)
LABELS = {"pore": 0, "nmc": 1}
ADVICE = re.compile(
    r"check|copy|export|save|correct|expected|give|name |add |state|leave|move|complete|take|fill"
)


def refused(file, message, **options):
    """The image is refused as one line that names the file, what is wrong and what to do."""
    options = {"labels": LABELS, "voxel_size": [EDGE], **options}
    with pytest.raises(InputError, match=message) as refusal:
        read_labels(ImageRequest(file, **options))
    text = str(refusal.value)
    assert "\n" not in text
    assert len(text) < 700
    assert str(file) in text
    assert ADVICE.search(text), text


def write(file, values, **options):
    if file.suffix == ".tif":
        tifffile.imwrite(file, values, **{"photometric": "minisblack", **options})
    elif file.suffix == ".npy":
        np.save(file, values)
    else:
        with h5py.File(file, "w") as handle:
            handle.create_dataset("volume", data=values, **options)
    return file


def cut(name, share, **options):
    def make(folder):
        file = write(folder / name, np.tile(VALUES, (2, 3, 3)), **options)
        file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        return file

    return make


def holding(name, values, **options):
    return lambda folder: write(folder / name, values, **options)


def text(name, content):
    def make(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return make


def slices(*pages, names="slice{}.tif"):
    def make(folder):
        place = folder / "slices"
        place.mkdir()
        for number, page in enumerate(pages):
            write(place / names.format(number), page)
        return place

    return make


def slices_and(change):
    def make(folder):
        place = slices(*VALUES)(folder)
        change(place)
        return place

    return make


def sizes(folder):
    with tifffile.TiffWriter(folder / "a.tif") as stack:
        stack.write(VALUES, photometric="minisblack")
        stack.write(VALUES[:, :5], photometric="minisblack")
    return folder / "a.tif"


def pickled(folder):
    np.save(folder / "a.npy", np.full((2, 2, 2), None), allow_pickle=True)
    return folder / "a.npy"


def huge_header(folder):
    """A shape that no file has."""
    with (folder / "a.npy").open("wb") as stream:
        header = {"descr": "|u1", "fortran_order": False, "shape": (2**31, 2**31, 2**31)}
        np.lib.format.write_array_header_1_0(stream, header)
    return folder / "a.npy"


def with_datasets(**shapes):
    def make(folder):
        with h5py.File(folder / "a.h5", "w") as handle:
            handle.create_group("empty")
            for name, shape in shapes.items():
                handle[name] = np.zeros(shape)
        return folder / "a.h5"

    return make


def damaged(name, **options):
    """The middle of the compressed voxels is overwritten."""

    def make(folder):
        noise = np.random.default_rng(1).integers(0, 2, (20, 50, 50)).astype(np.uint8)
        file = write(folder / name, noise, **options)
        data = bytearray(file.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 400] = b"\xa5" * 400
        file.write_bytes(bytes(data))
        return file

    return make


def missing_page(folder):
    """The third page's offset is wrong: its compressed voxels would lie beyond the end."""
    file = write(folder / "a.tif", VALUES, compression="zlib")
    with tifffile.TiffFile(file, mode="r+") as stack:
        stack.pages[2].tags["StripOffsets"].overwrite(10**6)
    return file


def no_width(folder):
    file = write(folder / "a.tif", VALUES, imagej=True)
    with tifffile.TiffFile(file, mode="r+") as stack:
        stack.pages[0].tags["ImageWidth"].overwrite(0)
    return file


def unknown_compression(folder):
    file = write(folder / "a.tif", VALUES, compression="zlib")
    with tifffile.TiffFile(file, mode="r+") as stack:
        stack.pages[0].tags["Compression"].overwrite(34661)  # JBIG
    return file


def unknown_filter(folder):
    """The number of the filter, which is in the file once, becomes one that nobody has."""
    file = write(folder / "a.h5", VALUES, chunks=(3, 12, 14), compression="lzf")
    known, other = (number.to_bytes(2, "little") for number in (32000, 31999))
    file.write_bytes(file.read_bytes().replace(known, other, 1))
    return file


def marked(value, dtype=np.float32):
    values = VALUES.astype(dtype)
    values[3, 3, :4] = value
    return values


GREY = np.random.default_rng(1).normal(100.0, 20.0, SHAPE)
TRUNCATED = "truncated or no valid"
MALFORMED = {
    # What is no image at all
    "missing": (lambda folder: folder / "none.tif", "no image at"),
    "missing folder": (lambda folder: folder / "none" / "a.tif", "no image at"),
    "below a file": (
        lambda folder: text("a", b"x")(folder) / "b.tif",
        "cannot be read",
    ),
    "empty .tif": (text("a.tif", b""), f"{TRUNCATED} TIFF"),
    "empty .npy": (text("a.npy", b""), f"{TRUNCATED} NumPy"),
    "empty .h5": (text("a.h5", b""), f"{TRUNCATED} HDF5"),
    "empty without a suffix": (text("a", b""), "no format that is read"),
    "text named .tif": (text("a.tif", b"a study\nof two lines\n"), f"{TRUNCATED} TIFF"),
    "text named .npy": (text("a.npy", b"a study\nof two lines\n" * 9), f"{TRUNCATED} NumPy"),
    "text named .h5": (text("a.h5", b"a study\n" * 99), f"{TRUNCATED} HDF5"),
    "zeros named .tif": (text("a.tif", bytes(5000)), f"{TRUNCATED} TIFF"),
    "TIFF header only": (text("a.tif", b"II*\0"), f"{TRUNCATED} TIFF"),
    "TIFF of no page": (text("a.tif", b"II*\0\0\0\0\0"), f"{TRUNCATED} TIFF|none"),
    "TIFF that refers to itself": (text("a.tif", b"II*\0\4\0\0\0" * 9), "holds no voxels"),
    "a picture": (text("a.png", b"\x89PNG\r\n\x1a\n" + bytes(50)), "no format that is read"),
    "a zip": (text("a.npz", b"PK\3\4" + bytes(50)), "no format that is read"),
    "raw without a layout": (text("a.raw", bytes(64)), "state shape and dtype"),
    # Truncated and damaged
    **{
        f"{name} at {share:.0%}": (cut(name, share, **options), TRUNCATED)
        for share in (0.02, 0.3, 0.6, 0.9)
        for name, options in {
            "a.tif": {},
            "b.tif": {"compression": "lzw"},
            "c.tif": {"imagej": True},
            "d.tif": {"ome": True, "compression": "zstd"},
            "e.tif": {"bigtiff": True, "compression": "packbits"},
            "a.npy": {},
            "a.h5": {"chunks": (3, 12, 14), "compression": "gzip"},
        }.items()
    },
    **{
        f"damaged {compression}": (damaged("a.tif", compression=compression), TRUNCATED)
        for compression in ("zlib", "zstd", "lzma")
    },
    "damaged hdf5": (damaged("a.h5", chunks=(4, 50, 50), compression="gzip"), TRUNCATED),
    "TIFF without width": (no_width, "holds no voxels|truncated or no valid"),
    "page beyond the end": (missing_page, TRUNCATED),
    "unknown compression": (unknown_compression, "compressed in a way that cannot be read"),
    "unknown filter": (unknown_filter, "compressed in a way that cannot be read"),
    # Other numbers than real ones
    "complex .tif": (holding("a.tif", VALUES.astype(np.complex64)), "complex numbers"),
    "complex .npy": (holding("a.npy", VALUES.astype(complex)), "complex numbers"),
    "complex .h5": (holding("a.h5", VALUES.astype(complex)), "complex numbers"),
    "pickled objects": (pickled, "Python objects"),
    "records": (holding("a.npy", np.zeros(SHAPE, "u1,f4")), "records"),
    "strings": (holding("a.npy", np.full(SHAPE, "pore")), "values of type"),
    "dates": (holding("a.npy", np.zeros(SHAPE, "M8[s]")), "values of type"),
    "strings in hdf5": (holding("a.h5", np.full((2, 2, 2), b"pore")), "values of type"),
    "RGB": (holding("a.tif", np.stack([VALUES] * 3, -1), photometric="rgb"), "colour image"),
    "RGBA": (holding("a.tif", np.stack([VALUES] * 4, -1), photometric="rgb"), "colour image"),
    "planar RGB": (
        holding("a.tif", np.stack([VALUES] * 3, 1), photometric="rgb", planarconfig="separate"),
        "colour image",
    ),
    "one RGB picture": (holding("a.tif", VALUES[:, :, :3], photometric="rgb"), "colour image"),
    # Other shapes than volumes
    "single slice": (holding("a.tif", VALUES[0]), "2 dimensions"),
    "stack of one slice": (holding("a.tif", VALUES[:1]), "2 dimensions"),
    "2D .npy": (holding("a.npy", VALUES[0]), "2 dimensions"),
    "scalar .npy": (holding("a.npy", np.uint8(3)), "0 dimensions"),
    "4D .tif": (holding("a.tif", np.stack([VALUES] * 2)), "4 dimensions"),
    "4D .npy": (holding("a.npy", np.stack([VALUES] * 2)), "4 dimensions"),
    "times": (
        holding("a.tif", np.stack([VALUES] * 2), imagej=True, metadata={"axes": "TZYX"}),
        "2 times, 9 layers",
    ),
    "channels": (
        holding("a.tif", np.stack([VALUES] * 2), ome=True, metadata={"axes": "CZYX"}),
        "2 channels, 9 layers",
    ),
    "times and channels": (
        holding("a.tif", np.stack([[VALUES] * 2] * 3), ome=True, metadata={"axes": "TCZYX"}),
        "3 times, 2 channels, 9 layers",
    ),
    "no voxels": (holding("a.npy", np.zeros((0, 3, 4))), "holds no voxels"),
    "shape beyond all files": (huge_header, TRUNCATED),
    "sizes in one file": (sizes, "different sizes"),
    # Values that are no labels
    "NaN": (holding("a.npy", marked(np.nan)), "4 NaN and 0 infinite"),
    "infinite": (holding("a.tif", marked(-np.inf)), "0 NaN and 4 infinite"),
    "all NaN": (holding("a.h5", np.full(SHAPE, np.nan)), f"{VALUES.size} NaN"),
    "fractions": (holding("a.tif", marked(0.5)), "greyscale image; add volume.image.segment"),
    "grey 8-bit": (holding("a.tif", GREY.astype(np.uint8)), "greyscale"),
    "grey 16-bit": (holding("a.tif", (100 * GREY).astype(np.uint16)), "greyscale"),
    "grey float": (holding("a.npy", GREY), "greyscale"),
    "negative label": (holding("a.npy", marked(-1, np.int8)), r"not listed: -1 \(0\.26%\)"),
    "unlisted label": (holding("a.tif", marked(2, np.uint8)), r"not listed: 2 \(0\.26%\)"),
    "unlisted whole float": (holding("a.tif", marked(7)), r"not listed: 7 \(0\.26%\)"),
    "constant": (holding("a.tif", VALUES * 0), r"label 1 \('nmc'\) does not occur"),
    "0 and 255": (holding("a.tif", 255 * VALUES), r"label 1 .* 0 \(.*%\), 255 \(.*%\)"),
    # Folders
    "folder for a file": (lambda folder: folder, "folder with 0 TIFF slice"),
    "folder of one slice": (slices(VALUES[0]), "folder with 1 TIFF slice"),
    "slices of two sizes": (slices(*VALUES[:4], VALUES[0, :5]), "5 x 14 .* 12 x 14"),
    "slices of two types": (slices(*VALUES[:4], VALUES[0].astype("u2")), "of uint16, .* uint8"),
    "a stack among slices": (slices(*VALUES[:4], VALUES), "holds 9 pages"),
    "two scans": (
        slices_and(lambda at: [shutil.copy(at / f"slice{i}.tif", at / f"b{i}.tif") for i in "123"]),
        r"several series of slices \(b1.tif, slice0.tif\)",
    ),
    "stacks for slices": (slices(VALUES, VALUES), "holds 9 pages"),
    "a note": (slices_and(lambda at: (at / "note.txt").write_text("x")), "holds note.txt besides"),
    "a subfolder": (slices_and(lambda at: (at / "more").mkdir()), "holds more besides"),
    "a slice missing": (slices_and(lambda at: (at / "slice4.tif").unlink()), "a step of 2"),
    "a slice doubled": (
        slices_and(lambda at: shutil.copy(at / "slice4.tif", at / "slice04.tif")),
        "a step of 0",
    ),
    "an empty slice": (slices_and(lambda at: (at / "slice4.tif").write_bytes(b"")), TRUNCATED),
    "a folder as slice": (
        slices_and(lambda at: (at / "slice9.tif").mkdir()),
        "cannot be read",
    ),
    # HDF5
    "hdf5 of nothing": (with_datasets(), "it holds no dataset"),
    "hdf5 of 2D": (with_datasets(a=(3, 4), b=(5,)), r"no 3D dataset; it holds /a \(3, 4\), /b"),
    "hdf5 of several": (
        with_datasets(a=(2, 3, 4), b=(2, 3, 5), c=(3,)),
        r"several .*/a .*/b [^c]*$",
    ),
    "hdf5 without voxels": (with_datasets(a=(0, 3, 4)), "holds no voxels"),
}


@pytest.mark.parametrize(("make", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_images(tmp_path, make, message):
    refused(make(tmp_path), message)


RAW = RawLayout(SHAPE, "uint8")
LAYOUTS = {
    "too short": (RawLayout((9, 12, 15), "uint8"), "has 1512 bytes, but .* are 1620"),
    "too long": (RawLayout((9, 12, 13), "uint8"), "has 1512 bytes, but .* are 1404"),
    "wider": (RawLayout(SHAPE, "uint16"), "are 3024: correct shape, dtype or offset"),
    "behind an offset": (RawLayout(SHAPE, "uint8", offset=1), "header of 1 bytes .* are 1513"),
    "no type": (RawLayout(SHAPE, "byte"), "raw.dtype 'byte' .* one of uint8, uint16"),
    "objects": (RawLayout(SHAPE, "object"), "raw.dtype 'object'"),
    "a type with order": (RawLayout(SHAPE, ">u2"), "raw.dtype '>u2'"),
    "zero shape": (RawLayout((0, 12, 14), "uint8"), r"raw.shape \[0, 12, 14\]"),
    "negative shape": (RawLayout((-9, -12, 14), "uint8"), "raw.shape"),
    "byte order": (RawLayout(SHAPE, "uint8", "middle"), "expected little or big"),
    "negative offset": (RawLayout(SHAPE, "uint8", offset=-1), "raw.offset -1"),
}


@pytest.mark.parametrize(("layout", "message"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_raw_layouts(tmp_path, layout, message):
    VALUES.tofile(tmp_path / "a.raw")
    refused(tmp_path / "a.raw", message, raw=layout)


def test_options_of_other_formats(tmp_path):
    file = write(tmp_path / "a.tif", VALUES)
    refused(file, "no HDF5 file, so that it has no dataset", dataset="volume")
    refused(tmp_path, "is a folder: expected one raw", raw=RAW)
    refused(tmp_path / "none.raw", "no image at", raw=RAW)
    VALUES.tofile(tmp_path / "a.raw")
    refused(tmp_path / "a.raw", "no HDF5 file", raw=RAW, dataset="volume")
    several = with_datasets(a=(3, 4), b=(2, 3, 4))(tmp_path)
    refused(several, r"no dataset 'c'; it holds /a \(3, 4\), /b", dataset="c")
    refused(several, r"no dataset 'empty'", dataset="empty")
    refused(several, "2 dimensions", dataset="/a")


def test_labels_that_are_none(tmp_path):
    file = write(tmp_path / "a.tif", VALUES)
    for labels in ({}, {"pore": 0, "nmc": 0}, {"pore": (), "nmc": 1}, {"pore": (0, 1), "nmc": 1}):
        with pytest.raises(InputError, match="phases of different values"):
            read_labels(ImageRequest(file, [EDGE], labels))
    refused(file, r"label 2 \('cbd'\) does not occur", labels={**LABELS, "cbd": 2})
    refused(file, "label 300", labels={**LABELS, "cbd": 300})
    refused(file, r"not listed: 0 \(", labels={"nmc": 1})


def test_voxel_size_conflicts(tmp_path):
    resolution = {"resolution": (25000.0, 25000.0), "resolutionunit": "CENTIMETER"}
    file = write(tmp_path / "a.tif", VALUES, **resolution)
    assert read_labels(ImageRequest(file, [EDGE], LABELS)).voxel == (EDGE,) * 3
    refused(file, "says 400 nm", voxel_size=[2 * EDGE])
    place = tmp_path / "slices"
    place.mkdir()
    for number, page in enumerate(VALUES):
        write(place / f"{number}.tif", page, **resolution)
    refused(place, "says 400 nm", voxel_size=[2 * EDGE])


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_permissions(tmp_path):
    file = write(tmp_path / "a.tif", VALUES)
    file.chmod(0)
    refused(file, "cannot be read .*Permission denied")


def test_what_the_file_system_refuses(tmp_path, monkeypatch):
    """Whatever it says becomes one line, on opening a file and on listing a folder."""
    file = write(tmp_path / "a.tif", VALUES)

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    refused(file, r"cannot be read \(Permission denied\)")
    monkeypatch.setattr(Path, "iterdir", denied)
    refused(tmp_path, r"cannot be read \(Permission denied\)")
