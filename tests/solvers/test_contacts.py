"""Lithium through contacts: open ones are no contacts, closed ones walls, others a resistance."""

import math
from dataclasses import replace

import numpy as np
import pytest
from half_cells import (
    TIGHT,
    active_material,
    half_cell,
    integrate,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.errors import InputError
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.separated import separated
from voxtrode.solvers.system import HalfCellSystem

OXIDE = active_material(D_s="2e-14*(1 - 0.5*theta)", U="4.3 - theta")
OTHER = active_material("other", U="4.5 - 1.3*theta")
TIMES = [1.0, 5.0, 15.0, 30.0, 60.0]


def labels() -> np.ndarray:
    """Two halves of a block in liquid, one above the other."""
    volume = np.zeros((6, 4, 4), dtype=np.uint8)
    volume[1:3, 1:3, 1:3] = 1
    volume[3:5, 1:3, 1:3] = 2
    return volume


def two(resistance: float | None = None, second: object = OXIDE) -> Cell:
    """A half cell of two phases, with a contact of a resistance [Ω m²]."""
    cell = half_cell({1: OXIDE, 2: second})  # type: ignore[dict-item]
    return cell if resistance is None else replace(cell, contacts={(1, 2): resistance})


def discharged(volume: np.ndarray, cell: Cell) -> tuple[HalfCellSystem, list[float]]:
    """60 s at a constant current."""
    system = HalfCellSystem(voxel_mesh(volume), cell)
    set_uniform(system, 0.3, 4.0)
    return system, integrate(system, 5.0, TIMES, newton=TIGHT)[1]


@pytest.mark.mpi
def test_one_material_in_two_phases_is_one_body() -> None:
    """Open by default: the same discrete equations as of one phase, so to Newton's tolerance."""
    system, voltages = discharged(labels(), two())
    whole, expected = discharged(np.minimum(labels(), 1), half_cell({1: OXIDE}))
    assert voltages == pytest.approx(expected, abs=1e-9)
    assert system.fields.theta[1] is system.fields.theta[2]
    assert len(system.blocks) == len(whole.blocks)
    assert system.dofs == whole.dofs
    for one in (Quantities(system), Quantities(whole)):
        assert one.capacity == pytest.approx(Quantities(whole).capacity, rel=1e-12)


def test_a_small_resistance_is_an_open_contact_and_a_large_one_a_closed_one() -> None:
    """J = ΔU/R: the error against either limit goes with R and with 1/R."""

    def apart(resistance: float, limit: float) -> float:
        voltages = discharged(labels(), two(resistance))[1]
        return float(np.abs(np.subtract(voltages, discharged(labels(), two(limit))[1])).max())

    small = [apart(resistance, 0.0) for resistance in (1e-5, 1e-6)]
    large = [apart(resistance, math.inf) for resistance in (1e3, 1e4)]
    assert small[0] / small[1] == pytest.approx(10.0, rel=0.2)
    assert large[0] / large[1] == pytest.approx(10.0, rel=0.05)
    assert small[1] < 1e-5
    assert large[1] < 1e-5


def test_lithium_between_two_materials() -> None:
    """At rest it evens the potentials out with the time constant of R; nothing is lost.

    Uniform bodies of volume V and c_max: dΔU/dt = −ΔU A/(R F c_max) (|U₁'| + |U₂'|)/V, here with
    a resistance of 1/1000 of that of the way through the electrolyte (RT/(F i₀) twice).
    """
    still = "0.1"
    first = active_material(D_s="1e-9", U="4.3 - theta", i0=still)
    second = active_material("other", D_s="1e-9", U="4.5 - theta", i0=still)
    R = 5e-4
    cell = half_cell({1: first, 2: second}, cutoffs=(4.2, 3.6))
    cell = replace(cell, contacts={(1, 2): R})
    system = HalfCellSystem(voxel_mesh(labels()), cell)
    set_uniform(system, 0.3, 4.0)
    quantities = Quantities(system)
    set_uniform(system, 0.3, 4.0)
    quantities.begin({})
    rate = 4e-12 / (R * 96485.33212 * 5e4) * 2.0 / 8e-18
    times = np.linspace(0.0, 0.5 / rate, 41)[1:]
    integrate(system, 0.0, times)
    theta = {label: field.values for label, field in system.fields.theta.items()}
    comm = system.comm
    means = [
        comm.allreduce(float(v.max(initial=-np.inf)), op=MPI.MAX) for v in (theta[1], theta[2])
    ]
    drop = (4.5 - means[1]) - (4.3 - means[0])
    assert drop == pytest.approx(0.2 * math.exp(-0.5), rel=5e-3)
    assert quantities.balances(0.0, 0.0).lithium < 1e-9


@pytest.mark.mpi
def test_balances_and_parts_with_a_contact() -> None:
    """Lithium and charge to 1e-9; the parts of U − V still add up."""
    system = HalfCellSystem(voxel_mesh(labels()), two(1e-2, OTHER))
    quantities = Quantities(system)
    stepper, _ = integrate(system, 5.0, TIMES, newton=TIGHT)
    (contact,) = system.contacts
    passing = system.comm.allreduce(float(np.sum(contact.points.area * system.flux(contact).J)))
    assert abs(passing) > 1e-3
    balances = quantities.balances(5.0, stepper.history.charges[0])
    assert max(balances.lithium, balances.charge) < 1e-9
    row = quantities.cell(5.0)
    split = sum(row[f"{name} overpotential [V]"] for name in PARTS)
    assert split == pytest.approx(row["Total overpotential [V]"], abs=1e-6)


def test_open_contacts_around_one_that_is_not() -> None:
    """Three phases of a material, of which two are closed to each other and open to the third."""
    cell = replace(half_cell({1: OXIDE, 2: OXIDE, 3: OXIDE}), contacts={(1, 2): math.inf})
    with pytest.raises(InputError, match=r"active1\|active2 is not open"):
        cell.open_groups()
    closed = replace(cell, contacts={(1, 2): math.inf, (2, 3): math.inf})
    assert closed.open_groups() == [(1, 3), (2,)]


@pytest.mark.mpi
@pytest.mark.mpi3
@pytest.mark.parametrize("resistance", [1e-2, math.inf])
def test_particles_of_a_phase_come_apart(resistance: float) -> None:
    """The two halves as particles of one phase are the two phases: the same voltages, to 1e-9.

    Particles that touch at an edge alone have values of their own as well. With one rank beside.
    """
    volume = labels()
    volume[1, 3, 3] = 3  # touches the lower half along an edge
    expected = half_cell({1: OXIDE, 2: OXIDE, 3: OXIDE})
    pairs = {(1, 2): resistance, (1, 3): resistance, (2, 3): resistance}
    _, voltages = discharged(volume, replace(expected, contacts=pairs))
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        mesh = voxel_mesh(np.minimum(volume, 1), particles=volume, comm=comm)
        mesh, cell = separated(mesh, half_cell({1: OXIDE}), {1: resistance})
        assert mesh.info.phases == ("nsd", "active1", "active1", "separator")
        system = HalfCellSystem(mesh, cell)
        set_uniform(system, 0.3, 4.0)
        assert integrate(system, 5.0, TIMES, newton=TIGHT)[1] == pytest.approx(voltages, abs=1e-9)
        particles = Quantities(system).particles(5.0)
        assert set(particles["Phase"]) == {"active1"}
        assert len(particles["Particle"]) == 3
