"""The coupled residual and its Jacobian: Taylor test, balances of any state, contacts."""

import numpy as np
import pytest
from dolfinx import fem
from half_cells import (
    active_material,
    ball_labels,
    electrolyte,
    half_cell,
    set_uniform,
    voxel_mesh,
)
from petsc4py import PETSc

from voxtrode.meshing.tagged import ACTIVE
from voxtrode.solvers.fields import C_E, PHI_E, PHI_S
from voxtrode.solvers.forms import reference_transference
from voxtrode.solvers.system import Drive, HalfCellSystem

pytestmark = pytest.mark.mpi

NONLINEAR = active_material(D_s="1e-14*(1 - 0.9*theta)", U="4.3 - theta**2", film=0.01)
OTHER = active_material("other", D_s="3e-14*exp(-theta)", U="4.1 - 0.6*theta", i0="1 + theta")
FLUID = electrolyte(D_e="3e-10*exp(-c_e/2000)", t_plus="0.3 + 1e-4*c_e")


def two_materials() -> HalfCellSystem:
    """A ball cut in two halves of different material, touching along a plane."""
    labels = ball_labels((5, 4, 4), (2.0, 2.0, 2.0), 1.9)
    labels[:, :, 2:][labels[:, :, 2:] == 1] = 2
    mesh = voxel_mesh(labels, separator=(1e-6,))
    return HalfCellSystem(mesh, half_cell({1: NONLINEAR, 2: OTHER}, FLUID))


def wild(system: HalfCellSystem, seed: int = 0) -> None:
    """A rough state well inside the physical range, the same on any number of ranks."""
    set_uniform(system, 0.5, 3.95)
    for position, field in enumerate(system.blocks):
        number = system.mesh.vertex_number[field.layout.region.dof_vertex]
        noise = np.sin(12.9898 * (number + 1) + 78.233 * (position + 1 + seed))
        size = {PHI_S: 0.01, PHI_E: 0.01}.get(field.name, 0.1)
        field.values[:] += size * noise
        if field.layout.tied is not None:
            field.values[field.layout.tied] = 0.003


def drive(system: HalfCellSystem, rate: float = 0.2) -> Drive:
    """A current, and a history that does not fit the state."""
    earlier = {field.name: -rate * 0.9 * field.values for field in system.blocks}
    return Drive(7.0, rate, earlier)


def direction(system: HalfCellSystem) -> PETSc.Vec:
    """A rough direction as nested unknowns."""
    vectors = []
    for position, field in enumerate(system.blocks):
        vector = field.layout.vector()
        first, last = vector.getOwnershipRange()
        vector.array_w[:] = 0.01 * np.cos(7.7 * np.arange(first, last) + position)
        vectors.append(vector)
    return PETSc.Vec().createNest(vectors)


def move(system: HalfCellSystem, start: dict, along: PETSc.Vec, length: float) -> None:
    for field, part in zip(system.blocks, along.getNestSubVecs(), strict=True):
        field.values[:] = start[field.name] + length * field.layout.spread(part)


def test_the_jacobian_is_the_derivative_of_the_residual() -> None:
    """Taylor: |R(u + εd) − R(u) − εJd| falls as ε² in every field's rows.

    Both materials, D_s(θ), a film, κ(c_e), t₊(c_e) and the contact take part. Ratios of 4 per
    halving hold up to O(ε): 3.5 to 4.5; a wrong entry makes them 2. Rows of φ_s are the least
    nonlinear, so the ε are large enough (1/2, 1/4) to stay above rounding.
    """
    system = two_materials()
    wild(system)
    imposed = drive(system)
    start, before = system.state(), system.residual(imposed)
    system.jacobian(imposed)
    matrices, along = system.matrices(), direction(system)
    parts = dict(zip((f.name for f in system.blocks), along.getNestSubVecs(), strict=True))
    slope = {f.name: f.layout.vector() for f in system.blocks}
    for (row, column), matrix in matrices.items():
        matrix.multAdd(parts[column], slope[row], slope[row])
    remainders = []
    for length in (0.5, 0.25):
        move(system, start, along, length)
        after = system.residual(imposed)
        remainders.append({n: (after[n] - before[n] - length * slope[n]).norm() for n in slope})
    ratios = {n: remainders[0][n] / remainders[1][n] for n in slope}
    assert all(3.5 < ratio < 4.5 for ratio in ratios.values()), ratios


def test_conservation_holds_for_any_state() -> None:
    """Sums of rows are storage plus the flux through the outer faces, whatever the state is.

    Σ R_φs + Σ R_φe = I − counter: every interface current enters once with each sign. The salt
    rows sum to storage − (1 − t₀)(counter + interface). Rounding: sums of 1e3 terms of 1e8 pA at
    most, so 1e-12 of the sum of magnitudes.
    """
    system = two_materials()
    wild(system)
    imposed = drive(system)
    rows = system.residual(imposed)
    comm = system.comm
    inside = sum(comm.allreduce(np.sum(s.points.area * system.flux(s).J)) for s in system.active)
    lost = comm.allreduce(np.sum(system.counter.points.area * system.flux(system.counter).J))
    applied = imposed.current * system.area

    def stored(name: str) -> float:
        field = next(f for f in system.blocks if f.name == name)
        free = field.layout.free
        derivative = imposed.rate * field.values[free] + imposed.history[name][free]
        return comm.allreduce(float(np.sum(field.storage[free] * derivative)))

    size = 1e-12 * sum(v.norm(PETSc.NormType.NORM_1) for v in rows.values())
    assert rows[PHI_S].sum() == pytest.approx(inside + applied, abs=size)
    assert rows[PHI_E].sum() == pytest.approx(-inside - lost, abs=size)
    share = 1.0 - reference_transference(FLUID)
    assert rows[C_E].sum() == pytest.approx(stored(C_E) - share * (inside + lost), abs=size)
    lithium = [f.name for f in system.fields.theta.values()]
    total = sum(rows[name].sum() for name in lithium)
    assert total == pytest.approx(sum(stored(name) for name in lithium) + inside, abs=size)


