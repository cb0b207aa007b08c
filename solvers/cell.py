"""The cell to be solved: phases, counter electrode and protocol, in SI units."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from voxtrode.data.errors import InputError
from voxtrode.data.materials import Electrolyte, MetalElectrode
from voxtrode.data.phases import Phase
from voxtrode.data.reactions import Reaction
from voxtrode.meshing.tagged import ACTIVE, IONIC, TaggedMesh


@dataclass(frozen=True, eq=False)
class Cell:
    """A half cell: the phases of the mesh, lithium (or another metal) as counter electrode.

    Attributes:
        phases: The mesh's phases by label, the separator last.
        counter: The metal electrode on the face z = height.
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
    counter: MetalElectrode
    temperature: float
    upper: float
    lower: float
    nominal_capacity: float | None = None
    reactions: Mapping[tuple[int, int], Reaction] = field(default_factory=dict)
    c_axes: npt.NDArray[np.float64] | None = None

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
    """One step of a protocol at constant current.

    Attributes:
        current: Current density per electrode area [A/m²]; positive on discharge, 0 at rest.
        voltage: Lower cut-off [V], or None.
        duration: Longest duration [s], or None.
        capacity: Charge per area passed in this step [A s/m²], or None.
        dod: Depth of discharge at which the step ends, or None.
    """

    current: float
    voltage: float | None = None
    duration: float | None = None
    capacity: float | None = None
    dod: float | None = None


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
            "no ionic path along z: no ion conductor of the mesh reaches the counter face (z = L); "
            "use a smaller mesh.size, or check the labels and the collector's end"
        )
    for label, phase in cell.active().items():
        here = mesh.phase == label
        if not comm.allreduce(int(np.any((mesh.alive[here] & ACTIVE) > 0))):
            raise InputError(
                f"phase '{phase.name}' has no part with both an electronic path along z to the "
                "collector and a wetted surface on the mesh; use a smaller mesh.size, or check the "
                "labels and the collector's end"
            )
