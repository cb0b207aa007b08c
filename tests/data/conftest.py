"""The real CT volume, read once for all tests of the room."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from voxtrode.data.reading.labels import read_labels
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.volume import Volume

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def real_volume(image_file: Callable[[str], Path]) -> Volume:
    """The calendered NMC532 cathode: pore, NMC and carbon-binder in voxels of 398 nm."""
    labels = {"pore": 0, "nmc": 1, "cbd": 2}
    return read_labels(ImageRequest(image_file("nmc1cal_xct_cbd.tif"), [398e-9], labels))
