"""Where diffusion in the particles limits: the depth limited by solid-state transport (SST).

In a bin of depth the particles' spread of SoL is compared with that of a ball of the same material,
mean SoL and current per active volume in a uniform electrolyte. Where it is as large, the particles
take all they can, and diffusion inside them limits; where it is smaller they are not reached
(docs/analysis.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from voxtrode.data.law import stoichiometry_at
from voxtrode.data.radial import Radial
from voxtrode.pipeline.build import build_phases, windows
from voxtrode.pipeline.report.results import CURRENT, TIME, Results

type Floats = NDArray[np.float64]

TOLERANCES = (0.05, 0.10, 0.20)
"""Shares by which a bin's spread may stay below the ball's."""
TOLERANCE = 0.10
_CLASSES = 12
"""Radii at which balls are computed, evenly spread in their logarithm; the rest is interpolated."""
_STATES = 100


@dataclass(frozen=True, eq=False)
class SolidTransport:
    """Spread of SoL inside particles against depth at an instant.

    Attributes:
        time: [s].
        dod: Depth of discharge.
        edges: Edges of the bins of depth [m], rising, float[n + 1].
        sol: Mean SoL by volume in each bin, float[n]; NaN where no particle is.
        std: Root mean square by volume of the particles' standard deviations of SoL, float[n].
        reference: The same of balls at the bin's mean SoL, float[n].
    """

    time: float
    dod: float
    edges: Floats
    sol: Floats
    std: Floats
    reference: Floats

    def limited(self, tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
        """Whether solid-state transport limits in each bin, bool[n]."""
        with np.errstate(invalid="ignore"):
            enough = self.std >= (1.0 - tolerance) * self.reference
            return np.asarray(enough & (self.reference > 0.0))

    def share(self, tolerance: float = TOLERANCE) -> float:
        """Share of the electrode's thickness that it limits."""
        width = np.diff(self.edges)
        known = np.isfinite(self.std)
        return float(width[self.limited(tolerance) & known].sum() / width[known].sum())

    def ranges(self, tolerance: float = TOLERANCE) -> list[tuple[float, float]]:
        """Where in the depth it limits [m]: adjoining bins as one range."""
        found: list[tuple[float, float]] = []
        for k in np.flatnonzero(self.limited(tolerance)):
            low, high = float(self.edges[k]), float(self.edges[k + 1])
            if found and found[-1][1] == low:
                low = found.pop()[0]
            found.append((low, high))
        return found


@dataclass(frozen=True, eq=False)
class SolidTransports:
    """The stored instants of the first discharge or charge of an electrode.

    Attributes:
        electrode: `negative` or `positive` where both stand in the volume, else empty.
        phases: Its active phases.
        instants: Those under current; empty where there is nothing to compare with.
        reason: Why they are empty.
    """

    electrode: str
    phases: tuple[str, ...]
    instants: tuple[SolidTransport, ...]
    reason: str = ""


def solid_transport(results: Results) -> list[SolidTransports]:
    """The comparison for each electrode in the volume; none before the simulation."""
    table, cell, header = results.particles, results.cell, results.header
    if table is None or cell is None or header is None:
        return []
    found = []
    for name, phases in results.electrodes.items():
        alive = table[table["Phase"].isin(phases) & ~table["Dead"]]
        reason = _refused(results, alive)
        instants = () if reason else _instants(results, name, alive)
        if not reason and not instants:
            reason = "no instant of the first step is stored"
        found.append(SolidTransports(name, phases, instants, reason))
    return found


def depth_bins(alive: pd.DataFrame, thickness: float) -> Floats:
    """Edges of bins of equal depth [m] at least a mean particle deep, over where particles lie.

    Args:
        alive: Rows of an electrode's living particles, one instant.
        thickness: Of the volume [m].
    """
    depth, radius = alive["Depth [m]"], 0.5 * alive["Diameter [m]"]
    first = max(0.0, float((depth - radius).min()))
    last = min(thickness, float((depth + radius).max()))
    mean = float(np.average(alive["Diameter [m]"], weights=alive["Volume [m3]"]))
    return np.linspace(first, last, max(1, int((last - first) / mean + 1e-6)) + 1)


def _refused(results: Results, alive: pd.DataFrame) -> str:
    """Why there is nothing to compare with; empty if there is."""
    steps = results.study.steps
    if alive.empty:
        return "no living particles"
    if results.study.initial.run is not None:
        return "the run does not start at equilibrium"
    if not steps or steps[0].step.held is not None:
        return "the first step is not one of constant current"
    if not _first_step(results)[CURRENT].abs().gt(0.0).any():
        return "no current in the first step"
    return ""


def _first_step(results: Results) -> pd.DataFrame:
    assert results.cell is not None
    cell: pd.DataFrame = results.cell
    first: pd.DataFrame = cell[cell["Step"] == cell["Step"].min()]
    return first


