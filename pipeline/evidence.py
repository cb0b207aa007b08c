"""The summary of a simulation: results with their evidence."""

import resource
from collections.abc import Sequence
from typing import Any

import numpy as np

from voxtrode.solvers.simulation import Simulation
from voxtrode.solvers.yardstick import poisson_seconds


def summary(
    simulation: Simulation, balances: Sequence[float], ends: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Content of `summary.json`; collective.

    Args:
        simulation: A finished simulation.
        balances: Largest lithium, salt and charge imbalance over the stored instants.
        ends: How each step of the protocol ended.
    """
    system, quantities = simulation.system, simulation.quantities
    history, counters = simulation.stepper.history, simulation.stepper.counters
    work = counters.work
    poisson = poisson_seconds(system.mesh)
    per_newton = work.seconds / max(work.newton, 1)
    krylov = work.krylov or [0]  # at equilibrium nothing needs solving
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux
    return {
        "voltage_end_V": system.voltage(),
        "areal_capacity_mAh_cm2": history.charges[0] / 36000.0,
        "nominal_capacity_mAh_cm2": quantities.nominal / 36000.0,
        "connected_capacity_mAh_cm2": quantities.capacity / 36000.0,
        "one_c_A_m2": quantities.one_c,
        "time_end_s": history.time,
        "dod_end": simulation.dod,
        "stop_reason": ends[-1]["reason"] if ends else "",
        "step_ends": list(ends),
        "lithium_balance": balances[0],
        "salt_balance": balances[1],
        "charge_balance": balances[2],
        "dofs": system.dofs,
        "steps": counters.accepted,
        "rejected_steps": counters.rejected,
        "newton_iterations": work.newton,
        "krylov_mean": float(np.mean(krylov)),
        "krylov_max": int(max(krylov)),
        "poisson_ratio": per_newton / poisson,
        "poisson_s": poisson,
        "newton_s": {
            "per_iteration": per_newton,
            "residual": work.residual_s / max(work.newton, 1),
            "jacobian": work.jacobian_s / max(work.newton, 1),
            "linear": (work.setup_s + work.krylov_s) / max(work.newton, 1),
        },
        "peak_memory_GiB": float(system.comm.allreduce(peak)),
    }
