"""The same run on any number of ranks: this file's tests run on two and three ranks as well.

Rank-independent truth comes from a run on COMM_SELF beside the distributed one.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import numpy as np
import pytest
from half_cells import active_material, ball_labels, electrolyte, half_cell, metal, voxel_mesh
from mpi4py import MPI

from voxtrode.data import materials
from voxtrode.data.connectivity import Roles
from voxtrode.data.phases import Anisotropy, Phase
from voxtrode.solvers.cell import Cell, LumpedElectrode, NegativeElectrode, Step
from voxtrode.solvers.interface import interface_facets
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stirred import StirredSystem
from voxtrode.solvers.system import HalfCellSystem

pytestmark = [pytest.mark.mpi, pytest.mark.mpi3]

OXIDE = active_material(D_s="2e-14*(1 - 0.5*theta)", U="4.3 - theta**2")
OTHER = active_material("other", D_s="1e-14", U="4.4 - 1.3*theta", i0="1 + theta")
FLUID = electrolyte(t_plus="0.3 + 1e-4*c_e")


def everywhere() -> np.ndarray:
    """Two materials, interface throughout the thickness."""
    labels = ball_labels((6, 4, 4), (3.0, 2.0, 2.0), 2.2)
    labels[:, :, 2:][labels[:, :, 2:] == 1] = 2
    return labels


def at_the_bottom() -> np.ndarray:
    """One small particle at the collector under a tall liquid."""
    labels = np.zeros((12, 2, 2), dtype=np.uint8)
    labels[:1, :1, :1] = 1
    return labels


def run(labels: np.ndarray, comm: MPI.Comm) -> tuple[list[float], dict[str, np.ndarray], int]:
    """Voltages at stored instants, the last particle rows under current, this rank's Γ facets."""
    materials = {label: (OXIDE, OTHER)[label - 1] for label in range(1, int(labels.max()) + 1)}
    mesh = voxel_mesh(labels, separator=(1e-6, 1e-6), comm=comm)
    simulation = Simulation(
        mesh,
        half_cell(materials, FLUID),
        lambda one_c: [Step(one_c, dod=0.25), Step(0.0, duration=60.0)],
        Settings(dods=(0.1, 0.2)),
    )
    voltages = []
    for instant in simulation.run():
        if instant.kept:
            voltages.append(simulation.system.voltage())
            # At rest a single particle's current is rounding, with nothing to compare it to.
            if instant.current > 0.0:
                rows = simulation.quantities.particles(instant.current)
    facets = sum(len(found.area) for found in interface_facets(mesh).values())
    return voltages, rows, facets


