"""Effective transport on voxels: closed forms, a direct solution, and what must be refused."""

from collections.abc import Sequence
from math import inf

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError, NumericalError
from voxtrode.solvers.bounds import check_wiener, hashin_shtrikman
from voxtrode.solvers.voxel_transport import voxel_transport
from voxtrode.solvers.voxel_transport.engine import solve_transport
from voxtrode.solvers.voxel_transport.problem import Inside

PORE = {0: (1.0, 1.0)}
CUBE = (1.0, 1.0, 1.0)
ROUNDING = 1e-12
"""Double precision throughout the potential and the fluxes; sums of at most some 1e5 terms."""


def direct(
    labels: np.ndarray,
    voxel: Sequence[float],
    inside: Inside,
    axis: str,
    periodic: Sequence[str] = (),
) -> float:
    """D_eff/D₀ of the same equations, assembled face by face and solved by elimination.

    Components without an end face would make the matrix singular: a leak of 1e-15 to zero holds
    them there, and takes less than 1e-10 of the flux of what these tests solve.
    """
    along = AXES.index(axis)
    conductivity = np.zeros(256)
    for label, (_, value) in inside.items():
        conductivity[label] = value
    k = conductivity[labels]
    number = np.arange(k.size).reshape(k.shape)
    area = np.prod(voxel) / np.asarray(voxel)
    matrix = sparse.coo_array((k.size, k.size))
    for i, name in enumerate(AXES):
        here, there = (np.moveaxis(a, i, 0) for a in (number, np.roll(number, -1, axis=i)))
        last = len(here) if name in periodic else len(here) - 1
        a, b = here[:last].ravel(), there[:last].ravel()
        ka, kb = k.ravel()[a], k.ravel()[b]
        with np.errstate(invalid="ignore"):
            c = np.nan_to_num(2 * ka * kb / (ka + kb)) * area[i] / voxel[i]
        ones = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        matrix += sparse.coo_array((np.concatenate([c, c, -c, -c]), ones), shape=matrix.shape)
    ends = np.zeros((2, *k.shape))
    for end, layer in enumerate((0, -1)):
        index = [slice(None)] * 3
        index[along] = layer
        ends[end][tuple(index)] = 2 * k[tuple(index)] * area[along] / voxel[along]
    high, low = ends.reshape(2, -1)
    u = spsolve((matrix + sparse.diags_array(high + low + 1e-15)).tocsc(), high)
    box = np.asarray(voxel) * labels.shape
    return float(np.sum(high * (1.0 - u)) * box[along] ** 2 / np.prod(box))


def random_phases(shape: tuple[int, int, int], shares: Sequence[float], seed: int) -> np.ndarray:
    """Labels 0, 1, … drawn voxel by voxel."""
    rng = np.random.default_rng(seed)
    return rng.choice(len(shares), size=shape, p=shares).astype(np.uint8)


@pytest.mark.parametrize("axis", AXES)
def test_a_block_of_ones_needs_no_iteration(axis: str) -> None:
    """The first guess is the solution; nothing is divided by the residual, which is zero."""
    row = voxel_transport(np.zeros((9, 10, 11), np.uint8), (1e-6, 5e-7, 2e-6), PORE, axis)
    assert row.effective_ratio == pytest.approx(1.0, rel=ROUNDING)
    assert row.tortuosity_factor == pytest.approx(1.0, rel=ROUNDING)
    assert row.flux_imbalance < ROUNDING
    assert (row.iterations, row.isolated_share, row.fraction) == (0, 0.0, 1.0)


@pytest.mark.parametrize("axis", AXES)
def test_straight_channels(axis: str) -> None:
    """From face to face τ = 1, whatever the cross-section."""
    labels = np.ones((11, 11, 11), np.uint8)
    np.moveaxis(labels, AXES.index(axis), 0)[:, 1:3, 1:5] = 0
    np.moveaxis(labels, AXES.index(axis), 0)[:, 7, 8] = 0
    row = voxel_transport(labels, CUBE, PORE, axis)
    assert row.effective_ratio == pytest.approx(9 / 121, rel=ROUNDING)
    assert row.tortuosity_factor == pytest.approx(1.0, rel=ROUNDING)


LAYERS = {0: (0.5, 0.3), 2: (0.3, 3e-4), 5: (1.0, 1.0)}


def layers() -> np.ndarray:
    """Three, four and six layers along z."""
    labels = np.empty((13, 9, 7), np.uint8)
    labels[:3], labels[3:7], labels[7:] = 0, 2, 5
    return labels


