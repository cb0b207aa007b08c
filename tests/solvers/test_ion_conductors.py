"""Single-ion conductors: alone, in the limit of a liquid with t₊ = 1, and beside a liquid."""

from dataclasses import replace

import numpy as np
import pytest
from half_cells import (
    FINE,
    active_material,
    ball_labels,
    electrolyte,
    integrate,
    metal,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.materials import Electrolyte
from voxtrode.data.phases import Liquid, Phase
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.fields import C_E
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.system import HalfCellSystem

OXIDE = active_material(D_s="2e-14", U="4.3 - theta")
KAPPA = 0.02


def cell_of(phases: dict[int, Phase], **changes: object) -> Cell:
    """A half cell of phases at 298.15 K between 4.2 and 3.4 V."""
    return replace(Cell(phases, metal(), 298.15, 4.2, 3.4), **changes)  # type: ignore[arg-type]


def ball() -> np.ndarray:
    """A ball of label 1 in label 0."""
    return ball_labels((5, 4, 4), (2.5, 2.0, 2.0), 1.9)


def alone(ions: Phase, separator: Phase) -> tuple[HalfCellSystem, list[float]]:
    """The ball with one ion conductor, discharged for 100 s; carbon reaches the collector."""
    labels = ball()
    labels[:2, 1:3, 1:3] = 2
    mesh = voxel_mesh(labels, roles=Roles((1,), (1, 2), (0,)))
    phases = {0: ions, 1: Phase("oxide", OXIDE, 10.0), 2: Phase("carbon", None, 100.0)}
    system = HalfCellSystem(mesh, cell_of({**phases, 3: separator}))
    set_uniform(system, 0.2, 4.1)
    _, voltages = integrate(system, 2.0, [1.0, 5.0, 15.0, 30.0, 60.0, 100.0])
    return system, voltages


def lithium_only(kappa: str = f"{KAPPA}") -> Electrolyte:
    """A liquid in which lithium alone moves."""
    over = f"{KAPPA}/1000"
    return electrolyte(D_e="1e-10", kappa=kappa, kappa_over_c=over, t_plus="1", chi="1")


@pytest.mark.mpi
def test_a_solid_is_a_liquid_of_transference_one() -> None:
    """The same discrete equations for φ_e, so that V and φ_e agree to Newton's tolerance.

    In the liquid c_e is solved for and stays at c_e0: nothing drives it. A unit of salt at 1 mol/l
    is what the exchange currents of the solid take.
    """
    fluid = lithium_only()
    wet = Liquid(fluid, 1.0, 1.0)
    liquid, reference = alone(Phase("l", liquid=wet), Phase("s", liquid=wet))
    solid, voltages = alone(Phase("l", kappa=KAPPA), Phase("s", kappa=KAPPA))
    assert C_E not in {field.name for field in solid.blocks}
    assert C_E in {field.name for field in liquid.blocks}
    assert voltages == pytest.approx(reference, abs=1e-9)
    np.testing.assert_allclose(
        solid.fields.phi_e.values, liquid.fields.phi_e.values, rtol=0.0, atol=1e-9
    )
    assert np.ptp(solid.fields.phi_e.values) > 1e-4  # there is a drop to compare
    np.testing.assert_allclose(liquid.fields.c_e.values, 1.0, rtol=0.0, atol=1e-9)


def test_the_drop_over_a_solid_separator_is_ohmic() -> None:
    """I L/κ between counter face and electrode: plane layers, uniform at the start, so to 1e-9."""
    labels = np.zeros((2, 1, 1), dtype=np.uint8)
    labels[0] = 1
    roles = Roles((1,), (1,), (0,))
    mesh = voxel_mesh(labels, separator=(2e-6, 3e-6), roles=roles)
    phases = {0: Phase("a", kappa=KAPPA), 1: Phase("b", OXIDE, 10.0), 2: Phase("s", kappa=0.05)}
    system = HalfCellSystem(mesh, cell_of(phases))
    set_uniform(system, 0.2, 4.1)
    integrate(system, 10.0, [])
    phi = system.fields.phi_e
    z = phi.layout.region.space.tabulate_dof_coordinates()[:, 2]
    comm = MPI.COMM_WORLD
    low, high = (
        comm.allreduce(float(phi.values[np.abs(z - at) < 1e-9].mean()), op=MPI.MAX)
        for at in (1.0, 7.0)
    )
    assert high - low == pytest.approx(10.0 * (1e-6 / KAPPA + 5e-6 / 0.05), rel=1e-9)


def mixed_cell(fluid: Electrolyte, separator: Phase) -> tuple[np.ndarray, Roles, Cell]:
    """A ball half in liquid, half in a solid, towards the separator."""
    labels = ball()
    labels[:, :, 2:][labels[:, :, 2:] == 0] = 2
    phases = {
        0: Phase("pore", None, 5.0, Liquid(fluid, 0.6, 1.4)),
        1: Phase("oxide", OXIDE, 10.0),
        2: Phase("solid", kappa=KAPPA),
        3: separator,
    }
    return labels, Roles((1,), (0, 1), (0, 2)), cell_of(phases)


SEPARATORS = {
    "liquid": Phase("s", liquid=Liquid(electrolyte(), 0.5, 1.5)),
    "solid": Phase("s", kappa=0.1),
}


@pytest.mark.mpi
@pytest.mark.parametrize("separator", list(SEPARATORS))
def test_a_liquid_beside_a_solid_keeps_its_salt(separator: str) -> None:
    """Lithium alone crosses the boundary: salt, lithium and charge to 1e-9, parts of U − V to 1e-6.

    With a solid separator the liquid is a closed pocket: its mean stays, while a profile forms.
    """
    labels, roles, cell = mixed_cell(electrolyte(), SEPARATORS[separator])
    mesh = voxel_mesh(labels, roles=roles)
    system = HalfCellSystem(mesh, cell)
    set_uniform(system, 0.2, 4.1)
    quantities = Quantities(system)
    stepper, voltages = integrate(system, 5.0, [1.0, 5.0, 15.0, 30.0, 60.0], newton=FINE)
    charge = stepper.history.charges[0]
    balances = quantities.balances(5.0, charge)
    assert balances.salt < 1e-12
    assert max(balances.lithium, balances.charge) < 1e-9
    row = quantities.cell(5.0)
    assert row["Max c_e [mol.m-3]"] - row["Min c_e [mol.m-3]"] > 1.0
    split = sum(row[f"{name} overpotential [V]"] for name in PARTS)
    assert split == pytest.approx(row["Total overpotential [V]"], abs=1e-6)
    assert voltages[-1] < 4.1


@pytest.mark.mpi
def test_a_liquid_pocket_takes_what_the_boundary_brings() -> None:
    """Plane layers, steady: i = −κ dφ/dz with lithium through both ends of the liquid.

    The liquid then carries I by lithium at t₊ < 1 with dc/dz = −I (1 − t₊)/(F D_eff), the
    profile of a lithium|lithium cell, to the tolerance of the steady state.
    """
    labels = np.zeros((12, 1, 1), dtype=np.uint8)
    labels[0], labels[1:3], labels[9:] = 1, 2, 2
    labels[3:9] = 0
    fluid = electrolyte(chi="1")
    phases = {
        0: Phase("pore", None, None, Liquid(fluid, 1.0, 1.0)),
        1: Phase("oxide", active_material(c_max=5e6), 10.0),
        2: Phase("solid", kappa=KAPPA),
        3: Phase("s", kappa=KAPPA),
    }
    mesh = voxel_mesh(labels, roles=Roles((1,), (1,), (0, 2)))
    system = HalfCellSystem(mesh, cell_of(phases))
    set_uniform(system, 0.2, 4.1)
    current = 20.0
    integrate(system, current, np.cumsum([0.1] * 5 + [1.0] * 5 + [10.0] * 5))
    field = system.fields.c_e
    wet = field.layout.index >= 0
    z = field.layout.region.space.tabulate_dof_coordinates()[wet, 2]
    slope = current * (1.0 - 0.3) / (96485.33212 * 3e-10) * 1e-6 / 1000.0  # per µm
    np.testing.assert_allclose(field.values[wet], 1.0 + slope * (z - 6.0), atol=1e-6)


@pytest.mark.mpi
@pytest.mark.mpi3
def test_a_mixed_cell_on_any_number_of_ranks() -> None:
    """The voltage within 1e-6 V of one rank's, through a whole simulation."""
    from voxtrode.solvers.cell import Step

    labels, roles, cell = mixed_cell(electrolyte(t_plus="0.3 + 1e-4*c_e"), SEPARATORS["solid"])

    def run(comm: MPI.Comm) -> list[float]:
        mesh = voxel_mesh(labels, roles=roles, comm=comm)
        steps = [Step(8.0, dod=0.3)]
        simulation = Simulation(mesh, cell, lambda one_c: steps, Settings(dods=(0.1, 0.2)))
        return [simulation.system.voltage() for instant in simulation.run() if instant.kept]

    assert run(MPI.COMM_WORLD) == pytest.approx(run(MPI.COMM_SELF), abs=1e-6)
