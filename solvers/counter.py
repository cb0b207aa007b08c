"""What stands on the counter face: a metal, or a well-mixed electrode balanced with the volume's.

A lumped electrode is so fine and so conducting that all of its surface sees one stoichiometry and
the electrolyte at the counter face; its own state is then the charge that has passed. Potentials
inside a cell with one are against lithium, and the cell's voltage is the collector's potential
less that of the counter electrode. A metal is the zero of its cell's potentials.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import Protocol

import numpy as np
import numpy.typing as npt

from voxtrode.data.law import Law
from voxtrode.data.materials import MetalElectrode
from voxtrode.data.reactions import Reaction
from voxtrode.solvers.cell import LumpedElectrode, NegativeElectrode
from voxtrode.solvers.electrodes import ConstantSide, Electrode, Share, Side, Window
from voxtrode.solvers.fields import C_E, PHI_E
from voxtrode.solvers.kinetics import THETA_EDGE, Flux, InsertionKinetics, MetalKinetics
from voxtrode.solvers.surfaces import FluxLaw

Array = npt.NDArray[np.float64]
THETA = "counter:theta"
"""Stoichiometry of a lumped counter electrode, among the values that a flux law is given."""
COUNTER = -1
"""Label of a lumped counter electrode, which is no phase of the mesh."""


@dataclass(frozen=True)
class Terminal:
    """A counter electrode after some charge has passed.

    Attributes:
        potential: What is taken off the collector's potential to give the cell's voltage [V].
        slope: Its derivative by the charge per area [V m²/(A s)].
        values: What the flux law needs to know beside the fields.
    """

    potential: float = 0.0
    slope: float = 0.0
    values: Mapping[str, float] | None = None


class Counter(Protocol):
    """A counter electrode."""

    @property
    def name(self) -> str:
        """What it is and what it is made of."""
        ...

    @property
    def ends(self) -> tuple[float, float]:
        """Potentials against lithium [V] where the cell is fully charged and discharged."""
        ...

    def side(self, capacity: float, inside: tuple[Share, ...]) -> Side:
        """The electrode as a whole.

        Args:
            capacity: Capacity of the electrode that discharge fills [A s/m²].
            inside: Materials of the negative electrode in the volume.
        """
        ...

    def law(self, temperature: float, c_e0: float) -> FluxLaw | None:
        """Its flux per area of the counter face in terms of the solver's unknowns, if any."""
        ...

    def terminal(self, passed: float, capacity: float) -> Terminal:
        """Its state.

        Args:
            passed: Charge per area since the cell was fully charged [A s/m²].
            capacity: Capacity of the electrode in the volume [A s/m²].
        """
        ...

    def fault(self, passed: float, capacity: float) -> str:
        """Why it cannot be in that state; empty if it can."""
        ...


@singledispatch
def counter_of(electrode: object) -> Counter:
    """The counter electrode made of something."""
    raise TypeError(f"{type(electrode).__name__} is no counter electrode")


@dataclass(frozen=True)
class MetalCounter:
    """A metal; see :class:`Counter`.

    Attributes:
        electrode: The metal.
    """

    electrode: MetalElectrode

    @property
    def name(self) -> str:
        """See :class:`Counter`."""
        return self.electrode.name

    @property
    def ends(self) -> tuple[float, float]:
        """See :class:`Counter`."""
        return self.electrode.potential.value, self.electrode.potential.value

    def side(self, capacity: float, inside: tuple[Share, ...]) -> Side:
        """See :class:`Counter`."""
        del capacity, inside
        return ConstantSide(self.electrode.potential.value)

    def law(self, temperature: float, c_e0: float) -> FluxLaw:
        """See :class:`Counter`."""
        return Metal(MetalKinetics.of(self.electrode, temperature), c_e0)

    def terminal(self, passed: float, capacity: float) -> Terminal:
        """See :class:`Counter`."""
        del passed, capacity
        return Terminal()

    def fault(self, passed: float, capacity: float) -> str:
        """See :class:`Counter`."""
        del passed, capacity
        return ""


