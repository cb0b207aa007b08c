"""What lies between packed particles: one lumped phase, binder and pores, or a composite."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.generation.binder import Binder, add_binder
from voxtrode.data.generation.composite import Composite, fill_composite
from voxtrode.data.interfaces import Triple


@dataclass(frozen=True, eq=False)
class Between:
    """The space between particles, filled.

    Attributes:
        names: Names of the phases.
        labels: Index into `names` of each voxel; meaningless inside particles; uint8[z, y, x].
        evidence: What was asked for and what was met (JSON-able).
    """

    names: tuple[str, ...]
    labels: NDArray[np.uint8]
    evidence: dict[str, Any]


class Filling(Protocol):
    """Fills the space between particles."""

    @property
    def open(self) -> str:
        """Name of the phase that fills cracks which reach a particle's surface."""
        ...

    def fill(
        self, particles: NDArray[np.int32], voxel: Triple, random: np.random.Generator
    ) -> Between:
        """Decide the phase of each free voxel.

        Args:
            particles: Particle of each voxel, 0 where free, int32[z, y, x].
            voxel: Edge lengths of a voxel along (z, y, x) [m].
            random: Source of everything random.

        Raises:
            InputError: What was asked for does not fit.
        """
        ...


@dataclass(frozen=True)
class Lumped:
    """Carbon, binder and pores in one phase.

    Attributes:
        open: Its name.
    """

    open: str = "nsd"

    def fill(
        self, particles: NDArray[np.int32], voxel: Triple, random: np.random.Generator
    ) -> Between:
        """Everything free is one phase."""
        del voxel, random
        return Between((self.open,), np.zeros(particles.shape, np.uint8), {})


@dataclass(frozen=True)
class WithBinder:
    """A resolved carbon-binder domain, `cbd`, beside `pore`.

    Attributes:
        settings: How much binder, and where.
        open: Name of the pores.
    """

    settings: Binder
    open: str = "pore"

    def fill(
        self, particles: NDArray[np.int32], voxel: Triple, random: np.random.Generator
    ) -> Between:
        """Binder as its settings say, pores elsewhere."""
        filled = add_binder(particles, voxel, self.settings, random)
        labels = np.where(filled.mask, 0, 1).astype(np.uint8)
        return Between(("cbd", self.open), labels, {"binder": filled.evidence})


@dataclass(frozen=True)
class WithComposite:
    """Solid electrolyte, carbon and void.

    Attributes:
        settings: How much of each, and in which form.
        open: Name of the electrolyte.
    """

    settings: Composite
    open: str = "electrolyte"

    def fill(
        self, particles: NDArray[np.int32], voxel: Triple, random: np.random.Generator
    ) -> Between:
        """Carbon and void as their settings say, electrolyte elsewhere."""
        filled = fill_composite(particles, voxel, self.settings, random)
        names, labels = [self.open], np.zeros(particles.shape, np.uint8)
        for name, mask in (("carbon", filled.carbon), ("void", filled.void)):
            if mask.any():
                labels[mask] = len(names)
                names.append(name)
        return Between(tuple(names), labels, {"composite": filled.evidence})
