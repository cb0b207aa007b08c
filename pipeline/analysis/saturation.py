"""How lithium is spread over the active volume: histogram of SoL, and the peak at saturation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrode.pipeline.report.fields import volume_histogram

type Floats = NDArray[np.float64]

BINS = 50
NEAR = 0.05
"""SoL from the furthest one within which volume counts as saturated."""
_FURTHEST = 0.999


@dataclass(frozen=True, eq=False)
class Lithiation:
    """Active volume by SoL and depth at an instant.

    Attributes:
        sol: Edges of the bins of SoL, float[n + 1].
        depth: Edges of the bins of depth [m], float[m + 1].
        volume: [m³], float[n, m].
        fills: Whether SoL rises: the furthest SoL is then the highest, else the lowest.
    """

    sol: Floats
    depth: Floats
    volume: Floats
    fills: bool = True

    @property
    def density(self) -> Floats:
        """Share of the volume per unit of SoL, float[n]."""
        return np.asarray(self.volume.sum(axis=1) / self.volume.sum() / np.diff(self.sol))

    @property
    def _towards(self) -> Floats:
        """Middles of the bins [SoL], counted from the end that the electrode comes from."""
        middle = 0.5 * (self.sol[1:] + self.sol[:-1])
        return middle if self.fills else 1.0 - middle

    @property
    def furthest(self) -> float:
        """SoL that 99.9 % of the volume has not passed."""
        amount = self.volume.sum(axis=1)
        if self.fills:
            rising = np.cumsum(amount) / amount.sum()
            return float(np.interp(_FURTHEST, rising, self.sol[1:]))
        rising = np.cumsum(amount[::-1]) / amount.sum()
        return float(np.interp(_FURTHEST, rising, self.sol[:-1][::-1]))

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """Bins of SoL within `NEAR` of the furthest, bool[n]."""
        return self._within(0.0)

    def _within(self, below: float) -> NDArray[np.bool_]:
        end = (self.furthest if self.fills else 1.0 - self.furthest) - below
        return np.asarray((self._towards > end - NEAR) & (self._towards <= end))

    @property
    def peaks(self) -> bool:
        """Whether volume heaps up there: denser than within `NEAR` before it."""
        before = self._within(NEAR)
        if not before.any():
            return True
        return bool(
            self.density[self.saturated].mean() > (1.0 + 1e-6) * self.density[before].mean()
        )

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


def lithiation(
    path: Path, thickness: float, labels: list[int], fills: bool, layers: int = 40
) -> Lithiation:
    """Reads the stored SoL.

    Args:
        path: The part `solid` at an instant.
        thickness: Of the volume [m].
        labels: Of the electrode's active phases.
        fills: Whether its SoL rises.
        layers: Bins of depth.
    """
    sol = np.linspace(0.0, 1.0, BINS + 1)
    depth = np.linspace(0.0, thickness, layers + 1)
    return Lithiation(sol, depth, volume_histogram(path, "SoL", sol, depth, labels), fills)
