"""Effective transport by TauFactor's own package, to compare with; an extra of this package.

S. J. Cooper et al., *TauFactor*, SoftwareX 5 (2016) 203; S. Kench, I. Squires, S. Cooper,
*TauFactor 2*, J. Open Source Softw. 8 (2023) 5358. It holds the whole volume in one process, on a
GPU where there is one: a yardstick for volumes that fit, not a way to large ones.
"""

from dataclasses import dataclass
from importlib import import_module
from math import inf
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import AXES
from voxtrode.data.errors import InputError, NumericalError
from voxtrode.solvers.bounds import check_wiener
from voxtrode.solvers.voxel_transport.line import Alone
from voxtrode.solvers.voxel_transport.percolation import spanning
from voxtrode.solvers.voxel_transport.problem import Inside, Labels, check
from voxtrode.solvers.voxel_transport.slab import Slab

MAX_ITERATIONS = 20_000
ROUNDING = 1e-3
"""By how much single precision may leave Wiener's bounds."""


@dataclass(frozen=True)
class TauFactorTransport:
    """Effective transport along one axis; the fields are those of `VoxelTransport`.

    Attributes:
        axis: ``z``, ``y`` or ``x``.
        fraction: Volume fraction that carries: Σ φ_i ε_i.
        percolating_fraction: The same over what is connected to both end faces.
        effective_ratio: D_eff/D₀; 0 without a path.
        tortuosity_factor: fraction/effective_ratio; infinite without a path.
        flux_imbalance: (max − min)/max of the flux over inner planes, as TauFactor stops on it, in
            single precision.
        wall_s: Wall time [s].
    """

    axis: str
    fraction: float
    percolating_fraction: float
    effective_ratio: float
    tortuosity_factor: float
    flux_imbalance: float
    wall_s: float
    method: str = "taufactor"


def require_taufactor() -> ModuleType:
    """TauFactor's package.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module("taufactor")
    except ImportError as error:
        raise InputError(
            f"transport.methods: TauFactor cannot be loaded ({error}); install it with"
            " `pip install 'voxtrode[taufactor]'`, or leave taufactor out"
        ) from None


def taufactor_transport(
    labels: Labels,
    voxel: tuple[float, float, float],
    inside: Inside,
    axis: str,
    *,
    tolerance: float = 1e-3,
) -> TauFactorTransport:
    """Effective transport between the end faces, no flux through the sides.

    Args:
        labels, voxel, inside, axis: As of `voxel_transport`; the whole volume, cubic voxels.
        tolerance: TauFactor's criterion of convergence.

    Raises:
        InputError: TauFactor is not installed, or the voxels are no cubes.
        NumericalError: Not converged, or a result outside Wiener's bounds.
    """
    package = require_taufactor()
    check(labels, voxel, inside, axis, ())
    if max(voxel) > min(voxel) * (1.0 + 1e-6):
        raise InputError(f"TauFactor takes cubic voxels, these are {voxel}: use method voxel")
    start = perf_counter()
    used = {label: values for label, values in inside.items() if values[1] > 0.0}
    alone = Slab((False, False, False), Alone((0, len(labels))))
    kept = spanning(np.isin(labels, list(used)), AXES.index(axis), alone)
    counts = {label: int(np.count_nonzero(labels == label)) / labels.size for label in used}
    fraction = sum(counts[label] * share for label, (share, _) in used.items())
    percolating = sum(
        int(np.count_nonzero(kept & (labels == label))) / labels.size * share
        for label, (share, _) in used.items()
    )
    if percolating == 0.0:
        return TauFactorTransport(axis, fraction, 0.0, 0.0, inf, 0.0, perf_counter() - start)
    turned = np.ascontiguousarray(np.moveaxis(labels, AXES.index(axis), 0))
    solver = _solver(package, turned, used)
    solver.solve(iter_limit=MAX_ITERATIONS, verbose=False, conv_crit=tolerance)
    if not solver.converged:
        raise NumericalError(
            f"TauFactor did not reach {tolerance:g} in {MAX_ITERATIONS} iterations along {axis}; "
            "raise transport.tolerance, or use method voxel"
        )
    ratio = float(np.ravel(solver.D_eff)[0])
    check_wiener(ratio, [k for _, k in used.values()], list(counts.values()), ROUNDING, "TauFactor")
    error = float(np.ravel(solver.compute_metrics()[1])[0])
    wall = perf_counter() - start
    return TauFactorTransport(axis, fraction, percolating, ratio, fraction / ratio, error, wall)


def _solver(package: ModuleType, labels: NDArray[np.uint8], used: Inside) -> Any:
    torch = import_module("torch")  # comes with TauFactor
    device = "cuda" if torch.cuda.is_available() else "cpu"
    conductivities = {k for _, k in used.values()}
    if len(conductivities) == 1:
        image = np.isin(labels, list(used)).astype(np.uint8)
        return package.Solver(image, D_0=conductivities.pop(), device=device)
    # Its label 0 insulates: labels are counted from one.
    code = np.zeros(256, dtype=np.uint8)
    code[list(used)] = np.arange(1, len(used) + 1)
    values = {i: k for i, (_, k) in enumerate(used.values(), start=1)}
    return package.MultiPhaseSolver(code[labels], values, device=device)
