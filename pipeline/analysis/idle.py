"""Particles that take little or no part."""

import numpy as np
import pandas as pd

from voxtrode.pipeline.report.results import TIME

HALF = 0.5


def idle_particles(rows: pd.DataFrame, fills: bool = True) -> pd.DataFrame:
    """Living particles that moved less than half of what the electrode did on average.

    For an electrode that starts empty: those whose SoL never reaches half of the mean.

    Args:
        rows: An electrode's particles at all stored instants of one discharge or charge.
        fills: Whether SoL rises.

    Returns:
        Rows of the last instant, the idlest first.
    """
    first: pd.DataFrame = rows[rows[TIME] == rows[TIME].min()]
    alive: pd.DataFrame = rows[(rows[TIME] == rows[TIME].max()) & ~rows["Dead"]]
    if alive.empty:
        return alive
    before = first.set_index("Particle")["SoL"].reindex(alive["Particle"]).to_numpy()
    moved = (alive["SoL"].to_numpy() - before) * (1.0 if fills else -1.0)
    mean = float(np.average(moved, weights=alive["Volume [m3]"]))
    order = np.argsort(moved, kind="stable")
    found: pd.DataFrame = alive.iloc[order[moved[order] < HALF * mean]]
    return found
