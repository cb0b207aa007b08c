"""Resolved half cells against PyBaMM on the same parameters: `python verification.py PART...`.

Parts: `sphere` (one ball against the SPM), `particles` (many small balls against the DFN at 1C and
C/10; `particles-1C` and `particles-C/10` alone). The figures are in README.md, what they say in
docs/verification.md.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import process_time

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from pybamm_twin import OPTIONS, Twin, pybamm, solve
from smooth_cases import generated, roles_of, written

from voxtrode.data import materials
from voxtrode.data.expression import constant
from voxtrode.data.law import Law, Parameter, stoichiometry_at
from voxtrode.data.material_kinds import Electrolyte, MetalElectrode
from voxtrode.data.phases import Liquid, Phase
from voxtrode.data.volume import Volume
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.solvers.cell import Cell, Step
from voxtrode.solvers.losses import PARTS
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stepper import StepSettings
from voxtrode.solvers.transport import mesh_transport
from voxtrode.solvers.units import UM

Floats = NDArray[np.float64]
ACTIVE = materials.active_material("nmc622")
UPPER, LOWER, TEMPERATURE = 4.2, 3.0, 298.15
THETA = stoichiometry_at(ACTIVE.U, UPPER)
WINDOW = stoichiometry_at(ACTIVE.U, LOWER) - THETA


def lithium() -> MetalElectrode:
    """Lithium with equal transfer coefficients, as in PyBaMM."""
    half = Parameter(0.5, "1", "as in PyBaMM")
    return replace(materials.metal_electrode("lithium"), alpha_a=half, alpha_c=half)


def perfect(value: float = 100.0) -> Electrolyte:
    """A liquid that costs nothing: κ of 100 S/m, and t₊ = 1, so that c_e stays as it is."""
    made = materials.electrolyte("lipf6-ec-emc-nyman2008")

    def law(number: float, unit: str) -> Law:
        return Law(constant(number), ("c_e",), unit, "a perfect liquid", formula=f"{number}")

    kappa, over = law(value, "S/m"), law(value / 1000.0, "S*m^2/mol")
    return replace(made, kappa=kappa, kappa_over_c=over, t_plus=law(1.0, "1"), chi=law(1.0, "1"))


@dataclass(frozen=True, eq=False)
class Resolved:
    """A resolved half cell: its mesh, the cell, and the electrode's thickness [m]."""

    mesh: TaggedMesh
    cell: Cell

    @classmethod
    def of(
        cls,
        volume: Volume,
        size: float,
        liquid: Liquid,
        separator: float,
        sigma: float,
        levels: int,
    ) -> "Resolved":
        """Mesh a volume of balls in a non-solid domain.

        Args:
            volume: The voxels.
            size: Lattice spacing at interfaces [m].
            liquid: What fills the domain between the balls; the separator is free electrolyte.
            separator: Its thickness [m].
            sigma: σ everywhere in the electrode [S/m].
            levels: How often cells may double in size away from interfaces.
        """
        with written(volume, MPI.COMM_SELF) as (folder, measured):
            built = build_smooth_mesh(
                folder,
                size,
                separator,
                roles_of(volume.phases),
                measured,
                SmoothSettings(levels=levels),
                MPI.COMM_SELF,
            )
        free = Phase("separator", liquid=Liquid(liquid.electrolyte))
        phases = {
            "nsd": Phase("nsd", sigma=sigma, liquid=liquid),
            "active": Phase("active", active=ACTIVE, sigma=sigma),
        }
        by_label = {k: phases[name] for k, name in enumerate(volume.phases)}
        cell = Cell(by_label | {len(by_label): free}, lithium(), TEMPERATURE, UPPER, LOWER)
        return cls(distribute(built.block, built.info, MPI.COMM_SELF), cell)

    def simulation(self, rate: float, dods: tuple[float, ...], rtol: float = 1e-4) -> Simulation:
        """A discharge at a C-rate to the lower cut-off."""
        return Simulation(
            self.mesh,
            self.cell,
            lambda one_c: [Step(rate * one_c, voltage=LOWER)],
            Settings(step=StepSettings(rtol=rtol), dods=dods, keep_ends=False, keep_start=False),
        )

    def twin(self, simulation: Simulation) -> Twin:
        """The homogenised cell: R = 3 V/A_wetted, geometry's tortuosity, the mesh's volumes."""
        info, table = self.mesh.info, simulation.quantities.table
        volume, wetted = float(table.volume.sum()) / UM**3, float(table.wetted.sum()) / UM**2
        box = info.area * info.thickness
        labels = {
            label: (phase.liquid.porosity, phase.liquid.transport)
            for label, phase in self.cell.phases.items()
            if phase.liquid is not None and label != len(info.phases) - 1
        }
        row = mesh_transport(self.mesh, "ions", labels, "z")
        liquid = next(p.liquid for p in self.cell.phases.values() if p.liquid is not None)
        return Twin(
            material=ACTIVE,
            electrolyte=liquid.electrolyte,
            counter=self.cell.counter,
            temperature=TEMPERATURE,
            theta=THETA,
            radius=3.0 * volume / wetted,
            active=volume / box,
            thickness=info.thickness,
            area=info.area,
            porosity=row.fraction,
            transport=row.effective_ratio,
            separator=(info.height - info.thickness, 1.0, 1.0),
            sigma=self.cell.phases[0].sigma or 0.0,
            lower=LOWER,
        )


