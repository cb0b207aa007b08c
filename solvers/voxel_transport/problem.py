"""From a labelled volume to the phases and conductances of one transport problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError
from voxtrode.solvers.voxel_transport.line import Line
from voxtrode.solvers.voxel_transport.percolation import BOTH, spanning
from voxtrode.solvers.voxel_transport.slab import Slab
from voxtrode.solvers.voxel_transport.storage import Exact, Mask, Table

Labels = NDArray[np.uint8]
Inside = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Problem:
    """A masked grid with u = 1 before the first layer along an axis and u = 0 after the last.

    Attributes:
        table: Of the layers at hand: the phase of each cell, with one ghost layer around: 0
            insulates, 1 … P conduct, P + 1 (in ghosts only) is the electrode at an end face, half a
            voxel from the last centre; and the conductance of a face by axis and the phases beside
            it, in units in which the best conductor's face normal to the axis has 1.
        slab: Where these layers lie in the volume.
        axis: 0, 1, 2 for z, y, x.
        unit: D_eff/D₀ of the volume per unit of total flux.
        conductivity: Of the phases 1 … P, in units of D₀.
        amounts: Voxels kept of the phases 1 … P, over all voxels.
        fraction: Σ φ_i ε_i over all that conducts.
        percolating_fraction: The same over what hangs together from face to face.
        isolated_share: Share of the conducting voxels without a path between the faces.
    """

    table: Table
    slab: Slab
    axis: int
    unit: float
    conductivity: tuple[float, ...]
    amounts: tuple[float, ...]
    fraction: float
    percolating_fraction: float
    isolated_share: float

    @property
    def exact(self) -> Exact:
        """The operator in double precision."""
        if len(self.conductivity) > 1:
            return self.table
        return Mask(self.table.phase, np.ascontiguousarray(self.table.values[:, 1, 1]))


def create_problem(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str,
    periodic: Sequence[str],
    line: Line,
    ends: tuple[bool, bool] = BOTH,
) -> Problem:
    """Take out what hangs nowhere, and set up the conductances.

    Args:
        labels: Of the layers at hand.
        voxel, inside, axis, periodic: As checked by `check`.
        line: Where these layers lie.
        ends: Which end faces are electrodes; what hangs on none of them is taken out.
    """
    # Labels of equal conductivity are one phase.
    conductivity = tuple(sorted({k for _, k in inside.values() if k > 0.0}, reverse=True))
    direction = AXES.index(axis)
    shape = (line.starts[-1], labels.shape[1], labels.shape[2])
    # One layer is its own neighbour across the sides: no difference, no flux.
    wrap = [name in periodic and n > 1 for name, n in zip(AXES, shape, strict=True)]
    slab = Slab((wrap[0], wrap[1], wrap[2]), line)
    code = np.zeros(256, dtype=np.uint8)
    for label, (_, k) in inside.items():
        code[label] = 1 + conductivity.index(k) if k > 0.0 else 0
    phase = np.zeros([n + 2 for n in labels.shape], dtype=np.uint8)
    inner = phase[1:-1, 1:-1, 1:-1]
    inner[:] = code[labels]
    inner *= spanning(inner != 0, direction, slab, ends)
    counts = slab.added(_counts(labels, inner, inside)) / np.prod(shape)
    _fill_ghosts(phase, direction, slab, len(conductivity) + 1, ends)
    carried = np.array([share for share, _ in inside.values()])
    used = np.array([k > 0.0 for _, k in inside.values()], dtype=bool)
    before, after = np.where(used, counts, 0.0)
    edges = np.asarray(voxel) / voxel[direction]
    area = float(np.prod(edges * shape)) / shape[direction]
    of_phase = [
        sum(a for a, (_, k) in zip(after, inside.values(), strict=True) if k == one)
        for one in conductivity
    ]
    return Problem(
        Table(phase, _table(conductivity, edges)),
        slab,
        direction,
        max(conductivity, default=0.0) * float(np.prod(edges)) * shape[direction] / area,
        conductivity,
        tuple(map(float, of_phase)),
        float(carried @ before),
        float(carried @ after),
        1.0 - float(after.sum() / before.sum()) if before.any() else 0.0,
    )


def _counts(labels: Labels, kept: NDArray[np.uint8], inside: Inside) -> NDArray[np.float64]:
    """Voxels of each label, and those kept of them; float64[2, labels of `inside`]."""
    result = np.zeros((2, len(inside)))
    for layer, here in zip(labels, kept, strict=True):
        for i, label in enumerate(inside):
            mask = layer == label
            result[0, i] += np.count_nonzero(mask)
            result[1, i] += np.count_nonzero(mask & (here != 0))
    return result


def _fill_ghosts(
    phase: NDArray[np.uint8],
    direction: int,
    slab: Slab,
    electrode: int,
    charged: tuple[bool, bool],
) -> None:
    slab.fill(phase)
    first, last = slab.ends(direction)
    ends = np.moveaxis(phase, direction, 0)
    if first and charged[0]:
        ends[0] = electrode
    if last and charged[1]:
        ends[-1] = electrode


def _table(conductivity: Sequence[float], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Harmonic means between phases, 2 k of a phase before an electrode, 0 before an insulator."""
    k = np.asarray(conductivity, dtype=np.float64) / max(conductivity, default=1.0)
    single = np.zeros((len(k) + 2, len(k) + 2))
    single[1:-1, 1:-1] = 2.0 / (1.0 / k[:, None] + 1.0 / k)
    single[-1, 1:-1] = single[1:-1, -1] = 2.0 * k
    return np.asarray(single / edges[:, None, None] ** 2)


def check(
    labels: Labels,
    voxel: Sequence[float],
    inside: Inside,
    axis: str,
    periodic: Sequence[str],
) -> None:
    """Refuse what makes no problem.

    Raises:
        InputError: On an unusable argument.
    """
    if labels.ndim != 3 or labels.dtype != np.uint8 or 0 in labels.shape[1:]:
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