@dataclass(frozen=True)
class LumpedCounter:
    """A lumped electrode; see :class:`Counter`.

    Attributes:
        electrode: What it is made of.
    """

    electrode: LumpedElectrode

    @property
    def name(self) -> str:
        """See :class:`Counter`."""
        return f"balanced {self.electrode.material.name}"

    @property
    def ends(self) -> tuple[float, float]:
        """See :class:`Counter`."""
        return self.electrode.charged, self.electrode.discharged

    def side(self, capacity: float, inside: tuple[Share, ...]) -> Side:
        """See :class:`Counter`."""
        del inside
        one = self.electrode
        share = Share(COUNTER, one.material, self._window, one.ratio * capacity)
        return Electrode((share,), positive=False)

    def law(self, temperature: float, c_e0: float) -> FluxLaw:
        """See :class:`Counter`."""
        one = self.electrode
        return Lumped(
            InsertionKinetics.of(one.material, temperature, Reaction.of(one.material)),
            one.area,
            c_e0,
        )

    def terminal(self, passed: float, capacity: float) -> Terminal:
        """See :class:`Counter`."""
        theta, per_charge = self._theta(passed, capacity)
        U = float(self.electrode.material.U(theta=theta))
        return Terminal(U, float(self._slope(theta=theta)) * per_charge, {THETA: theta})

    def fault(self, passed: float, capacity: float) -> str:
        """See :class:`Counter`."""
        theta, _ = self._theta(passed, capacity)
        if THETA_EDGE < theta < 1.0 - THETA_EDGE:
            return ""
        state = "empty" if theta <= THETA_EDGE else "full"
        return f"the counter electrode ({self.electrode.material.name}) is {state}"

    def _theta(self, passed: float, capacity: float) -> tuple[float, float]:
        """Its stoichiometry and the derivative of that by the charge per area [m²/(A s)]."""
        window = self._window
        per_charge = -(window.full - window.empty) / (self.electrode.ratio * capacity)
        return window.full + per_charge * passed, per_charge

    @cached_property
    def _window(self) -> Window:
        one = self.electrode
        return Window.of(one.material, one.discharged, one.charged)

    @cached_property
    def _slope(self) -> Law:
        return self.electrode.material.U.derivative("theta")


@dataclass(frozen=True)
class NegativeInside:
    """A negative electrode in the volume, and no counter face; see :class:`Counter`.

    Attributes:
        electrode: Which phases it is made of.
    """

    electrode: NegativeElectrode

    @property
    def name(self) -> str:
        """See :class:`Counter`."""
        return "the negative electrode in the volume"

    @property
    def ends(self) -> tuple[float, float]:
        """See :class:`Counter`."""
        return self.electrode.charged, self.electrode.discharged

    def side(self, capacity: float, inside: tuple[Share, ...]) -> Side:
        """See :class:`Counter`."""
        del capacity
        return Electrode(inside, positive=False, grounded=True)

    def law(self, temperature: float, c_e0: float) -> FluxLaw | None:
        """See :class:`Counter`."""
        del temperature, c_e0
        return None

    def terminal(self, passed: float, capacity: float) -> Terminal:
        """See :class:`Counter`."""
        del passed, capacity
        return Terminal()

    def fault(self, passed: float, capacity: float) -> str:
        """See :class:`Counter`."""
        del passed, capacity
        return ""


counter_of.register(MetalElectrode, MetalCounter)
counter_of.register(LumpedElectrode, LumpedCounter)
counter_of.register(NegativeElectrode, NegativeInside)


@dataclass(frozen=True, eq=False)
class Metal:
    """Flux law of a metal in terms of the solver's unknowns."""

    kinetics: MetalKinetics
    c_e0: float

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`FluxLaw`."""
        flux = self.kinetics.flux(values[PHI_E], self.c_e0 * values[C_E])
        by = {PHI_E: flux.by["phi_e"], C_E: self.c_e0 * flux.by["c_e"]}
        return Flux(flux.J, by, flux.eta)


@dataclass(frozen=True, eq=False)
class Lumped:
    """Flux law of a lumped electrode in terms of the solver's unknowns.

    Attributes:
        kinetics: The law of its surface.
        area: Surface per area of the counter face.
        c_e0: Scale of the concentration [mol/m³].
    """

    kinetics: InsertionKinetics
    area: float
    c_e0: float

    def __call__(self, values: Mapping[str, Array]) -> Flux:
        """See :class:`FluxLaw`; η is U + η + J R less U, the film's share included."""
        phi_e, c_e = values[PHI_E], self.c_e0 * values[C_E]
        theta = np.full_like(phi_e, float(values[THETA]))
        phi = self.kinetics.U(theta=theta)
        flux = self.kinetics.flux(phi, phi_e, theta, c_e)
        by = {
            PHI_E: self.area * flux.by["phi_e"],
            C_E: self.area * self.c_e0 * flux.by["c_e"],
        }
        return Flux(self.area * flux.J, by, -phi_e)
