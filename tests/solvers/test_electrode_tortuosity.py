"""Electrode tortuosity: exact for straight pores, in balance, the same on any number of ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import NumericalError
from voxtrode.solvers.voxel_transport import electrode_transport, voxel_transport
from voxtrode.solvers.voxel_transport.line import slab_starts

COMM = MPI.COMM_WORLD
CUBE = (1.0, 1.0, 1.0)
PORE = {0: (1.0, 1.0)}


def channels(axis: str) -> np.ndarray:
    """Straight pores of one and of 2 × 2 voxels: every cell of a plane draws the same."""
    labels = np.ones((11, 11, 11), np.uint8)
    turned = np.moveaxis(labels, AXES.index(axis), 0)
    turned[:, 1:3, 1:3] = turned[:, 6:8, 6:8] = 0
    return labels


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("voxel", [CUBE, (1.0, 0.5, 2.0)])
def test_straight_pores(axis: str, voxel: tuple[float, float, float]) -> None:
    """The resistance is L/(3 k A): τ_e = 1, on voxels as exactly as their sums allow."""
    row = electrode_transport(channels(axis), voxel, PORE, axis, tolerance=1e-9)
    assert row.tortuosity_factor == pytest.approx(1.0, rel=1e-9)
    assert row.fraction == pytest.approx(8 / 121)
    assert row.flux_imbalance <= 1e-9


def test_its_own_conductivity_inside() -> None:
    """ε = 0.5 and ε/τ = 0.2: τ_e = 2.5."""
    row = electrode_transport(channels("z"), CUBE, {0: (0.5, 0.2)}, "z", tolerance=1e-9)
    assert row.tortuosity_factor == pytest.approx(2.5, rel=1e-9)


def test_dead_ends_take_part() -> None:
    """Pores that end at the collector's side half-way: no flow from face to face, yet charged."""
    labels = channels("z")
    labels[:5] = 1
    row = electrode_transport(labels, CUBE, PORE, "z", tolerance=1e-9)
    assert voxel_transport(labels, CUBE, PORE, "z").effective_ratio == 0.0
    # The bottom of each pore draws as much as a side wall, so that it is no uniform line: between.
    assert 0.0 < row.tortuosity_factor < 1.0
    assert row.reached_fraction == pytest.approx(row.fraction)


def test_what_the_separator_does_not_reach() -> None:
    """The other way round: pores open to the collector alone."""
    labels = channels("z")
    labels[6:] = 1
    row = electrode_transport(labels, CUBE, PORE, "z")
    assert (row.effective_ratio, row.tortuosity_factor) == (0.0, np.inf)


def test_without_walls_nothing_is_drawn() -> None:
    with pytest.raises(NumericalError, match="no wall"):
        electrode_transport(np.zeros((5, 5, 5), np.uint8), CUBE, PORE, "z")


@pytest.mark.mpi
@pytest.mark.mpi3
@pytest.mark.parametrize("axis", AXES)
def test_ranks_agree(axis: str) -> None:
    """Within 1e-8 at an imbalance of 1e-10."""
    rng = np.random.default_rng(3)
    labels = (rng.random((29, 18, 17)) > 0.5).astype(np.uint8)
    starts = slab_starts(len(labels), COMM.size)
    own = labels[starts[COMM.rank] : starts[COMM.rank + 1]]
    many = electrode_transport(own, CUBE, PORE, axis, tolerance=1e-10, comm=COMM)
    one = electrode_transport(labels, CUBE, PORE, axis, tolerance=1e-10)
    assert many.effective_ratio == pytest.approx(one.effective_ratio, rel=1e-8)
    assert many.flux_imbalance <= 1e-10
