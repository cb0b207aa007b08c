"""What limits an electrode at the end of its first discharge or charge, from the run's numbers."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from voxtrode.pipeline.analysis.idle import idle_particles
from voxtrode.pipeline.analysis.saturation import Lithiation, lithiation
from voxtrode.pipeline.analysis.solid_transport import (
    SolidTransport,
    SolidTransports,
    solid_transport,
)
from voxtrode.pipeline.build import build_electrolyte, holds_salt
from voxtrode.pipeline.report.results import CAPACITY, CURRENT, TIME, Results
from voxtrode.pipeline.report.style import PART_COLOURS

DEPLETED = 0.05
"""Share of the initial concentration below which the electrolyte counts as depleted."""


@dataclass(frozen=True, eq=False)
class Limits:
    """What the numbers of an electrode say.

    Attributes:
        electrode: `negative` or `positive` where both stand in the volume, else empty.
        course: Where diffusion in the particles limits, instant by instant, rising in time.
        lithiation: Volume by SoL and depth at the last of them; None without fields.
        idle: Particles that moved less than half of the mean by then, one row each.
        salt: Lowest and highest c_e over the initial one by then; None without a liquid.
        loss: The part of the overpotential with the largest mean, and its mean [V]; None without.
        moved: By how much the electrode's mean SoL has changed by then.
    """

    electrode: str
    course: tuple[SolidTransport, ...]
    lithiation: Lithiation | None
    idle: pd.DataFrame
    salt: tuple[float, float] | None
    loss: tuple[str, float] | None
    moved: float

    @property
    def last(self) -> SolidTransport:
        """The last instant under current."""
        return self.course[-1]

    @property
    def depleted(self) -> bool:
        """Whether salt ran out somewhere."""
        return self.salt is not None and self.salt[0] < DEPLETED

    def tree(self) -> dict[str, object]:
        """The entry of `summary.json`."""
        depth = {f"{100 * t:.0f} %": self.last.share(t) for t in (0.05, 0.1, 0.2)}
        return {
            "electrode": self.electrode or None,
            "dod": self.last.dod,
            "sst_limited_depth": depth,
            "sst_limited_m": self.last.ranges(),
            "idle_particles": len(self.idle),
            "saturated_share": None if self.lithiation is None else self.lithiation.share,
            "saturation_peak": None if self.lithiation is None else self.lithiation.peaks,
            "saturated_depth_m": None if self.lithiation is None else self.lithiation.centre,
            "lowest_salt": None if self.salt is None else self.salt[0],
            "largest_loss": None if self.loss is None else self.loss[0],
        }


@lru_cache(maxsize=1)
def limits(results: Results) -> tuple[list[Limits], list[str]]:
    """The limits of each electrode in the volume, and why there are none of the others."""
    found, reasons = [], []
    for one in solid_transport(results):
        if one.instants:
            found.append(_of(results, one))
        else:
            name = f"the {one.electrode} electrode" if one.electrode else "this run"
            reasons.append(f"{name}: {one.reason}")
    return found, reasons


def _of(results: Results, one: SolidTransports) -> Limits:
    table, cell, header = results.particles, results.cell, results.header
    assert table is not None
    assert cell is not None
    assert header is not None
    end = one.instants[-1].time
    until = cell[(cell[TIME] <= end * (1.0 + 1e-12)) & (cell["Step"] == cell["Step"].min())]
    rows = table[table["Phase"].isin(one.phases) & (table[TIME] <= end * (1.0 + 1e-12))]
    labels = [k for k, name in enumerate(header.phases) if name in one.phases]
    series = results.series
    solid = series.files[series.nearest(end)].get("solid") if series.times else None
    current = float(until[CURRENT].iloc[-1])
    fills = (current > 0.0) == (one.electrode != "negative")
    return Limits(
        one.electrode,
        one.instants,
        None if solid is None else lithiation(solid, header.size[0], labels, fills),
        idle_particles(rows, fills),
        _salt(results, until),
        _loss(until),
        _moved(rows),
    )


def _moved(rows: pd.DataFrame) -> float:
    """|ΔSoL| of living particles from the first to the last stored instant."""
    alive = rows[~rows["Dead"]]
    ends = (alive[alive[TIME] == time] for time in (alive[TIME].min(), alive[TIME].max()))
    first, last = (float(np.average(one["SoL"], weights=one["Volume [m3]"])) for one in ends)
    return abs(last - first)


def _salt(results: Results, until: pd.DataFrame) -> tuple[float, float] | None:
    if not holds_salt(results.study):
        return None
    start = build_electrolyte(results.study).c_e0.value
    low, high = until["Min c_e [mol.m-3]"].min(), until["Max c_e [mol.m-3]"].max()
    return float(low) / start, float(high) / start


def _loss(until: pd.DataFrame) -> tuple[str, float] | None:
    """The part that costs most per charge moved."""
    columns = {f"{name} overpotential [V]": name for name in PART_COLOURS}
    columns = {column: name for column, name in columns.items() if column in until}
    driven = until.dropna(subset=list(columns))
    if len(driven) < 2:
        return None
    moved = driven[CAPACITY].diff().abs()
    mean = {
        name: float((driven[column].abs() * moved).sum() / moved.sum())
        for column, name in columns.items()
    }
    largest = max(mean, key=lambda name: mean[name])
    return largest, mean[largest]
