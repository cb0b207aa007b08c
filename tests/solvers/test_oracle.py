"""The modular solver against the one-page half cell: same mesh, same steps, same states."""

import numpy as np
import pytest
from dolfinx import fem
from half_cells import (
    TIGHT,
    active_material,
    ball_labels,
    electrolyte,
    half_cell,
    integrate,
    set_uniform,
    unweighted,
    voxel_mesh,
)

from voxtrode.solvers.basic_half_cell import BasicHalfCell
from voxtrode.solvers.system import HalfCellSystem

STEPS = [0.1, 1.0, 5.0, 20.0]


def ordered(function: fem.Function) -> np.ndarray:
    """Values in the order of the coordinates (x, y, z), which no numbering can change."""
    x = np.round(function.function_space.tabulate_dof_coordinates(), 6)
    return function.x.array[np.lexsort(x.T)]


@pytest.mark.parametrize("pore_sigma", [10.0, None])
def test_the_one_page_half_cell_agrees(pore_sigma: float | None) -> None:
    """All fields agree to 1e-8 (of θ, c_e/c_e0, volts) after four steps of implicit Euler.

    Both solve the same discrete equations, one through UFL's facet integrals with entity maps and
    an LU factorisation, the other through points and a Krylov solver. The modular Newton ends at
    residuals of 1e-11 of the current, the oracle at updates of 1e-9 squared; the conditioning of
    the storage (h times flux over F c_max) brings both far below 1e-8. A wrong sign, side or
    factor of a single term changes the states by far more than 1e-6. With a NSD that conducts
    electrons and with a pore that does not: the jump of the current, and one-sided φ_s.
    """
    labels = ball_labels((5, 4, 4), (1.9, 2.0, 2.0), 1.8)
    electronic = (1,) if pore_sigma is None else (0, 1)
    mesh = unweighted(voxel_mesh(labels, separator=(1e-6, 1.5e-6), electronic=electronic))
    material = active_material(D_s="1e-14*(1 - 0.5*theta)", U="4.3 - theta**2")
    fluid = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e")
    cell = half_cell({1: material}, fluid, nsd=(0.5, 1.5, pore_sigma), separator=(0.6, 1.2))

    system = HalfCellSystem(mesh, cell)
    set_uniform(system, 0.4, 4.1)
    _, voltages = integrate(system, 8.0, np.cumsum(STEPS), False, TIGHT)

    basic = BasicHalfCell(mesh, cell)
    basic.c_s.x.array[:], basic.c_e.x.array[:] = 0.4 * 5e4, 1000.0
    basic.phi_s.x.array[:] = 4.1
    for h, expected in zip(STEPS, voltages, strict=True):
        basic.step(8.0, h)
        assert basic.voltage == pytest.approx(expected, abs=1e-8)

    state = (
        (system.fields.theta[1], basic.c_s, 0.0, 5e4),
        (system.fields.phi_s, basic.phi_s, system.reference, 1.0),
        (system.fields.phi_e, basic.phi_e, 0.0, 1.0),
        (system.fields.c_e, basic.c_e, 0.0, 1000.0),
    )
    for field, function, offset, scale in state:
        ours = ordered(field.function) + offset
        np.testing.assert_allclose(ours, ordered(function) / scale, atol=1e-8, err_msg=field.name)
    assert np.ptp(system.fields.theta[1].values) > 1e-3  # the states are no trivial ones