def instants(simulation: Simulation) -> Iterator[tuple[float, float]]:
    """Time [s] and voltage [V] of each stored instant; the system holds the state."""
    for instant in simulation.run():
        if instant.kept:
            yield instant.time, simulation.system.voltage()


def surface_sol(simulation: Simulation) -> float:
    """Mean SoL over Γ."""
    total = area = 0.0
    for surface in simulation.system.active:
        values = simulation.system.fields.theta[surface.label].values
        theta = values[surface.dofs[surface.theta]]
        total += float(np.sum(surface.points.area * theta))
        area += float(surface.points.area.sum())
    return (total / area - THETA) / WINDOW


# -- one ball ------------------------------------------------------------------------------------


def corner_ball(radius: int, edge: int, voxel: float) -> Volume:
    """An eighth of a ball at the corner of a cube; lengths in voxels, their edge [m]."""
    grid = np.indices((edge,) * 3) + 0.5
    labels = (np.sum(grid**2, axis=0) < radius**2).astype(np.uint8)
    return Volume(labels, ("nsd", "active"), (voxel,) * 3, labels.astype(np.int32))


@dataclass(frozen=True, eq=False)
class Sphere:
    """Differences to the SPM: DoD, SoL at the surface (ours, theirs), V (ours, theirs)."""

    dod: Floats
    sol: Floats
    voltage: Floats
    unknowns: int


def sphere(cells: int, rate: float, levels: int = 0, radial: int = 200) -> Sphere:
    """A ball of 10 µm in a perfect liquid against the single-particle model.

    Args:
        cells: Lattice spacings in the radius, at the surface.
        rate: C-rate.
        levels: How often cells may double in size towards the middle.
        radial: Points of PyBaMM's radial grid.
    """
    radius = 5e-6
    volume = corner_ball(48, 60, radius / 48)
    h = radius / cells
    resolved = Resolved.of(volume, h, Liquid(perfect()), h, 100.0, levels)
    simulation = resolved.simulation(rate, tuple(np.round(np.arange(0.05, 0.96, 0.05), 12)))
    twin = resolved.twin(simulation)
    rows = [(t, v, surface_sol(simulation)) for t, v in instants(simulation)]
    t, v, sol = np.array(rows).T
    model = pybamm.lithium_ion.SPM({"working electrode": "positive"})
    points = {"x_n": 3, "x_s": 3, "x_p": 3, "r_n": 3, "r_p": radial}
    current = rate * simulation.quantities.one_c
    found = solve(model, twin, current, [0.0, *t], points)
    theirs = found["X-averaged positive particle surface stoichiometry"](t)
    return Sphere(
        t * rate / 3600.0,
        np.array([sol, (theirs - THETA) / WINDOW]),
        np.array([v, found["Voltage [V]"](t)]),
        simulation.system.dofs,
    )


def print_sphere() -> None:
    """The table of `sphere`."""
    print("| rate, cells a radius, levels | unknowns | DoD | surface SoL, worst | V, worst | CPU |")
    print("| --- " * 6 + "|")
    for rate, cells, levels in ((1.0, 6, 0), (1.0, 12, 0), (1.0, 12, 2), (2.0, 12, 0)):
        start = process_time()
        found = sphere(cells, rate, levels)
        sol, volts = (np.abs(np.diff(pair, axis=0)[0]) for pair in (found.sol, found.voltage))
        print(
            f"| {rate:g}C, {cells}, {levels} | {found.unknowns} | 0.05 to {found.dod[-1]:.2f}"
            f" | {sol.max():.1e} | {1e3 * volts.max():.2f} mV | {process_time() - start:.0f} s |",
            flush=True,
        )


