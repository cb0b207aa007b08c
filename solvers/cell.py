"""The cell to be solved: phases, counter electrode and protocol, in SI units."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from voxtrode.data.errors import InputError
from voxtrode.data.materials import ActiveMaterial, Electrolyte, MetalElectrode
from voxtrode.data.phases import Phase
from voxtrode.data.reactions import Reaction
from voxtrode.meshing.tagged import ACTIVE, IONIC, TaggedMesh


@dataclass(frozen=True)
class LumpedElectrode:
    """A well-mixed negative electrode on the counter face.

    Attributes:
        material: Its material.
        charged, discharged: Its potential against lithium [V] where the cell is fully charged
            and fully discharged; between them lies its capacity.
        ratio: That capacity over the capacity of the electrode in the volume.
        area: Its surface per area of the counter face.
    """

    material: ActiveMaterial
    charged: float
    discharged: float
    ratio: float
    area: float


@dataclass(frozen=True)
class NegativeElectrode:
    """The negative electrode where both stand in one volume; its collector is the zero.

    Attributes:
        labels: Labels of its phases.
        charged, discharged: Its potential against lithium [V] where the cell is fully charged
            and fully discharged.
        first: Whether its collector is the face z = 0, and the positive one's z = height.
    """

    labels: tuple[int, ...]
    charged: float
    discharged: float
    first: bool = False


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell: the phases of the mesh, and a counter electrode on the face z = height.

    The voltage is the collector's potential less the counter electrode's; discharge fills the
    electrode of the mesh with lithium, whatever it is made of.

    Attributes:
        phases: The mesh's phases by label, the separator last.
        counter: What stands on the counter face, or the negative electrode in the volume.
        temperature: [K].
        upper, lower: Voltages [V] that define θ₀ and θ₁₀₀ of each active material.
        nominal_capacity: Areal capacity [A s/m²]; None for that of the connected material.
        reactions: Charge transfer of an active with an ion-conducting phase, by their labels;
            where it is not given it is that of the active material.
        c_axes: Unit vector (x, y, z) of the c axis in each local cell of the mesh, shape
            ``(cells, 3)``, where grains have their own; zero where none is known (diffusion there
            is that along the layers in all directions).
    """

    phases: Mapping[int, Phase]
    counter: MetalElectrode | LumpedElectrode | NegativeElectrode
    temperature: float
    upper: float
    lower: float
    nominal_capacity: float | None = None
    reactions: Mapping[tuple[int, int], Reaction] = field(default_factory=dict)
    c_axes: npt.NDArray[np.float64] | None = None

    @property
    def negative(self) -> tuple[int, ...]:
        """Labels of the negative electrode's phases, where it stands in the volume."""
        return getattr(self.counter, "labels", ())

    def active(self) -> dict[int, Phase]:
        """Phases that store lithium, by label."""
        return {label: phase for label, phase in self.phases.items() if phase.stores}

    def ionic(self) -> dict[int, Phase]:
        """Phases that conduct ions, by label."""
        return {label: phase for label, phase in self.phases.items() if phase.conducts_ions}

    def reaction(self, active: int, ionic: int) -> Reaction:
        """Charge transfer between an active and an ion-conducting phase, by their labels."""
        material = self.phases[active].active
        assert material is not None
        given = self.reactions.get((active, ionic))
        return Reaction.of(material) if given is None else given

    def electrolytes(self) -> list[tuple[Electrolyte, tuple[int, ...]]]:
        """The electrolytes of the cell, each with the labels of the phases it fills."""
        groups: dict[str, tuple[Electrolyte, tuple[int, ...]]] = {}
        for label, phase in self.phases.items():
            if phase.liquid is not None:
                fluid = phase.liquid.electrolyte
                known = groups.get(fluid.name, (fluid, ()))
                groups[fluid.name] = (fluid, (*known[1], label))
        return list(groups.values())


@dataclass(frozen=True)
class Step:
    """One step of a protocol, at constant current or at constant voltage.

    A voltage ends a step where the cell reaches it: from above on discharge, from below on
    charge. Conditions that are None do not end it.

    Attributes:
        current: Current density per electrode area [A/m²]; positive on discharge, 0 at rest, of no
            meaning where a voltage is held.
        voltage: End voltage of a step at constant current [V].
        duration: Longest duration [s].
        capacity: Charge per area passed in this step, either way [A s/m²].
        dod: Depth of discharge at which the step ends.
        held: Voltage that is held [V]; None at constant current.
        least: Current density, either way, below which the step ends [A/m²].
    """

    current: float = 0.0
    voltage: float | None = None
    duration: float | None = None
    capacity: float | None = None
    dod: float | None = None
    held: float | None = None
    least: float | None = None


def require_paths(mesh: TaggedMesh, cell: Cell) -> None:
    """Refuse a mesh that lacks a path the simulation needs; collective.

    Raises:
        InputError: Naming the phase and the axis.
    """
    comm = mesh.mesh.comm
    separator = len(mesh.info.phases) - 1
    electrode = mesh.phase != separator
    if not comm.allreduce(int(np.any((mesh.alive[electrode] & IONIC) > 0))):
        raise InputError(
            "no ionic path along z: no ion conductor of the mesh reaches the counter face (z = L) "
            "or joins both electrodes; use a smaller mesh.size, or check the labels and the "
            "collector's end"
        )
    for label, phase in cell.active().items():
        here = mesh.phase == label
        if not comm.allreduce(int(np.any((mesh.alive[here] & ACTIVE) > 0))):
            raise InputError(
                f"phase '{phase.name}' has no part with both an electronic path along z to the "
                "collector and a wetted surface on the mesh; use a smaller mesh.size, or check the "
                "labels and the collector's end"
            )
