"""What an effective conductivity can be, whatever the arrangement of the phases."""

from collections.abc import Sequence

import numpy as np

from voxtrode.data.errors import NumericalError


def wiener(conductivity: Sequence[float], amounts: Sequence[float]) -> tuple[float, float]:
    """Bounds for any arrangement: layers in series, and in parallel.

    O. Wiener, Abh. Sächs. Ges. Wiss. 32 (1912) 509.

    Args:
        conductivity: Of the phases, above zero.
        amounts: Their volume fractions; what is missing to 1 insulates.
    """
    k, share = np.asarray(conductivity), np.asarray(amounts)
    lower = float(1.0 / (share @ (1.0 / k))) if share.sum() > 1.0 - 1e-12 else 0.0
    return lower, float(share @ k)


def hashin_shtrikman(
    conductivity: Sequence[float], amounts: Sequence[float]
) -> tuple[float, float]:
    """Bounds for isotropic arrangements in three dimensions.

    Z. Hashin, S. Shtrikman, J. Appl. Phys. 33 (1962) 3125: (Σ φ_i/(k_i + 2 k))⁻¹ − 2 k with the
    smallest and the largest conductivity as k.

    Args:
        conductivity, amounts: As in `wiener`.
    """
    rest = max(1.0 - sum(amounts), 0.0)
    k = np.append(conductivity, [0.0] if rest > 1e-12 else [])
    share = np.append(amounts, [rest] if rest > 1e-12 else [])
    if len(k) == 0:
        return 0.0, 0.0
    ends = []
    for reference in (float(k.min()), float(k.max())):
        if reference == 0.0:
            ends.append(0.0)
            continue
        ends.append(float(1.0 / (share @ (1.0 / (k + 2.0 * reference)))) - 2.0 * reference)
    return ends[0], ends[1]


def check_wiener(
    ratio: float,
    conductivity: Sequence[float],
    amounts: Sequence[float],
    tolerance: float,
    engine: str = "voxel",
) -> None:
    """Refuse an effective conductivity that no arrangement of the phases has.

    Args:
        ratio: The effective conductivity.
        conductivity: Of the phases.
        amounts: Their volume fractions; what is missing to 1 insulates.
        tolerance: Relative error allowed for.
        engine: Which one found it.

    Raises:
        NumericalError: Outside the bounds.
    """
    lower, upper = wiener(conductivity, amounts)
    if not lower * (1.0 - tolerance) <= ratio <= upper * (1.0 + tolerance):
        raise NumericalError(
            f"{engine} transport: effective conductivity {ratio:.6g} is outside Wiener's bounds "
            f"{lower:.6g} … {upper:.6g}; report it with the volume"
        )
