"""The stored fields of a run, read piece by piece by VTK's readers: slices and depth profiles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkDataSetAttributes, vtkPlane, vtkUnstructuredGrid
from vtkmodules.vtkFiltersCore import vtkCutter
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FieldSeries:
    """What a collection names.

    Attributes:
        times: Stored instants [s], rising.
        files: File of each part at each instant: `files[time][part]`.
    """

    times: tuple[float, ...]
    files: dict[float, dict[str, Path]]

    def has(self, part: str) -> bool:
        """Whether a part is there at every instant."""
        return bool(self.times) and all(part in self.files[time] for time in self.times)

    def nearest(self, time: float) -> float:
        """The stored instant nearest to a time [s]."""
        return min(self.times, key=lambda stored: abs(stored - time))


@dataclass(frozen=True, eq=False)
class Slice:
    """A field on a plane.

    Attributes:
        points: Places in the plane (z, in-plane) [m], float[n, 2].
        triangles: Point numbers, int[m, 3].
        values: The field at the points, float[n].
        labels: Label of the phase of each triangle, int[m]; -1 where the file does not say.
    """

    points: Floats
    triangles: NDArray[np.int64]
    values: Floats
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Profile:
    """In-plane statistics of a field over depth.

    Attributes:
        depth: Middle of each bin [m].
        mean, std: Mean and standard deviation by volume; NaN in an empty bin.
    """

    depth: Floats
    mean: Floats
    std: Floats


def read_series(path: Path) -> FieldSeries:
    """What a `.pvd` file names; nothing where it is missing or torn."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return FieldSeries((), {})
    files: dict[float, dict[str, Path]] = {}
    for entry in root.iter("DataSet"):
        time = float(entry.get("timestep", "0"))
        files.setdefault(time, {})[entry.get("name", "")] = path.parent / entry.get("file", "")
    return FieldSeries(tuple(sorted(files)), files)


def slice_part(path: Path, name: str, axis: int, place: float) -> Slice:
    """A point field of a part on the plane `x[axis] = place`.

    Args:
        path: The `.vtu` or `.pvtu` file.
        name: Name of the field.
        axis: 0 (x) or 1 (y): the normal of the plane.
        place: Where the plane lies [m].
    """
    plane = vtkPlane()
    plane.SetNormal(*(1.0 if k == axis else 0.0 for k in range(3)))
    plane.SetOrigin(*(place if k == axis else 0.0 for k in range(3)))
    points, triangles, values = [np.empty((0, 3))], [np.empty((0, 3), np.int64)], [np.empty(0)]
    labels = [np.empty(0, np.int64)]
    count = 0
    for grid in _pieces(path):
        cutter = vtkCutter()
        cutter.SetCutFunction(plane)
        cutter.GenerateTrianglesOn()
        cutter.SetInputData(grid)
        cutter.Update()
        cut = cutter.GetOutput()
        if cut.GetNumberOfPolys() == 0:
            continue
        points.append(_numpy(cut.GetPoints().GetData()))
        triangles.append(_numpy(cut.GetPolys().GetConnectivityArray()).reshape(-1, 3) + count)
        values.append(_values(cut.GetPointData(), name))
        labels.append(_labels(cut.GetCellData(), len(triangles[-1])))
        count += len(points[-1])
    across = 1 - axis
    return Slice(
        np.concatenate(points)[:, [2, across]],
        np.concatenate(triangles),
        np.concatenate(values),
        np.concatenate(labels),
    )


def holds(path: Path, name: str) -> bool:
    """Whether a part has a point field, wherever it has cells."""
    for piece in _piece_files(path):
        reader = vtkXMLUnstructuredGridReader()
        reader.SetFileName(str(piece))
        reader.UpdateInformation()
        count = reader.GetNumberOfPointArrays()
        if count:
            return name in (reader.GetPointArrayName(k).split(" [")[0] for k in range(count))
    return False


