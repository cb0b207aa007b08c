"""Particles in a stirred electrolyte: balances, the limit of the half cell, ranks, tortuosity."""

from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
from half_cells import (
    active_material,
    ball_labels,
    electrolyte,
    half_cell,
    metal,
    set_uniform,
    voxel_mesh,
)
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY
from voxtrode.data.reactions import Reaction
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers.cell import Step
from voxtrode.solvers.homogeneous import Homogeneous, solid_tortuosity
from voxtrode.solvers.interface import interface_facets
from voxtrode.solvers.kinetics import InsertionKinetics
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stepper import StepSettings
from voxtrode.solvers.stirred import StirredSystem, require_bath
from voxtrode.solvers.surfaces import prevailing
from voxtrode.solvers.system import Drive

OXIDE = active_material(D_s="2e-15*(1 - 0.5*theta)", U="4.3 - theta**2", film=1e-3)
OTHER = active_material("other", D_s="1e-15", U="4.4 - 1.3*theta", i0="1 + theta")
SIDES = (0, 1, 2)
BATHED = Roles((1,), (1,), (0,), bath=SIDES, everywhere=True)
PORE = (1.0, 1.0, None)


def halves() -> np.ndarray:
    """A ball of two phases that touches no side."""
    labels = ball_labels((6, 6, 6), (3.0, 3.0, 3.0), 2.2)
    labels[:, :, 3:][labels[:, :, 3:] == 1] = 2
    return labels


def floating(comm: MPI.Comm = MPI.COMM_WORLD) -> TaggedMesh:
    """Its mesh."""
    return voxel_mesh(
        halves(), separator=(), comm=comm, roles=Roles((1, 2), (1, 2), (0,), (), SIDES, True)
    )


def run(mesh: TaggedMesh, everywhere: bool = True) -> Simulation:
    """1C to a tenth, rest, 2C to the cut-off."""
    cell = half_cell({1: OXIDE, 2: OTHER} if everywhere else {1: OXIDE}, nsd=PORE)
    steps = [(1.0, {"dod": 0.1}), (0.0, {"duration": 100.0}), (2.0, {"voltage": 3.5})]
    return Simulation(
        mesh,
        cell,
        lambda one_c: [Step(rate * one_c, **end) for rate, end in steps],
        Settings(),
        assemble=partial(StirredSystem, everywhere=everywhere),
    )


@pytest.mark.mpi
def test_balances_and_overpotentials_at_every_instant() -> None:
    """Lithium and charge to 1e-9; the parts sum to U(θ̄) − V, none of them of an electrolyte.

    φ_s is one unknown, θ the only fields beside it.
    """
    found = run(floating())
    assert [field.name for field in found.system.blocks] == ["phi_s", "theta:1", "theta:2"]
    assert found.system.fields.phi_s.layout.free.size == 0
    instant = None
    for instant in found.run():
        balances = asdict(found.quantities.balances(instant.current, instant.charge))
        assert max(balances.values()) < 1e-9, (instant, balances)
        row = found.quantities.cell(instant.current)
        parts = {name: row[f"{name} overpotential [V]"] for name in PARTS}
        if instant.current != 0.0:
            assert sum(parts.values()) == pytest.approx(row["Total overpotential [V]"], abs=1e-8)
            for name in ("Ohmic", "Concentration", "Counter", "Electronic"):
                assert parts[name] == pytest.approx(0.0, abs=1e-12), name
        assert (row["Min c_e [mol.m-3]"], row["Max c_e [mol.m-3]"]) == (1000.0, 1000.0)
    assert instant is not None
    assert instant.ended.startswith("voltage")


@pytest.mark.mpi
def test_the_jacobian_with_a_contact_is_the_derivative_of_the_residual() -> None:
    """Lithium passes between two materials with a resistance; central differences in θ and φ_s.

    With ε = 1e-5 their error is (F U'/2RT)² ε²/6 = 1e-8 of what is summed, rounding 1e-16/ε less;
    sums cancel by less than a hundred: 1e-6.
    """
    cell = replace(half_cell({1: OXIDE, 2: OTHER}, nsd=PORE), contacts={(1, 2): 1e-3})
    system = StirredSystem(floating(), cell)
    (contact,) = system.contacts
    set_uniform(system, 0.4, 3.9)
    for field in system.blocks[1:]:
        field.values[:] += 0.1 * np.sin(system.mesh.vertex_number[field.layout.region.dof_vertex])
    zero = {field.name: np.zeros(len(field.values)) for field in system.blocks}
    imposed, start = Drive(7.0, 0.2, zero), system.state()
    passing = system.comm.allreduce(float(np.abs(system.flux(contact).J).sum()))
    assert passing > 1.0
    system.jacobian(imposed)
    matrices = system.matrices()
    assert {("theta:1", "theta:2"), ("theta:2", "theta:1")} <= set(matrices)
    for column in system.blocks:
        step = column.layout.vector()
        first, last = step.getOwnershipRange()
        step.array_w[:] = np.cos(7.7 * np.arange(first, last))
        ends = []
        for length in (1e-5, -1e-5):
            system.set_state(start)
            column.values[:] += length * column.layout.spread(step)
            ends.append(system.residual(imposed))
        for row in system.blocks:
            change = (ends[0][row.name] - ends[1][row.name]) * (1.0 / 2e-5)
            slope = row.layout.vector()
            if (row.name, column.name) in matrices:
                matrices[row.name, column.name].mult(step, slope)
            scale = max(slope.norm(), change.norm())
            assert (change - slope).norm() <= 1e-6 * scale, (row.name, column.name)


