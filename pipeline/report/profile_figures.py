"""The figure of profiles over depth: lithiation, salt concentration and potential."""

from collections.abc import Sequence

import numpy as np

from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.electrodes import depth_ends
from voxtrode.pipeline.report.fields import Floats, depth_profile, holds
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.style import (
    FAINT,
    INK,
    UM,
    as_figure,
    drawing,
    instant_colours,
    light_grid,
)

_PROFILES = 6
_MEANINGS = {
    "SoL": "lithiation of the solid",
    "c_e": "salt concentration of the electrolyte",
    "phi_e": "potential of the electrolyte",
}


def profile_figure(results: Results) -> Figure | None:
    """In-plane means of SoL, salt concentration and electrolyte potential against depth."""
    series, header = results.series, results.header
    # A stirred electrolyte is the same everywhere.
    stirred = results.study.surroundings is not None
    if header is None or stirred or not series.has("electrolyte"):
        return None
    times = [series.nearest(time) for time in results.chosen_instants(_PROFILES)]
    if not times:
        return None
    thickness = header.size[0]
    end = thickness + results.study.separator_thickness
    spacing = results.spacing[0]
    inside = np.linspace(0.0, thickness, max(2, min(120, round(thickness / (2 * spacing)))) + 1)
    bins = inside
    if end > thickness:
        beyond = np.linspace(thickness, end, max(2, round((end - thickness) / (3 * spacing))) + 1)
        bins = np.concatenate([inside, beyond[1:]])
    # What a part holds differs: there is no c_e without a liquid.
    wanted = [
        (part, name, edges, label, factor)
        for part, name, edges, label, factor in (
            ("solid", "SoL", inside, "SoL", 1.0),
            ("electrolyte", "c_e", bins, "cₑ [mol m⁻³]", 1.0),
            ("electrolyte", "phi_e", bins, "φₑ [mV]", 1e3),
        )
        if series.has(part) and all(holds(series.files[time][part], name) for time in times)
    ]
    if not wanted:
        return None
    colours = instant_colours(len(times))
    figure = drawing(1.75 * len(wanted) + 0.7)
    panels = figure.subplots(len(wanted), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (part, name, edges, label, factor) in zip(panels, wanted, strict=True):
        for time, colour in zip(times, colours, strict=True):
            found = depth_profile(series.files[time][part], name, edges)
            mean, std = found.mean * factor, found.std * factor
            axes.plot(found.depth * UM, mean, color=colour, label=results.instant_name(time))
            axes.fill_between(
                found.depth * UM, mean - std, mean + std, color=colour, alpha=0.16, linewidth=0
            )
        if end > thickness:
            axes.axvspan(thickness * UM, end * UM, color="#eaf2f8", zorder=0)
            axes.axvline(thickness * UM, color=FAINT, linewidth=0.7)
        axes.set_ylabel(label)
        light_grid(axes)
    if end > thickness:
        panels[0].text(
            (thickness + 0.5 * (end - thickness)) * UM,
            0.94,
            "separator",
            transform=panels[0].get_xaxis_transform(),
            ha="center",
            va="top",
            color=INK,
            fontsize=8.5,
        )
    panels[-1].set_xlim(0.0, end * UM)
    panels[-1].set_xlabel(f"depth z [µm]{depth_ends(results, 'counter electrode')}")
    panels[-1].figure.align_ylabels(panels)
    panels[0].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0.0)
    return as_figure(
        figure,
        f"In-plane means (lines) and standard deviations (bands) over depth: {_listed(wanted)}."
        + (
            " Salt that falls towards a collector limits thick and fast electrodes."
            if "c_e" in {name for _, name, *_ in wanted}
            else ""
        )
        + (" The separator is shaded." if end > thickness else ""),
        f"Profiles over depth: {_listed(wanted)}",
    )


def _listed(wanted: Sequence[tuple[str, str, Floats, str, float]]) -> str:
    names = [_MEANINGS[name] for _, name, *_ in wanted]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