def test_a_contact_of_two_materials_holds_two_stoichiometries() -> None:
    """Each vertex of the contact carries an unknown of both; no lithium crosses it.

    With potentials at equilibrium (i₀ finite, J = 0) the particles' rows must vanish, however far
    the two stoichiometries are apart. Rounding of the flux only.
    """
    system = two_materials()
    set_uniform(system, 0.5, 0.0)
    one, two = (system.fields.theta[label].layout.region for label in (1, 2))
    shared = np.intersect1d(one.dof_vertex, two.dof_vertex)
    assert system.comm.allreduce(len(shared)) > 0
    system.fields.theta[1].values[:] = 0.2
    system.fields.theta[2].values[:] = 0.9
    at_rest = Drive(0.0, 0.0, {f.name: np.zeros_like(f.values) for f in system.blocks})
    own = {s.label: s for s in system.active}
    for label in (1, 2):
        # φ_s at the material's own U: J of this material vanishes.
        theta = {1: 0.2, 2: 0.9}[label]
        system.reference = float(own[label].material.U(theta=theta))
        rows = system.residual(at_rest)[f"theta:{label}"]
        assert rows.norm() < 1e-6  # pA; the particle's 1C current is of the order of 1e3 pA


def test_wetted_area_of_two_materials_adds_up() -> None:
    """Contacts are no interface: the areas are those of the half balls' wetted facets.

    Γ of both materials together equals Γ of the same ball of one material (same facets, same
    weights: rounding).
    """
    labels = ball_labels((5, 4, 4), (2.0, 2.0, 2.0), 1.9)
    whole = HalfCellSystem(voxel_mesh(labels, separator=(1e-6,)), half_cell({1: NONLINEAR}, FLUID))
    halves = two_materials()

    def area(system: HalfCellSystem) -> float:
        return sum(system.comm.allreduce(s.points.area.sum()) for s in system.active)

    assert area(halves) == pytest.approx(area(whole), rel=1e-12)


def test_storage_is_the_volume() -> None:
    """Lumped masses sum to F c_max V (volumes of the mesh by its tags; rounding)."""
    system = two_materials()
    mesh = system.mesh
    owned = mesh.mesh.topology.index_map(3).size_local
    one = fem.assemble_scalar(fem.form(_one(mesh.mesh)))
    volume = system.comm.allreduce(one) / system.comm.allreduce(owned)
    for label, field in system.fields.theta.items():
        here = (mesh.phase[:owned] == label) & ((mesh.alive[:owned] & ACTIVE) > 0)
        cells = system.comm.allreduce(int(here.sum()))
        stored = system.comm.allreduce(float(field.storage[field.layout.free].sum()))
        assert stored == pytest.approx(1e-6 * 96485.33212 * 5e4 * cells * volume, rel=1e-12)


def _one(mesh):
    import ufl

    return fem.Constant(mesh, 1.0) * ufl.dx(mesh)


def test_no_row_or_column_of_an_interface_block_is_long() -> None:
    """A flux couples unknowns of one vertex: one entry a row and a column.

    One-sided facet integrals of forms fill row and column 0 with everything that lacks a cell on
    one side, which makes multigrid costly. The collector alone, whose vertices are one unknown,
    may have more: here 9 of its vertices lie on Γ at most.
    """
    system = two_materials()
    wild(system)
    system.jacobian(drive(system))
    inside = {f.name: f.layout.region for f in system.blocks}
    coupled = {n: m for n, m in system.matrices().items() if inside[n[0]] is not inside[n[1]]}
    assert coupled
    for (row, column), matrix in coupled.items():
        for name, mine in ((row, matrix), (column, matrix.transpose(PETSc.Mat()))):
            first, last = mine.getOwnershipRange()
            counts = {k: len(mine.getRow(k)[0]) for k in range(first, last)}
            tied = counts.pop(0, 0) if name == PHI_S else 0
            assert max(counts.values(), default=0) <= 1, (row, column)
            assert tied <= 9, (row, column)


def test_a_lagged_jacobian_keeps_volume_terms_alone() -> None:
    """Kept are κ(c_e), D_e(c_e) and D_s(θ); what Γ and the time derivative add is that of now."""
    system = two_materials()
    wild(system)
    imposed = drive(system)
    system.jacobian(imposed)
    fields = (C_E, PHI_E)
    before = {n: system.matrices()[n, n].getDiagonal() for n in fields}
    system.jacobian(imposed, fresh=False)
    same = {n: system.matrices()[n, n].getDiagonal() for n in fields}
    assert all((same[n] - before[n]).norm() <= 1e-12 * before[n].norm() for n in fields)
    system.jacobian(drive(system, 0.4), fresh=False)
    now = system.matrices()[C_E, C_E].getDiagonal() - before[C_E]
    storage = system.fields.c_e.layout.vector()
    free = system.fields.c_e.layout.free
    storage.array_w[:] = 0.2 * system.fields.c_e.storage[free]
    assert (now - storage).norm() <= 1e-9 * storage.norm()