def test_layers_in_series() -> None:
    """Resistances add, half a voxel at each end included: Wiener's lower bound is met."""
    row = voxel_transport(layers(), (2.0, 1.0, 3.0), LAYERS, "z", tolerance=ROUNDING)
    ratio = 13 / (3 / 0.3 + 4 / 3e-4 + 6 / 1.0)
    carried = (3 * 0.5 + 4 * 0.3 + 6 * 1.0) / 13
    assert row.effective_ratio == pytest.approx(ratio, rel=ROUNDING)
    assert row.fraction == pytest.approx(carried, rel=ROUNDING)
    assert row.tortuosity_factor == pytest.approx(carried / ratio, rel=ROUNDING)


@pytest.mark.parametrize("axis", ["y", "x"])
def test_layers_in_parallel(axis: str) -> None:
    """Conductances add: Wiener's upper bound is met."""
    row = voxel_transport(layers(), (2.0, 1.0, 3.0), LAYERS, axis)
    ratio = (3 * 0.3 + 4 * 3e-4 + 6 * 1.0) / 13
    assert row.effective_ratio == pytest.approx(ratio, rel=ROUNDING)


def test_a_staircase_which_planes_alone_do_not_see() -> None:
    """Two voxels in each layer: a linear potential passes the same flux through every plane.

    So its imbalance is zero, and it is wrong by a factor of two: the current runs through all 2 n
    voxels one after the other.
    """
    n = 12
    labels = np.ones((n, 3, n + 1), np.uint8)
    for z in range(n):
        labels[z, 1, z : z + 2] = 0
    # The end faces touch both voxels of their layer, so that one at each end is bypassed.
    labels[0, 1, 0] = labels[-1, 1, n] = 1
    row = voxel_transport(labels, CUBE, PORE, "z", tolerance=1e-9)
    assert row.effective_ratio == pytest.approx(1 / (2 * n - 2) * n / (3 * (n + 1)), rel=1e-8)
    assert row.iterations > 0


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("periodic", [False, True])
def test_composites_agree_with_a_direct_solution(axis: str, periodic: bool) -> None:
    """Contrast 1:1e-3, voxels that are no cubes, sizes that no aggregate divides."""
    labels = random_phases((13, 10, 15), (0.4, 0.4, 0.2), seed=3)
    inside, voxel = {0: (1.0, 1.0), 1: (0.4, 1e-3)}, (1.0, 0.6, 2.3)
    sides = tuple(name for name in AXES if name != axis) if periodic else ()
    row = voxel_transport(labels, voxel, inside, axis, periodic=sides, tolerance=1e-10)
    assert row.effective_ratio == pytest.approx(
        direct(labels, voxel, inside, axis, sides), rel=1e-9
    )
    assert row.flux_imbalance <= 1e-10


def test_iterations_do_not_grow_with_the_volume() -> None:
    """A composite of contrast 1:1e-3: 11 to 20 iterations from 13³ to 52³ voxels."""
    inside = {0: (1.0, 1.0), 1: (1.0, 1e-3)}
    counts = [
        voxel_transport(random_phases((n, n, n), (0.6, 0.2, 0.2), seed=3), CUBE, inside, "z")
        for n in (13, 26, 52)
    ]
    assert max(row.iterations for row in counts) <= 20


def test_periodic_axes_of_one_and_two_voxels() -> None:
    """One layer is its own neighbour and two are neighbours twice."""
    labels = random_phases((30, 1, 2), (0.7, 0.3), seed=1)
    inside = {0: (1.0, 1.0), 1: (1.0, 0.1)}
    row = voxel_transport(labels, CUBE, inside, "z", periodic=("y", "x"), tolerance=1e-10)
    expected = direct(labels, CUBE, inside, "z", ("x",))
    assert row.effective_ratio == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("pore", "seed"), [(0.34, 5), (0.5, 6)])
def test_a_pore_that_barely_percolates(pore: float, seed: int) -> None:
    """Single voxels in a row carry all (the threshold of a simple cubic lattice is 0.3116)."""
    labels = random_phases((17, 21, 19), (pore, 1.0 - pore), seed)
    row = voxel_transport(labels, CUBE, PORE, "z", tolerance=1e-10)
    assert 0.0 < row.isolated_share < 1.0
    assert row.effective_ratio == pytest.approx(direct(labels, CUBE, PORE, "z"), rel=1e-9)
    assert row.percolating_fraction == pytest.approx(row.fraction * (1.0 - row.isolated_share))
    assert row.percolating_tortuosity_factor < row.tortuosity_factor


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
def test_the_error_is_below_the_tolerance(tolerance: float) -> None:
    """The dissipation errs by the square of the potential's error: well below the imbalance."""
    labels = random_phases((37, 29, 31), (0.6, 0.4), seed=2)
    fine = voxel_transport(labels, CUBE, PORE, "y", tolerance=1e-11)
    row = voxel_transport(labels, CUBE, PORE, "y", tolerance=tolerance)
    assert row.flux_imbalance <= tolerance
    # Conjugate gradients lower the dissipation: it is met from above, but for rounding.
    assert -1e-11 < row.effective_ratio / fine.effective_ratio - 1.0 < 0.1 * tolerance


