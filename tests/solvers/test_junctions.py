"""Electrons through contacts: a jump of φ_s that Ohm's law gives, and parts that still add up."""

import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from half_cells import (
    TIGHT,
    active_material,
    half_cell,
    integrate,
    set_uniform,
    unweighted,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.phases import Phase
from voxtrode.meshing.tagged import ACTIVE, TaggedMesh
from voxtrode.solvers import checkpoint
from voxtrode.solvers.cell import Cell, NegativeElectrode, Step
from voxtrode.solvers.initial import AtLithiation
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.reach import reached
from voxtrode.solvers.separated import separated
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.system import HalfCellSystem

OXIDE = active_material(D_s="2e-14*(1 - 0.5*theta)", U="4.3 - theta")
TIMES = [1.0, 5.0, 15.0, 30.0, 60.0]


def stack(resistance: float, comm: MPI.Comm = MPI.COMM_WORLD) -> HalfCellSystem:
    """Collector, carbon of 2 µm, oxide of 2 µm, pore: all of the face's width."""
    volume = np.zeros((6, 3, 3), dtype=np.uint8)
    volume[:2], volume[2:4] = 2, 1
    mesh = voxel_mesh(volume, comm=comm, roles=Roles((1,), (1, 2), (0,)))
    cell = half_cell({1: OXIDE, 2: OXIDE}, nsd=(1.0, 1.0, None), sigma=1.0)
    carbon = Phase("carbon", sigma=0.5)
    return HalfCellSystem(
        mesh, replace(cell, phases={**cell.phases, 2: carbon}, junctions={(1, 2): resistance})
    )


@pytest.mark.mpi
@pytest.mark.mpi3
def test_two_slabs_in_series() -> None:
    """V = V(R = 0) − I R, what Ohm's law says of slabs in series; the contact's part is I R.

    Tetrahedra are not alike at all vertices, so that J is uniform to a few per cent; what
    goes with its square is the slabs' to the square of that.
    """
    current, R = 20.0, 3e-4
    voltages = {}
    for resistance in (0.0, R):
        system = stack(resistance)
        quantities = Quantities(system)
        set_uniform(system, 0.3, 4.0)
        quantities.begin({})
        stepper, voltages[resistance] = integrate(system, current, TIMES, newton=TIGHT)
        row = quantities.cell(current)
        assert row["Contact overpotential [V]"] == pytest.approx(current * resistance, rel=1e-3)
        assert row["Electronic overpotential [V]"] == pytest.approx(
            current * (2e-6 / 0.5 + 2e-6 / 1.0), rel=1e-3
        )
        parts = sum(row[f"{name} overpotential [V]"] for name in PARTS)
        assert parts == pytest.approx(row["Total overpotential [V]"], abs=1e-9)
        balances = quantities.balances(current, stepper.history.charges[0])
        assert max(asdict(balances).values()) < 1e-9
    assert np.subtract(voltages[0.0], voltages[R]) == pytest.approx(current * R, abs=1e-7)


def halves() -> np.ndarray:
    """Two halves of a block, one on the collector and the other on it, in binder or pore."""
    volume = np.zeros((6, 4, 4), dtype=np.uint8)
    volume[:2, 1:3, 1:3] = 1
    volume[2:4, 1:3, 1:3] = 2
    return volume


def two(resistance: float, sigma: float | None = None) -> Cell:
    """A half cell of them; what is around conducts electrons with sigma [S/m]."""
    cell = half_cell({1: OXIDE, 2: OXIDE}, nsd=(0.5, 1.5, sigma))
    return replace(cell, contacts={(1, 2): math.inf}, junctions={(1, 2): resistance})


def mesh_of(
    volume: np.ndarray, particles: np.ndarray | None = None, comm: MPI.Comm = MPI.COMM_WORLD
) -> TaggedMesh:
    """Its mesh, in pores that conduct no electrons."""
    n = int(volume.max())
    labels = tuple(range(1, n + 1))
    return voxel_mesh(volume, particles=particles, electronic=labels, comm=comm)


def discharged(mesh: TaggedMesh, cell: Cell, current: float = 5.0) -> list[float]:
    """60 s at a constant current."""
    system = HalfCellSystem(mesh, cell)
    set_uniform(system, 0.3, 4.0)
    return integrate(system, current, TIMES, newton=TIGHT)[1]


def test_the_two_limits() -> None:
    """Errors ∝ R against an open contact, ∝ 1/R against a closed one that binder leads around.

    Binder of 1e-3 S/m leads around over some 1e-3 Ω m²: from R = 1 Ω m² on the contact is a
    correction to it.
    """

    def apart(mesh: TaggedMesh, resistance: float, limit: float, sigma: float | None) -> float:
        ends = (discharged(mesh, two(r, sigma)) for r in (resistance, limit))
        return float(np.abs(np.subtract(*ends)).max())

    small = [apart(mesh_of(halves()), resistance, 0.0, None) for resistance in (1e-4, 1e-5)]
    large = [apart(voxel_mesh(halves()), r, math.inf, 1e-3) for r in (1.0, 10.0)]
    assert small[0] / small[1] == pytest.approx(10.0, rel=0.05)
    assert large[0] / large[1] == pytest.approx(10.0, rel=0.05)
    assert large[0] > 1e-7


@pytest.mark.mpi
def test_what_leads_around_a_closed_contact_is_the_binder() -> None:
    """A rim that binder covers lets through what the binder does.

    The less it conducts the less the upper half takes, until V is that of a cell in which the
    upper half is a void: errors ∝ σ. Areas are those of the facets, whose normals know of what
    is active. At σ = 10 S/m, that of the particles, the halves share the current as open ones.
    """

    def shares(sigma: float, resistance: float, comm: MPI.Comm) -> tuple[list[float], float]:
        mesh = unweighted(voxel_mesh(halves(), comm=comm))
        system = HalfCellSystem(mesh, two(resistance, sigma))
        quantities = Quantities(system)
        set_uniform(system, 0.3, 4.0)
        quantities.begin({1: 0.3, 2: 0.3})
        voltages = integrate(system, 5.0, TIMES, newton=TIGHT)[1]
        sol = quantities.particles(5.0)["SoL raw"]
        return voltages, float((sol[1] - 0.3) / (sol.sum() - 0.6))

    for sigma in (1e-8, 10.0):
        found, alone = (shares(sigma, math.inf, c) for c in (MPI.COMM_WORLD, MPI.COMM_SELF))
        assert found[0] == pytest.approx(alone[0], abs=1e-9)
        assert found[1] == pytest.approx(alone[1], abs=1e-9)
    assert found[1] == pytest.approx(shares(10.0, 0.0, MPI.COMM_SELF)[1], abs=1e-4)
    void = half_cell({1: OXIDE, 2: OXIDE}, nsd=(0.5, 1.5, None))
    void = replace(void, phases={**void.phases, 2: Phase("void")})
    roles = Roles((1,), (1,), (0,))
    limit = discharged(unweighted(voxel_mesh(halves(), roles=roles, comm=MPI.COMM_SELF)), void)
    ends = [shares(sigma, math.inf, MPI.COMM_SELF) for sigma in (1e-8, 1e-9)]
    assert 0.0 < ends[1][1] < 1e-4
    assert ends[0][1] / ends[1][1] == pytest.approx(10.0, rel=0.1)
    errors = [float(np.abs(np.subtract(voltages, limit)).max()) for voltages, _ in ends]
    assert errors[0] / errors[1] == pytest.approx(10.0, rel=0.1)
    assert errors[1] < 1e-5


@pytest.mark.mpi
def test_a_plate_with_all_its_vertices_on_rims() -> None:
    """One voxel thick between closed contacts: it lives on the binder at its sides, and ∝ its σ."""
    volume = np.zeros((6, 4, 4), dtype=np.uint8)
    volume[:5, 1:3, 1:3] = 1
    volume[2, 1:3, 1:3] = 2
    assert (reached(mesh_of(volume), two(math.inf)).alive != mesh_of(volume).alive).any()
    shares = []
    for sigma in (10.0, 1e-8, 1e-9):
        mesh, cell = voxel_mesh(volume), two(math.inf, sigma)
        assert np.array_equal(reached(mesh, cell).alive, mesh.alive)
        system = HalfCellSystem(mesh, cell)
        quantities = Quantities(system)
        set_uniform(system, 0.3, 4.0)
        quantities.begin({1: 0.3, 2: 0.3})
        stepper = integrate(system, 5.0, TIMES, newton=TIGHT)[0]
        balances = quantities.balances(5.0, stepper.history.charges[0])
        assert max(asdict(balances).values()) < 1e-9
        shares.append(quantities.particles(5.0)["SoL raw"] - 0.3)
    assert shares[0][1] / shares[0][0] > 0.5
    assert shares[1][1] / shares[2][1] == pytest.approx(10.0, rel=0.1)
    assert 0.0 < shares[2][1] < 1e-4


@pytest.mark.mpi
def test_no_area_of_a_contact_is_lost() -> None:
    """Σ A/R is that of 2 µm × 2 µm, whether or not binder covers the rim."""
    R = 1e-2
    for mesh, sigma in ((voxel_mesh(halves()), 1.0), (mesh_of(halves()), None)):
        found = HalfCellSystem(mesh, two(R, sigma)).junctions
        assert np.all(found.one != found.two)
        area = R * MPI.COMM_WORLD.allreduce(float(found.conductance.sum()))
        assert area == pytest.approx(4.0, rel=1e-12)


@pytest.mark.mpi
@pytest.mark.mpi3
def test_particles_of_a_phase() -> None:
    """The halves as two particles of one phase: the same voltages, to 1e-9, and on one rank."""
    R = 1e-2
    expected = discharged(mesh_of(halves()), two(R))
    open_ones = discharged(mesh_of(halves()), two(0.0))
    assert max(np.subtract(open_ones, expected)) > 1e-2
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        mesh = mesh_of(np.minimum(halves(), 1), halves(), comm)
        cell = half_cell({1: OXIDE}, nsd=(0.5, 1.5, None))
        mesh, cell = separated(mesh, cell, {1: math.inf}, {1: R})
        assert discharged(mesh, cell) == pytest.approx(expected, abs=1e-9)
    # Electrons alone: lithium passes freely, in one field.
    whole = replace(two(R), contacts={})
    expected = discharged(mesh_of(halves()), whole)
    mesh = mesh_of(np.minimum(halves(), 1), halves())
    mesh, cell = separated(mesh, half_cell({1: OXIDE}, nsd=(0.5, 1.5, None)), {}, {1: R})
    assert len(set(HalfCellSystem(mesh, cell).fields.theta.values())) == 1
    assert discharged(mesh, cell) == pytest.approx(expected, abs=1e-9)


@pytest.mark.mpi
def test_what_closed_contacts_cut_off_is_dead() -> None:
    """The upper half has no way for electrons: it is dead, and the lower half is not."""
    mesh, cell = mesh_of(halves()), two(math.inf)
    alive = reached(mesh, cell)
    owned = slice(mesh.mesh.topology.index_map(3).size_local)
    living = (alive.alive & ACTIVE) > 0
    count = mesh.mesh.comm.allreduce(int(np.sum(mesh.phase[owned][living[owned]] == 2)))
    assert count == 0
    assert np.array_equal(living[mesh.phase == 1], (mesh.alive[mesh.phase == 1] & ACTIVE) > 0)
    table = Quantities(HalfCellSystem(alive, cell)).table
    assert table.dead[2]
    assert not table.dead[1]
    # Binder around it joins it again.
    around = voxel_mesh(halves())
    assert np.array_equal(reached(around, two(math.inf, 1.0)).alive, around.alive)


@pytest.mark.mpi
def test_a_checkpoint_holds_both_sides(shared_path: Path) -> None:
    """Stopped and resumed on one rank: φ_s on either side of the contact, to rounding."""

    def run(comm: MPI.Comm) -> Simulation:
        return Simulation(
            mesh_of(halves(), comm=comm),
            two(1e-2),
            lambda one_c: [Step(one_c, duration=60.0)],
            Settings(),
            AtLithiation(0.3),
        )

    first = run(MPI.COMM_WORLD)
    for _ in first.run():
        pass
    path = shared_path / "checkpoint.h5"
    checkpoint.save(path, first, {})
    MPI.COMM_WORLD.barrier()
    again = run(MPI.COMM_SELF)
    checkpoint.load(path, again)
    for system in (first.system, again.system):
        assert system.junctions.power(system.fields.phi_s.values) >= 0.0
    power = [one.quantities.overpotentials(1.0)[0] for one in (first, again)]
    assert power[1] == pytest.approx(power[0], rel=1e-9, abs=1e-12)
    assert power[0][PARTS.index("Contact")] > 1e-4


def test_contacts_inside_a_phase_of_a_full_cell() -> None:
    """Particles of both electrodes apart: the same cell as with a phase for each particle."""
    volume = np.zeros((9, 3, 3), dtype=np.uint8)
    volume[:2, :2], volume[2:4, :2], volume[5:7, :2], volume[7:, :2] = 1, 2, 3, 4
    carbon = active_material("carbon", U="0.9 - 0.8*theta", D_s="1e-14", c_max=3e4)
    R = 2e-3

    def cell(materials: dict[int, object], far: tuple[int, ...]) -> Cell:
        made = half_cell(materials, nsd=(1.0, 1.0, None), cutoffs=(4.0, 2.6))  # type: ignore[arg-type]
        return replace(made, counter=NegativeElectrode(far, 0.2, 0.8))

    def curve(mesh: TaggedMesh, one: Cell) -> list[float]:
        steps = [Step(10.0, duration=20.0)]
        run = Simulation(mesh, one, lambda _: steps, Settings(), AtLithiation(0.3))
        voltages = []
        for instant in run.run():
            balances = asdict(run.quantities.balances(instant.current, instant.charge))
            assert max(balances.values()) < 1e-9
            row = run.quantities.cell(instant.current)
            parts = sum(row[f"{name} overpotential [V]"] for name in PARTS)
            assert parts == pytest.approx(row["Total overpotential [V]"], abs=1e-8)
            voltages.append(row["Voltage [V]"])
        return voltages

    pairs = {(1, 2): math.inf, (3, 4): math.inf}
    four = cell({1: OXIDE, 2: OXIDE, 3: carbon, 4: carbon}, (3, 4))
    four = replace(four, contacts=pairs, junctions={(1, 2): R, (3, 4): R})
    roles = Roles((1, 2, 3, 4), (1, 2, 3, 4), (0,), (3, 4))
    expected = curve(voxel_mesh(volume, separator=(), roles=roles), four)
    whole = np.array([0, 1, 1, 2, 2], dtype=np.uint8)[volume]
    mesh = voxel_mesh(
        whole, separator=(), particles=volume, roles=Roles((1, 2), (1, 2), (0,), (2,))
    )
    inside = dict.fromkeys((1, 2), math.inf), dict.fromkeys((1, 2), R)
    mesh, two_phases = separated(mesh, cell({1: OXIDE, 2: carbon}, (2,)), *inside)
    assert two_phases.negative == (3, 4)
    assert curve(mesh, two_phases) == pytest.approx(expected, abs=1e-9)