# -- many small particles ------------------------------------------------------------------------


def small_particles(size: float) -> Resolved:
    """Balls of 4 µm, 40 µm of electrode under 20 µm of separator."""
    volume = generated(
        {
            "kind": "spheres",
            "size": ["40 um", "12 um", "12 um"],
            "voxel": "0.25 um",
            "seed": 1,
            "diameters": ["4 um"],
            "active_fraction": 0.45,
        }
    )
    liquid = Liquid(materials.electrolyte("lipf6-ec-emc-nyman2008"), 0.5, 1.5)
    return Resolved.of(volume, size, liquid, 20e-6, 100.0, 0)


POINTS = {"x_n": 5, "x_s": 100, "x_p": 60, "r_n": 5, "r_p": 60}
"""Grid of the DFN; on it the twin keeps its salt to what the table says."""


def print_particles(
    sizes: tuple[float, ...] = (1e-6,), rates: tuple[float, ...] = (1.0, 0.1)
) -> None:
    """The table of `particles`."""
    for size in sizes:
        resolved = small_particles(size)
        for rate in rates:
            start = process_time()
            simulation = resolved.simulation(
                rate, tuple(np.round(np.arange(0.05, 1.0, 0.05), 12)), 1e-3
            )
            twin = resolved.twin(simulation)
            table = simulation.quantities.table
            one_c = simulation.quantities.one_c
            print(
                f"h = {size * UM:g} µm, {rate:g}C, {simulation.system.dofs} unknowns, "
                f"{len(table.present)} particles, R = {twin.radius * UM:.4f} µm, "
                f"ε_s = {twin.active:.4f}, ε = {twin.porosity:.4f}, ε/τ = {twin.transport:.4f}, "
                f"1C = {one_c:.3f} A/m²",
                flush=True,
            )
            rows = []
            for t, v in instants(simulation):
                row = simulation.quantities.cell(rate * one_c)
                parts = [row[f"{name} overpotential [V]"] for name in PARTS]
                rows.append([t, v, surface_sol(simulation), row["Min c_e [mol.m-3]"], *parts])
            end = simulation.stepper.history.time
            data = np.array(rows)
            t = data[:, 0]
            model = pybamm.lithium_ion.DFN(OPTIONS)
            longest = np.append(t, np.linspace(t[-1], 1.05 * end, 41)[1:])
            found = solve(model, twin, rate * one_c, [0.0, *longest], POINTS)
            cut = float(found.t[-1])
            data = data[t < cut]
            t = data[:, 0]
            theirs, capacity = found["Voltage [V]"], rate / 3600.0
            salt = found["Total lithium in electrolyte [mol]"].entries
            low = found["Electrolyte concentration [mol.m-3]"].entries.min(axis=0)
            print(f"salt of the twin: {salt[-1] / salt[0] - 1.0:+.2e}")
            print(f"DoD at {LOWER} V: {end * capacity:.5f}, twin about {cut * capacity:.4f}")
            print("| DoD | V | twin | difference [mV] | surface SoL | twin | least c_e | twin |")
            print("| --- " * 8 + "|")
            sto = found["X-averaged positive particle surface stoichiometry"]
            mean = sto(t)
            for k in range(1, len(t), 3):
                at = int(np.argmin(np.abs(found.t - t[k])))
                print(
                    f"| {t[k] * capacity:.2f} | {data[k, 1]:.4f} | {theirs(t[k]):.4f}"
                    f" | {1e3 * (data[k, 1] - theirs(t[k])):+.2f} | {data[k, 2]:.4f}"
                    f" | {(mean[k] - THETA) / WINDOW:.4f} | {data[k, 3]:.1f} | {low[at]:.1f} |"
                )
            k = len(t) // 2
            shares = ", ".join(
                f"{n} {1e3 * x:.2f}" for n, x in zip(PARTS, data[k, 4:], strict=True)
            )
            print(f"parts at DoD {t[k] * capacity:.2f} [mV]: {shares}")
            print(f"CPU {process_time() - start:.0f} s", flush=True)


PARTS_OF_THIS = {
    "sphere": print_sphere,
    "particles": print_particles,
    "particles-1C": lambda: print_particles(rates=(1.0,)),
    "particles-C/10": lambda: print_particles(rates=(0.1,)),
}


def main() -> None:
    """Print the parts that are asked for."""
    for name in sys.argv[1:] or ("sphere", "particles"):
        print(f"\n{name}")
        PARTS_OF_THIS[name]()


if __name__ == "__main__":
    main()
