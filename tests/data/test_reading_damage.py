"""Bytes missing or wrong: a volume or one line comes out, never other voxels or another error."""

from contextlib import suppress

import h5py
import numpy as np
import pytest
import tifffile

from voxtrode.data.errors import InputError
from voxtrode.data.reading.formats import open_image
from voxtrode.data.reading.labels import read_labels
from voxtrode.data.reading.request import ImageRequest

EDGE = 4e-7
VALUES = (np.random.default_rng(0).random((9, 12, 14)) > 0.5).astype(np.uint8)
LABELS = {"pore": 0, "nmc": 1}


def write(file, values, **options):
    if file.suffix == ".tif":
        tifffile.imwrite(file, values, **{"photometric": "minisblack", **options})
    elif file.suffix == ".npy":
        np.save(file, values)
    else:
        with h5py.File(file, "w") as handle:
            handle.create_dataset("volume", data=values)
    return file


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"imagej": True}, {"metadata": None, "rowsperstrip": 3}],
    ids=["plain", "zlib", "imagej", "strips"],
)
def test_the_last_bytes_missing(tmp_path, options):
    """The end may hold tags that nobody needs; never are other voxels read than were written."""
    file = write(tmp_path / "a.tif", VALUES, **options)
    whole = file.read_bytes()
    for missing in range(1, 60):
        file.write_bytes(whole[:-missing])
        try:
            labels = read_labels(ImageRequest(file, [EDGE], LABELS)).labels
        except InputError:
            continue
        np.testing.assert_array_equal(labels, VALUES)


@pytest.mark.parametrize("name", ["a.tif", "b.tif", "a.npy", "a.h5"])
def test_any_byte_may_be_wrong(tmp_path, name):
    """Voxels may be others then, but nothing else than a volume or a line comes out."""
    random = np.random.default_rng(2)
    file = write(tmp_path / name, VALUES, **({"compression": "zlib"} if name == "b.tif" else {}))
    whole = file.read_bytes()
    for place in random.integers(0, min(len(whole), 1000), 150):
        data = bytearray(whole)
        data[place] = random.integers(0, 256)
        file.write_bytes(bytes(data))
        with suppress(InputError), open_image(file) as source:
            if np.prod(source.shape) < 10**7:
                assert source.read(0, source.shape[0]).shape == source.shape
