"""Figures of what limits: spread in the particles against depth, lithium over SoL and depth."""

import numpy as np
from matplotlib.colors import LogNorm

from voxtrode.pipeline.analysis.limits import Limits
from voxtrode.pipeline.analysis.solid_transport import SolidTransport
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.style import (
    ACCENT,
    INK,
    SOL_MAP,
    UM,
    as_figure,
    drawing,
    instant_colours,
    light_grid,
)

_SHOWN = 5


def spread_figure(found: Limits) -> Figure:
    """Standard deviation of SoL inside particles over that of balls, against depth."""
    shown = _evenly(found.course)
    figure = drawing(3.2)
    left, right = figure.subplots(1, 2)
    for one, colour in zip(shown, instant_colours(len(shown)), strict=True):
        left.stairs(one.sol, one.edges * UM, baseline=None, color=colour)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = one.std / one.reference
        right.stairs(ratio, one.edges * UM, baseline=None, color=colour, label=f"{one.dod:.2f}")
    right.axhspan(0.9, 1.1, color=ACCENT, alpha=0.12, linewidth=0)
    right.axhline(1.0, color=INK, linewidth=0.7)
    right.set_ylim(bottom=0.0)
    left.set_ylabel("mean SoL of the particles")
    right.set_ylabel("spread inside them / in balls")
    for axes in (left, right):
        axes.set_xlabel("depth z [µm]")
        light_grid(axes)
    right.legend(title="DoD", loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0.0)
    return as_figure(
        figure,
        "Left: mean SoL of the particles in bins of depth one particle deep. Right: the standard"
        " deviation of SoL inside them over that in free balls of the same diffusion radius, mean"
        " SoL and current per active volume in a uniform electrolyte. Where it is one (band:"
        " 10 %) diffusion in the particles limits; where it is less they are not reached.",
        "Spread of lithium inside particles against depth",
    )


def lithiation_figure(found: Limits) -> Figure | None:
    """Active volume by SoL, and by SoL and depth."""
    spread = found.lithiation
    if spread is None:
        return None
    end = "highest" if spread.fills else "lowest"
    figure = drawing(3.0)
    left, right = figure.subplots(1, 2)
    left.stairs(spread.density, spread.sol, fill=True, color=INK, alpha=0.75)
    low, high = spread.sol[:-1][spread.saturated][0], spread.sol[1:][spread.saturated][-1]
    left.axvspan(low, high, color=ACCENT, alpha=0.18, linewidth=0)
    left.set_xlabel("SoL")
    left.set_ylabel("share of volume per SoL")
    layers = spread.volume.sum(axis=0)
    share = spread.volume / np.where(layers > 0.0, layers, np.nan) / np.diff(spread.sol)[:, None]
    shown = np.where(share > 0.0, share, np.nan)
    norm = LogNorm(vmin=max(float(np.nanmin(shown)), 1e-2), vmax=float(np.nanmax(shown)))
    image = right.pcolormesh(
        spread.depth * UM, spread.sol, shown, cmap=SOL_MAP, norm=norm, rasterized=True
    )
    figure.colorbar(image, ax=right, label="share of the layer per SoL")
    right.set_xlabel("depth z [µm]")
    right.set_ylabel("SoL")
    light_grid(left)
    return as_figure(
        figure,
        f"Active volume by SoL at DoD {found.last.dod:.2f} (left; shaded: within"
        f" 0.05 of the {end} SoL, where surfaces are saturated),"
        " and by SoL in each layer of depth (right).",
        "Histogram of SoL over the active volume",
    )


def _evenly(course: tuple[SolidTransport, ...]) -> list[SolidTransport]:
    """A few instants, the last among them."""
    picks = np.linspace(0, len(course) - 1, min(_SHOWN, len(course))).round().astype(int)
    return [course[k] for k in dict.fromkeys(picks.tolist())]
