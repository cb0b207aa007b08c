"""CC-CV of a full cell with one ball in each electrode against PyBaMM's single-particle model.

A part of `verification.py` (`cc-cv`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from pybamm_twin import pybamm, symbol
from smooth_cases import written

from voxtrode.data import materials
from voxtrode.data.connectivity import Roles
from voxtrode.data.expression import constant
from voxtrode.data.law import Law
from voxtrode.data.material_kinds import ActiveMaterial, Electrolyte
from voxtrode.data.phases import Liquid, Phase
from voxtrode.data.volume import Volume
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.solvers.cell import Cell, NegativeElectrode, Step
from voxtrode.solvers.initial import AtLithiation
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stepper import StepSettings
from voxtrode.solvers.units import UM

Floats = NDArray[np.float64]
OXIDE, CARBON = 1, 2
"""Labels of the two balls; 0 is the liquid."""
TEMPERATURE = 298.15
RADIAL = 200
"""Points of PyBaMM's radial grids."""


def perfect(value: float = 100.0) -> Electrolyte:
    """A liquid that costs nothing: κ of 100 S/m, and t₊ = 1, so that c_e stays as it is."""
    made = materials.electrolyte("lipf6-ec-emc-nyman2008")

    def law(number: float, unit: str) -> Law:
        return Law(constant(number), ("c_e",), unit, "a perfect liquid", formula=f"{number}")

    kappa, over = law(value, "S/m"), law(value / 1000.0, "S*m^2/mol")
    return replace(made, kappa=kappa, kappa_over_c=over, t_plus=law(1.0, "1"), chi=law(1.0, "1"))


def two_balls(positive: int, negative: int, gap: int, voxel: float) -> Volume:
    """Eighths of two balls in opposite corners along z; lengths in voxels, their edge [m]."""
    edge = max(positive, negative) + gap
    shape = (positive + negative + gap, edge, edge)
    z, y, x = np.indices(shape) + 0.5
    labels = np.zeros(shape, dtype=np.uint8)
    labels[x**2 + y**2 + z**2 < positive**2] = OXIDE
    labels[x**2 + y**2 + (shape[0] - z) ** 2 < negative**2] = CARBON
    return Volume(labels, ("pore", "oxide", "carbon"), (voxel,) * 3, labels.astype(np.int32))


def meshed(volume: Volume, size: float) -> TaggedMesh:
    """Mesh both electrodes with what separates them; `size` is the spacing at interfaces [m]."""
    roles = Roles((OXIDE, CARBON), (OXIDE, CARBON), (0,), (CARBON,))
    with written(volume, MPI.COMM_SELF) as (folder, measured):
        built = build_smooth_mesh(
            folder, size, 0.0, roles, measured, SmoothSettings(levels=0), MPI.COMM_SELF
        )
    return distribute(built.block, built.info, MPI.COMM_SELF)


@dataclass(frozen=True, eq=False)
class Ball:
    """One electrode of the twin: its material, V and wetted A per area of the cell, θ at first."""

    material: ActiveMaterial
    volume: float
    wetted: float
    theta: float


@dataclass(frozen=True, eq=False)
class Curve:
    """Rows of instants: t [s], V [V], I [A/m²], step, θ at the two surfaces, charge [A s/m²]."""

    rows: Floats
    positive: Ball
    negative: Ball
    one_c: float
    unknowns: int

    def step(self, k: int) -> Floats:
        """Rows of one step."""
        rows: Floats = self.rows[self.rows[:, 3] == k]
        return rows


@dataclass(frozen=True)
class Protocol:
    """A charge from a lithiation, then a hold.

    Attributes:
        lithiation: Of the positive electrode's window, at the start.
        rate: Of the charge, C-rate.
        voltage: Where the charge ends, and that is held [V].
        least: Current at which the hold ends, C-rate.
    """

    lithiation: float = 0.9
    rate: float = 1.0
    voltage: float = 4.1
    least: float = 0.05

    def steps(self, one_c: float) -> Sequence[Step]:
        """What the simulation carries out, given 1C [A/m²]."""
        return [
            Step(-self.rate * one_c, voltage=self.voltage),
            Step(held=self.voltage, least=self.least * one_c),
        ]


