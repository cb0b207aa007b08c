"""Tortuosity factors of structures with a closed form, on the voxel mesh."""

from math import inf

import numpy as np
import pytest
from half_cells import voxel_mesh

from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.transport import AXES, mesh_shares, mesh_transport

pytestmark = pytest.mark.mpi

PORE = {0: (1.0, 1.0)}
EXACT = 1e-9
"""CG stops at 1e-10 of the residual, and the flux of a solution that is linear in each cell is
exact; the shift of the matrix's diagonal moves it by less than 1e-9."""


def bar(shape: tuple[int, int, int]) -> np.ndarray:
    """A solid block (label 1) to carve pores (label 0) into."""
    return np.ones(shape, dtype=np.uint8)


@pytest.mark.parametrize("axis", AXES)
def test_a_block_of_pore_has_tau_one(axis: str) -> None:
    """The potential is linear; voxels are no cubes here, and the separator does not count."""
    mesh = voxel_mesh(np.zeros((6, 5, 4)), (1e-6, 0.5e-6, 2e-6), separator=(1e-6, 3e-6))
    row = mesh_transport(mesh, "pore", PORE, axis)
    assert row.fraction == pytest.approx(1.0, rel=EXACT)
    assert row.effective_ratio == pytest.approx(1.0, rel=EXACT)
    assert row.tortuosity_factor == pytest.approx(1.0, rel=EXACT)
    assert row.flux_imbalance < EXACT


@pytest.mark.parametrize("axis", AXES)
def test_a_straight_channel(axis: str) -> None:
    """2 by 3 of 5 by 5 voxels from face to face: D_eff/D₀ is the fraction, τ = 1."""
    labels = bar((5, 5, 5))
    along = {"z": 0, "y": 1, "x": 2}[axis]
    np.moveaxis(labels, along, 0)[:, 1:3, 1:4] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, axis)
    assert row.fraction == pytest.approx(6.0 / 25.0, rel=EXACT)
    assert row.effective_ratio == pytest.approx(6.0 / 25.0, rel=EXACT)
    assert row.tortuosity_factor == pytest.approx(1.0, rel=EXACT)


def layers() -> TaggedMesh:
    """Three layers of label 0 under five of label 1."""
    labels = bar((8, 3, 3))
    labels[:3] = 0
    return voxel_mesh(labels)


LIQUIDS = {0: (0.5, 0.5 / 1.6), 1: (0.3, 0.3 / 4.0)}


def test_composite_layers_in_series() -> None:
    """Along z resistances add: D_eff/D₀ = 1/(Σ φᵢ/(εᵢ/τᵢ)); u is linear in each layer."""
    row = mesh_transport(layers(), "ions", LIQUIDS, "z")
    carried = 3 / 8 * 0.5 + 5 / 8 * 0.3
    ratio = 1.0 / (3 / 8 / (0.5 / 1.6) + 5 / 8 / (0.3 / 4.0))
    assert row.fraction == pytest.approx(carried, rel=EXACT)
    assert row.effective_ratio == pytest.approx(ratio, rel=EXACT)
    assert row.tortuosity_factor == pytest.approx(carried / ratio, rel=EXACT)
    assert row.flux_imbalance < EXACT


def test_shares_are_those_of_the_mesh() -> None:
    """Of the electrode, its separator left out."""
    found = mesh_shares(layers(), [0, 1])
    assert found == pytest.approx({0: 3 / 8, 1: 5 / 8}, rel=EXACT)


@pytest.mark.parametrize("axis", ["y", "x"])
def test_composite_layers_in_parallel(axis: str) -> None:
    """Across z conductances add: D_eff/D₀ = Σ φᵢ εᵢ/τᵢ."""
    row = mesh_transport(layers(), "ions", LIQUIDS, axis)
    ratio = 3 / 8 * 0.5 / 1.6 + 5 / 8 * 0.3 / 4.0
    assert row.effective_ratio == pytest.approx(ratio, rel=EXACT)


