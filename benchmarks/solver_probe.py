"""One measurement of the solver on a mesh that is made; started by `solver.py`, prints JSON.

    mpiexec -n RANKS python benchmarks/solver_probe.py RUN_FOLDER '{"kind": "ratio", …}'

Times are processor seconds, the largest of the ranks: on shared cores wall times say little.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from direct_solver import DirectSolver
from dolfinx import fem
from mpi4py import MPI

from voxtrode.data.law import Law
from voxtrode.data.parsing import parse
from voxtrode.meshing.tagged import TaggedMesh, read_mesh
from voxtrode.pipeline.stage_simulate import cell_of
from voxtrode.pipeline.study import Study, load_study
from voxtrode.solvers import newton
from voxtrode.solvers.cell import Cell, Step
from voxtrode.solvers.initial import AtLithiation
from voxtrode.solvers.laplace import Laplace, face_dofs
from voxtrode.solvers.linear import LinearResult
from voxtrode.solvers.quantities import Quantities
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stepper import Stepper, StepSettings
from voxtrode.solvers.system import Drive, HalfCellSystem
from voxtrode.solvers.units import UM

COMM = MPI.COMM_WORLD


def seconds(action: Callable[[], Any]) -> tuple[float, float, Any]:
    """Processor time (largest of the ranks), wall time, and what the action returns."""
    COMM.barrier()
    wall, cpu = perf_counter(), process_time()
    found = action()
    spent = process_time() - cpu
    COMM.barrier()
    return COMM.allreduce(spent, op=MPI.MAX), perf_counter() - wall, found


def memory() -> tuple[float, float]:
    """Resident memory now and its peak, summed over the ranks [bytes]."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    own = [1024.0 * float(lines[key].split()[0]) for key in ("VmRSS", "VmHWM")]
    return COMM.allreduce(own[0]), COMM.allreduce(own[1])


def poisson(mesh: TaggedMesh) -> tuple[float, float]:
    """Processor and wall time of GAMG-CG to 1e-8 for −Δu = 0 on the mesh, the least of 3."""
    space = fem.functionspace(mesh.mesh, ("Lagrange", 1))
    height = mesh.info.height * UM
    high, low = (face_dofs(space, 2, z, 1e-9 * height) for z in (height, 0.0))
    problem = Laplace(space, 1.0, high, low)
    found = [seconds(lambda: problem.solve(1e-8)) for _ in range(3)]
    walls = [each[2].seconds for each in found]
    return min(each[0] for each in found), COMM.allreduce(min(walls), op=MPI.MAX)


def stepper_of(mesh: TaggedMesh, cell: Cell, sol: float) -> tuple[Stepper, float]:
    """A cell at a uniform lithiation, and its current density at 1C [A/m²]."""
    system = HalfCellSystem(mesh, cell)
    quantities = Quantities(system)
    AtLithiation(sol).put(quantities)
    settings = newton.NewtonSettings()
    return Stepper(system, quantities.one_c, StepSettings(), settings), quantities.one_c


def steps(stepper: Stepper, h: float, count: int) -> Iterator[bool]:
    """Steps of one length after a jump of the current; ends where one fails."""
    for _ in range(count):
        attempt = stepper.attempt(h)
        if attempt is not None:
            stepper.accept(attempt)
        yield attempt is not None
        if attempt is None:
            return


