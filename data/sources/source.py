"""What every source of materials gives: the same frozen objects as the library's own files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from voxtrode.data.law import Parameter
from voxtrode.data.materials import ActiveMaterial, Electrolyte

ELECTRODES = ("negative", "positive")


@dataclass(frozen=True)
class StoichiometryWindow:
    """Stoichiometries of one electrode of a full cell; a half cell has its own, by cut-offs.

    Attributes:
        empty: Stoichiometry θ at 0 % state of charge.
        full: Stoichiometry θ at 100 % state of charge.
        initial: Stoichiometry θ at the start, where the source gives one.
    """

    empty: Parameter
    full: Parameter
    initial: Parameter | None


@dataclass(frozen=True)
class SeparatorSet:
    """A separator: thickness [m], porosity ε and tortuosity factor τ = ε/(transport efficiency)."""

    thickness: Parameter
    porosity: Parameter
    tortuosity: Parameter


class MaterialSource(ABC):
    """A cell's parameters, of which materials are taken one by one.

    Laws are those at one temperature: a simulation is isothermal, so the source's own dependence on
    T is part of their numbers.
    """

    @abstractmethod
    def active_material(
        self, electrode: str, particle: str | None, temperature: float
    ) -> ActiveMaterial:
        """The active material of an electrode.

        Args:
            electrode: `negative` or `positive`.
            particle: Which one of a blend; None where there is only one.
            temperature: T of the laws [K].

        Raises:
            InputError: The source lacks it, or what it says cannot be used.
        """

    @abstractmethod
    def electrolyte(self, temperature: float) -> Electrolyte:
        """The electrolyte at a temperature [K] (InputError as for `active_material`)."""

    @abstractmethod
    def separator(self) -> SeparatorSet:
        """The separator (InputError as for `active_material`)."""

    @abstractmethod
    def window(self, electrode: str, particle: str | None) -> StoichiometryWindow:
        """The limits of an electrode in the full cell (InputError as for `active_material`)."""