def _instants(results: Results, name: str, alive: pd.DataFrame) -> tuple[SolidTransport, ...]:
    assert results.header is not None
    driven = _first_step(results)
    current = float(driven[CURRENT].iloc[-1])
    end = float(driven[TIME].iloc[-1])
    start = float(alive[TIME].min())
    _, width, depth = results.header.size
    per_volume = (
        current * width * depth / float(alive.loc[alive[TIME] == start, "Volume [m3]"].sum())
    )
    inward = -per_volume if name == "negative" else per_volume
    first = alive[alive[TIME] == start]
    edges = depth_bins(first, results.header.size[0])
    alive = alive[alive[TIME] <= end * (1.0 + 1e-12)]
    balls = _balls(results, alive, inward)
    # Two rows stand at the instant where steps meet; the particles' table has one.
    times = [t for t in sorted(set(alive[TIME])) if start < t <= end * (1.0 + 1e-12)]
    return tuple(_instant(alive[alive[TIME] == t], t, edges, balls) for t in times)


@dataclass(frozen=True, eq=False)
class _Balls:
    """What the balls of a phase's particles do under the electrode's current.

    Attributes:
        means: Mean stoichiometries, from the start on, float[m].
        radii: Of some balls [m], rising, float[n].
        std: Standard deviation of SoL in each ball, float[n, m].
    """

    means: Floats
    radii: Floats
    std: Floats

    def spread(self, radii: Floats, means: Floats) -> Floats:
        """Standard deviations of SoL in balls at mean stoichiometries, both float[k]."""
        forward = 1.0 if self.means[-1] > self.means[0] else -1.0
        along = [np.interp(forward * means, forward * self.means, row) for row in self.std]
        if len(self.radii) == 1:
            return np.asarray(along[0], dtype=np.float64)
        logs = np.log(self.radii)
        found = [
            np.interp(np.log(R), logs, at) for R, at in zip(radii, np.array(along).T, strict=True)
        ]
        return np.array(found, dtype=np.float64)


def _balls(results: Results, alive: pd.DataFrame, inward: float) -> dict[str, _Balls]:
    """Balls of each phase.

    Args:
        results: Of the run.
        alive: Rows of an electrode's living particles, all instants of the step.
        inward: Current into the particles per active volume [A/m³].
    """
    phases, ends = build_phases(results.study), windows(results.study)
    found = {}
    for name, rows in alive.groupby("Phase"):
        material = phases[str(name)].active
        assert material is not None
        lower, upper = ends[str(name)]
        width = stoichiometry_at(material.U, lower) - stoichiometry_at(material.U, upper)
        theta = rows["SoL raw"]
        start = float(theta[rows[TIME] == rows[TIME].min()].mean())
        furthest = float(theta.max() if inward > 0.0 else theta.min())
        means = np.linspace(start, furthest, _STATES)
        radii = _classes(ball_radii(rows))
        std = np.array(
            [Radial(material, R, 3, start).spread(-inward * R / 3.0, means) for R in radii]
        )
        found[str(name)] = _Balls(means, np.array(radii), std / abs(width))
    return found


def ball_radii(rows: pd.DataFrame) -> Floats:
    """Radius of the ball [m] that stands for each particle: its diffusion radius, else d/2."""
    half = 0.5 * rows["Diameter [m]"]
    return rows.get("Diffusion radius [m]", half).fillna(half).to_numpy(np.float64)


def _classes(radii: Floats) -> list[float]:
    low, high = float(radii.min()), float(radii.max())
    if high < 1.001 * low:
        return [low]
    return [float(R) for R in np.geomspace(low, high, _CLASSES)]


def _instant(
    rows: pd.DataFrame, time: float, edges: Floats, balls: Mapping[str, _Balls]
) -> SolidTransport:
    volume = rows["Volume [m3]"].to_numpy(np.float64)
    bins = np.clip(np.searchsorted(edges, rows["Depth [m]"]) - 1, 0, len(edges) - 2)
    sums = {"volume": volume, "sol": volume * rows["SoL"], "std": volume * rows["SoL std"] ** 2}
    sums["reference"] = volume * _references(rows, bins, len(edges) - 1, balls) ** 2
    count = len(edges) - 1
    total = {key: np.bincount(bins, np.asarray(v), minlength=count) for key, v in sums.items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = {key: value / total["volume"] for key, value in total.items()}
    return SolidTransport(
        time,
        float(rows["DoD"].iloc[0]),
        edges,
        mean["sol"],
        np.sqrt(mean["std"]),
        np.sqrt(mean["reference"]),
    )


def _references(
    rows: pd.DataFrame, bins: NDArray[np.int64], count: int, balls: Mapping[str, _Balls]
) -> Floats:
    """Standard deviation of SoL in the ball of each particle at its bin's mean, float[rows]."""
    result = np.zeros(len(rows))
    volume, theta = rows["Volume [m3]"].to_numpy(), rows["SoL raw"].to_numpy()
    for name, ball in balls.items():
        own = (rows["Phase"] == name).to_numpy()
        weight = np.bincount(bins[own], volume[own], minlength=count)
        total = np.bincount(bins[own], (volume * theta)[own], minlength=count)
        means = (total / np.where(weight > 0.0, weight, 1.0))[bins[own]]
        result[own] = ball.spread(ball_radii(rows[own]), means)
    return result
