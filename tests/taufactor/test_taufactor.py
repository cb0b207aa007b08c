"""TauFactor's own package against the voxel engine: `make test-taufactor` installs and runs it."""

import numpy as np
import pytest
from scipy import ndimage

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError
from voxtrode.solvers.taufactor_engine import taufactor_transport
from voxtrode.solvers.voxel_transport import voxel_transport

pytest.importorskip("taufactor")

CUBE = (1.0, 1.0, 1.0)
PORE = {0: (1.0, 1.0)}
STOP = 2e-4
"""TauFactor's criterion here: single precision reaches it, and τ is then good to 0.1 %."""


def blobs(n: int, share: float, seed: int) -> np.ndarray:
    """Smoothed noise, cut such that label 0 has a share."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).random((n, n, n)), 2.0)
    return (field > np.quantile(field, share)).astype(np.uint8)


@pytest.mark.parametrize("axis", AXES)
def test_both_engines_find_the_same(axis: str) -> None:
    """The same equations on the same voxels: within 0.1 %."""
    labels = blobs(48, 0.5, 1)
    theirs = taufactor_transport(labels, CUBE, PORE, axis, tolerance=STOP)
    ours = voxel_transport(labels, CUBE, PORE, axis, tolerance=1e-6)
    assert theirs.tortuosity_factor == pytest.approx(ours.tortuosity_factor, rel=1e-3)
    assert theirs.fraction == pytest.approx(ours.fraction, rel=1e-12)
    assert theirs.percolating_fraction == pytest.approx(ours.percolating_fraction, rel=1e-12)
    assert theirs.method == "taufactor"


def test_its_own_test_volumes() -> None:
    """A block of ones, straight strips, and the two-thirds pore: τ = 1 to single precision."""
    ones = np.zeros((20, 20, 20), np.uint8)
    strips = ones.copy()
    strips[:, ::2] = 1
    for labels in (ones, strips):
        theirs = taufactor_transport(labels, CUBE, PORE, "z", tolerance=STOP)
        ours = voxel_transport(labels, CUBE, PORE, "z")
        assert theirs.tortuosity_factor == pytest.approx(1.0, rel=1e-4)
        assert ours.tortuosity_factor == pytest.approx(1.0, rel=1e-12)


def test_a_composite() -> None:
    """Contrast 1:0.1. Its end faces are a whole voxel away, ours half a one: of order 1/n apart."""
    labels = blobs(48, 0.5, 2)
    inside = {0: (1.0, 1.0), 1: (1.0, 0.1)}
    theirs = taufactor_transport(labels, CUBE, inside, "z", tolerance=STOP)
    ours = voxel_transport(labels, CUBE, inside, "z", tolerance=1e-6)
    assert theirs.effective_ratio == pytest.approx(ours.effective_ratio, rel=0.02)


def test_no_path_is_a_result() -> None:
    labels = np.zeros((12, 6, 6), np.uint8)
    labels[5] = 1
    found = taufactor_transport(labels, CUBE, PORE, "z")
    assert (found.effective_ratio, found.tortuosity_factor) == (0.0, np.inf)


def test_voxels_that_are_no_cubes_are_refused() -> None:
    with pytest.raises(InputError, match="cubic"):
        taufactor_transport(np.zeros((8, 8, 8), np.uint8), (2.0, 1.0, 1.0), PORE, "z")
