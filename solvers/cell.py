"""The cell to be solved: phases, counter electrode and protocol, in SI units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

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
        contacts: Resistance for lithium between two active phases [Ω m²], by their labels, the
            smaller one first; 0: open, inf: closed. Where it is not given, contacts of one
            material are open, those of two materials closed.
        junctions: Resistance for electrons between two electron conductors [Ω m²], in the same
            way; where it is not given, they are open.
    """

    phases: Mapping[int, Phase]
    counter: MetalElectrode | LumpedElectrode | NegativeElectrode
    temperature: float
    upper: float
    lower: float
    nominal_capacity: float | None = None
    reactions: Mapping[tuple[int, int], Reaction] = field(default_factory=dict)
    c_axes: npt.NDArray[np.float64] | None = None
    contacts: Mapping[tuple[int, int], float] = field(default_factory=dict)
    junctions: Mapping[tuple[int, int], float] = field(default_factory=dict)

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

    def contact(self, one: int, two: int) -> float:
        """Resistance for lithium between two active phases [Ω m²]; 0: open, inf: closed."""
        given = self.contacts.get((min(one, two), max(one, two)))
        if given is not None:
            return given
        first, second = self.phases[one].active, self.phases[two].active
        assert first is not None
        assert second is not None
        together = (one in self.negative) == (two in self.negative)
        return 0.0 if first.name == second.name and together else math.inf

    def junction(self, one: int, two: int) -> float:
        """Resistance for electrons between two phases [Ω m²]; 0: open, inf: closed."""
        return self.junctions.get((min(one, two), max(one, two)), 0.0)

    def open_groups(self) -> list[tuple[int, ...]]:
        """Labels of active phases, those of one electrode with open contacts together.

        Raises:
            InputError: Open contacts lead around one that is not open.
        """
        groups: list[tuple[int, ...]] = []
        for label in self.active():
            inside = label in self.negative
            own = [g for g in groups if (g[0] in self.negative) == inside]
            joined = [g for g in own if any(self.contact(label, one) == 0.0 for one in g)]
            rest = [g for g in groups if g not in joined]
            groups = [*rest, tuple(sorted({label, *(one for g in joined for one in g)}))]
        for group in groups:
            for one, two in combinations(group, 2):
                if self.contact(one, two) != 0.0:
                    names = [self.phases[label].name for label in (one, two)]
                    raise InputError(
                        f"interfaces: the contact {names[0]}|{names[1]} is not open, yet open"
                        " contacts of other phases of the material lead around it; close or give"
                        " a resistance to those, too"
                    )
        return sorted(groups)

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
