"""Both electrodes in one volume: an oxide, a pore as separator, and two carbons that share it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from half_cells import active_material, electrolyte, half_cell, voxel_mesh
from mpi4py import MPI

from voxtrode.data.connectivity import Roles
from voxtrode.data.errors import InputError
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.solvers import checkpoint
from voxtrode.solvers.cell import Cell, NegativeElectrode, Step
from voxtrode.solvers.initial import AtLithiation
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.simulation import Settings, Simulation

pytestmark = pytest.mark.mpi

OXIDE = active_material(D_s="2e-14*(1 - 0.5*theta)", U="4.3 - theta**2", film=1e-3)
CARBON = active_material("carbon", U="0.9 - 0.8*theta", D_s="1e-14", c_max=3e4, film=1e-3)
OTHER = active_material("other", U="1.0 - 0.95*theta", D_s="3e-15", c_max=2.5e4, i0="1 + theta")
FLUID = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e")
FAR = (2, 3)


def labels() -> np.ndarray:
    """Oxide at the bottom, carbons at the top, one half each; pores through both."""
    volume = np.zeros((9, 4, 4), dtype=np.uint8)
    volume[:3, :3], volume[5:, :3, :2], volume[5:, :3, 2:] = 1, 2, 3
    return volume


def mesh_of(volume: np.ndarray, comm: MPI.Comm, far: tuple[int, ...] = FAR) -> TaggedMesh:
    """The mesh of a volume whose far electrode has these labels; no separator beyond it."""
    roles = Roles((1, 2, 3), (1, 2, 3), (0,), far)
    return voxel_mesh(volume, separator=(), comm=comm, roles=roles)


def full_cell(first: bool = False) -> Cell:
    """The cell; its negative electrode is the far one, or the one at z = 0."""
    materials = {1: OXIDE, 2: CARBON, 3: OTHER}
    if first:
        materials = {1: CARBON, 2: OXIDE, 3: active_material(U="4.3 - theta**2")}
    cell = half_cell(materials, FLUID, nsd=(1.0, 1.0, None))
    negative = NegativeElectrode((1,) if first else FAR, 0.2, 0.8, first)
    return replace(cell, counter=negative, upper=4.0, lower=2.6)


def simulation(
    steps: Sequence[tuple[float, dict[str, float]]],
    comm: MPI.Comm | None = None,
    first: bool = False,
    **settings,
) -> Simulation:
    """Steps given by C-rate and conditions; ``least`` is a C-rate as well."""

    def protocol(one_c: float) -> list[Step]:
        return [
            Step(rate * one_c, **{k: v * one_c if k == "least" else v for k, v in given.items()})
            for rate, given in steps
        ]

    mesh = mesh_of(labels(), MPI.COMM_WORLD if comm is None else comm)
    return Simulation(mesh, full_cell(first), protocol, Settings(**settings))


@pytest.mark.parametrize("first", [False, True], ids=["far", "first"])
def test_a_fast_charge_ends_on_its_current(first: bool) -> None:
    """2C down, rest, CC-CV at 4C: balances to 1e-9 and the split to 1e-4 V at every instant.

    Lithium is balanced electrode by electrode. The split is exact in the discrete system; what
    Newton's method leaves is divided by the current.
    """
    steps = [
        (2.0, {"dod": 0.7}),
        (0.0, {"duration": 60.0}),
        (-4.0, {"voltage": 3.9}),
        (0.0, {"held": 3.9, "least": 0.05}),
    ]
    run = simulation(steps, first=first)
    for instant in run.run():
        balances = asdict(run.quantities.balances(instant.current, instant.charge))
        assert max(balances.values()) < 1e-9, (instant, balances)
        row = run.quantities.cell(instant.current)
        if instant.current != 0.0:
            share = min(abs(instant.current) / run.quantities.one_c, 1.0)
            parts = sum(row[f"{name} overpotential [V]"] for name in PARTS)
            assert abs(parts - row["Total overpotential [V]"]) < 1e-8 / share
    assert instant.ended.startswith("current")
    assert instant.current == pytest.approx(-0.05 * run.quantities.one_c, rel=1e-6)
    assert row["Voltage [V]"] == pytest.approx(3.9, abs=1e-9)
    assert row["Counter overpotential [V]"] == 0.0
    particles = run.quantities.particles(instant.current)
    area = particles["J_ct [A.m-2]"] * particles["Wetted area [m2]"]
    here = run.system.mesh.info.area * instant.current
    negative = np.isin(particles["Phase"], ["active1"] if first else ["active2", "active3"])
    assert area[negative].sum() == pytest.approx(here, rel=1e-8)
    assert area[~negative].sum() == pytest.approx(-here, rel=1e-8)


def test_the_ends_of_a_full_cell() -> None:
    """Charged: positive empty, negative full, the upper cut-off between them; 1C the smaller's."""
    run = simulation([(0.0, {"duration": 10.0})])
    assert run.system.voltage() == pytest.approx(4.0, abs=1e-9)
    for _ in run.run():
        assert run.system.voltage() == pytest.approx(4.0, abs=1e-7)
    rows = run.quantities.particles(0.0)
    assert dict(zip(rows["Phase"], rows["SoL"], strict=True)) == pytest.approx(
        {"active1": 0.0, "active2": 1.0, "active3": 1.0}, abs=1e-7
    )
    found = run.quantities
    assert found.nominal == min(found.electrode.capacity, found.opposite.capacity)