@pytest.mark.mpi
def test_one_material_in_two_phases_is_one_body() -> None:
    """They share θ, which is one unknown, not two: the same numbers of blocks and unknowns."""
    parted = StirredSystem(floating(), half_cell({1: OXIDE, 2: OXIDE}, nsd=PORE))
    labels = np.minimum(halves(), 1)
    whole = StirredSystem(
        voxel_mesh(labels, separator=(), roles=BATHED), half_cell({1: OXIDE}, nsd=PORE)
    )
    assert [field.name for field in parted.blocks] == ["phi_s", "theta:1"]
    assert len(parted.blocks) == len(whole.blocks)
    assert parted.dofs == whole.dofs


@pytest.mark.mpi
@pytest.mark.mpi3
def test_ranks_agree() -> None:
    """The end of the run and the particles' rows on any number of ranks: 1e-6, as in a cell."""
    ends = []
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        found = run(floating(comm))
        *_, last = found.run()
        ends.append((last.time, found.system.voltage(), found.quantities.particles(1.0)["SoL"]))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-6)
    assert ends[0][1] == pytest.approx(ends[1][1], abs=1e-6)
    np.testing.assert_allclose(ends[0][2], ends[1][2], atol=1e-6)


@pytest.mark.mpi
@pytest.mark.mpi3
def test_the_law_of_the_largest_area_prevails() -> None:
    """Of all ranks: two thirds of the lower half, which the first rank has, lie in another liquid.

    That is a third of the whole.
    """
    labels = np.minimum(halves(), 1)
    labels[:3, :, :4][labels[:3, :, :4] == 0] = 2
    roles = Roles((1,), (1,), (0, 2), bath=SIDES, everywhere=True)
    cell = half_cell({1: OXIDE}, nsd=PORE)
    cell = replace(cell, phases={**cell.phases, 2: replace(cell.phases[0], name="other")})
    own = Reaction.of(OXIDE)
    cell = replace(cell, reactions={(1, 0): own.but(film=0.4), (1, 2): own.but(film=0.6)})
    (surface,) = StirredSystem(voxel_mesh(labels, separator=(), roles=roles), cell).active
    assert prevailing(surface, MPI.COMM_WORLD).film == 0.4


def standing() -> np.ndarray:
    """Half a ball on the collector."""
    return ball_labels((5, 6, 6), (0.0, 3.0, 3.0), 2.6)


def test_the_half_cell_with_a_perfect_electrolyte_is_the_same() -> None:
    """κ of 1e4 S/m, t₊ = 1 and a fast metal: the half cell's V to 1e-6 V, its SoL to 1e-6.

    The drop that is left is I L/κ ≈ 1e-9 V. Electrons enter at z = 0 in both; σ is 1e-4 S/m,
    so that they have a drop of their own.
    """
    fluid = electrolyte(kappa="1e4", kappa_over_c="10", t_plus="1", chi="1")
    found = []
    for bath in ((), SIDES):
        mesh = voxel_mesh(
            standing(), separator=() if bath else (1e-6,), roles=Roles((1,), (1,), (0,), (), bath)
        )
        cell = half_cell({1: OXIDE}, fluid, PORE, (1.0, 1.0), metal("1e6"), sigma=1e-4)
        assemble = {"assemble": partial(StirredSystem, everywhere=False)} if bath else {}
        simulation = Simulation(
            mesh,
            cell,
            lambda one_c: [Step(one_c, dod=0.3)],
            Settings(step=StepSettings(rtol=1e-5)),
            **assemble,
        )
        *_, _ = simulation.run()
        row = simulation.quantities.cell(simulation.quantities.one_c)
        found.append((row, simulation.quantities.particles(1.0)))
    (cell_row, cell_parts), (row, parts) = found
    assert row["Voltage [V]"] == pytest.approx(cell_row["Voltage [V]"], abs=1e-6)
    assert row["Electronic overpotential [V]"] > 1e-5
    for name in ("SoL", "SoL std", "J_ct [A.m-2]"):
        np.testing.assert_allclose(parts[name], cell_parts[name], rtol=1e-5, err_msg=name)


