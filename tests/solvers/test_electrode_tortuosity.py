"""Electrode tortuosity: exact for straight pores, in balance, the same on any number of ranks."""

import numpy as np
import pytest
from charged_pores import resistance, tau_e
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


def test_a_tree_of_pores() -> None:
    """Without loops, the current in each face is the walls behind it: R = Σ (share behind)² L."""
    labels = np.ones((9, 7, 9), np.uint8)
    labels[1:, 3, 4] = 0  # a trunk, up to the counter face
    labels[6, 3, 1:8] = labels[3, 1:6, 4] = labels[4:7, 3, 1] = 0  # branches, and one off a branch
    pore = labels == 0
    walls = 6 * pore - sum(np.pad(pore, 1).astype(int)[n] for n in _neighbours())
    walls[-1][pore[-1]] -= 1  # the counter face is none
    # The plane above a layer of the trunk passes what all branches up to it draw.
    squares = 0.0
    for z in range(1, 9):
        carried = walls[1 : z + 1, 3, 4].sum()
        carried += walls[3, [1, 2, 4, 5], 4].sum() * (z >= 3)
        carried += (walls[6, 3, [1, 2, 3, 5, 6, 7]].sum() + walls[4:6, 3, 1].sum()) * (z >= 6)
        squares += carried**2 * (0.5 if z == 8 else 1.0)
    for one in ([1], [1, 2]):
        squares += 2.0 * walls[3, one, 4].sum() ** 2
    twig = [walls[4, 3, 1], walls[4:6, 3, 1].sum()]
    squares += sum(one**2 for one in twig)
    for last in (1, 2, 3):
        squares += (twig[1] + walls[6, 3, 1 : last + 1].sum()) ** 2
        squares += walls[6, 3, 8 - last : 8].sum() ** 2
    row = electrode_transport(labels, CUBE, PORE, "z", tolerance=1e-10)
    expected = tau_e(pore, CUBE, squares / walls[pore].sum() ** 2)
    assert row.tortuosity_factor == pytest.approx(expected, rel=1e-8)


def _neighbours() -> list[tuple[slice, ...]]:
    """The six shifted views of a padded array."""
    inner, low, high = slice(1, -1), slice(None, -2), slice(2, None)
    return [
        tuple(one if i == axis else inner for i in range(3))
        for axis in range(3)
        for one in (low, high)
    ]


@pytest.mark.parametrize("periodic", [(), ("y", "x")])
@pytest.mark.parametrize("voxel", [CUBE, (1.0, 0.5, 2.0)])
def test_a_direct_solution(periodic: tuple[str, ...], voxel: tuple[float, float, float]) -> None:
    """A taper with noise in it: pores that narrow, dead ends, islands, walls at periodic sides."""
    rng = np.random.default_rng(5)
    depth = np.linspace(0.5, 0.8, 13)[:, None, None]
    labels = (rng.random((13, 9, 11)) > depth).astype(np.uint8)
    pore = labels == 0
    row = electrode_transport(labels, voxel, PORE, "z", periodic=periodic, tolerance=1e-9)
    found = resistance(pore, voxel, [AXES.index(name) for name in periodic])
    assert row.tortuosity_factor == pytest.approx(tau_e(pore, voxel, found), rel=1e-8)


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
