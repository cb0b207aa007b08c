"""What is said of particles in a stirred electrolyte beside what is said of a cell."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from voxtrode.pipeline.study import Study
from voxtrode.solvers.homogeneous import Homogeneous, solid_tortuosity
from voxtrode.solvers.kinetics import InsertionKinetics
from voxtrode.solvers.simulation import Simulation
from voxtrode.solvers.surfaces import prevailing
from voxtrode.solvers.units import UM


def particle_summary(
    study: Study,
    simulation: Simulation,
    ends: Sequence[Mapping[str, Any]],
    image: Mapping[str, Any],
) -> dict[str, Any]:
    """Entry `solid_tortuosity` of `summary.json`; nothing for a cell. Collective.

    Args:
        study: The study.
        simulation: Finished.
        ends: How each step of the protocol ended.
        image: `image.json`; needed on rank 0 alone.

    Returns:
        The entry on rank 0, nothing on the others.
    """
    if study.surroundings is None:
        return {}
    system = simulation.system
    laws = [prevailing(surface, system.comm) for surface in system.active]
    if system.comm.rank != 0:
        return {}
    found = _refused(study, simulation, ends) or _tortuosity(simulation, laws[0], ends[0], image)
    return {"solid_tortuosity": found}


def _refused(
    study: Study, simulation: Simulation, ends: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Why there is no homogeneous particle to compare with; None if there is one."""
    first = simulation.protocol[0]
    reason = ""
    if len(simulation.system.active) > 1:
        reason = "several active materials"
    elif first.held is not None or first.voltage is None or first.current <= 0.0:
        reason = "the first step is no discharge to a voltage"
    elif study.initial.checkpoint is not None:
        reason = "the run does not start at equilibrium"
    elif not ends or not str(ends[0]["reason"]).startswith("voltage"):
        reason = "the first step did not end on its voltage"
    elif ends[0]["dod"] <= simulation.quantities.depth:
        reason = "nothing was delivered in the first step"
    return {"ratio": None, "reason": reason} if reason else None


def _tortuosity(
    simulation: Simulation,
    kinetics: InsertionKinetics,
    end: Mapping[str, Any],
    image: Mapping[str, Any],
) -> dict[str, Any]:
    system, quantities, first = simulation.system, simulation.quantities, simulation.protocol[0]
    area = system.mesh.info.area
    (surface,) = system.active
    living = ~quantities.table.dead
    flat = [size for size, count in zip(image["size_m"], image["shape"], strict=True) if count == 1]
    particle = Homogeneous(
        material=surface.material,
        kinetics=kinetics,
        c_e=system.fields.electrolyte.c_e0.value,
        volume=float(quantities.table.volume[living].sum()) / UM**3,
        length=flat[0] if flat else None,
        start=quantities.at_start[surface.label],
    )
    assert first.voltage is not None
    charge = (end["dod"] - quantities.depth) * quantities.nominal * area
    found = solid_tortuosity(particle, charge, first.current * area, first.voltage)
    own = {"radius_m": particle.radius, "shape": "ball" if particle.dimension == 3 else "cylinder"}
    per_volume = {
        "capacity_As": found.capacity,
        "homogeneous_As": found.homogeneous,
    }
    rest = {
        key: value for key, value in asdict(found).items() if key not in ("capacity", "homogeneous")
    }
    return {**rest, **per_volume, **own}
