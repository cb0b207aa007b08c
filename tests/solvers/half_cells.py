"""Tiny half cells for the tests: meshes of label arrays, materials with formulas of one line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from voxtrode.data.connectivity import Flags, Roles, judge
from voxtrode.data.law import Law, Parameter
from voxtrode.data.materials import ActiveMaterial, Electrolyte, MetalElectrode
from voxtrode.data.parsing import parse
from voxtrode.data.phases import Liquid, Phase
from voxtrode.meshing.cells import MeshInfo
from voxtrode.meshing.components import SlabLabeller
from voxtrode.meshing.exchange import block_offsets
from voxtrode.meshing.lattice import HALO, SEPARATOR, Lattice, Slab
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.meshing.voxel import smoothed_gradient, voxel_block
from voxtrode.solvers import _platform  # noqa: F401  (loads DOLFINx's MPI)
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.newton import NewtonSettings
from voxtrode.solvers.stepper import Stepper, StepSettings
from voxtrode.solvers.system import HalfCellSystem

TIGHT = NewtonSettings(norm=1e-11, balance=1e-11, linear=1e-8, max_iterations=30)
"""Newton far below what a test looks at."""

FINE = NewtonSettings(norm=1e-9, balance=1e-9, linear=1e-6, max_iterations=30)
"""Above rounding on grids of 0.1 µm, where it is 1e-16 κφ/h over the current."""


def law(formula: str, *arguments: str, unit: str = "") -> Law:
    """A law of one line; arguments are ``theta`` or ``c_e``."""
    return Law(parse(formula, arguments), arguments, unit, "test", formula=formula)


def number(value: float) -> Parameter:
    """A parameter."""
    return Parameter(value, "", "test")


def active_material(
    name: str = "oxide",
    U: str = "4.3 - theta",
    D_s: str = "1e-14",
    i0: str = "2*sqrt(c_e/1000*theta*(1 - theta))",
    c_max: float = 5e4,
    film: float | None = None,
) -> ActiveMaterial:
    """An active material of formulas in ``theta`` (and ``c_e`` in i0)."""
    return ActiveMaterial(
        name,
        "test",
        number(c_max),
        number(4800.0),
        number(10.0),
        law(D_s, "theta"),
        law(U, "theta"),
        law(i0, "c_e", "theta"),
        number(0.5),
        number(0.5),
        None if film is None else number(film),
    )


def electrolyte(
    D_e: str = "3e-10",
    kappa: str = "1e-3*c_e*(1 - 2e-4*c_e)",
    kappa_over_c: str = "1e-3*(1 - 2e-4*c_e)",
    t_plus: str = "0.3",
    chi: str = "1 + 5e-4*c_e",
) -> Electrolyte:
    """A liquid of formulas in ``c_e``; 1000 mol/m³ at the start."""
    laws = (law(text, "c_e") for text in (D_e, kappa, kappa_over_c, t_plus, chi))
    return Electrolyte("liquid", "test", number(1000.0), number(4000.0), *laws)


def metal(i0: str = "20*sqrt(c_e/1000)") -> MetalElectrode:
    """A lithium-like counter electrode."""
    return MetalElectrode("metal", "test", number(0.0), law(i0, "c_e"), number(0.5), number(0.5))


def half_cell(
    materials: Mapping[int, ActiveMaterial],
    fluid: Electrolyte | None = None,
    nsd: tuple[float, float, float | None] = (0.5, 1.5, 10.0),
    separator: tuple[float, float] = (0.5, 1.5),
    counter: MetalElectrode | None = None,
    cutoffs: tuple[float, float] = (4.2, 3.4),
    sigma: float = 10.0,
) -> Cell:
    """A half cell: label 0 liquid (and electrons), active labels, the separator last.

    Args:
        materials: Active materials by label 1, 2, …
        fluid: The electrolyte.
        nsd: ε, τ and σ [S/m] of label 0; σ None for a plain pore.
        separator: ε and τ.
        counter: The metal.
        cutoffs: Upper and lower voltage.
        sigma: σ of the active phases [S/m].
    """
    fluid = fluid or electrolyte()
    phases = {0: Phase("nsd", None, nsd[2], Liquid(fluid, nsd[0], nsd[1]))}
    for label, material in materials.items():
        phases[label] = Phase(f"active{label}", material, sigma)
    phases[len(phases)] = Phase(SEPARATOR, None, None, Liquid(fluid, *separator))
    return Cell(phases, counter or metal(), 298.15, *cutoffs)


def voxel_mesh(
    labels: npt.ArrayLike,
    spacing: tuple[float, float, float] = (1e-6, 1e-6, 1e-6),
    separator: Sequence[float] = (1e-6, 1e-6),
    particles: npt.ArrayLike | None = None,
    electronic: tuple[int, ...] | None = None,
    comm: MPI.Comm = MPI.COMM_WORLD,
    roles: Roles | None = None,
) -> TaggedMesh:
    """The voxel mesh of a label array [z, y, x]; 0 is liquid, all other labels are active.

    Args:
        labels: The labels; the same array on every rank.
        spacing: Voxel edges (z, y, x) [m].
        separator: Thicknesses of separator layers [m].
        particles: Particle ids; by default one particle a label.
        electronic: Labels that conduct electrons; all by default.
        comm: Communicator; collective.
        roles: What each label can do, where that is something else.
    """
    volume = np.asarray(labels, dtype=np.uint8)
    ids = volume.astype(np.int32) if particles is None else np.asarray(particles, dtype=np.int32)
    active = tuple(range(1, int(volume.max()) + 1))
    own_roles = roles or Roles(active, (0, *active) if electronic is None else electronic, (0,))
    names = ("nsd", *(f"active{label}" for label in active))
    n = volume.shape[0]
    lattice = Lattice(names, (1, 1, 1), volume.shape, spacing, (0, 0, 0), tuple(separator))
    offsets = block_offsets(n, comm.size)
    first, last = int(offsets[comm.rank]), int(offsets[comm.rank + 1])
    low, high = max(first - HALO, 0), min(last + HALO, n)
    top = lattice.layers if comm.rank == comm.size - 1 else last
    slab = Slab(lattice, first, top, low, high, volume[low:high], ids[low:high])
    window = slab.window(1)
    own = slice(first - low, last - low)
    labeller = SlabLabeller(comm)
    flags = judge(
        slab.labels[window],
        own_roles,
        labeller.label,
        labeller.any_of,
        not labeller.below,
        not labeller.above,
    )
    inner = slice(own.start - window.start, own.stop - window.start)
    flags = Flags(flags.electronic[inner], flags.ionic[inner], flags.active[inner])
    gradient = smoothed_gradient(np.isin(slab.labels, own_roles.active), spacing)
    block = voxel_block(slab, flags, gradient[:, own], comm)
    info = MeshInfo(
        (*names, SEPARATOR),
        comm.allreduce(len(block.x)),
        comm.allreduce(len(block.cells)),
        lattice.thickness,
        float(lattice.planes()[-1]),
        lattice.area,
        {},
    )
    return distribute(block, info, comm)


def unweighted(mesh: TaggedMesh) -> TaggedMesh:
    """The mesh with plain facet areas on Γ."""
    return replace(mesh, normal=np.zeros_like(mesh.normal))


def ball_labels(shape: tuple[int, int, int], centre: Sequence[float], radius: float) -> np.ndarray:
    """Label 1 inside a ball, 0 outside; lengths in voxels."""
    grid = np.indices(shape) + 0.5
    square = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
    return (square < radius**2).astype(np.uint8)


def set_uniform(system: HalfCellSystem, theta: float, voltage: float) -> None:
    """A uniform state at rest."""
    system.fields.c_e.values[:] = 1.0
    system.fields.phi_s.values[:] = 0.0
    system.fields.phi_e.values[:] = 0.0
    for field in system.fields.theta.values():
        field.values[:] = theta
    system.reference = voltage


def integrate(
    system: HalfCellSystem,
    current: float,
    times: npt.ArrayLike,
    second_order: bool = True,
    newton: NewtonSettings = FINE,
) -> tuple[Stepper, list[float]]:
    """Integrate from the present state on given instants, without error control.

    Args:
        system: Initial state in, final state out.
        current: [A/m²].
        times: Instants [s] after 0.
        second_order: BDF2, or implicit Euler throughout.
        newton: Tolerances of the nonlinear solve.

    Returns:
        The stepper, and the voltage at each instant.
    """
    scale = max(abs(current), 1.0)
    stepper = Stepper(system, scale, StepSettings(), newton)
    stepper.restart(current)
    voltages = []
    for h in np.diff(np.concatenate([[0.0], np.asarray(times, dtype=float)])):
        if not second_order:
            stepper.history.steps.clear()
            del stepper.history.states[1:], stepper.history.charges[1:]
        attempt = stepper.attempt(float(h))
        assert attempt is not None, stepper.failure
        stepper.accept(attempt)
        voltages.append(attempt.voltage)
    return stepper, voltages
