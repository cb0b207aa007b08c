"""What the last good state says about why the numbers failed: which field, where, what to try."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.solvers.fields import Field
from voxtrode.solvers.simulation import Simulation
from voxtrode.solvers.surfaces import ActiveSurface

DEPLETED = 10.0
"""c_e [mol/m³] below which the electrolyte counts as used up."""
EDGE = 0.01
"""Distance of a stoichiometry from 0 or 1 at which a surface counts as empty or full."""
HARD = 0.3
"""Activation overpotential [V] beyond which the reaction is what stands in the way."""
DROP = 0.3
"""Difference of potentials in the solid [V] beyond which conduction is."""


@dataclass(frozen=True)
class _Spot:
    """An extreme value and where it is."""

    value: float
    place: str


def likely_cause(simulation: Simulation) -> str:
    """A line on the likely reason, after a numerical failure; collective."""
    system = simulation.system
    comm, fields = system.comm, system.fields
    c_e = _lowest(comm, fields.c_e.values, fields.c_e, fields.electrolyte.c_e0.value)
    state = f"last state: {simulation.stepper.history.voltages[0]:.3f} V"
    if fields.salt and c_e.value < DEPLETED:
        return (
            f"the electrolyte is depleted: c_e is {c_e.value:.2g} mol/m3 {c_e.place} ({state}); "
            "try a lower rate, a thinner electrode or separator, or a lower tortuosity"
        )
    for surface in system.active:
        phase = system.cell.phases[surface.label].name
        theta = fields.theta[surface.label].values[surface.dofs[surface.theta]]
        empty, full = _at_points(comm, surface, theta), _at_points(comm, surface, 1.0 - theta)
        for spot, said in ((full, "full"), (empty, "empty")):
            if spot.value < EDGE:
                return (
                    f"the surface of {phase} is {said} of lithium (theta within {spot.value:.1e} "
                    f"of its limit) at {spot.place} ({state}); diffusion in the particle does not "
                    "keep up: try a lower rate, an end voltage that is met earlier, or a finer mesh"
                )
    for surface in system.active:
        phase = system.cell.phases[surface.label].name
        eta = np.abs(np.broadcast_to(system.flux(surface).eta, surface.points.area.shape))
        spot = _at_points(comm, surface, -eta)
        if -spot.value > HARD:
            return (
                f"the reaction on {phase} cannot carry the current: overpotential "
                f"{-spot.value:.2g} V at {spot.place} ({state}); try a lower rate, or check the "
                "exchange current, the film resistance and the wetted area"
            )
    phi = system.electron_potential()
    low, high = (_lowest(comm, sign * phi, fields.phi_s) for sign in (1.0, -1.0))
    if -high.value - low.value > DROP and not system.cell.negative:
        return (
            f"electrons do not get there: the potential in the solid differs by "
            f"{-high.value - low.value:.2g} V between {low.place} and {high.place} ({state}); try "
            "a lower rate, or check the conductivity and contacts that are only voxels wide"
        )
    return f"{state}; try a lower rate, a finer mesh or a smaller solver.first_dt"


def _lowest(
    comm: MPI.Intracomm, values: npt.NDArray[np.float64], field: Field, scale: float = 1.0
) -> _Spot:
    """Least value of a field times a scale over its unknowns; collective."""
    free = field.layout.free
    here = (np.inf, "")
    if len(free):
        k = free[int(np.argmin(values[free]))]
        x, y, z = field.layout.region.space.tabulate_dof_coordinates()[k]
        here = (float(values[k]) * scale, f"at (x, y, z) = ({x:.3g}, {y:.3g}, {z:.3g}) um")
    return _Spot(*min(comm.allgather(here)))


def _at_points(
    comm: MPI.Intracomm, surface: ActiveSurface, values: npt.NDArray[np.float64]
) -> _Spot:
    """Least value at the points of a surface, by particle; collective."""
    here = (np.inf, "")
    if len(values):
        k = int(np.argmin(values))
        here = (float(values[k]), f"particle {surface.points.particle[k]}")
    return _Spot(*min(comm.allgather(here)))