def test_enclosed_electrolyte_wets_nothing() -> None:
    """A hollow cube: the hole is no bath, so that only the outer faces react."""
    labels = np.zeros((7, 7, 7), dtype=np.uint8)
    labels[1:6, 1:6, 1:6] = 1
    whole = voxel_mesh(labels, separator=(), roles=BATHED)
    labels[3, 3, 3] = 0
    hollow = voxel_mesh(labels, separator=(), roles=BATHED)
    areas = [sum(len(f.area) for f in interface_facets(m).values()) for m in (whole, hollow)]
    assert areas[0] == areas[1]


def test_a_flat_volume_is_not_wetted_across_its_faces() -> None:
    """A ring one voxel thick: the hole inside is enclosed, though it meets two faces of the box."""
    labels = np.zeros((7, 7, 1), dtype=np.uint8)
    labels[1:6, 1:6] = 1
    labels[3, 3] = 0
    mesh = voxel_mesh(labels, separator=(), roles=replace(BATHED, bath=(0, 1)))
    facets = interface_facets(mesh)[1]
    assert len(facets.area) == 2 * 4 * 5  # two triangles a voxel face, 20 faces outside


def test_a_particle_without_electrolyte_is_refused() -> None:
    """A volume full of active material has nothing to exchange lithium with."""
    labels = np.ones((3, 3, 3), dtype=np.uint8)
    labels[1, 1, 1] = 0
    mesh = voxel_mesh(labels, separator=(), roles=BATHED)
    with pytest.raises(InputError, match="electrolyte around"):
        require_bath(mesh, half_cell({1: OXIDE}, nsd=PORE))


# -- the homogeneous particle -------------------------------------------------------------------


def homogeneous(length: float | None = None, start: float = 0.3, cells: int = 50) -> Homogeneous:
    """5 µm of a material of constant D_s whose U is all but flat."""
    material = active_material(U="4.0 - 0.5*theta", D_s="1e-14", i0="1")
    volume = 4.0 / 3.0 * np.pi * (5e-6) ** 3 if length is None else np.pi * (5e-6) ** 2 * length
    kinetics = InsertionKinetics.of(material, 298.15)
    return Homogeneous(material, kinetics, 1000.0, volume, length, start, cells)


@pytest.mark.parametrize("length", [None, 2e-6])
def test_the_homogeneous_particle_at_its_long_time_limit(length: float | None) -> None:
    """θ at the surface is the mean plus J R/(F D c_max)/(d + 2) once the transient is over.

    With U linear the cut-off tells θ at the surface: the capacity follows within 1e-3, by 50 cells.
    """
    particle = homogeneous(length)
    d, R, D, c_max = particle.dimension, particle.radius, 1e-14, 5e4
    assert pytest.approx(5e-6) == R
    J = 0.4
    rise = J * R / (FARADAY * D * c_max) / (d + 2)
    i0 = 1.0
    eta = -2.0 * 8.314462618 * 298.15 / FARADAY * np.arcsinh(J / (2.0 * i0))
    lower = 4.0 - 0.5 * (0.3 + 0.5 + rise) + eta  # when half of c_max has been delivered
    exact = 0.5 * FARADAY * c_max * particle.volume
    assert particle.capacity(J * particle.area, lower) == pytest.approx(exact, rel=1e-3)


def test_a_homogeneous_particle_of_half_the_diffusivity_has_tortuosity_two() -> None:
    """The ratio is found again to 1e-3, from the capacity alone."""
    particle = homogeneous()
    current, lower = 0.4 * particle.area, 3.6
    given = particle.capacity(current, lower, 0.5)
    found = solid_tortuosity(particle, given, current, lower)
    assert found.ratio == pytest.approx(2.0, rel=1e-3)
    assert found.sensitivity is not None
    assert found.sensitivity > 0.0


def test_a_capacity_that_no_diffusivity_gives_has_no_tortuosity() -> None:
    """More than all: the reason is said."""
    particle = homogeneous()
    whole = 0.7 * FARADAY * 5e4 * particle.volume
    found = solid_tortuosity(particle, 1.01 * whole, 0.4 * particle.area, 3.6)
    assert found.ratio is None
    assert "no homogeneous particle" in found.reason
