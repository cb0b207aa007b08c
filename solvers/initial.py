"""Where a simulation starts: equilibrium at a lithiation or at a voltage."""

from dataclasses import dataclass
from typing import Protocol

from voxtrode.solvers.quantities import Quantities


class InitialState(Protocol):
    """A way to set the state that a simulation starts from."""

    def put(self, quantities: Quantities) -> None:
        """Set the system's state, and what quantities know about it; collective.

        Raises:
            InputError: Where there is no such state.
        """
        ...


@dataclass(frozen=True)
class AtLithiation:
    """Equilibrium at a state of lithiation; several active materials share one potential.

    Attributes:
        sol: SoL of the electrode that discharge fills: its mean over the capacity of its
            materials, or of the smaller electrode of a full cell (then 0 is fully charged, 1
            fully discharged).
    """

    sol: float = 0.0

    def put(self, quantities: Quantities) -> None:
        """See :class:`InitialState`."""
        quantities.equilibrate(self.sol * quantities.capacity)


@dataclass(frozen=True)
class AtVoltage:
    """Equilibrium at a cell voltage [V]."""

    voltage: float

    def put(self, quantities: Quantities) -> None:
        """See :class:`InitialState`."""
        quantities.equilibrate(quantities.passed_at(self.voltage))
