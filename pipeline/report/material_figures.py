"""Open-circuit potentials: what was fitted, what is assumed, and the window that is used."""

import numpy as np
from matplotlib.axes import Axes

from voxtrode.data.materials import ActiveMaterial, stoichiometry_at
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.style import ACCENT, FAINT, INK, as_figure, drawing, light_grid

_POINTS = 1201


def potential_figure(materials: list[ActiveMaterial], window: tuple[float, float]) -> Figure | None:
    """U(θ) of each active material, its tails dashed.

    Args:
        materials: The materials.
        window: Lower and upper cut-off [V].
    """
    if not materials:
        return None
    figure = drawing(3.1, 3.8 * max(len(materials), 1) if len(materials) < 2 else 7.6)
    panels = figure.subplots(1, len(materials), sharey=True, squeeze=False)[0]
    for axes, material in zip(panels, materials, strict=True):
        _draw(axes, material, window)
    panels[0].set_ylabel("U against lithium [V]")
    panels[0].legend(loc="lower left")
    return as_figure(
        figure,
        "Open-circuit potential U(θ): as published (solid), the assumed tail beyond the range of"
        " the fit (dashed), and how the fit itself would go on (dotted). Thin lines: the two"
        " cut-offs; they define θ₀ (SoL 0) and θ₁₀₀ (SoL 1).",
        "Open-circuit potential against stoichiometry, with its assumed tail",
    )


def _draw(axes: Axes, material: ActiveMaterial, window: tuple[float, float]) -> None:
    theta = np.linspace(0.001, 0.999, _POINTS)
    tails = material.U.tails
    first = max([tail.start for tail in tails if tail.at < tail.start], default=0.0)
    last = min([tail.start for tail in tails if tail.at > tail.start], default=1.0)
    potential, fit = material.U(theta=theta), material.U.without_tails()(theta=theta)
    fitted = (theta >= first) & (theta <= last)
    axes.plot(theta[fitted], potential[fitted], color=INK, label="published")
    for where in (theta <= first, theta >= last):
        if where.any():
            axes.plot(theta[where], fit[where], ":", color=FAINT, linewidth=1.1)
            axes.plot(
                theta[where],
                potential[where],
                "--",
                color=ACCENT,
                linewidth=1.5,
                label="assumed tail",
            )
    low, high = window
    for voltage, name in ((high, "θ₀"), (low, "θ₁₀₀")):
        place = stoichiometry_at(material.U, voltage)
        axes.axhline(voltage, color=FAINT, linewidth=0.6, zorder=0)
        axes.plot([place], [voltage], "o", markersize=4.5, color=ACCENT, zorder=4)
        axes.annotate(
            f"{name} = {place:.3f}",
            (place, voltage),
            xytext=(6, 5) if voltage == high else (-6, 5),
            textcoords="offset points",
            ha="left" if voltage == high else "right",
            fontsize=8.5,
        )
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(low - 0.25 * (high - low), high + 0.2 * (high - low))
    axes.set_xlabel("stoichiometry θ = cₛ/c_max")
    axes.set_title(material.name)
    light_grid(axes)
