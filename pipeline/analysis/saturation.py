"""How lithium is spread over the active volume: histogram of SoL, and the peak at saturation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrode.pipeline.report.fields import volume_histogram

type Floats = NDArray[np.float64]

BINS = 50
NEAR = 0.05
"""SoL below the highest one within which volume counts as saturated."""
_HIGHEST = 0.999


@dataclass(frozen=True, eq=False)
class Lithiation:
    """Active volume by SoL and depth at an instant.

    Attributes:
        sol: Edges of the bins of SoL, float[n + 1].
        depth: Edges of the bins of depth [m], float[m + 1].
        volume: [m³], float[n, m].
    """

    sol: Floats
    depth: Floats
    volume: Floats

    @property
    def density(self) -> Floats:
        """Share of the volume per unit of SoL, float[n]."""
        return np.asarray(self.volume.sum(axis=1) / self.volume.sum() / np.diff(self.sol))

    @property
    def highest(self) -> float:
        """SoL below which 99.9 % of the volume lies."""
        rising = np.cumsum(self.volume.sum(axis=1)) / self.volume.sum()
        return float(np.interp(_HIGHEST, rising, self.sol[1:]))

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """Bins of SoL within `NEAR` of the highest, bool[n]."""
        middle = 0.5 * (self.sol[1:] + self.sol[:-1])
        return np.asarray((middle > self.highest - NEAR) & (middle <= self.highest))

    @property
    def peaks(self) -> bool:
        """Whether volume heaps up there: denser than within `NEAR` below it."""
        middle = 0.5 * (self.sol[1:] + self.sol[:-1])
        below = (middle > self.highest - 2.0 * NEAR) & (middle <= self.highest - NEAR)
        if not below.any():
            return True
        return bool(self.density[self.saturated].mean() > (1.0 + 1e-6) * self.density[below].mean())

    @property
    def share(self) -> float:
        """Share of the volume that is saturated."""
        return float(self.volume[self.saturated].sum() / self.volume.sum())

    @property
    def centre(self) -> float:
        """Mean depth [m] of the saturated volume."""
        middle = 0.5 * (self.depth[1:] + self.depth[:-1])
        along = self.volume[self.saturated].sum(axis=0)
        return float((along * middle).sum() / along.sum())


def lithiation(path: Path, thickness: float, labels: list[int], layers: int = 40) -> Lithiation:
    """Reads the stored SoL.

    Args:
        path: The part `solid` at an instant.
        thickness: Of the volume [m].
        labels: Of the electrode's active phases.
        layers: Bins of depth.
    """
    sol = np.linspace(0.0, 1.0, BINS + 1)
    depth = np.linspace(0.0, thickness, layers + 1)
    return Lithiation(sol, depth, volume_histogram(path, "SoL", sol, depth, labels))
