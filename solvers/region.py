"""Regions of the mesh where a field lives, and the numbering of its unknowns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from dolfinx import fem, la
from dolfinx import mesh as dmesh
from mpi4py import MPI
from petsc4py import PETSc

from voxtrode.meshing.tagged import TaggedMesh


@dataclass(frozen=True, eq=False)
class Region:
    """A submesh and the P1 space on it.

    All arrays are local to the rank and cover owned and ghost entities.

    Attributes:
        mesh: The submesh [µm].
        space: Continuous P1 functions on it.
        cells: Parent cell of each local cell.
        dof_vertex: Parent vertex of each local degree of freedom.
        vertex_dof: Degree of freedom at each local parent vertex, -1 where there is none; where
            the region is cut open one of several, see :meth:`at`.
        sheet: Which of the values at its vertex each local degree of freedom is, from 0.
        sides: ``vertex_dof`` of the cells of each label, where the region is cut open.
    """

    mesh: dmesh.Mesh[np.float64]
    space: fem.FunctionSpace[np.float64]
    cells: npt.NDArray[np.int32]
    dof_vertex: npt.NDArray[np.int32]
    vertex_dof: npt.NDArray[np.int32]
    sheet: npt.NDArray[np.int64]
    sides: Mapping[int, npt.NDArray[np.int32]] = field(default_factory=dict)

    @classmethod
    def create(cls, parent: TaggedMesh, cells: npt.NDArray[np.int32]) -> "Region":
        """Build the region of the given parent cells.

        Args:
            parent: The mesh.
            cells: Local parent cells, ghosts included. Collective.
        """
        submesh, cell_map, vertex_map, _ = dmesh.create_submesh(parent.mesh, 3, cells)
        space = fem.functionspace(submesh, ("Lagrange", 1))
        index_map = submesh.topology.index_map(3)
        n_cells = index_map.size_local + index_map.num_ghosts
        parent_cells = cell_map.sub_topology_to_topology(np.arange(n_cells, dtype=np.int32), False)
        dof_map = space.dofmap.index_map
        n_dofs = dof_map.size_local + dof_map.num_ghosts
        # P1: the i-th degree of freedom of a cell sits at its i-th vertex.
        corners = submesh.topology.connectivity(3, 0).array
        sub_vertex = np.zeros(n_dofs, dtype=np.int32)
        sub_vertex[space.dofmap.list.ravel()] = corners
        dof_vertex = np.asarray(vertex_map.sub_topology_to_topology(sub_vertex, False))
        vertex_dof = np.full(len(parent.vertex_number), -1, dtype=np.int32)
        vertex_dof[dof_vertex] = np.arange(n_dofs, dtype=np.int32)
        sheet = np.zeros(n_dofs, dtype=np.int64)
        return cls(submesh, space, np.asarray(parent_cells), dof_vertex, vertex_dof, sheet)

    def at(self, label: int) -> npt.NDArray[np.int32]:
        """Degree of freedom of the cells of a label at each local parent vertex, or -1."""
        return self.sides.get(label, self.vertex_dof)

    @property
    def sheets(self) -> int:
        """Most values that a vertex has; collective."""
        comm: MPI.Intracomm = self.mesh.comm
        return int(comm.allreduce(int(self.sheet.max(initial=0)), op=MPI.MAX)) + 1

    @property
    def n_owned(self) -> int:
        """Degrees of freedom that this rank owns."""
        return int(self.space.dofmap.index_map.size_local)

    @property
    def n_local(self) -> int:
        """Degrees of freedom on this rank, ghosts included."""
        return len(self.dof_vertex)

    def cell_function(self, values: npt.NDArray[np.floating]) -> fem.Function[np.float64]:
        """A function that is constant in each cell.

        Args:
            values: Value of each local cell of the region, ghosts included.
        """
        space = fem.functionspace(self.mesh, ("DG", 0))
        function: fem.Function[np.float64] = fem.Function(space, dtype=np.float64)
        function.x.array[space.dofmap.list.ravel()] = values
        return function

    def cell_tensor(self, values: npt.NDArray[np.floating]) -> fem.Function[np.float64]:
        """A tensor that is constant in each cell.

        Args:
            values: Tensor (x, y, z) of each local cell, ghosts included, shape ``(cells, 3, 3)``.
        """
        space = fem.functionspace(self.mesh, ("DG", 0, (3, 3)))
        function: fem.Function[np.float64] = fem.Function(space, dtype=np.float64)
        function.x.array.reshape(-1, 3, 3)[space.dofmap.list.ravel()] = values
        return function

    def add_ghosts(self, values: npt.NDArray[np.float64]) -> None:
        """Add what ghosts hold to their owners, then copy owners to ghosts; collective."""
        vector = fem.Function(self.space).x
        vector.array[:] = values
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()
        values[:] = vector.array


@dataclass(frozen=True, eq=False)
class Layout:
    """Numbering of the unknowns of a field in PETSc's vectors and matrices.

    A set of degrees of freedom may be tied into one unknown (an equipotential): it is owned by
    rank 0 and comes first; its row is the sum of the tied rows.

    Attributes:
        region: Where the field lives.
        tied: Local degrees of freedom, ghosts included, that share one unknown; may be empty
            on a rank. None for a field without.
        free: Owned degrees of freedom that are unknowns of their own, in order.
        n_rows: Unknowns that this rank owns.
        index: Global unknown of each local degree of freedom; −1 where the field is no unknown.
    """

    region: Region
    tied: npt.NDArray[np.int32] | None
    free: npt.NDArray[np.int32]
    n_rows: int
    index: npt.NDArray[np.int32]

    @classmethod
    def create(
        cls,
        region: Region,
        tied: npt.NDArray[np.int32] | None = None,
        present: npt.NDArray[np.bool_] | None = None,
    ) -> "Layout":
        """Number the unknowns; collective.

        Args:
            region: Where the field lives.
            tied: Local degrees of freedom, ghosts included, to tie together.
            present: Whether each local degree of freedom is an unknown; all by default. The
                others keep their values, and what falls on their rows and columns is dropped.
        """
        comm = region.mesh.comm
        own = np.ones(region.n_owned, dtype=bool) if present is None else present[: region.n_owned]
        own = own.copy()
        lead = 0
        if tied is not None:
            own[tied[tied < region.n_owned]] = False
            lead = 1 if comm.rank == 0 else 0
        free = np.flatnonzero(own).astype(np.int32)
        n_rows = lead + len(free)
        start = comm.exscan(n_rows) or 0
        # Numbers travel to the ghosts in a float vector: exact below 2^53.
        numbers = fem.Function(region.space).x
        numbers.array[free] = start + lead + np.arange(len(free))
        numbers.scatter_forward()
        index = numbers.array.astype(PETSc.IntType)
        if tied is not None:
            index[tied] = 0
        if present is not None:
            index[~present] = -1
        return cls(region, tied, free, n_rows, index)

    @property
    def comm(self) -> MPI.Intracomm:
        """The communicator."""
        comm: MPI.Intracomm = self.region.mesh.comm
        return comm

    @property
    def _lead(self) -> int:
        return 1 if self.tied is not None and self.comm.rank == 0 else 0

    def vector(self) -> PETSc.Vec:
        """A PETSc vector of the unknowns."""
        return PETSc.Vec().createMPI((self.n_rows, PETSc.DETERMINE), comm=self.comm)

    def matrix(self, columns: "Layout") -> PETSc.Mat:
        """An empty PETSc matrix: rows of this field, columns of another.

        Values enter by local degrees of freedom; the pattern is that of the first assembly.
        """
        sizes = ((self.n_rows, PETSc.DETERMINE), (columns.n_rows, PETSc.DETERMINE))
        matrix = PETSc.Mat().createAIJ(sizes, comm=self.comm)
        rows = PETSc.LGMap().create(self.index, comm=self.comm)
        cols = rows if columns is self else PETSc.LGMap().create(columns.index, comm=self.comm)
        matrix.setLGMap(rows, cols)
        matrix.setUp()
        return matrix

    def gather_rows(self, local: npt.NDArray[np.float64], vector: PETSc.Vec) -> None:
        """Turn contributions per local degree of freedom into rows.

        Args:
            local: Contributions of this rank, ghosts included (added up over ranks).
            vector: Overwritten.
        """
        work = fem.Function(self.region.space).x
        work.array[:] = local
        work.scatter_reverse(la.InsertMode.add)
        rows = vector.array_w
        rows[self._lead :] = work.array[self.free]
        if self.tied is not None:
            own = self.tied[self.tied < self.region.n_owned]
            total = self.comm.allreduce(float(work.array[own].sum()))
            if self._lead:
                rows[0] = total

    def spread(self, vector: PETSc.Vec) -> npt.NDArray[np.float64]:
        """Values of the unknowns at every local degree of freedom, ghosts included."""
        work = fem.Function(self.region.space).x
        rows = vector.array_r
        work.array[self.free] = rows[self._lead :]
        work.scatter_forward()
        if self.tied is not None:
            work.array[self.tied] = self.comm.bcast(float(rows[0]) if self._lead else None, root=0)
        return np.array(work.array, dtype=np.float64)
