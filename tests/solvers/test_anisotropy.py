"""Diffusion by a tensor: the scalar where it is isotropic, slabs along and across its axis."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dolfinx import fem
from half_cells import (
    TIGHT,
    active_material,
    ball_labels,
    half_cell,
    integrate,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.grain_axes import c_axes_at
from voxtrode.data.phases import Anisotropy
from voxtrode.data.volume import Grains, Volume, write_volume
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.system import HalfCellSystem
from voxtrode.solvers.units import CONDUCTANCE

BALL = ball_labels((5, 4, 4), (2.5, 2.0, 2.0), 1.9)
SLAB = np.array([1, 1, 1, 1, 0], dtype=np.uint8).reshape(5, 1, 1)


def cell_of(anisotropy: Anisotropy | None, D_s: str = "2e-14*(1 - 0.5*theta)") -> Cell:
    """A half cell whose material diffuses so."""
    cell = half_cell({1: active_material(D_s=D_s)})
    phases = {**cell.phases, 1: replace(cell.phases[1], anisotropy=anisotropy)}
    return replace(cell, phases=phases)


def discharged(labels: np.ndarray, cell: Cell) -> tuple[list[float], np.ndarray]:
    """Voltages over 60 s, and θ at the end."""
    system = HalfCellSystem(voxel_mesh(labels), cell)
    set_uniform(system, 0.3, 4.0)
    _, voltages = integrate(system, 5.0, [1.0, 5.0, 15.0, 30.0, 60.0], newton=TIGHT)
    return voltages, system.fields.theta[1].values.copy()


@pytest.mark.mpi
def test_an_isotropic_tensor_is_a_scalar() -> None:
    """Ratio 1 along any axis, to Newton's tolerance."""
    scalar, theta = discharged(BALL, cell_of(None))
    tensor, same = discharged(BALL, cell_of(Anisotropy(1.0, (0.6, 0.0, 0.8))))
    assert tensor == pytest.approx(scalar, abs=1e-10)
    np.testing.assert_allclose(same, theta, atol=1e-10)


@pytest.mark.parametrize(
    ("axis", "factor"), [((0.0, 0.0, 1.0), 0.05), ((1.0, 0.0, 0.0), 1.0), ((0.0, 1.0, 0.0), 1.0)]
)
def test_slabs_along_and_across_the_axis(axis: tuple[float, float, float], factor: float) -> None:
    """A slab that is filled along z: with the c axis along z, D_s times the ratio.

    Across it the ratio has no part. A lumped slab of cubes cut into tetrahedra is not quite one of
    one dimension: in-plane differences are 4 % of the range of θ here, and means over layers agree
    to 2 %. With the other axis they differ by more than a fifth of it.
    """
    _, tensor = discharged(SLAB, cell_of(Anisotropy(0.05, axis)))
    _, scalar = discharged(SLAB, cell_of(None, f"{2e-14 * factor}*(1 - 0.5*theta)"))
    _, other = discharged(SLAB, cell_of(None, f"{1e-15 / factor}*(1 - 0.5*theta)"))
    system = HalfCellSystem(voxel_mesh(SLAB), cell_of(None))
    z = system.fields.theta[1].layout.region.space.tabulate_dof_coordinates()[:, 2]
    layers = [np.abs(z - level) < 1e-6 for level in range(5)]

    def off(theta: np.ndarray) -> float:
        apart = [abs(tensor[at].mean() - theta[at].mean()) for at in layers]
        return float(max(apart) / np.ptp(theta))

    assert off(scalar) < 3e-2
    assert off(other) > 0.2


def test_the_flux_of_a_linear_field() -> None:
    """∫ F c_max D (T a)·b for θ = a·x tested with b·x, exact for P1."""
    axis = np.array([0.6, 0.0, 0.8])
    cell = cell_of(Anisotropy(0.1, (0.6, 0.0, 0.8)), "2e-14")
    system = HalfCellSystem(voxel_mesh(BALL), cell)
    field = system.fields.theta[1]
    x = field.layout.region.space.tabulate_dof_coordinates()
    a, b = np.array([0.01, 0.02, -0.03]), np.array([1.0, -2.0, 0.5])
    field.values[:] = x @ a
    rows = np.zeros(field.layout.region.n_local)
    fem.assemble_vector(rows, fem.form(field.residual))
    T = np.eye(3) - 0.9 * np.outer(axis, axis)
    volume = float(np.count_nonzero(BALL))
    expected = CONDUCTANCE * 96485.33212 * 5e4 * 2e-14 * (a @ T @ b) * volume
    found = MPI.COMM_WORLD.allreduce(float(rows @ (x @ b)))
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.mpi
def test_grains_have_axes_of_their_own() -> None:
    """Axes of cells that are all one is the phase's axis; without grains it is refused."""
    from voxtrode.data.errors import InputError

    one, _ = discharged(BALL, cell_of(Anisotropy(0.1, (0.0, 0.6, 0.8))))
    by_grain = cell_of(Anisotropy(0.1))
    mesh = voxel_mesh(BALL)
    axes = np.tile([0.0, 0.6, 0.8], (len(mesh.phase), 1))
    system = HalfCellSystem(mesh, replace(by_grain, c_axes=axes))
    set_uniform(system, 0.3, 4.0)
    _, voltages = integrate(system, 5.0, [1.0, 5.0, 15.0, 30.0, 60.0], newton=TIGHT)
    assert voltages == pytest.approx(one, abs=1e-10)
    with pytest.raises(InputError, match="no grains"):
        HalfCellSystem(mesh, by_grain)


def test_axes_from_the_image(tmp_path: Path) -> None:
    """By the voxel a point lies in, else the nearest grain's; zeros beyond reach."""
    labels = np.zeros((2, 2, 10), dtype=np.uint8)
    labels[:, :, :2] = 1
    ids = np.zeros(labels.shape, dtype=np.int32)
    ids[:, :, 0], ids[:, :, 1] = 1, 2
    turned = np.sqrt(0.5)
    quaternions = np.array([[1.0, 0.0, 0.0, 0.0], [turned, 0.0, turned, 0.0]])
    grains = Grains(ids, np.array([1, 1], dtype=np.int32), quaternions)
    voxel = (2e-7, 2e-7, 1e-7)
    write_volume(
        Volume(labels, ("pore", "a"), voxel, (ids > 0).astype(np.int32), {}, grains), tmp_path
    )
    points = np.array([[0.5, 1.0, 1.0], [1.5, 3.0, 1.0], [2.5, 1.0, 1.0], [9.5, 1.0, 1.0]]) * 1e-7
    found = c_axes_at(tmp_path, points)
    second = grains.c_axes[1][::-1]
    assert abs(second[2]) < 1e-12
    np.testing.assert_allclose(found, [[0, 0, 1], second, second, [0, 0, 0]], atol=1e-12)
