"""Figures of the stored fields: SoL on a section of the mesh, and profiles over depth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from voxtrode.pipeline.build import holds_salt
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.fields import Slice, depth_profile, slice_part
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.style import (
    DEVIATION_MAP,
    FAINT,
    INK,
    SOL_MAP,
    UM,
    WIDTH,
    as_figure,
    drawing,
    instant_colours,
    light_grid,
)

_PANELS = 6
_PROFILES = 6
_OFF_LATTICE = 0.37  # of a lattice spacing: planes that hold facets cannot be cut cleanly
_GROUND = "#dcdcdc"


def sol_map_figure(results: Results) -> Figure | None:
    """SoL on the middle plane y at stored instants, and its distance from the cell's SoL."""
    header, series = results.header, results.series
    if header is None or not series.has("solid"):
        return None
    times = [series.nearest(time) for time in results.chosen_instants(_PANELS)]
    depth, height, width = header.size
    place = 0.5 * height + _OFF_LATTICE * _spacing(results)[1]
    cuts = [slice_part(series.files[time]["solid"], "SoL", 1, place) for time in times]
    if not any(len(cut.triangles) for cut in cuts):
        return None
    pairs = 1 if depth > 1.5 * width else 2
    rows = -(-len(times) // pairs)
    panel = (WIDTH - 0.6) / (2 * pairs)
    figure = drawing(rows * (panel * width / depth + 0.3) + 1.25)
    panels = figure.subplots(rows, 2 * pairs, sharex=True, sharey=True, squeeze=False)
    pair_axes = panels.reshape(-1, 2)
    means = [_mean(results, time, cut) for time, cut in zip(times, cuts, strict=True)]
    reach = _reach(cuts, means)
    norms = (Normalize(0.0, 1.0), Normalize(-reach, reach))
    maps = (SOL_MAP, DEVIATION_MAP)
    for axes, time, cut, mean in zip(pair_axes, times, cuts, means, strict=False):
        _draw_slice(axes[0], cut, cut.values, (depth, width), norms[0], maps[0])
        _draw_slice(axes[1], cut, cut.values - mean, (depth, width), norms[1], maps[1])
        name = results.instant_name(time)
        narrow = name.replace(", step", "\nstep") if pairs > 1 else name
        axes[0].set_title(narrow, fontweight="normal")
        axes[1].set_title(f"mean {mean:.3f}", fontweight="normal")
    for axes in pair_axes[len(times) :].flat:
        axes.set_axis_off()
    for axes in panels[-1]:
        axes.set_xlabel("z [µm]")
    for axes in panels[:, 0]:
        axes.set_ylabel("x [µm]")
    labels = ("local SoL", "local SoL minus that of the cell")
    for k, (norm, cmap, label) in enumerate(zip(norms, maps, labels, strict=True)):
        bar = figure.colorbar(
            ScalarMappable(norm, cmap),
            ax=list(panels[-1, k * pairs : (k + 1) * pairs]),
            location="bottom",
            shrink=0.8,
            aspect=35,
            extend="both" if k else "neither",
        )
        bar.set_label(label)
        bar.outline.set_visible(False)
    return as_figure(
        figure,
        f"State of lithiation on the plane y = {place * UM:.3g} µm at stored instants. Left of each"
        " pair: local SoL on one scale. Right: its distance from the SoL of the cell: red runs"
        " ahead, blue lags behind; between particles and from surface to core.",
        "Maps of the state of lithiation on a section, one pair per stored instant",
    )


def _mean(results: Results, time: float, cut: Slice) -> float:
    mean = results.mean_sol(time)
    return float(cut.values.mean()) if mean is None else mean


def _reach(cuts: list[Slice], means: list[float]) -> float:
    """Range of the distances from the mean, without the last two per cent."""
    apart = np.concatenate(
        [np.abs(cut.values - mean) for cut, mean in zip(cuts, means, strict=True)]
    )
    return max(float(np.percentile(apart, 98.0)), 1e-4)


def _spacing(results: Results) -> tuple[float, float, float]:
    given = results.mesh.get("spacing_m")
    if given:
        dz, dy, dx = (float(edge) for edge in given)
        return dz, dy, dx
    size = results.study.mesh.size
    return size, size, size


def _draw_slice(
    axes: Axes,
    cut: Slice,
    values: NDArray[np.float64],
    size: tuple[float, float],
    norm: Normalize,
    cmap: str,
) -> None:
    axes.set_facecolor(_GROUND)
    if len(cut.triangles):
        where = Triangulation(cut.points[:, 0] * UM, cut.points[:, 1] * UM, cut.triangles)
        axes.tripcolor(where, values, cmap=cmap, norm=norm, shading="gouraud", rasterized=True)
    axes.set_xlim(0.0, size[0] * UM)
    axes.set_ylim(0.0, size[1] * UM)
    axes.set_aspect("equal")
    for spine in axes.spines.values():
        spine.set_visible(True)


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
    spacing = _spacing(results)[0]
    inside = np.linspace(0.0, thickness, max(2, min(120, round(thickness / (2 * spacing)))) + 1)
    beyond = np.linspace(thickness, end, max(2, round((end - thickness) / (3 * spacing))) + 1)
    bins = np.concatenate([inside, beyond[1:]])
    wanted = [("electrolyte", "phi_e", bins, "φₑ [mV]", 1e3)]
    if holds_salt(results.study):
        wanted.insert(0, ("electrolyte", "c_e", bins, "cₑ [mol m⁻³]", 1.0))
    if series.has("solid"):
        wanted.insert(0, ("solid", "SoL", inside, "SoL", 1.0))
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
        axes.axvspan(thickness * UM, end * UM, color="#eaf2f8", zorder=0)
        axes.axvline(thickness * UM, color=FAINT, linewidth=0.7)
        axes.set_ylabel(label)
        light_grid(axes)
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
    panels[-1].set_xlabel("depth z [µm]  (collector → counter electrode)")
    panels[-1].figure.align_ylabels(panels)
    panels[0].legend(loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0.0)
    return as_figure(
        figure,
        "In-plane means (lines) and standard deviations (bands) over depth: lithiation of the"
        " solid, salt concentration and potential of the electrolyte. Salt that falls towards the"
        " collector limits thick and fast electrodes; the separator is shaded.",
        "Profiles over depth of lithiation, salt concentration and electrolyte potential",
    )