def ratio(mesh: TaggedMesh, cell: Cell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Newton iterations of some steps, against one Poisson solve."""
    cpu_poisson, wall_poisson = poisson(mesh)
    before = memory()[0]
    stepper, one_c = stepper_of(mesh, cell, 0.3)
    current = asked.get("rate", 1.0) * one_c
    stepper.restart(current)
    # The first step builds hierarchies and loads compiled code.
    list(steps(stepper, asked["dt"], 1))
    start = len(stepper.counters.work.krylov)
    work = stepper.counters.work
    names = ("residual_s", "jacobian_s", "setup_s", "krylov_s")
    parts = {name: getattr(work, name) for name in names}
    wall_before = work.seconds
    cpu, _, done = seconds(lambda: list(steps(stepper, asked["dt"], asked.get("steps", 3))))
    krylov = work.krylov[start:]
    now, peak = memory()
    parts = {name: (getattr(work, name) - value) / len(krylov) for name, value in parts.items()}
    return {
        "dofs": stepper.system.dofs,
        "cpu_per_newton": cpu / len(krylov),
        "wall_per_newton": (work.seconds - wall_before) / len(krylov),
        "poisson_cpu": cpu_poisson,
        "poisson_wall": wall_poisson,
        "newton": len(krylov),
        "steps": sum(done),
        "krylov": float(np.mean(krylov)),
        "krylov_max": max(krylov),
        "parts": parts,
        "memory": now,
        "peak": peak,
        "before": before,
    }


def direct(mesh: TaggedMesh, cell: Cell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One Newton iteration with a direct solver: residual, Jacobian, factors, solution."""
    before = memory()[0]
    stepper, one_c = stepper_of(mesh, cell, 0.3)
    system, past = stepper.system, stepper.history.states[0]
    rate = 1.0 / asked["dt"]
    drive = Drive(one_c, rate, {name: -rate * values for name, values in past.items()})
    solver = DirectSolver(system, 1, tuple(field.name for field in system.blocks))

    def once() -> LinearResult:
        rows = system.residual(drive)
        system.jacobian(drive)
        return solver.solve(rows, rate, 1e-4)[1]

    cpu, _, _ = seconds(once)
    return {"dofs": system.dofs, "cpu_per_newton": cpu, "peak": memory()[1], "before": before}


def krylov(mesh: TaggedMesh, cell: Cell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Krylov iterations of two steps for each of many cases."""
    found = []
    for case in asked["cases"]:
        stepper, one_c = stepper_of(mesh, _changed(cell, case), case.get("sol", 0.3))
        current = case["rate"] * one_c
        try:
            stepper.restart(current)
        except Exception as error:
            found.append({**case, "failed": str(error)})
            continue
        start = len(stepper.counters.work.krylov)
        done = list(steps(stepper, case["dt"], 2))
        its = stepper.counters.work.krylov[start:]
        failed = "" if all(done) else stepper.failure
        found.append({**case, "mean": float(np.mean(its)), "max": max(its), "failed": failed})
        found[-1]["start"] = max(stepper.counters.work.krylov[:start], default=0)
    return {"dofs": stepper.system.dofs, "cases": found}


def _changed(cell: Cell, case: Mapping[str, Any]) -> Cell:
    """The cell with a constant i₀ [A/m²], or another σ [S/m] of all that conducts electrons."""
    phases = dict(cell.phases)
    reactions = dict(cell.reactions)
    for label, phase in phases.items():
        if "sigma" in case and phase.sigma is not None:
            phases[label] = replace(phase, sigma=case["sigma"])
        if "i0" in case and phase.active is not None:
            law = Law(parse(str(case["i0"]), ("c_e", "theta")), ("c_e", "theta"), "A/m^2", "given")
            phases[label] = replace(phases[label], active=replace(phase.active, i0=law))
    return replace(cell, phases=phases, reactions=reactions)


def discharge(mesh: TaggedMesh, cell: Cell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A discharge to the lower cut-off, or some steps of it: the curve and its cost."""
    settings = Settings(step=StepSettings(rtol=asked.get("rtol", 1e-3)), keep_start=False)
    simulation = Simulation(
        mesh,
        cell,
        lambda one_c: [Step(current=asked.get("rate", 1.0) * one_c, voltage=cell.lower)],
        settings,
    )
    curve: list[tuple[float, float]] = []
    done = [0]

    def go() -> None:
        for instant in simulation.run():
            curve.append((instant.time, simulation.stepper.history.voltages[0]))
            if COMM.rank == 0:
                work = simulation.stepper.counters.work
                last = max(work.krylov[done[0] :], default=0)
                done[0] = len(work.krylov)
                said = (
                    f"{instant.time:.6g} s, {curve[-1][1]:.5f} V, {done[0]} Newton, Krylov {last}"
                )
                print(f"{said}, CPU {process_time():.0f} s", file=sys.stderr, flush=True)
            if len(curve) > asked.get("steps", np.inf):
                return

    cpu, wall, _ = seconds(go)
    counters, now = simulation.stepper.counters, simulation.stepper.history
    found = simulation.quantities.balances(now.current, now.charges[0])
    cpu_poisson, wall_poisson = poisson(mesh)
    work = counters.work
    return {
        "dofs": simulation.system.dofs,
        "cpu": cpu,
        "wall": wall,
        "steps": counters.accepted,
        "rejected": counters.rejected,
        "newton": work.newton,
        "krylov": float(np.mean(work.krylov)),
        "krylov_max": max(work.krylov),
        "ratio_cpu": cpu / work.newton / cpu_poisson,
        "ratio_wall": work.seconds / work.newton / wall_poisson,
        "balances": [found.lithium, found.salt, found.charge],
        "memory": memory()[1],
        "curve": curve,
    }


def ranks(mesh: TaggedMesh, cell: Cell, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Wall times of a triad, of products with a matrix, of Newton iterations; shares of unknowns.

    The triad and the matrix are of the size of the whole problem, cut into the ranks' parts, so
    that times on one and on two ranks say what the machine's memory makes of twice the cores.
    """
    n = 40_000_000 // COMM.size
    a, b, c = np.zeros(n), np.ones(n), np.full(n, 2.0)

    def triad() -> None:
        np.multiply(c, 3.0, out=a)
        np.add(a, b, out=a)

    found = {"triad": min(seconds(triad)[1] for _ in range(5))}
    stepper, one_c = stepper_of(mesh, cell, 0.3)
    system = stepper.system
    stepper.restart(one_c)
    list(steps(stepper, asked["dt"], 1))
    work = stepper.counters.work
    before, count = work.seconds, work.newton
    list(steps(stepper, asked["dt"], 2))
    found["a Newton iteration"] = (work.seconds - before) / (work.newton - count)
    matrix = system.matrices()["phi_e", "phi_e"]
    x, y = matrix.createVecs()
    x.set(1.0)
    matrix.mult(x, y)
    found["40 SpMV"] = min(
        seconds(lambda: [matrix.mult(x, y) for _ in range(40)])[1] for _ in range(3)
    )
    counts = {f.name: COMM.allgather(f.layout.n_rows) for f in system.blocks}
    counts["all"] = [sum(each) for each in zip(*counts.values(), strict=True)]
    imbalance = {name: max(each) / (sum(each) / COMM.size) for name, each in counts.items()}
    return {"seconds": found, "imbalance": imbalance, "memory": memory()[1]}


KINDS = {"ranks": ranks, "ratio": ratio, "direct": direct, "krylov": krylov, "discharge": discharge}


def main() -> None:
    """Measure and print."""
    folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
    study: Study = load_study(folder / "study.yaml")
    mesh = read_mesh(folder / "mesh", COMM)
    found = KINDS[asked["kind"]](mesh, cell_of(study, mesh), asked)
    if COMM.rank == 0:
        print(json.dumps(found))


main()
