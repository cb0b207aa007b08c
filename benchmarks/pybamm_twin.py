"""PyBaMM models of the same cell: laws of a study as PyBaMM symbols, homogenised half cells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxtrode.data.law import Law
from voxtrode.data.material_kinds import ActiveMaterial, Electrolyte, MetalElectrode
from voxtrode.data.operations import Operations
from voxtrode.data.sources.pybamm_package import import_pybamm
from voxtrode.data.tables import PiecewisePolynomial

pybamm = import_pybamm()


def _choose(a: Any, b: Any, x: Any, y: Any) -> Any:
    less = pybamm.convert_to_symbol(a) < b
    return less * x + (1 - less) * y


def _table(polynomial: PiecewisePolynomial, argument: Any) -> Any:
    """Pieces switched on one after the other."""
    breaks = [-np.inf, *polynomial.breaks, np.inf]
    total: Any = 0
    for k, origin in enumerate(polynomial.origins):
        value: Any = 0
        for coefficient in polynomial.coefficients[k][::-1]:
            value = value * (argument - float(origin)) + float(coefficient)
        inside: Any = 1
        if np.isfinite(breaks[k]):
            inside = inside * (argument >= float(breaks[k]))
        if np.isfinite(breaks[k + 1]):
            inside = inside * (argument < float(breaks[k + 1]))
        total = total + inside * value
    return total


PYBAMM = Operations(
    exp=pybamm.exp,
    log=pybamm.log,
    sqrt=pybamm.sqrt,
    tanh=pybamm.tanh,
    sinh=pybamm.sinh,
    cosh=pybamm.cosh,
    power=lambda base, exponent: base**exponent,
    choose=_choose,
    table=_table,
)


def symbol(law: Law, **arguments: Any) -> Any:
    """A law of PyBaMM symbols."""
    return law.expression.evaluate(arguments, PYBAMM)


@dataclass(frozen=True)
class Twin:
    """A homogenised half cell (SI units).

    Attributes:
        material, electrolyte, counter, temperature: As in the resolved cell.
        theta: Initial stoichiometry.
        radius: 3 V/A_wetted of the particles.
        active: Their volume fraction.
        thickness, area: Of the electrode.
        porosity, transport: Of the electrode: ε, and ε/τ with τ of its geometry.
        separator: Its thickness, ε and ε/τ.
        sigma: Effective electronic conductivity.
        lower: Voltage at which PyBaMM stops.
    """

    material: ActiveMaterial
    electrolyte: Electrolyte
    counter: MetalElectrode
    temperature: float
    theta: float
    radius: float
    active: float
    thickness: float
    area: float
    porosity: float
    transport: float
    separator: tuple[float, float, float]
    sigma: float
    lower: float = 0.1

    def values(self, current: float) -> Any:
        """PyBaMM's parameters.

        Args:
            current: Current density [A/m²], positive on discharge.
        """
        m, e = self.material, self.electrolyte
        c_max, c_e0 = m.c_max.value, e.c_e0.value
        length, porosity, transport = self.separator
        given = pybamm.ParameterValues("Xu2019")
        given.update(
            {
                "Current function [A]": current * self.area,
                "Nominal cell capacity [A.h]": 1.0,
                "Electrode height [m]": self.area**0.5,
                "Electrode width [m]": self.area**0.5,
                "Ambient temperature [K]": self.temperature,
                "Initial temperature [K]": self.temperature,
                "Reference temperature [K]": self.temperature,
                "Positive electrode thickness [m]": self.thickness,
                "Separator thickness [m]": length,
                "Separator porosity": porosity,
                "Separator tortuosity factor (electrolyte)": porosity / transport,
                "Positive electrode porosity": self.porosity,
                "Positive electrode tortuosity factor (electrolyte)": self.porosity
                / self.transport,
                "Positive electrode tortuosity factor (electrode)": 1.0,
                "Positive electrode active material volume fraction": self.active,
                "Positive electrode conductivity [S.m-1]": self.sigma / self.active,
                "Positive particle radius [m]": self.radius,
                "Maximum concentration in positive electrode [mol.m-3]": c_max,
                "Initial concentration in positive electrode [mol.m-3]": self.theta * c_max,
                "Initial concentration in electrolyte [mol.m-3]": c_e0,
                "Positive particle diffusivity [m2.s-1]": lambda sto, T: symbol(m.D_s, theta=sto),
                "Positive electrode OCP [V]": lambda sto: symbol(m.U, theta=sto),
                "Positive electrode OCP entropic change [V.K-1]": 0.0,
                "Positive electrode exchange-current density [A.m-2]": lambda c_e, c, c_m, T: (
                    symbol(m.i0, theta=c / c_m, c_e=c_e)
                ),
                "Electrolyte diffusivity [m2.s-1]": _of_salt(e.D_e),
                "Electrolyte conductivity [S.m-1]": _of_salt(e.kappa),
                "Cation transference number": _of_salt(e.t_plus),
                "Thermodynamic factor": _of_salt(e.chi),
                "Exchange-current density for lithium metal electrode [A.m-2]": (
                    lambda c_e, c_Li, T: symbol(self.counter.i0, c_e=c_e)
                ),
                "Lower voltage cut-off [V]": self.lower,
                "Upper voltage cut-off [V]": 10.0,
            },
            check_already_exists=False,
        )
        return given


def _of_salt(law: Law) -> Callable[[Any, Any], Any]:
    return lambda c_e, T: symbol(law, c_e=c_e)


OPTIONS = {"working electrode": "positive", "transport efficiency": "tortuosity factor"}


def solve(model: Any, twin: Twin, current: float, times: Any, points: dict[str, int]) -> Any:
    """A solution of a PyBaMM model at given instants [s], to 1e-8.

    Args:
        model: The model.
        twin: The cell.
        current: Current density [A/m²].
        times: Instants, rising from 0.
        points: Grid points by PyBaMM's names.
    """
    simulation = pybamm.Simulation(
        model,
        parameter_values=twin.values(current),
        solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-8),
        var_pts=points,
    )
    times = np.asarray(times, dtype=float)
    return simulation.solve([0.0, float(times[-1])], t_interp=times)