def test_spheres_on_a_simple_cubic_lattice() -> None:
    """Insulating spheres, 40 % by volume: exactly 0.490110 (McKenzie, McPhedran, Derrick 1978).

    Voxels make the surface a staircase, whose error is known to be some −0.8 % at 128 voxels per
    cell and to fall with the voxel.
    """
    errors = []
    for n in (16, 32, 64):
        centres = (np.arange(n) + 0.5) / n - 0.5
        squared = sum(c**2 for c in np.meshgrid(centres, centres, centres))
        labels = (squared < (0.4 * 3 / (4 * np.pi)) ** (2 / 3)).astype(np.uint8)
        row = voxel_transport(labels, CUBE, PORE, "z", periodic=("y", "x"), tolerance=1e-6)
        errors.append(row.effective_ratio / 0.490110 - 1.0)
    assert -0.06 < errors[0] < errors[1] < errors[2] < 0.0
    assert abs(errors[2]) < 0.02


@pytest.mark.parametrize("turn", [1, -1])
def test_layers_aslant_drive_a_flux_aside(turn: int) -> None:
    """Layers at 45° between y and x: K_xy is half of the difference between along and across.

    Steps of voxels stand for slanted layers (6 % at layers of 16 voxels, 12 % at 8), and electrodes
    suppress the flux beside them (3 % at this length, half of it at twice the length), so that it
    is met within an eighth; its sign turns with the layers. Along z nothing goes aside.
    """
    y, x = np.indices((128, 32))
    sheet = ((y - turn * x) % 32 < 16).astype(np.uint8)
    labels = np.ascontiguousarray(np.broadcast_to(sheet, (2, 128, 32)))
    inside = {0: (1.0, 1.0), 1: (1.0, 0.2)}
    along, across = 0.5 * (1.0 + 0.2), 2.0 / (1.0 + 1.0 / 0.2)
    solved = solve_transport(
        labels, CUBE, inside, "y", periodic=("x",), tolerance=1e-8, lateral=True
    )
    assert solved.column is not None
    assert solved.column[2] == pytest.approx(turn * 0.5 * (along - across), rel=1 / 8)
    assert solved.column[1] == solved.row.effective_ratio
    assert solved.column[0] == pytest.approx(0.0, abs=1e-12)
    straight = solve_transport(labels, CUBE, inside, "z", periodic=("y", "x"), lateral=True)
    assert straight.column == pytest.approx((along, 0.0, 0.0), abs=1e-12)


def test_units_and_the_order_of_axes_do_not_matter() -> None:
    """Metres or voxels; and the volume turned with its edges and its axis."""
    labels = random_phases((16, 17, 18), (0.6, 0.4), seed=4)
    rows = [
        voxel_transport(labels, (1.0, 2.0, 3.0), PORE, "z", tolerance=1e-10),
        voxel_transport(labels, (1e-7, 2e-7, 3e-7), PORE, "z", tolerance=1e-10),
        voxel_transport(
            np.ascontiguousarray(labels.transpose(2, 1, 0)),
            (3.0, 2.0, 1.0),
            PORE,
            "x",
            tolerance=1e-10,
        ),
    ]
    first = rows[0].effective_ratio
    assert [row.effective_ratio for row in rows] == pytest.approx([first] * 3, rel=1e-9)


@pytest.mark.parametrize(("stretched", "factor"), [("z", 1.0), ("x", 9.0)])
def test_long_voxels_equal_a_rescaled_conductivity(stretched: str, factor: float) -> None:
    """A single sheet in y: stretching x threefold divides its conductances there by nine."""
    labels = random_phases((20, 1, 20), (0.75, 0.25), seed=8)
    voxel = (3.0, 1.0, 3.0) if stretched == "z" else (1.0, 1.0, 3.0)
    row = voxel_transport(labels, voxel, PORE, "z", tolerance=1e-10)
    cubes = voxel_transport(labels, CUBE, PORE, "z", tolerance=1e-10)
    assert row.effective_ratio == pytest.approx(direct(labels, voxel, PORE, "z"), rel=1e-9)
    assert (row.effective_ratio == pytest.approx(cubes.effective_ratio, rel=1e-9)) == (factor == 1)


