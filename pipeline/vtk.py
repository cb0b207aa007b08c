"""Unstructured meshes on disk for ParaView and PyVista, by VTK's own writers; no graphics needed.

One rank writes one `.vtu`; several ranks write a piece each, and rank 0 a `.pvtu` that joins them.
A `.pvd` names the files by instant and part.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkDataArray, vtkIdTypeArray, vtkPoints
from vtkmodules.vtkCommonDataModel import (
    VTK_TETRA,
    VTK_TRIANGLE,
    vtkCellArray,
    vtkDataSetAttributes,
    vtkFieldData,
    vtkUnstructuredGrid,
)
from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

from voxtrode.data.errors import VoxtrodeError
from voxtrode.pipeline.communicator import Communicator

type Arrays = Mapping[str, NDArray[Any]]

_CELL_TYPES = {4: VTK_TETRA, 3: VTK_TRIANGLE}
_XML_TYPES = {
    "float64": "Float64",
    "float32": "Float32",
    "int64": "Int64",
    "int32": "Int32",
    "int16": "Int16",
    "int8": "Int8",
    "uint64": "UInt64",
    "uint32": "UInt32",
    "uint16": "UInt16",
    "uint8": "UInt8",
}


def write_part(
    comm: Communicator,
    folder: Path,
    stem: str,
    points: NDArray[np.float64],
    cells: NDArray[np.integer[Any]],
    point_data: Arrays | None = None,
    cell_data: Arrays | None = None,
    field_data: Mapping[str, ArrayLike] | None = None,
) -> Path:
    """Writes a distributed mesh of tetrahedra or triangles with its data; collective.

    A rank may have no cells; its arrays must still have the names, types and numbers of components
    of the other ranks'. Points may be shared between ranks and are then repeated.

    Args:
        comm: The ranks.
        folder: Where to; made if missing.
        stem: File name without its ending.
        points: Vertices (x, y, z) [m] of this rank, float[n, 3].
        cells: Local vertex numbers, int[m, 4] (tetrahedra) or int[m, 3] (triangles).
        point_data: Values at the vertices by name, [n] or [n, components].
        cell_data: Values in the cells by name, [m] or [m, components].
        field_data: Numbers that belong to the mesh as a whole, by name.

    Returns:
        The file to refer to, the same on every rank: `<stem>.vtu`, or `<stem>.pvtu`.

    Raises:
        VoxtrodeError: A file could not be written, or an array does not fit the mesh; on every
            rank.
    """
    alone = comm.size == 1
    piece = folder / (f"{stem}.vtu" if alone else f"{stem}_{comm.rank}.vtu")
    joined = folder / f"{stem}.pvtu"
    fault = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        points_of = {name: _plain(values) for name, values in (point_data or {}).items()}
        cells_of = {name: _plain(values) for name, values in (cell_data or {}).items()}
        grid = _grid(points, cells, points_of, cells_of, field_data or {})
        _write_grid(grid, piece)
        if not alone and comm.rank == 0:
            pieces = [f"{stem}_{rank}.vtu" for rank in range(comm.size)]
            _write_joined(joined, pieces, points_of, cells_of)
    except (OSError, ValueError) as error:  # the other ranks wait below
        fault = f"{piece.name}: {error}"
    faults = [text for text in comm.allgather(fault) if text]
    if faults:
        raise VoxtrodeError(f"{folder}: cannot write {'; '.join(faults)}")
    return piece if alone else joined


def write_pvd(path: Path, entries: Sequence[tuple[float, int, str, Path]]) -> None:
    """Writes a ParaView collection, whole or not at all; on one rank.

    Args:
        path: The `.pvd` file.
        entries: Time [s], number of the part, its name, and its file, one for each instant and
            part.
    """
    root = ElementTree.Element(
        "VTKFile", {"type": "Collection", "version": "1.0", "byte_order": "LittleEndian"}
    )
    collection = ElementTree.SubElement(root, "Collection")
    for time, part, name, file in entries:
        ElementTree.SubElement(
            collection,
            "DataSet",
            {
                "timestep": repr(float(time)),
                "group": "",
                "part": str(int(part)),
                "name": name,
                "file": Path(os.path.relpath(file, path.parent)).as_posix(),
            },
        )
    _write_xml(path, root)


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Contiguous values of a type that VTK has."""
    array = np.ascontiguousarray(values)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.dtype.name not in _XML_TYPES:
        raise ValueError(f"an array of {array.dtype} cannot be written")
    return array


