"""Connected components and connectivity on slabs: what SciPy finds on the whole volume."""

import numpy as np
import pytest
from mpi4py import MPI
from scipy import ndimage
from slabs import cut, judged, own_layers

from voxtrode.data.connectivity import Roles, judge
from voxtrode.meshing.components import SlabLabeller

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]
COMM = MPI.COMM_WORLD


def assembled(own: np.ndarray) -> np.ndarray:
    """Layers of all ranks, one above the other."""
    return np.concatenate(COMM.allgather(own))


def labelled(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Ids by slabs, put together, and their number."""
    slab = cut(mask.astype(np.uint8), COMM)
    window = slab.window(1)
    ids, count = SlabLabeller(COMM).label(slab.labels[window] == 1)
    return assembled(ids[own_layers(slab, slab.low + window.start)]), count


@pytest.mark.parametrize("share", [0.0, 0.25, 0.31, 0.5, 1.0])
@pytest.mark.parametrize("layers", [COMM.size, 11])
def test_components_are_those_of_the_whole(share: float, layers: int) -> None:
    """The same partition of the voxels: each id of one goes with exactly one id of the other.

    0.31 is the threshold of percolation: components wind through the slabs and back. With as many
    layers as ranks each rank has one of its own.
    """
    mask = np.random.default_rng(7).random((layers, 12, 13)) < share
    ids, count = labelled(mask)
    expected, number = ndimage.label(mask)
    assert count == number
    assert np.array_equal(ids > 0, mask)
    pairs = np.unique(np.stack([ids[mask], expected[mask]]), axis=1)
    assert pairs.shape[1] == number
    assert np.array_equal(np.unique(ids[mask]), np.arange(1, number + 1))


def test_an_arch_is_one_component() -> None:
    """Two legs that meet in the last layer only: the slabs below learn it from those above."""
    mask = np.zeros((9, 3, 5), dtype=bool)
    mask[:, 1, 0] = mask[:, 1, 4] = mask[-1, 1, :] = True
    ids, count = labelled(mask)
    assert count == 1
    assert set(ids[mask]) == {1}


@pytest.mark.parametrize("seed", range(4))
def test_what_is_alive_is_judged_as_on_the_whole(seed: int) -> None:
    """Pore, insulating active, CBD and inert voxels near their thresholds: exactly equal flags."""
    labels = np.random.default_rng(seed).choice(4, (10, 9, 8), p=[0.36, 0.34, 0.26, 0.04])
    roles = Roles(active=(1,), electronic=(1, 2), ionic=(0, 2))
    found = judged(cut(labels.astype(np.uint8), COMM, phases=tuple("abcd")), roles, COMM)
    expected = judge(labels, roles)
    for role in ("electronic", "ionic", "active"):
        whole = getattr(expected, role)
        assert whole.any()
        assert np.array_equal(assembled(getattr(found, role)), whole)
