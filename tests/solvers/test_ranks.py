"""The same run on any number of ranks: this file's tests run on two and three ranks as well.

Rank-independent truth comes from a run on COMM_SELF beside the distributed one.
"""

import numpy as np
import pytest
from half_cells import active_material, ball_labels, electrolyte, half_cell, voxel_mesh
from mpi4py import MPI

from voxtrode.solvers.cell import Step
from voxtrode.solvers.interface import interface_facets
from voxtrode.solvers.simulation import Settings, Simulation

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
