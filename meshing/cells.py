"""A tagged tetrahedral mesh as plain arrays, in blocks across ranks: what a mesher hands over."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ELECTRONIC, IONIC, ACTIVE = 1, 2, 4
"""Bits of ``MeshBlock.alive``: takes part as electron conductor, ion conductor, active material."""


@dataclass(frozen=True)
class MeshBlock:
    """This rank's rows of the global mesh arrays; no row is held twice.

    Attributes:
        x: Vertex coordinates [µm] in the order (x, y, z), shape ``(vertices, 3)``. The global
            number of a vertex is its row over all ranks.
        cells: Global vertex numbers, shape ``(cells, 4)``.
        phase: Phase label of each cell; the separator's is the last one.
        particle: Particle id of each cell, 0 for none.
        alive: Bits ``ELECTRONIC | IONIC | ACTIVE`` of each cell.
        normal: Direction of the smoothed surface [any length] in the order (x, y, z), shape
            ``(cells, 3)``; zero where facets carry no weight.
    """

    x: npt.NDArray[np.float64]
    cells: npt.NDArray[np.int64]
    phase: npt.NDArray[np.int32]
    particle: npt.NDArray[np.int32]
    alive: npt.NDArray[np.uint8]
    normal: npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeshInfo:
    """What is known about the whole mesh; equal on every rank.

    Attributes:
        phases: Phase names by label, ``separator`` last.
        vertices: Number of vertices.
        cells: Number of cells.
        thickness: Electrode thickness [m].
        height: Thickness of electrode and separator [m].
        area: In-plane area [m²].
        facet_scale: Factor on the facet weights of an interface, by ``"active|ionic"`` names;
            1 where absent.
    """

    phases: tuple[str, ...]
    vertices: int
    cells: int
    thickness: float
    height: float
    area: float
    facet_scale: Mapping[str, float]