def _grid(
    points: NDArray[np.float64],
    cells: NDArray[np.integer[Any]],
    point_data: Arrays,
    cell_data: Arrays,
    field_data: Mapping[str, ArrayLike],
) -> vtkUnstructuredGrid:
    count, corners = cells.shape
    if points.shape[1:] != (3,):
        raise ValueError(f"points have shape {points.shape}, expected (n, 3)")
    if count and not 0 <= int(cells.min()) <= int(cells.max()) < len(points):
        raise ValueError(f"cells name points outside 0 to {len(points) - 1}")
    places = vtkPoints()
    places.SetData(_array(np.ascontiguousarray(points, dtype=np.float64)))
    connectivity = vtkCellArray()
    offsets = np.arange(count + 1, dtype=np.int64) * corners
    connectivity.SetData(_indices(offsets), _indices(np.ascontiguousarray(cells, np.int64).ravel()))
    grid = vtkUnstructuredGrid()
    grid.SetPoints(places)
    grid.SetCells(_CELL_TYPES[corners], connectivity)
    _add(grid.GetPointData(), point_data, len(points))
    _add(grid.GetCellData(), cell_data, count)
    numbers = {name: _plain(np.atleast_1d(value)) for name, value in field_data.items()}
    _add(grid.GetFieldData(), numbers, None)
    return grid


def _add(target: vtkDataSetAttributes | vtkFieldData, arrays: Arrays, rows: int | None) -> None:
    for name, values in arrays.items():
        if rows is not None and len(values) != rows:
            raise ValueError(f"{name} has {len(values)} rows, expected {rows}")
        array = _array(values)
        array.SetName(name)
        target.AddArray(array)


def _array(values: NDArray[Any]) -> vtkDataArray:
    array: vtkDataArray = numpy_to_vtk(values, deep=1)  # type: ignore[no-untyped-call]
    return array


def _indices(values: NDArray[np.int64]) -> vtkIdTypeArray:
    array: vtkIdTypeArray = numpy_to_vtkIdTypeArray(values, deep=1)  # type: ignore[no-untyped-call]
    return array


def _write_grid(grid: vtkUnstructuredGrid, path: Path) -> None:
    writer = vtkXMLUnstructuredGridWriter()
    writer.SetFileName(str(path))
    writer.SetHeaderTypeToUInt64()
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    writer.SetCompressorTypeToZLib()
    writer.SetInputData(grid)
    if writer.Write() != 1 or writer.GetErrorCode() != 0:
        raise OSError("VTK's writer failed (no space left, or no right to write?)")


def _write_joined(path: Path, pieces: Sequence[str], point_data: Arrays, cell_data: Arrays) -> None:
    root = ElementTree.Element(
        "VTKFile", {"type": "PUnstructuredGrid", "version": "1.0", "byte_order": "LittleEndian"}
    )
    grid = ElementTree.SubElement(root, "PUnstructuredGrid", {"GhostLevel": "0"})
    _declare(ElementTree.SubElement(grid, "PPointData"), point_data)
    _declare(ElementTree.SubElement(grid, "PCellData"), cell_data)
    places = ElementTree.SubElement(grid, "PPoints")
    ElementTree.SubElement(places, "PDataArray", {"type": "Float64", "NumberOfComponents": "3"})
    for piece in pieces:
        ElementTree.SubElement(grid, "Piece", {"Source": piece})
    _write_xml(path, root)


def _declare(parent: ElementTree.Element, arrays: Arrays) -> None:
    for name, values in arrays.items():
        components = values.shape[1] if values.ndim > 1 else 1
        ElementTree.SubElement(
            parent,
            "PDataArray",
            {
                "type": _XML_TYPES[values.dtype.name],
                "Name": name,
                "NumberOfComponents": str(components),
            },
        )


def _write_xml(path: Path, root: ElementTree.Element) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.indent(root)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    ElementTree.ElementTree(root).write(beside, encoding="utf-8", xml_declaration=True)
    beside.replace(path)