def resolved(protocol: Protocol, cells: int) -> Curve:
    """The two balls on a mesh.

    Args:
        protocol: What is carried out.
        cells: Lattice spacings in the smaller ball's radius.
    """
    voxel, positive, negative = 5e-6 / 48, 40, 46
    volume = two_balls(positive, negative, 10, voxel)
    mesh = meshed(volume, positive * voxel / cells)
    phases = {
        0: Phase("pore", liquid=Liquid(perfect())),
        OXIDE: Phase("oxide", active=materials.active_material("nmc622"), sigma=100.0),
        CARBON: Phase("carbon", active=materials.active_material("graphite-chen2020"), sigma=100.0),
    }
    cell = Cell(phases, NegativeElectrode((CARBON,), 0.1, 0.9), TEMPERATURE, 4.15, 2.7)
    settings = Settings(step=StepSettings(rtol=1e-4))
    run = Simulation(mesh, cell, protocol.steps, settings, AtLithiation(protocol.lithiation))
    sides = [_ball(run, label) for label in (OXIDE, CARBON)]
    rows = [
        [i.time, run.system.voltage(), i.current, i.step, *_surfaces(run), i.charge]
        for i in run.run()
    ]
    return Curve(np.array(rows), *sides, run.quantities.one_c, run.system.dofs)


def _ball(run: Simulation, label: int) -> Ball:
    table, area = run.quantities.table, run.system.mesh.info.area
    here = table.label == label
    material = run.system.cell.phases[label].active
    assert material is not None
    return Ball(
        material,
        float(table.volume[here].sum()) / UM**3 / area,
        float(table.wetted[here].sum()) / UM**2 / area,
        run.quantities.at_start[label],
    )


def _surfaces(run: Simulation) -> list[float]:
    """Mean θ over the surface of each ball."""
    found = []
    for surface in run.system.active:
        values = run.system.fields.theta[surface.label].values
        theta = values[surface.dofs[surface.theta]]
        found.append(float(np.average(theta, weights=surface.points.area)))
    return found


THICKNESS = 10e-6
"""Of the twin's electrodes [m]; without meaning in the single-particle model."""


def values(curve: Curve) -> Any:
    """PyBaMM's parameters of the two balls: R = 3V/A_wetted, the laws symbol by symbol, 1 m²."""
    given = pybamm.ParameterValues("Chen2020")
    fluid = materials.electrolyte("lipf6-ec-emc-nyman2008")
    changes: dict[str, Any] = {
        "Nominal cell capacity [A.h]": curve.one_c,
        "Electrode height [m]": 1.0,
        "Electrode width [m]": 1.0,
        "Ambient temperature [K]": TEMPERATURE,
        "Initial temperature [K]": TEMPERATURE,
        "Reference temperature [K]": TEMPERATURE,
        "Number of electrodes connected in parallel to make a cell": 1.0,
        "Number of cells connected in series to make a battery": 1.0,
        "Initial concentration in electrolyte [mol.m-3]": fluid.c_e0.value,
        "Lower voltage cut-off [V]": 0.1,
        "Upper voltage cut-off [V]": 10.0,
        "Contact resistance [Ohm]": 0.0,
    }
    for name, ball in (("Positive", curve.positive), ("Negative", curve.negative)):
        changes |= _electrode(name, ball)
    given.update(changes, check_already_exists=False)
    return given


def _electrode(name: str, ball: Ball) -> dict[str, Any]:
    m, lower = ball.material, name.lower()
    return {
        f"{name} electrode thickness [m]": THICKNESS,
        f"{name} electrode active material volume fraction": ball.volume / THICKNESS,
        f"{name} particle radius [m]": 3.0 * ball.volume / ball.wetted,
        f"Maximum concentration in {lower} electrode [mol.m-3]": m.c_max.value,
        f"Initial concentration in {lower} electrode [mol.m-3]": ball.theta * m.c_max.value,
        f"{name} particle diffusivity [m2.s-1]": lambda sto, T: symbol(m.D_s, theta=sto),
        f"{name} electrode OCP [V]": lambda sto: symbol(m.U, theta=sto),
        f"{name} electrode OCP entropic change [V.K-1]": 0.0,
        f"{name} electrode exchange-current density [A.m-2]": (
            lambda c_e, c, c_m, T: symbol(m.i0, theta=c / c_m, c_e=c_e)
        ),
    }