def depth_profile(path: Path, name: str, bins: Floats) -> Profile:
    """In-plane mean and standard deviation of a point field of a part, weighted by volume.

    A tetrahedron counts, with the mean of its vertices, where its centroid lies; the deviation is
    that of the vertex quadrature. One with a vertex where the field is not defined (NaN: no salt
    in a solid electrolyte) is left out.

    Args:
        path: The `.vtu` or `.pvtu` file.
        name: Name of the field.
        bins: Edges of the bins along z [m], rising.
    """
    count = len(bins) - 1
    sums = np.zeros((3, count))
    for grid in _pieces(path):
        points = _numpy(grid.GetPoints().GetData())
        cells = _numpy(grid.GetCells().GetConnectivityArray()).reshape(-1, 4)
        corners = points[cells]
        volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
        values = _values(grid.GetPointData(), name)[cells]
        place = np.searchsorted(bins, corners[:, :, 2].mean(axis=1)) - 1
        inside = (place >= 0) & (place < count) & np.isfinite(values).all(axis=1)
        moments = (volume, volume * values.mean(1), volume * (values**2).mean(1))
        sums += [np.bincount(place[inside], m[inside], minlength=count) for m in moments]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[1] / sums[0]
        std = np.sqrt(np.maximum(sums[2] / sums[0] - mean**2, 0.0))
    return Profile(0.5 * (bins[1:] + bins[:-1]), mean, std)


def volume_histogram(
    path: Path, name: str, values: Floats, depths: Floats, labels: Sequence[int]
) -> Floats:
    """Volume [m³] of a part by the value of a point field and by depth, float[values, depths].

    A quarter of each tetrahedron counts at each of its vertices, at the depth of its centroid.
    Values beyond the outermost edges count in the outermost bins.

    Args:
        path: The `.vtu` or `.pvtu` file.
        name: Name of the field.
        values: Edges of bins of the field, rising, n + 1 of them.
        depths: Edges of bins along z [m], rising, m + 1 of them.
        labels: Phases that count.
    """
    shape = len(values) - 1, len(depths) - 1
    result = np.zeros(shape)
    for grid in _pieces(path):
        points = _numpy(grid.GetPoints().GetData())
        cells = _numpy(grid.GetCells().GetConnectivityArray()).reshape(-1, 4)
        cells = cells[np.isin(_labels(grid.GetCellData(), len(cells)), [*labels, -1])]
        corners = points[cells]
        volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 24.0
        field = _values(grid.GetPointData(), name)[cells]
        row = np.clip(np.searchsorted(values, field) - 1, 0, shape[0] - 1)
        column = np.clip(
            np.searchsorted(depths, corners[:, :, 2].mean(axis=1)) - 1, 0, shape[1] - 1
        )
        np.add.at(result, (row, column[:, None]), volume[:, None])
    return result


def vertex_values(path: Path, name: str, most: int = 2_000_000) -> tuple[Floats, Floats]:
    """Vertices (x, y, z) [m] of a part and a point field there, thinned to about `most` of them."""
    points, values = [np.empty((0, 3))], [np.empty(0)]
    share = most // len(_piece_files(path))
    for grid in _pieces(path):
        step = max(1, -(-grid.GetNumberOfPoints() // share))
        points.append(_numpy(grid.GetPoints().GetData())[::step].copy())
        values.append(_values(grid.GetPointData(), name)[::step].copy())
    return np.concatenate(points), np.concatenate(values)


def _pieces(path: Path) -> Iterator[vtkUnstructuredGrid]:
    """The non-empty pieces of a part, one in memory at a time."""
    for piece in _piece_files(path):
        reader = vtkXMLUnstructuredGridReader()
        reader.SetFileName(str(piece))
        reader.Update()
        grid = reader.GetOutput()
        if grid.GetNumberOfCells() > 0:
            yield grid


def _piece_files(path: Path) -> Sequence[Path]:
    if path.suffix != ".pvtu":
        return [path]
    pieces = ElementTree.parse(path).getroot().iter("Piece")
    return [path.parent / piece.get("Source", "") for piece in pieces]


def _numpy(array: Any) -> NDArray[Any]:
    values: NDArray[Any] = vtk_to_numpy(array)  # type: ignore[no-untyped-call]
    return values


def _labels(data: vtkDataSetAttributes, count: int) -> NDArray[np.int64]:
    if not data.HasArray("Phase"):
        return np.full(count, -1)
    return np.asarray(_numpy(data.GetArray("Phase")), dtype=np.int64)


def _values(data: vtkDataSetAttributes, name: str) -> Floats:
    """A field by its name, with or without a unit behind it."""
    names = [str(data.GetArrayName(k)) for k in range(data.GetNumberOfArrays())]
    found = next((full for full in names if full.split(" [")[0] == name), None)
    if found is None:
        raise KeyError(f"no field {name} among {', '.join(names)}")
    return np.asarray(_numpy(data.GetArray(found)), dtype=np.float64)
