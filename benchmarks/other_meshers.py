"""One mesh by MMG or fTetWild, in an environment of its own: `other_meshers.py TOOL GIVEN MADE`.

Both get the field whose zero the smooth mesher meshes: MMG on the vertices of a grid of the wanted
spacing, fTetWild as its triangulation by marching cubes. Needs `mmgpy` or `pytetwild`.
"""

import sys
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Made = tuple[Floats, Ints, Ints, float]
"""Points (x, y, z) [voxels], tetrahedra, their phases, processor time [s]."""

# Kuhn's six tetrahedra of a cube by its corners (x, y, z).
CORNERS = np.array([(i, j, k) for k in range(2) for j in range(2) for i in range(2)])
KUHN = np.array(
    [[0, 1, 3, 7], [0, 3, 2, 7], [0, 2, 6, 7], [0, 6, 4, 7], [0, 4, 5, 7], [0, 5, 1, 7]]
)


def grid(shape: tuple[int, ...], size: float) -> tuple[Floats, Ints]:
    """Vertices (x, y, z) and tetrahedra of cubes of about this edge [voxels]."""
    counts = [round(n / size) for n in reversed(shape)]
    axes = [np.linspace(0.0, n, c + 1) for n, c in zip(reversed(shape), counts, strict=True)]
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    strides = np.array([(counts[1] + 1) * (counts[2] + 1), counts[2] + 1, 1])
    cubes = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 3)
    corners = (cubes @ strides)[:, None] + CORNERS @ strides
    return x, corners[:, KUHN].reshape(-1, 4)


def sampled(field: Floats, x: Floats) -> Floats:
    """Trilinear values of a field [z, y, x] at points (x, y, z) [voxels]."""
    from scipy.ndimage import map_coordinates

    found: Floats = map_coordinates(field, (x - 0.5)[:, ::-1].T, order=1, mode="nearest")
    return found


def mmg(given: dict[str, Any]) -> Made:
    """Level-set discretisation, then remeshing at the wanted spacing."""
    import mmgpy

    field, size = given["field"], float(given["size"])
    x, cells = grid(field.shape, size)
    values = np.ascontiguousarray(-sampled(field, x), dtype=np.float64)[:, None]
    start = process_time()
    mesh = mmgpy.MmgMesh3D(x, cells.astype(np.int32))
    mesh.remesh_levelset(values, hsiz=size, hausd=0.1 * size, verbose=-1)
    seconds = process_time() - start
    made, references = mesh.get_tetrahedra_with_refs()
    # MMG marks what is below zero by 3, what is above by 2.
    return mesh.get_vertices(), made, (references.ravel() == 3).astype(np.int64), seconds


def ftetwild(given: dict[str, Any]) -> Made:
    """Everything in the surface's bounding box, its envelope a tenth of the spacing."""
    import pytetwild

    size = float(given["size"])
    points = np.ascontiguousarray(given["points"][:, ::-1], dtype=np.float64)
    extent = np.linalg.norm(points.max(axis=0) - points.min(axis=0))
    start = process_time()
    x, cells = pytetwild.tetrahedralize(
        points,
        np.ascontiguousarray(given["faces"], dtype=np.int32),
        edge_length_abs=size,
        epsilon=0.1 * size / extent,
        num_threads=1,
        disable_filtering=True,
    )
    seconds = process_time() - start
    middle = x[cells].mean(axis=1)
    inside = np.all((middle > 0.0) & (middle < given["field"].shape[::-1]), axis=1)
    phase = sampled(given["field"], middle[inside]) > 0.0
    return x, cells[inside], phase.astype(np.int64), seconds


TOOLS = {"mmg": mmg, "ftetwild": ftetwild}


def main() -> None:
    """Mesh and save."""
    tool, source, target = sys.argv[1:]
    with np.load(source) as given:
        x, cells, phase, cpu = TOOLS[tool](dict(given))
    cells = np.array(cells, dtype=np.int64)
    p = x[cells]
    left = np.linalg.det(p[:, 1:] - p[:, :1]) < 0.0
    cells[left] = cells[left][:, [0, 1, 3, 2]]
    np.savez(target, x=x, cells=cells, phase=phase, cpu=cpu)


if __name__ == "__main__":
    main()
