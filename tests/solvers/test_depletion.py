"""Dilute electrolyte against closed forms, and what happens when it is used up."""

from dataclasses import replace

import numpy as np
import pytest
from half_cells import (
    active_material,
    electrolyte,
    half_cell,
    integrate,
    metal,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.errors import NumericalError
from voxtrode.data.law import FARADAY, GAS_CONSTANT, Parameter, arrhenius
from voxtrode.data.material_kinds import dilute_electrolyte
from voxtrode.data.materials import Electrolyte, at_temperature
from voxtrode.solvers.cell import Step
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.system import HalfCellSystem

PLUS, MINUS = 1.2e-10, 3.4e-10


def dilute(energies: tuple[float | None, float | None] = (None, None)) -> Electrolyte:
    """Two ions, whose diffusivities may have activation energies [J/mol]."""
    numbers = [Parameter(v, "", "test") for v in (1000.0, PLUS, MINUS)]
    for k, energy in enumerate(energies, start=1):
        if energy is not None:
            numbers[k] = replace(numbers[k], activation=Parameter(energy, "J/mol", "test"))
    return dilute_electrolyte("dilute", "test", *numbers)


@pytest.mark.parametrize("energies", [(None, None), (2e4, 3e4), (None, 1e4)])
def test_the_dilute_limit_is_nernst_and_planck(energies: tuple[float | None, ...]) -> None:
    """Both fluxes of the concentrated equations are those of Nernst and Planck, to rounding.

    With φ = φ_e − (RT/F) ln c_e (φ_e is against lithium): F N₊ = −F D₊(∇c + cF/RT ∇φ), N₋ likewise.
    Each diffusivity follows its own law of Arrhenius, and t₊ with them.
    """
    T = 310.0
    fluid = at_temperature(dilute(energies), T)  # type: ignore[arg-type]
    plus, minus = (
        value * arrhenius(energy or 0.0, T)
        for value, energy in zip((PLUS, MINUS), energies, strict=True)
    )
    c, dc, dphi_e, f = 700.0, -2e7, 300.0, FARADAY / (GAS_CONSTANT * T)
    laws = {
        key: float(getattr(fluid, key)(c_e=c)) for key in ("D_e", "kappa", "t_plus", "kappa_over_c")
    }
    assert laws["kappa_over_c"] * c == pytest.approx(laws["kappa"], rel=1e-14)
    i = -laws["kappa"] * (dphi_e - 2.0 / f * (1.0 - laws["t_plus"]) * dc / c)
    cation = -FARADAY * laws["D_e"] * dc + laws["t_plus"] * i
    anion = -FARADAY * laws["D_e"] * dc - (1.0 - laws["t_plus"]) * i
    dphi = dphi_e - dc / c / f
    assert cation == pytest.approx(-FARADAY * plus * (dc + c * f * dphi), rel=1e-12)
    assert anion == pytest.approx(-FARADAY * minus * (dc - c * f * dphi), rel=1e-12)


@pytest.mark.mpi
def test_the_profile_at_a_share_of_the_limiting_current() -> None:
    """Plane layers at steady current: dc/dz = I/(2 F D₊); at 4 F D₊ c₀/L the salt is used up.

    A huge c_max keeps the particle still. At 80 % of the limit c_e runs from 0.2 to 1.8 c₀. The
    conductivity, taken at the centroids of ten layers of tetrahedra, leaves in-plane differences
    of the currents: 0.004 c₀ at worst, where the salt is least.
    """
    labels = np.zeros((2, 1, 1), dtype=np.uint8)
    labels[0] = 1
    particle = active_material(c_max=5e9, D_s="1e-9", i0="1e4*sqrt(c_e/1000)")
    counter = metal("1e4*sqrt(c_e/1000)")
    full = (1.0, 1.0)
    cell = half_cell({1: particle}, dilute(), (*full, None), full, counter)
    mesh = voxel_mesh(labels, separator=(1e-6,) * 9, electronic=(1,))
    system = HalfCellSystem(mesh, cell)
    set_uniform(system, 0.2, 4.1)
    limit = 4.0 * FARADAY * PLUS * 1000.0 / 10e-6
    integrate(system, 0.8 * limit, np.cumsum([1e-3] * 10 + [1e-2] * 10 + [0.05] * 40))
    field = system.fields.c_e
    z = field.layout.region.space.tabulate_dof_coordinates()[:, 2]
    np.testing.assert_allclose(field.values, 1.0 + 0.16 * (z - 6.0), atol=6e-3)


@pytest.mark.parametrize("cutoff", [3.0, 3.6])
def test_a_depleted_cell_ends_at_its_cutoff_or_says_so(cutoff: float) -> None:
    """Slow diffusion in the electrolyte: c_e falls to nothing at the collector.

    A higher cut-off is met while it falls. With a low one the potentials run away within
    milliseconds: the step shrinks until the run is given up, with the last good state, in which
    all salt is still there and c_e positive.
    """
    labels = np.zeros((12, 2, 2), dtype=np.uint8)
    labels[:4, :1] = 1
    fluid = electrolyte(D_e="3e-12")
    cell = half_cell({1: active_material(c_max=5e5)}, fluid, separator=(0.4, 2.0))
    mesh = voxel_mesh(labels, separator=(5e-6,) * 4, comm=MPI.COMM_SELF)
    steps = [Step(20.0, voltage=cutoff)]
    simulation = Simulation(mesh, cell, lambda one_c: steps, Settings())
    ended = ""
    try:
        for instant in simulation.run():
            ended = instant.ended
    except NumericalError as error:
        ended = str(error)
    system = simulation.system
    row = simulation.quantities.cell(20.0)
    assert "voltage" in ended or "the time step fell below" in ended
    assert ("voltage" in ended) or cutoff == 3.0
    assert 0.0 < row["Min c_e [mol.m-3]"] < 10.0
    assert all(f.values.min() > 0.0 and f.values.max() < 1.0 for f in system.fields.theta.values())
    balances = simulation.quantities.balances(20.0, simulation.stepper.history.charges[0])
    assert max(balances.salt, balances.lithium) < 1e-9
