"""From a labelled volume to the phases and conductances of one transport problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from voxtrode.data.connectivity import AXES, Ids, Labeller, Mask, scipy_label
from voxtrode.data.errors import InputError
from voxtrode.solvers.voxel_transport.slab import Slab

Labels = NDArray[np.uint8]
Inside = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Problem:
    """A masked grid with u = 1 before the first layer along an axis and u = 0 after the last.

    Attributes:
        phase: uint8[z, y, x] with one ghost layer around: 0 insulates, 1 … P conduct, P + 1 (in
            ghosts only) is the electrode at an end face, half a voxel from the last centre.
        table: Conductance of a face, float64[3, P + 2, P + 2], by axis and the phases beside it;
            in units in which the best conductor's face normal to the axis has 1.
        axis: 0, 1, 2 for z, y, x.
        unit: D_eff/D₀ of the volume per unit of total flux.
        periodic: Which axes are periodic.
        conductivity: Of the phases 1 … P, in units of D₀.
        amounts: Voxels kept of the phases 1 … P, over all voxels.
        fraction: Σ φ_i ε_i over all that conducts.
        percolating_fraction: The same over what hangs together from face to face.
        isolated_share: Share of the conducting voxels without a path between the faces.
    """

    phase: NDArray[np.uint8]
    table: NDArray[np.float64]
    axis: int
    unit: float
    periodic: tuple[bool, bool, bool]
    conductivity: tuple[float, ...]
    amounts: tuple[float, ...]
    fraction: float
    percolating_fraction: float
    isolated_share: float


def create_problem(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str,
    periodic: Sequence[str],
) -> Problem:
    """Check the input, take out what hangs nowhere, and set up the conductances.

    Raises:
        InputError: On an unusable argument.
    """
    _check(labels, voxel, inside, axis, periodic)
    values = [label for label, (_, conductivity) in inside.items() if conductivity > 0.0]
    conductivity = tuple(inside[label][1] for label in values)
    direction = AXES.index(axis)
    # One layer is its own neighbour across the sides: no difference, no flux.
    nz, ny, nx = labels.shape
    wrapped = ("z" in periodic and nz > 1, "y" in periodic and ny > 1, "x" in periodic and nx > 1)
    code = np.zeros(256, dtype=np.uint8)
    code[values] = np.arange(1, len(values) + 1)
    phase = np.zeros([n + 2 for n in labels.shape], dtype=np.uint8)
    inner = phase[1:-1, 1:-1, 1:-1]
    inner[:] = code[labels]
    before = _amounts(inner, len(values))
    inner *= spanning(inner != 0, direction, wrapped)
    after = _amounts(inner, len(values))
    carried = np.array([inside[label][0] for label in values])
    _fill_ghosts(phase, direction, wrapped, len(values) + 1)
    edges = np.asarray(voxel) / voxel[direction]
    layers = labels.shape[direction]
    area = float(np.prod(edges)) * labels.size / layers
    return Problem(
        phase,
        _table(conductivity, edges, direction),
        direction,
        max(conductivity, default=0.0) * float(np.prod(edges)) * layers / area,
        wrapped,
        conductivity,
        tuple(after),
        float(carried @ before),
        float(carried @ after),
        1.0 - float(after.sum() / before.sum()) if before.any() else 0.0,
    )


def spanning(
    mask: Mask, direction: int, periodic: Sequence[bool], label: Labeller = scipy_label
) -> Mask:
    """The parts of a mask, connected by faces, that touch both end faces along an axis.

    Args:
        mask: bool[z, y, x].
        direction: The axis.
        periodic: Which axes are periodic: parts hang together across their sides too.
        label: Labels the face-connected components of a mask.
    """
    ids, count = label(mask)
    merged = _across_sides(ids, count, periodic)
    touches = np.ones(count + 1, dtype=bool)
    for layer in (0, -1):
        here = np.zeros(count + 1, dtype=bool)
        here[merged[np.take(ids, layer, axis=direction)]] = True
        touches &= here
    touches[merged[0]] = False
    return np.asarray(touches[merged][ids])


def _across_sides(ids: Ids, count: int, periodic: Sequence[bool]) -> NDArray[np.int32]:
    """By component, one name for all that hangs together across periodic sides."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for axis in np.flatnonzero(periodic):
        pair = np.stack([np.take(ids, layer, axis=axis).ravel() for layer in (0, -1)], axis=1)
        pairs.append(pair[(pair != 0).all(axis=1)])
    start, end = np.concatenate(pairs).T
    ones = np.ones(len(start), dtype=np.int8)
    graph = sparse.coo_matrix((ones, (start, end)), shape=(count + 1, count + 1))
    return np.asarray(connected_components(graph, directed=False)[1])


def _amounts(phase: NDArray[np.uint8], count: int) -> NDArray[np.float64]:
    """Volume fractions of the phases 1 … count."""
    voxels = [np.count_nonzero(phase == value) for value in range(1, count + 1)]
    return np.array(voxels, dtype=np.float64) / phase.size


def _fill_ghosts(
    phase: NDArray[np.uint8], direction: int, periodic: tuple[bool, bool, bool], electrode: int
) -> None:
    Slab(periodic).fill(phase)
    ends = np.moveaxis(phase, direction, 0)
    ends[0] = ends[-1] = electrode


def _table(
    conductivity: Sequence[float], edges: NDArray[np.float64], direction: int
) -> NDArray[np.float64]:
    """Harmonic means between phases, 2 k of a phase before an electrode, 0 before an insulator."""
    k = np.asarray(conductivity, dtype=np.float64) / max(conductivity, default=1.0)
    single = np.zeros((len(k) + 2, len(k) + 2))
    single[1:-1, 1:-1] = 2.0 / (1.0 / k[:, None] + 1.0 / k)
    single[-1, 1:-1] = single[1:-1, -1] = 2.0 * k
    return np.asarray(single / edges[:, None, None] ** 2)


def _check(
    labels: Labels,
    voxel: Sequence[float],
    inside: Inside,
    axis: str,
    periodic: Sequence[str],
) -> None:
    if labels.ndim != 3 or labels.size == 0 or labels.dtype != np.uint8:
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}: give a non-empty uint8[z, y, x]"
        )
    if len(voxel) != 3 or not all(np.isfinite(edge) and edge > 0.0 for edge in voxel):
        raise InputError(f"voxel edges {tuple(voxel)}: give three positive lengths (z, y, x)")
    if axis not in AXES:
        raise InputError(f"axis '{axis}' is unknown: give one of {', '.join(AXES)}")
    for name in periodic:
        if name not in AXES or name == axis:
            raise InputError(
                f"axis '{name}' cannot be periodic for transport along {axis}: name the other axes"
            )
    for label, values in inside.items():
        if not 0 <= label <= 255:
            raise InputError(f"label {label} is outside 0 … 255: name labels of the volume")
        if not all(np.isfinite(value) and value >= 0.0 for value in values):
            raise InputError(
                f"label {label} carries {values}: give a share and a conductivity, neither negative"
            )
