"""Which electrode a phase belongs to, what lies at the ends of the volume, and mean SoLs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxtrode.pipeline.report.results import TIME, Results


@dataclass(frozen=True)
class Mean:
    """SoL of an electrode at an instant.

    Attributes:
        name: `negative` or `positive` where both stand in the volume, else empty.
        phases: Its active phases.
        sol: Its SoL; None where neither table holds it.
    """

    name: str
    phases: tuple[str, ...]
    sol: float | None


def electrode_means(results: Results, time: float) -> list[Mean]:
    """SoL of each electrode in the volume at a stored instant [s].

    That of the electrode that discharge fills is the cell's; that of a negative one in the volume
    is the mean of its particles by volume, dead ones left out.
    """
    of = {"negative": _of_particles}
    return [
        Mean(name, phases, of.get(name, _filled)(results, phases, time))
        for name, phases in results.electrodes.items()
    ]


def _filled(results: Results, phases: tuple[str, ...], time: float) -> float | None:
    sol = results.mean_sol(time)
    return _of_particles(results, phases, time) if sol is None else sol


def _of_particles(results: Results, phases: tuple[str, ...], time: float) -> float | None:
    table = results.particles
    if table is None:
        return None
    alive = table[table["Phase"].isin(phases) & ~table["Dead"]]
    rows = alive[np.isclose(alive[TIME], time)]
    volume = float(rows["Volume [m3]"].sum())
    return float((rows["SoL"] * rows["Volume [m3]"]).sum() / volume) if volume > 0.0 else None


def from_electrode_mean(results: Results, rows: pd.DataFrame, time: float) -> pd.Series:
    """SoL of particles minus that of their electrode at an instant [s]; NaN where not known."""
    sols = {name: mean.sol for mean in electrode_means(results, time) for name in mean.phases}
    return rows["SoL"] - rows["Phase"].map(sols).astype(float)


def depth_ends(results: Results, beyond: str) -> str:
    """What lies at small and at large depth z, for the label of an axis.

    Args:
        results: Of the run.
        beyond: What lies beyond the volume of a half cell.
    """
    ends = _ends(results, beyond)
    return f"  ({ends[0]} → {ends[1]})" if ends else ""


def depth_runs(results: Results) -> str:
    """How depth z runs in a picture of the volume, as part of a sentence."""
    ends = _ends(results, "separator")
    if ends is None:
        return "depth z runs from left to right"
    return f"depth z runs from the {ends[0]} (left) to the {ends[1]} (right)"


def _ends(results: Results, beyond: str) -> tuple[str, str] | None:
    """What lies at z = 0 and beyond the last z; None for particles without a separator."""
    study = results.study
    if study.negative is not None:
        return study.collectors
    return ("collector", beyond) if study.separator_thickness > 0.0 else None