def test_a_phase_without_a_path_is_a_result() -> None:
    """A wall across the pore; and a phase that is not there at all."""
    labels = np.zeros((8, 5, 5), np.uint8)
    labels[4] = 1
    row = voxel_transport(labels, CUBE, PORE, "z")
    assert (row.effective_ratio, row.tortuosity_factor) == (0.0, inf)
    assert row.percolating_tortuosity_factor == inf
    assert (row.isolated_share, row.percolating_fraction, row.iterations) == (1.0, 0.0, 0)
    assert row.fraction == pytest.approx(7 / 8)
    for inside in ({3: (1.0, 1.0)}, {0: (1.0, 0.0)}, {}):
        absent = voxel_transport(labels, CUBE, inside, "z")
        assert (absent.fraction, absent.tortuosity_factor, absent.isolated_share) == (0.0, inf, 0.0)
    assert voxel_transport(labels, CUBE, PORE, "x").tortuosity_factor == pytest.approx(1.0)


def test_what_hangs_nowhere_is_left_out_and_reported() -> None:
    """A channel, an island, and a dead end of another phase on an island of its own."""
    labels = np.ones((9, 9, 9), np.uint8)
    labels[:, 1, 1] = 0
    labels[3:5, 4, 4] = 0
    labels[0:4, 7, 7] = 2
    row = voxel_transport(labels, CUBE, {0: (1.0, 1.0), 2: (0.5, 0.2)}, "z")
    assert row.isolated_share == pytest.approx(6 / 15)
    assert row.effective_ratio == pytest.approx(1 / 81, rel=ROUNDING)
    assert row.fraction == pytest.approx((11 + 2) / 729)
    assert row.percolating_fraction == pytest.approx(9 / 729)
    assert row.percolating_tortuosity_factor == pytest.approx(1.0, rel=ROUNDING)


def test_a_path_through_a_periodic_side() -> None:
    """Two half channels that meet across the side only."""
    labels = np.ones((6, 3, 5), np.uint8)
    labels[:3, 1, 0] = labels[2:, 1, 4] = 0
    assert voxel_transport(labels, CUBE, PORE, "z").tortuosity_factor == inf
    row = voxel_transport(labels, CUBE, PORE, "z", periodic=("x",), tolerance=1e-10)
    # Seven voxels one after the other, of which one step is sideways.
    assert row.effective_ratio == pytest.approx(1 / 7 * 6 / 15, rel=1e-9)
    assert row.isolated_share == 0.0


def test_results_outside_wieners_bounds_are_refused() -> None:
    """Between layers in series (2/3 here) and in parallel (3/4); zero where something insulates."""
    for ratio in (2 / 3, 0.7, 3 / 4):
        check_wiener(ratio, (1.0, 0.5), (0.5, 0.5), 1e-9)
    for ratio in (0.66, 0.76, float("nan")):
        with pytest.raises(NumericalError, match="Wiener"):
            check_wiener(ratio, (1.0, 0.5), (0.5, 0.5), 1e-3)
    check_wiener(0.01, (1.0, 0.5), (0.5, 0.4), 1e-3)


def test_hashin_and_shtrikmans_bounds() -> None:
    """Two phases: the coated spheres' k₁ + φ₂/(1/(k₂ − k₁) + φ₁/(3 k₁)); a pore: 2 φ/(3 − φ)."""
    low, high = hashin_shtrikman((1.0, 0.1), (0.3, 0.7))
    assert low == pytest.approx(0.1 + 0.3 / (1 / 0.9 + 0.7 / 0.3), rel=1e-12)
    assert high == pytest.approx(1.0 + 0.7 / (-1 / 0.9 + 0.3 / 3.0), rel=1e-12)
    assert hashin_shtrikman((1.0,), (0.4,)) == pytest.approx((0.0, 0.8 / 2.6), rel=1e-12)


def test_no_convergence_is_an_error() -> None:
    labels = random_phases((20, 20, 20), (0.4, 0.6), seed=7)
    with pytest.raises(NumericalError, match="after 1 iterations"):
        voxel_transport(labels, CUBE, PORE, "z", tolerance=1e-8, max_iterations=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros((4, 4), np.uint8)}, "uint8"),
        ({"labels": np.zeros((4, 4, 4))}, "float64"),
        ({"voxel": (1.0, 0.0, 1.0)}, "voxel edges"),
        ({"axis": "w"}, "axis 'w'"),
        ({"periodic": ("z",)}, "cannot be periodic"),
        ({"inside": {0: (1.0, -1.0)}}, "label 0"),
        ({"inside": {256: (1.0, 1.0)}}, "label 256"),
        ({"tolerance": 0.0}, "tolerance"),
    ],
)
def test_bad_input_is_refused(change: dict, message: str) -> None:
    given = {"labels": np.zeros((4, 4, 4), np.uint8), "voxel": CUBE, "inside": PORE, "axis": "z"}
    with pytest.raises(InputError, match=message):
        voxel_transport(**(given | change))
