"""TauFactor's own package against the voxel engine: `make test-taufactor` installs and runs it."""

import numpy as np
import pytest
from charged_pores import TAUFACTOR, resistance, tau_e
from scipy import ndimage

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError
from voxtrode.solvers.taufactor_engine import taufactor_transport
from voxtrode.solvers.voxel_transport import electrode_transport, voxel_transport

taufactor = pytest.importorskip("taufactor")

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
    labels = blobs(40, 0.5, 1)
    theirs = taufactor_transport(labels, CUBE, PORE, axis, tolerance=STOP)
    ours = voxel_transport(labels, CUBE, PORE, axis, tolerance=1e-6)
    assert theirs.tortuosity_factor == pytest.approx(ours.tortuosity_factor, rel=1e-3)
    assert theirs.fraction == pytest.approx(ours.fraction, rel=1e-12)
    assert theirs.percolating_fraction == pytest.approx(ours.percolating_fraction, rel=1e-12)
    assert theirs.method == "taufactor"


def box(shape: tuple[int, int, int], *pores: tuple[slice | int, ...]) -> np.ndarray:
    """Solid (label 1) with pores cut out of it."""
    labels = np.ones(shape, np.uint8)
    for one in pores:
        labels[one] = 0
    return labels


ALL, HALF = slice(None), slice(0, 10)
STAIRS = tuple((i, slice(i, i + 2), slice(i, i + 2)) for i in range(20))
THROUGH = {
    "uniform block": (box((20, 20, 20), (ALL, slice(1, None))), PORE, 1.0),
    "long block": (box((40, 20, 20), (ALL, slice(1, None))), PORE, 1.0),
    "wide block": (box((20, 20, 40), (ALL, slice(1, None))), PORE, 1.0),
    "strip": (box((20, 20, 20), (ALL, HALF, HALF)), PORE, 1.0),
    "slanted strip": (box((20, 21, 21), *STAIRS), PORE, 451.0 / 60.0),
    "halves": (np.zeros((20, 20, 20), np.uint8), {0: (1.0, 0.5)}, 2.0),
}
"""The volumes of its own tests of flow from face to face, with τ; 2 where the inside has 0.5."""


@pytest.mark.parametrize("name", THROUGH)
def test_its_own_test_volumes(name: str) -> None:
    """Closed forms: to single precision by its package, to rounding by ours."""
    labels, inside, tau = THROUGH[name]
    theirs = taufactor_transport(labels, CUBE, inside, "z", tolerance=STOP)
    ours = voxel_transport(labels, CUBE, inside, "z", tolerance=1e-10)
    assert theirs.tortuosity_factor == pytest.approx(tau, rel=1e-4)
    assert ours.tortuosity_factor == pytest.approx(tau, rel=1e-9)


def test_its_own_strips_of_several_conductivities() -> None:
    """Ones, twos and threes side by side: conductances add, τ over Σ φ k is 1 in its terms."""
    labels = box((20, 20, 20), (ALL, ALL))
    labels[:, :10, :10], labels[:, :10, 10:] = 1, 2
    inside = {0: (1.0, 1.0), 1: (1.0, 0.5), 2: (1.0, 2.0)}
    theirs = taufactor_transport(labels, CUBE, inside, "z", tolerance=STOP)
    ours = voxel_transport(labels, CUBE, inside, "z")
    assert theirs.effective_ratio == pytest.approx(0.5 + 0.25 * 0.5 + 0.25 * 2.0, rel=1e-4)
    assert ours.effective_ratio == pytest.approx(0.5 + 0.25 * 0.5 + 0.25 * 2.0, rel=1e-12)


def test_periodic_sides() -> None:
    """Its solver with sides that are neighbours."""
    labels = blobs(32, 0.5, 4)
    solver = taufactor.PeriodicSolver(1 - labels, device="cpu")
    solver.solve(verbose=False, conv_crit=STOP)
    ours = voxel_transport(labels, CUBE, PORE, "z", periodic=("y", "x"), tolerance=1e-6)
    assert ours.tortuosity_factor == pytest.approx(float(solver.tau[0]), rel=1e-3)


ELECTRODES = {
    "through pore": box((40, 12, 12), (ALL, slice(4, 8), slice(4, 8))),
    "dead end": box((40, 12, 12), (slice(10, None), slice(4, 8), slice(4, 8))),
    "taper": box((36, 8, 8), *((slice(9 * i, 36), *(slice(3 - i, 5 + i),) * 2) for i in range(4))),
    "blobs": blobs(20, 0.5, 1),
}


@pytest.mark.parametrize("name", ELECTRODES)
def test_its_electrode_solver(name: str) -> None:
    """A direct solution with its conventions gives its value, one with ours the engine's.

    Its walls include the sides of the box and the face behind, a current crosses half a voxel more
    at the counter face and half a voxel to each wall, and τ_e refers to L + 2 voxels.
    """
    labels = ELECTRODES[name]
    pore = labels == 0
    solver = taufactor.ElectrodeSolver(pore[::-1].astype(float), device="cpu")
    solver.solve(verbose=False)
    found = resistance(pore, conventions=TAUFACTOR)
    theirs = 3.0 * found * pore.mean() * pore[0].size / (len(pore) + 2)
    assert float(solver.tau_e) == pytest.approx(theirs, rel=1e-3)
    ours = electrode_transport(labels, CUBE, PORE, "z", tolerance=1e-9)
    assert ours.tortuosity_factor == pytest.approx(tau_e(pore, CUBE, resistance(pore)), rel=1e-8)


def test_a_composite() -> None:
    """Contrast 1:0.1. Its end faces are a whole voxel away, ours half a one: of order 1/n apart."""
    labels = blobs(40, 0.5, 2)
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
