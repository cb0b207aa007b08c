"""Open-circuit potentials: what was fitted, what is assumed, and the window that is used."""

import numpy as np
from matplotlib.axes import Axes

from voxtrode.data.law import Tail
from voxtrode.data.materials import ActiveMaterial, stoichiometry_at
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.style import ACCENT, FAINT, INK, as_figure, drawing, light_grid

_POINTS = 1201


def potential_figure(
    materials: list[tuple[ActiveMaterial, tuple[float, float]]],
) -> Figure | None:
    """U(θ) of each active material, its tails dashed, and each tail enlarged.

    Args:
        materials: The materials, each with its lower and upper potential against lithium [V].
    """
    if not materials:
        return None
    figure = drawing(2.9 * len(materials) + 0.2)
    panels = figure.subplots(
        len(materials), 2, squeeze=False, sharey="row", width_ratios=[1.7, 1.0]
    )
    for (whole, close), (material, window) in zip(panels, materials, strict=True):
        tail = _last_tail(material)
        _draw(whole, material, window, (0.0, 1.0))
        whole.set_title(material.name)
        whole.set_ylabel("U against lithium [V]")
        if tail is None:
            close.set_axis_off()
            continue
        span = max(tail.at - tail.start, 1e-4)
        _draw(close, material, window, (tail.start - 1.2 * span, min(tail.at + 0.6 * span, 1.0)))
        close.set_title("the tail, enlarged", fontweight="normal")
        close.tick_params(labelleft=False)
        close.locator_params(axis="x", nbins=4)
    panels[0, 0].legend(loc="lower left")
    return as_figure(
        figure,
        "Open-circuit potential U(θ): as published (solid), the assumed tail beyond the range of"
        " the fit (dashed), and how the fit itself would go on (dotted). Points: its window;"
        " they define θ₀ (SoL 0) and θ₁₀₀ (SoL 1).",
        "Open-circuit potential against stoichiometry, with its assumed tail",
    )


def _last_tail(material: ActiveMaterial) -> Tail | None:
    rising = [tail for tail in material.U.tails if tail.at > tail.start]
    return rising[-1] if rising else None


def _draw(
    axes: Axes,
    material: ActiveMaterial,
    window: tuple[float, float],
    limits: tuple[float, float],
) -> None:
    theta = np.linspace(max(limits[0], 1e-4), min(limits[1], 1.0 - 1e-6), _POINTS)
    tails = material.U.tails
    first = max([tail.start for tail in tails if tail.at < tail.start], default=0.0)
    last = min([tail.start for tail in tails if tail.at > tail.start], default=1.0)
    potential, fit = material.U(theta=theta), material.U.without_tails()(theta=theta)
    fitted = (theta >= first) & (theta <= last)
    axes.plot(theta[fitted], potential[fitted], color=INK, label="published")
    named = False
    for beyond in (theta <= first, theta >= last):
        if beyond.any():
            axes.plot(theta[beyond], fit[beyond], ":", color=INK, linewidth=1.1)
            axes.plot(
                theta[beyond],
                potential[beyond],
                "--",
                color=ACCENT,
                linewidth=1.6,
                label="_" if named else "assumed tail",
            )
            named = True
    low, high = window
    for voltage, name in ((high, "θ₀"), (low, "θ₁₀₀")):
        place = stoichiometry_at(material.U, voltage)
        axes.axhline(voltage, color=FAINT, linewidth=0.6, zorder=0)
        if not limits[0] <= place <= limits[1]:
            continue
        axes.plot([place], [voltage], "o", markersize=4.5, color=ACCENT, zorder=4, clip_on=False)
        left = place > 0.5 * (limits[0] + limits[1])
        axes.annotate(
            f"{name} = {place:.4f}",
            (place, voltage),
            xytext=(-7 if left else 7, 4),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=8.5,
        )
    axes.set_xlim(*limits)
    axes.set_ylim(low - 0.25 * (high - low), high + 0.2 * (high - low))
    axes.set_xlabel("stoichiometry θ = cₛ/c_max")
    light_grid(axes)
