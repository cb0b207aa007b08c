"""The fields of a half cell, where each lives, and its storage and volume forms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx import fem

from voxtrode.data.errors import InputError
from voxtrode.data.expression import constant
from voxtrode.data.law import FARADAY, Law, Parameter
from voxtrode.data.materials import Electrolyte
from voxtrode.meshing.sums import summed
from voxtrode.meshing.tagged import ACTIVE, ELECTRONIC, IONIC, TaggedMesh
from voxtrode.solvers import forms
from voxtrode.solvers.cell import Cell
from voxtrode.solvers.region import Layout, Region
from voxtrode.solvers.units import STORAGE, UM, thermal_voltage

PHI_S, PHI_E, C_E = "phi_s", "phi_e", "c_e"


@dataclass(frozen=True, eq=False)
class Field:
    """One unknown field.

    Attributes:
        name: ``phi_s`` [V], ``phi_e`` [V], ``c_e`` (c_e/c_e0) or ``theta:<label>`` (c_s/c_max).
        layout: Its unknowns.
        function: Its values in the weak forms; ``function.x.array`` is the state.
        residual: Volume terms of its equation, a UFL form.
        storage: Lumped capacity F c ∫ v [pA s] per local degree of freedom, shares of ghosts
            added to their owners and copied back; None for a field without time derivative.
    """

    name: str
    layout: Layout
    function: fem.Function[np.float64]
    residual: Any
    storage: npt.NDArray[np.float64] | None

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """State at every local degree of freedom, ghosts included (a view)."""
        return self.function.x.array


@dataclass(frozen=True, eq=False)
class Fields:
    """All fields of a half cell.

    Attributes:
        phi_s, phi_e, c_e: Electrons' potential, electrolyte potential, scaled concentration. c_e
            shares φ_e's space; where no liquid is near it is no unknown and keeps the value 1.
        theta: Stoichiometry of each active phase, by its label; phases of one material with open
            contacts share one field.
        electrolyte: The liquid; without any, one of t₊ = 1 that stands for the solid.
        sigma: σ [S/m] in each cell of the electron conductors.
        transport: ε/τ in each cell of the ion conductors, 0 in single-ion conductors.
        kappa: κ [S/m] in each cell of the ion conductors, 0 in liquids.
        salt: Whether there is a liquid at all, so that c_e is an unknown.
        mixed: Whether single-ion conductors stand beside the liquid. The salt balance is then
            written for the anions, without interface terms (see `forms.anion_transport`).
    """

    phi_s: Field
    phi_e: Field
    c_e: Field
    theta: dict[int, Field]
    electrolyte: Electrolyte
    sigma: fem.Function[np.float64]
    transport: fem.Function[np.float64]
    kappa: fem.Function[np.float64]
    salt: bool
    mixed: bool

    def all(self) -> tuple[Field, ...]:
        """The fields that are solved for, in the order of the blocks."""
        salt = (self.c_e,) if self.salt else ()
        return (self.phi_s, self.phi_e, *salt, *self.stoichiometries)

    @property
    def stoichiometries(self) -> tuple[Field, ...]:
        """The fields of stoichiometry, each once."""
        return tuple(dict.fromkeys(self.theta.values()))

    @property
    def salt_share(self) -> float:
        """Part 1 − t₀ of an interface current that enters the salt balance."""
        return 0.0 if self.mixed else 1.0 - forms.reference_transference(self.electrolyte)


def theta_name(label: int) -> str:
    """Name of the stoichiometry field of an active phase."""
    return f"theta:{label}"


def lumped(region: Region, weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """∫ w v with vertex quadrature: a quarter of each cell's w·volume to each of its vertices.

    Args:
        region: Where v lives.
        weight: w of each local cell of the region.

    Returns:
        [w's unit · µm³] per local degree of freedom, complete on owners and ghosts. Collective.
    """
    volume = cell_volumes(region)
    n_owned = region.mesh.topology.index_map(3).size_local
    dofs = region.space.dofmap.list[:n_owned]
    share = np.repeat(0.25 * (weight * volume)[:n_owned], 4)
    total = summed(dofs.ravel(), share, region.n_local)
    region.add_ghosts(total)
    return total


def cell_volumes(region: Region) -> npt.NDArray[np.float64]:
    """Volumes [µm³] of the local cells of a region, ghosts included."""
    p = region.mesh.geometry.x[region.mesh.geometry.dofmaps[0]]
    edges = p[:, 1:] - p[:, :1]
    return np.asarray(np.abs(np.linalg.det(edges)) / 6.0, dtype=np.float64)


def build_fields(mesh: TaggedMesh, cell: Cell) -> Fields:
    """Lay the fields of a half cell on a mesh; collective.

    Raises:
        InputError: Where the liquid phases name different electrolytes.
    """
    electrolyte, liquid = _one_electrolyte(cell)
    electrons = Region.create(mesh, mesh.cells(ELECTRONIC))
    ions = Region.create(mesh, mesh.cells(IONIC))
    thermal = thermal_voltage(cell.temperature)

    label_of = mesh.phase[electrons.cells]
    sigma = electrons.cell_function(_per_phase(cell, label_of, lambda p: p.sigma))
    tied, grounded = collectors(mesh, cell, electrons)
    present = np.ones(electrons.n_local, dtype=bool)
    present[grounded] = False
    phi_s = _field(PHI_S, Layout.create(electrons, tied, present))
    dx = forms.volume_measure(electrons.mesh)
    phi_s = _with_form(phi_s, lambda u, v: forms.conduction(u, v, sigma, dx))

    label_of = mesh.phase[ions.cells]
    transport = ions.cell_function(
        _per_phase(cell, label_of, lambda p: p.liquid and p.liquid.transport)
    )
    kappa = ions.cell_function(_per_phase(cell, label_of, lambda p: p.kappa))
    pores = lumped(ions, _per_phase(cell, label_of, lambda p: p.liquid and p.liquid.porosity))
    # Liquid that is nowhere alive counts as none; a solid that is nowhere alive likewise.
    comm = mesh.mesh.comm
    salt = liquid and bool(comm.allreduce(int(np.any(pores > 0.0))))
    solid = bool(comm.allreduce(int(np.any(kappa.x.array > 0.0))))
    if not salt:
        electrolyte = single_ion()
    layout = Layout.create(ions)
    dx = forms.volume_measure(ions.mesh)
    capacity = STORAGE * FARADAY * electrolyte.c_e0.value * pores
    wet = layout if salt and not solid else Layout.create(ions, present=pores > 0.0)
    c_e = _field(C_E, wet, capacity)
    phi_e = _field(PHI_E, layout)
    c_e.values[:] = 1.0
    y, phi = c_e.function, phi_e.function

    def charge(u: Any, v: Any) -> Any:
        parts = []
        if salt:
            of_liquid = forms.charge_conservation(y, u, v, electrolyte, transport, thermal, dx)
            parts.append(of_liquid)
        if solid:
            parts.append(forms.conduction(u, v, kappa, dx))
        return sum(parts[1:], start=parts[0])

    balance = forms.anion_transport if solid else forms.salt_transport
    phi_e = _with_form(phi_e, charge)
    c_e = _with_form(c_e, lambda u, v: balance(u, phi, v, electrolyte, transport, thermal, dx))
    shared = {labels: _stoichiometry(mesh, cell, labels) for labels in cell.open_groups()}
    theta = {label: field for labels, field in shared.items() for label in labels}
    theta = {label: theta[label] for label in cell.active()}
    mixed = salt and solid
    return Fields(phi_s, phi_e, c_e, theta, electrolyte, sigma, transport, kappa, salt, mixed)


def single_ion() -> Electrolyte:
    """What stands for the liquid where there is none: t₊ = 1, c_e/c_e0 = 1 with c_e0 = 1 mol/l.

    Exchange currents that depend on c_e are those at this concentration.
    """

    def law(value: float, unit: str) -> Law:
        return Law(constant(value), ("c_e",), unit, "no liquid", formula=f"{value:g}")

    amount = Parameter(1000.0, "mol/m^3", "reference concentration of 1 mol/l")
    return Electrolyte(
        name="none",
        source="no liquid in this cell",
        c_e0=amount,
        c_max_fit=amount,
        D_e=law(0.0, "m^2/s"),
        kappa=law(0.0, "S/m"),
        kappa_over_c=law(0.0, "S*m^2/mol"),
        t_plus=law(1.0, "1"),
        chi=law(1.0, "1"),
    )


def collectors(
    mesh: TaggedMesh, cell: Cell, region: Region
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Local degrees of freedom, ghosts included, on the collectors; collective.

    Returns:
        Those that are the positive collector (of a half cell the only one), and those that are the
        negative one, which is the zero.

    Raises:
        InputError: Where the two electrodes touch.
    """
    z = region.space.tabulate_dof_coordinates()[:, 2]
    height = mesh.info.height * UM
    ends = [np.abs(z - level) < 1e-9 * max(height, UM) for level in (0.0, height)]
    on_negative = negative_dofs(mesh, cell, region)
    if not cell.negative:
        return np.flatnonzero(ends[0]).astype(np.int32), np.zeros(0, dtype=np.int32)
    positive, negative = (ends[1], ends[0]) if cell.counter.first else (ends[0], ends[1])  # type: ignore[union-attr]
    return (
        np.flatnonzero(positive & ~on_negative).astype(np.int32),
        np.flatnonzero(negative & on_negative).astype(np.int32),
    )


def negative_dofs(mesh: TaggedMesh, cell: Cell, region: Region) -> npt.NDArray[np.bool_]:
    """Which local degrees of freedom of the electrons are the negative electrode's; collective.

    Raises:
        InputError: Where some are those of both electrodes, which would be a short circuit.
    """
    inside = np.isin(mesh.phase[region.cells], cell.negative)
    dofs = region.space.dofmap.list
    sides = []
    for cells in (inside, ~inside):
        touched = np.zeros(region.n_local)
        n_owned = region.mesh.topology.index_map(3).size_local
        mine = np.zeros(len(inside), dtype=bool)
        mine[:n_owned] = cells[:n_owned]
        touched[dofs[mine].ravel()] = 1.0
        region.add_ghosts(touched)
        sides.append(touched > 0.0)
    if mesh.mesh.comm.allreduce(int(np.any(sides[0] & sides[1]))) and cell.negative:
        raise InputError(
            "electron conductors of the negative and the positive electrode touch, which is a "
            "short circuit; put a separator between them, or check the labels"
        )
    return np.asarray(sides[0])


def _stoichiometry(mesh: TaggedMesh, cell: Cell, labels: tuple[int, ...]) -> Field:
    """The field of active phases of one material that share it."""
    material = cell.phases[labels[0]].active
    assert material is not None
    inside = ((mesh.alive & ACTIVE) > 0) & np.isin(mesh.phase, labels)
    region = Region.create(mesh, np.flatnonzero(inside).astype(np.int32))
    c_max = material.c_max.value
    capacity = STORAGE * FARADAY * c_max * lumped(region, np.ones(len(region.cells)))
    field = _field(theta_name(labels[0]), Layout.create(region), capacity)
    dx = forms.volume_measure(region.mesh)
    tensor = diffusion_tensor(mesh, cell, labels, region)
    return _with_form(
        field, lambda u, v: forms.particle_diffusion(u, v, c_max, material.D_s, dx, tensor)
    )


def diffusion_tensor(
    mesh: TaggedMesh, cell: Cell, labels: tuple[int, ...], region: Region
) -> fem.Function[np.float64] | None:
    """T = I + (D_c/D_ab − 1) c c^T in each cell of active phases; None where all are isotropic."""
    if all(cell.phases[label].anisotropy is None for label in labels):
        return None
    tensor = np.tile(np.eye(3), (len(region.cells), 1, 1))
    for label in labels:
        anisotropy = cell.phases[label].anisotropy
        if anisotropy is None:
            continue
        here = np.flatnonzero(mesh.phase[region.cells] == label)
        if anisotropy.axis is not None:
            axes = np.tile(np.asarray(anisotropy.axis), (len(here), 1))
        else:
            if cell.c_axes is None:
                raise InputError(
                    f"phase '{cell.phases[label].name}' diffuses along the axes of its grains, but"
                    " the volume has no grains; give the axis"
                )
            axes = cell.c_axes[region.cells[here]]
        tensor[here] += (anisotropy.ratio - 1.0) * np.einsum("ni,nj->nij", axes, axes)
    return region.cell_tensor(tensor)


def _field(name: str, layout: Layout, storage: npt.NDArray[np.float64] | None = None) -> Field:
    return Field(name, layout, fem.Function(layout.region.space, name=name), None, storage)


def _with_form(field: Field, form: Any) -> Field:
    test = ufl.TestFunction(field.layout.region.space)
    return Field(
        field.name, field.layout, field.function, form(field.function, test), field.storage
    )


def _per_phase(cell: Cell, labels: npt.NDArray[np.int32], value: Any) -> npt.NDArray[np.float64]:
    table = np.zeros(max(cell.phases) + 1)
    for label, phase in cell.phases.items():
        table[label] = value(phase) or 0.0
    return table[labels]


def _one_electrolyte(cell: Cell) -> tuple[Electrolyte, bool]:
    """The liquid and whether there is one; a stand-in where there is none."""
    groups = cell.electrolytes()
    if not groups:
        return single_ion(), False
    if len(groups) > 1:
        names = ", ".join(fluid.name for fluid, _ in groups)
        raise InputError(
            f"electrolytes in liquid contact: {names}; expected one in all liquid phases"
        )
    return groups[0][0], True
