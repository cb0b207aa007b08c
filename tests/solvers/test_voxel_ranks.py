"""The voxel engine on slabs: the same row on any number of ranks, and flux in balance."""

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError, NumericalError
from voxtrode.solvers.voxel_transport import voxel_transport
from voxtrode.solvers.voxel_transport.line import slab_starts
from voxtrode.solvers.voxel_transport.problem import Inside

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]

COMM = MPI.COMM_WORLD
CUBE = (1.0, 1.0, 1.0)


def own(labels: np.ndarray) -> np.ndarray:
    """This rank's layers."""
    starts = slab_starts(len(labels), COMM.size)
    return labels[starts[COMM.rank] : starts[COMM.rank + 1]]


def both(labels: np.ndarray, inside: Inside, axis: str, **how: object) -> None:
    """The row of all ranks against that of one, at a flux imbalance of 1e-10: within 1e-8."""
    many = voxel_transport(own(labels), CUBE, inside, axis, tolerance=1e-10, comm=COMM, **how)
    one = voxel_transport(labels, CUBE, inside, axis, tolerance=1e-10, **how)
    assert many.effective_ratio == pytest.approx(one.effective_ratio, rel=1e-8)
    assert many.flux_imbalance <= 1e-10
    assert many.fraction == pytest.approx(one.fraction, rel=1e-14)
    assert many.percolating_fraction == pytest.approx(one.percolating_fraction, rel=1e-14)
    assert many.isolated_share == pytest.approx(one.isolated_share, rel=1e-14)


def noise(shape: tuple[int, int, int], shares: tuple[float, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(len(shares), size=shape, p=shares).astype(np.uint8)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("periodic", [False, True])
def test_a_pore_and_a_composite(axis: str, periodic: bool) -> None:
    """No size is a power of two; isolated parts lie across slabs and across sides."""
    sides = tuple(name for name in AXES if name != axis) if periodic else ()
    pore = noise((37, 22, 19), (0.38, 0.62), 5)
    both(pore, {0: (1.0, 1.0)}, axis, periodic=sides)
    mixed = noise((37, 22, 19), (0.3, 0.4, 0.3), 6)
    both(mixed, {0: (1.0, 1.0), 1: (0.4, 1e-2)}, axis, periodic=sides)


def test_the_same_bits_where_slabs_keep_whole_aggregates() -> None:
    """Sums are made layer by layer, in one order."""
    labels = noise((48, 40, 40), (0.5, 0.5), 7)
    many = voxel_transport(own(labels), CUBE, {0: (1.0, 1.0)}, "z", comm=COMM)
    one = voxel_transport(labels, CUBE, {0: (1.0, 1.0)}, "z")
    assert many.effective_ratio == one.effective_ratio
    assert many.iterations == one.iterations


def test_a_path_that_goes_up_and_down_through_the_slabs() -> None:
    """A meander along z: its parts join at the far ends only."""
    labels = np.ones((24, 1, 7), np.uint8)
    labels[:23, 0, 0] = labels[22, 0, 0:3] = labels[2:23, 0, 2] = labels[2, 0, 2:5] = 0
    labels[2:, 0, 4] = 0
    labels[5:20, 0, 6] = 0
    both(labels, {0: (1.0, 1.0)}, "z")


def test_more_ranks_than_layers() -> None:
    """The ranks without a layer hear the result; so they do of an error."""
    labels = noise((2, 20, 20), (0.7, 0.3), 8)
    both(labels, {0: (1.0, 1.0)}, "x")
    with pytest.raises(NumericalError, match="after 1 iterations"):
        voxel_transport(
            own(labels), CUBE, {0: (1.0, 1.0)}, "x", tolerance=1e-9, max_iterations=1, comm=COMM
        )


def test_no_path_is_a_result_on_every_rank() -> None:
    labels = np.zeros((12, 4, 4), np.uint8)
    labels[6] = 1
    row = voxel_transport(own(labels), CUBE, {0: (1.0, 1.0)}, "z", comm=COMM)
    assert (row.effective_ratio, row.tortuosity_factor) == (0.0, np.inf)


def test_other_slabs_are_refused() -> None:
    if COMM.size == 1:
        pytest.skip("one slab cannot be cut wrongly")
    with pytest.raises(InputError, match="slab_starts"):
        voxel_transport(
            np.zeros((3 + 2 * COMM.rank, 4, 4), np.uint8), CUBE, {0: (1.0, 1.0)}, "z", comm=COMM
        )


@pytest.mark.parametrize("ranks", [1, 2, 3, 5, 16, 64])
@pytest.mark.parametrize("layers", [1, 2, 7, 37, 251, 4000])
def test_slabs_are_even_and_hold_whole_aggregates(layers: int, ranks: int) -> None:
    """No slab is more than 15 % (or a layer) thicker than the mean; empty ones come last."""
    starts = slab_starts(layers, ranks)
    thick = np.diff(starts)
    assert (starts[0], starts[-1], len(thick)) == (0, layers, ranks)
    used = min(layers, ranks)
    assert thick.max() <= max(1.15 * layers / used, np.ceil(layers / used))
    assert np.all(np.diff((thick > 0).astype(int)) <= 0)
    if layers / ranks > 50:
        assert all(start % 8 == 0 for start in starts[:-1])