def test_a_detour_costs_its_length() -> None:
    """A channel that steps aside in its middle: along, across, along, one voxel wide.

    Current along the shortest line would cross 10 voxels and 3 more aside; the corners cost between
    half a voxel less and none, and P1 elements overstate conductance by a part of a corner.
    """
    labels = bar((10, 1, 4))
    labels[:5, 0, 0] = labels[4, 0, :] = labels[4:, 0, 3] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, "z")
    resistance = 10.0 / (4.0 * row.effective_ratio)
    assert 11.0 < resistance < 13.0
    assert row.flux_imbalance < 1e-8


@pytest.mark.parametrize("reach", [0, 4])
def test_no_path_is_a_result(reach: int) -> None:
    """A dead end, and a phase that touches neither face: ratio 0 and infinite τ."""
    labels = bar((6, 3, 3))
    labels[1 if reach == 0 else 0 : 5, 1, 1] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, "z")
    count = 4 if reach == 0 else 5
    assert row.fraction == pytest.approx(count / 54.0, rel=EXACT)
    assert row.effective_ratio == 0.0
    assert row.tortuosity_factor == inf
    assert row.flux_imbalance == 0.0


def test_two_dead_ends_that_never_meet_are_no_path() -> None:
    """Both faces are touched, so that equations are solved; the shift's leak is no transport."""
    labels = bar((7, 3, 3))
    labels[:3, 1, 1] = labels[4:, 1, 1] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, "z")
    assert row.effective_ratio == 0.0
    assert row.tortuosity_factor == inf


def test_a_phase_that_is_not_there() -> None:
    """No cell on any rank."""
    row = mesh_transport(voxel_mesh(bar((4, 2, 2))), "pore", PORE, "z")
    assert (row.fraction, row.effective_ratio, row.tortuosity_factor) == (0.0, 0.0, inf)


@pytest.mark.parametrize("axis", AXES)
def test_islands_count_in_the_fraction_alone(axis: str) -> None:
    """Enclosed pores and blind ones at a face change no flux; τ rises with the fraction."""
    labels = bar((7, 7, 7))
    along = {"z": 0, "y": 1, "x": 2}[axis]
    turned = np.moveaxis(labels, along, 0)
    turned[:, 1:3, 1:3] = 0
    turned[2:4, 5, 5] = 0
    turned[:2, 5, 1] = 0
    turned[6, 1, 5] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, axis)
    assert row.fraction == pytest.approx((28 + 5) / 343.0, rel=EXACT)
    assert row.effective_ratio == pytest.approx(4.0 / 49.0, rel=EXACT)
    assert row.tortuosity_factor == pytest.approx(33.0 / 28.0, rel=EXACT)
    assert row.flux_imbalance < EXACT


def test_a_random_structure_passes_what_enters_it() -> None:
    """The imbalance is that of CG's residual; the bounds of Wiener hold: 0 < ratio < fraction."""
    labels = (np.random.default_rng(2).random((8, 8, 8)) < 0.35).astype(np.uint8)
    for axis in AXES:
        row = mesh_transport(voxel_mesh(labels), "pore", PORE, axis)
        assert 0.0 < row.effective_ratio < row.fraction
        assert row.flux_imbalance < 1e-8


@pytest.mark.parametrize("corner", [(0, 1), (1, 1)])
def test_an_edge_or_a_corner_is_no_path(corner: tuple[int, int]) -> None:
    """Two columns that meet in an edge or a corner share degrees of freedom, but no face."""
    labels = bar((6, 2, 2))
    labels[:3, 0, 0] = 0
    labels[3:, *corner] = 0
    row = mesh_transport(voxel_mesh(labels), "pore", PORE, "z")
    assert row.fraction == pytest.approx(0.25, rel=EXACT)
    assert row.effective_ratio == 0.0
    assert row.tortuosity_factor == inf