@pytest.mark.parametrize("labels", [everywhere(), at_the_bottom()], ids=["everywhere", "bottom"])
def test_voltage_and_particles_do_not_depend_on_the_ranks(labels: np.ndarray) -> None:
    """V within 1e-6 V and each particle's row within 1e-6, as the model's §6 asks.

    What differs is the order of sums and the preconditioner; Newton's tolerance of 1e-8 leaves
    far less. In the second volume at least one of several ranks has no facet of Γ.
    """
    voltages, rows, facets = run(labels, MPI.COMM_WORLD)
    expected, alone, _ = run(labels, MPI.COMM_SELF)
    fewest = MPI.COMM_WORLD.allreduce(facets, op=MPI.MIN)  # before any rank may fail
    if MPI.COMM_WORLD.size > 1 and labels.sum() == 1:
        assert fewest == 0
    assert voltages == pytest.approx(expected, abs=1e-6)
    for name, values in alone.items():
        if values.dtype.kind == "f":
            scale = max(float(np.max(np.abs(values))), 1e-300)
            np.testing.assert_allclose(rows[name] / scale, values / scale, atol=1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(rows[name], values, err_msg=name)


# -- every kind of cell ---------------------------------------------------------------------------

CARBON = active_material("carbon", U="0.9 - 0.8*theta", D_s="1e-14", c_max=3e4, film=1e-3)
DISCHARGE = ((2.0, {"dod": 0.2}), (0.0, {"duration": 30.0}))
CC_CV = ((2.0, {"dod": 0.3}), (-4.0, {"voltage": 3.9}), (0.0, {"held": 3.9, "least": 0.1}))
"""C-rates (of currents that end holds as well) and what ends each step."""


@dataclass(frozen=True, eq=False)
class Case:
    """A kind of cell: its volume, what labels can do, the cell, what drives it, its equations."""

    labels: np.ndarray
    cell: Cell
    roles: Roles | None = None
    protocol: tuple[tuple[float, Mapping[str, float]], ...] = DISCHARGE
    separator: tuple[float, ...] = (1e-6,)
    assemble: Callable[..., HalfCellSystem] = field(default=HalfCellSystem)

    def steps(self, one_c: float) -> list[Step]:
        """The protocol in A/m²."""
        return [
            Step(rate * one_c, **{k: v * one_c if k == "least" else v for k, v in ends.items()})
            for rate, ends in self.protocol
        ]

    def run(self, comm: MPI.Comm) -> tuple[np.ndarray, np.ndarray, float]:
        """t, V, I of kept instants, particles' SoL at each, and the worst balance of all."""
        mesh = voxel_mesh(self.labels, separator=self.separator, comm=comm, roles=self.roles)
        dods = (0.05, 0.1, 0.15)
        found = Simulation(mesh, self.cell, self.steps, Settings(dods=dods), assemble=self.assemble)
        rows, sols, worst = [], [], 0.0
        for instant in found.run():
            balances = asdict(found.quantities.balances(instant.current, instant.charge))
            worst = max(worst, *balances.values())
            if instant.kept:
                rows.append((instant.time, found.system.voltage(), instant.current))
                sols.append(found.quantities.particles(instant.current)["SoL"])
        return np.array(rows), np.array(sols), worst


def full_cell(counter: NegativeElectrode | LumpedElectrode, active: tuple[int, ...]) -> Cell:
    """An oxide against a carbon, between 4.0 and 2.6 V."""
    pore = (1.0, 1.0, None) if len(active) > 1 else (0.5, 1.5, 10.0)
    cell = half_cell(dict(zip(active, (OXIDE, CARBON), strict=False)), FLUID, nsd=pore)
    return replace(cell, counter=counter, upper=4.0, lower=2.6)


def two_electrodes() -> Case:
    """Both electrodes in one volume, pores through both; charged at 4C to a held voltage."""
    labels = np.zeros((9, 4, 4), dtype=np.uint8)
    labels[:3, :3], labels[5:, :3] = 1, 2
    cell = full_cell(NegativeElectrode((2,), 0.2, 0.8), (1, 2))
    return Case(labels, cell, Roles((1, 2), (1, 2), (0,), (2,)), CC_CV, ())


def balanced_counter() -> Case:
    """The oxide alone against a lumped carbon, charged at 4C to a held voltage."""
    counter = LumpedElectrode(CARBON, charged=0.15, discharged=0.85, ratio=1.1, area=8.0)
    return Case(np.minimum(everywhere(), 1), full_cell(counter, (1,)), protocol=CC_CV)


def composite() -> Case:
    """An oxide in argyrodite, with carbon to the collector and a void; no salt anywhere."""
    labels = np.zeros((7, 4, 4), dtype=np.uint8)
    labels[2:5, 1:3, 1:3] = 1
    labels[:3, 0] = labels[:2, 1:3, 1] = 2
    labels[5:, 3, 3] = 3
    solid = materials.solid_electrolyte("argyrodite").kappa.value
    phases = {
        0: Phase("argyrodite", kappa=solid),
        1: Phase("oxide", OXIDE, 10.0),
        2: Phase("carbon", None, 500.0),
        3: Phase("void"),
        4: Phase("separator", kappa=solid),
    }
    indium = materials.metal_electrode("lithium-indium")
    cell = Cell(phases, indium, 298.15, 3.5, 2.8)
    return Case(labels, cell, Roles((1,), (1, 2), (0,)))


def dilute() -> Case:
    """The Nernst-Planck limit."""
    fluid = materials.electrolyte("lipf6-dilute")
    return Case(everywhere(), half_cell({1: OXIDE, 2: OTHER}, fluid))


def stirred() -> Case:
    """A ball of two materials in a stirred electrolyte."""
    labels = ball_labels((6, 6, 6), (3.0, 3.0, 3.0), 2.2)
    labels[:, :, 3:][labels[:, :, 3:] == 1] = 2
    roles = Roles((1, 2), (1, 2), (0,), (), (0, 1, 2), True)
    cell = half_cell({1: OXIDE, 2: OTHER}, nsd=(1.0, 1.0, None))
    return Case(labels, cell, roles, DISCHARGE, (), partial(StirredSystem, everywhere=True))


def contacts() -> Case:
    """Lithium between two materials, one above the other, with a resistance."""
    labels = np.zeros((6, 4, 4), dtype=np.uint8)
    labels[1:3, 1:3, 1:3], labels[3:5, 1:3, 1:3] = 1, 2
    cell = half_cell({1: OXIDE, 2: OTHER}, FLUID)
    return Case(labels, replace(cell, contacts={(1, 2): 1e-2}))


def junction() -> Case:
    """Electrons between two materials over a resistance, binder around them."""
    labels = np.zeros((6, 4, 4), dtype=np.uint8)
    labels[:2, 1:3, 1:3], labels[2:4, 1:3, 1:3] = 1, 2
    cell = half_cell({1: OXIDE, 2: OTHER}, FLUID, nsd=(0.5, 1.5, 1e-3))
    return Case(labels, replace(cell, junctions={(1, 2): 1e-3}))


def tensor() -> Case:
    """Diffusion twenty times slower along a tilted axis."""
    cell = half_cell({1: OXIDE, 2: OTHER}, FLUID, counter=metal())
    slow = Anisotropy(0.05, (0.6, 0.0, 0.8))
    phases = {**cell.phases, 1: replace(cell.phases[1], anisotropy=slow)}
    return Case(everywhere(), replace(cell, phases=phases))


CASES = (two_electrodes, balanced_counter, composite, dilute, stirred, contacts, junction, tensor)


@pytest.mark.parametrize("make", CASES, ids=[make.__name__ for make in CASES])
def test_any_cell_on_any_number_of_ranks(make: Callable[[], Case]) -> None:
    """V(t) within 1e-6 V and I(t) within 1e-6 of one rank's, SoL 1e-8, balances 1e-9 throughout.

    Instants are the same because all ranks take the same steps; their times agree to 1e-6, which is
    what the location of a voltage or a current leaves.
    """
    case = make()
    rows, sols, worst = case.run(MPI.COMM_WORLD)
    expected, alone, own = case.run(MPI.COMM_SELF)
    assert len(rows) == len(expected) > 2
    scale = np.abs(expected).max(axis=0)
    apart = np.abs(rows - expected).max(axis=0)
    off = np.abs(sols - alone).max()
    if MPI.COMM_WORLD.rank == 0:
        print(
            f"{make.__name__} on {MPI.COMM_WORLD.size}: t {apart[0]:.1e} s, V {apart[1]:.1e} V,"
            f" I {apart[2] / scale[2]:.1e}, SoL {off:.1e}, balances {worst:.1e}, {own:.1e}"
        )
    assert apart[1] < 1e-6
    assert apart[2] < 1e-6 * scale[2]
    assert apart[0] < 1e-6 * scale[0]
    assert off < 1e-8
    assert max(worst, own) < 1e-9