@dataclass(frozen=True, eq=False)
class Compared:
    """The resolved cell and the twin, of each step: t, V, I, θ at the surfaces."""

    ours: Curve
    theirs: tuple[Floats, Floats]

    def switch(self) -> tuple[float, float]:
        """When the charge becomes a hold [s], ours and theirs."""
        return float(self.ours.step(0)[-1, 0]), float(self.theirs[0][-1, 0])

    def durations(self) -> tuple[float, float]:
        """How long the hold lasts [s], ours and theirs."""
        own, twin = self.ours.step(1)[:, 0], self.theirs[1][:, 0]
        return float(own[-1] - own[0]), float(twin[-1] - twin[0])

    def capacities(self) -> tuple[Floats, Floats]:
        """Charge of each step [A s/m²]: ours, theirs (trapezoids of a second)."""
        own = [-np.ptp(self.ours.step(k)[:, 6]) for k in (0, 1)]
        twin = [float(np.trapezoid(rows[:, 2], rows[:, 0])) for rows in self.theirs]
        return -np.array(own), -np.array(twin)

    def apart(self, k: int, column: int, since: float = 1.0) -> float:
        """Largest difference of a column in step k, at our instants from a time into it [s] on.

        In the hold, time counts from where each cell begins it.
        """
        ours, theirs = self.ours.step(k), self.theirs[k]
        column_of = {1: 1, 2: 2, 4: 3, 5: 4}[column]
        began, other = (0.0, 0.0) if k == 0 else (ours[0, 0], theirs[0, 0])
        at = ours[:, 0] - began
        inside = (at >= since) & (at <= theirs[-1, 0] - other)
        twin = np.interp(at[inside], theirs[:, 0] - other, theirs[:, column_of])
        return float(np.abs(ours[inside, column] - twin).max())


def compare(protocol: Protocol, cells: int) -> Compared:
    """Carry out a protocol with both.

    Args:
        protocol: The charge and the hold.
        cells: See :func:`resolved`.
    """
    ours = resolved(protocol, cells)
    one_c = ours.one_c
    experiment = pybamm.Experiment(
        [
            pybamm.step.current(
                -protocol.rate * one_c, termination=f"{protocol.voltage} V", period=1.0
            ),
            pybamm.step.voltage(
                protocol.voltage, termination=f"{protocol.least * one_c} A", period=1.0
            ),
        ]
    )
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.SPM(),
        parameter_values=values(ours),
        experiment=experiment,
        solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8),
        var_pts={"x_n": 3, "x_s": 3, "x_p": 3, "r_n": RADIAL, "r_p": RADIAL},
    )
    steps = simulation.solve(calc_esoh=False).cycles
    names = (
        "Time [s]",
        "Voltage [V]",
        "Current [A]",
        "X-averaged positive particle surface stoichiometry",
        "X-averaged negative particle surface stoichiometry",
    )
    tables = [np.array([step[name].entries for name in names]).T for step in steps]
    return Compared(ours, (tables[0], tables[1]))


def print_compared() -> None:
    """The table of `cc-cv`; differences from the first second on, and from the first minute on."""
    print(
        "| rate, cells a radius | unknowns | V in CC | θ at surfaces | switch"
        " | I in CV | hold | charge in CC, CV | CPU |"
    )
    print("| --- " * 9 + "|")
    for rate, cells in ((1.0, 6), (2.0, 6), (1.0, 10)):
        start = process_time()
        found = compare(Protocol(rate=rate), cells)
        switch, hold, (own, twin) = found.switch(), found.durations(), found.capacities()
        early, late = (
            [
                1e3 * found.apart(0, 1, since),
                max(found.apart(k, c, since) for k in (0, 1) for c in (4, 5)),
                found.apart(1, 2, since) / found.ours.one_c,
            ]
            for since in (1.0, 60.0)
        )
        charge = 100.0 * (own / twin - 1.0)
        print(
            f"| {rate:g}C, {cells} | {found.ours.unknowns}"
            f" | {early[0]:.2f}, {late[0]:.2f} mV | {early[1]:.1e}, {late[1]:.1e}"
            f" | {switch[0]:.1f} s, twin {switch[1]:.1f} s"
            f" | {early[2]:.1e}, {late[2]:.1e} of 1C"
            f" | {hold[0]:.1f} s, twin {hold[1]:.1f} s"
            f" | {charge[0]:+.3f}, {charge[1]:+.3f} %"
            f" | {process_time() - start:.0f} s |",
            flush=True,
        )