@pytest.mark.mpi3
def test_ranks_agree() -> None:
    """Voltages and currents of a full cell beside a run on one rank: 1e-6 V, the model's demand."""
    steps = [(2.0, {"dod": 0.2}), (0.0, {"held": 3.6, "duration": 60.0})]
    found = []
    for comm in (MPI.COMM_WORLD, MPI.COMM_SELF):
        run = simulation(steps, comm, dods=(0.1, 0.25))
        kept = [(run.system.voltage(), i.current, i.time) for i in run.run() if i.kept]
        found.append(np.array(kept))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6, atol=1e-6)


def test_a_symmetric_cell_is_at_zero_half_way() -> None:
    """The same material in both electrodes, equal in volume: V = 0 at SoL 0.5, odd in the current.

    Two electrodes of one material keep two fields. The volumes are mirror images on the mesh up to
    how its cells are cut, which the 1e-3 V of the overpotential's oddness allow for.
    """
    volume = np.zeros((9, 4, 4), dtype=np.uint8)
    volume[:4, :3], volume[5:, :3] = 1, 2
    mesh = mesh_of(volume, MPI.COMM_WORLD, far=(2,))
    cell = half_cell({1: OXIDE, 2: OXIDE}, FLUID, nsd=(1.0, 1.0, None))
    negative = NegativeElectrode((2,), charged=3.5, discharged=4.1)
    cell = replace(cell, counter=negative, upper=0.6, lower=-0.6)
    found = []
    for sign in (1.0, -1.0):
        run = Simulation(
            mesh,
            cell,
            lambda one_c, sign=sign: [Step(sign * one_c, duration=60.0)],
            Settings(),
            AtLithiation(0.5),
        )
        assert run.system.voltage() == pytest.approx(0.0, abs=1e-9)
        for instant in run.run():
            balances = asdict(run.quantities.balances(instant.current, instant.charge))
            assert max(balances.values()) < 1e-9
        found.append(run.system.voltage())
    assert found[0] < -0.01
    assert found[0] == pytest.approx(-found[1], abs=1e-3)


def test_a_hold_resumes_on_another_number_of_ranks(shared_path: Path) -> None:
    """Stopped in a hold and resumed by one rank alone: the same rest of the curve.

    Accepted steps agree to rounding, and voltages to the model's 1e-6 V; the current to 1e-6 of 1C.
    """
    steps = [(2.0, {"dod": 0.2}), (0.0, {"held": 3.6, "duration": 60.0}), (-1.0, {"dod": 0.15})]
    whole = simulation(steps)
    path = shared_path / "hold.h5"
    expected = []
    for instant in whole.run():
        if instant.step == 1 and instant.time > whole.position.began + 5.0 and not expected:
            checkpoint.save(path, whole, {})
            expected.append((instant.time, instant.current, whole.system.voltage()))
        elif expected:
            expected.append((instant.time, instant.current, whole.system.voltage()))
    alone = simulation(steps, MPI.COMM_SELF)
    checkpoint.load(path, alone)
    found = [(i.time, i.current, alone.system.voltage()) for i in alone.run()]
    assert len(found) == len(expected) - 1
    np.testing.assert_allclose(found, expected[1:], rtol=1e-6, atol=1e-6)


def test_electrodes_that_touch_are_refused() -> None:
    """A short circuit is bad input, not a singular matrix."""
    volume = labels()
    volume[3:5, 0, 0] = 1
    mesh = mesh_of(volume, MPI.COMM_WORLD)
    with pytest.raises(InputError, match="short circuit"):
        Simulation(mesh, full_cell(), lambda _: [Step(duration=1.0)], Settings())
