"""The figure of SoL on a section of the mesh."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.electrodes import Mean, electrode_means
from voxtrode.pipeline.report.fields import Floats, Slice, slice_part
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.style import (
    DEVIATION_MAP,
    SOL_MAP,
    UM,
    WIDTH,
    as_figure,
    drawing,
)

_PANELS = 6
_OFF_LATTICE = 0.37  # of a lattice spacing: planes that hold facets cannot be cut cleanly
_GROUND = "#dcdcdc"


def sol_map_figure(results: Results) -> Figure | None:
    """SoL on the middle plane y at stored instants, and its distance from the cell's SoL."""
    header, series = results.header, results.series
    if header is None or not series.has("solid"):
        return None
    times = [series.nearest(time) for time in results.chosen_instants(_PANELS)]
    depth, height, width = header.size
    place = 0.5 * height + _OFF_LATTICE * results.spacing[1]
    cuts = [slice_part(series.files[time]["solid"], "SoL", 1, place) for time in times]
    if not any(len(cut.triangles) for cut in cuts):
        return None
    pairs = 1 if depth > 1.5 * width else 2
    rows = -(-len(times) // pairs)
    panel = (WIDTH - 0.6) / (2 * pairs)
    figure = drawing(rows * (panel * width / depth + 0.3) + 1.25)
    panels = figure.subplots(rows, 2 * pairs, sharex=True, sharey=True, squeeze=False)
    pair_axes = panels.reshape(-1, 2)
    means = [electrode_means(results, time) for time in times]
    apart = [deviations(cut, found, header.phases) for cut, found in zip(cuts, means, strict=True)]
    reach = _reach(apart)
    norms = (Normalize(0.0, 1.0), Normalize(-reach, reach))
    maps = (SOL_MAP, DEVIATION_MAP)
    for axes, time, cut, away, found in zip(pair_axes, times, cuts, apart, means, strict=False):
        _draw_slice(axes[0], cut, cut.values, (depth, width), norms[0], maps[0])
        _draw_slice(axes[1], cut, away, (depth, width), norms[1], maps[1])
        name = results.instant_name(time)
        narrow = name.replace(", step", "\nstep") if pairs > 1 else name
        axes[0].set_title(narrow, fontweight="normal")
        axes[1].set_title(_means_text(found, cut, pairs > 1), fontweight="normal")
    for axes in pair_axes[len(times) :].flat:
        axes.set_axis_off()
    for axes in panels[-1]:
        axes.set_xlabel("z [µm]")
    for axes in panels[:, 0]:
        axes.set_ylabel("x [µm]")
    whole = "cell" if results.study.negative is None else "electrode"
    labels = ("local SoL", f"local SoL minus that of the {whole}")
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
        f" pair: local SoL on one scale. Right: its distance from the SoL of the {whole}: red holds"
        " more lithium, blue less; between particles and from surface to core.",
        "Maps of the state of lithiation on a section, one pair per stored instant",
    )


def deviations(cut: Slice, means: Sequence[Mean], phases: Sequence[str]) -> Floats:
    """Distance of SoL at the points of a slice from that of the electrode they belong to."""
    base = np.full(len(cut.values), _sol(means[0], cut))
    for mean in means[1:]:
        ours = np.isin(cut.labels, [phases.index(name) for name in mean.phases if name in phases])
        base[cut.triangles[ours]] = _sol(mean, cut)
    return np.asarray(cut.values - base, dtype=np.float64)


def _sol(mean: Mean, cut: Slice) -> float:
    """SoL of an electrode; where no table holds it the mean over the slice."""
    return float(cut.values.mean()) if mean.sol is None else mean.sol


def _means_text(means: Sequence[Mean], cut: Slice, narrow: bool) -> str:
    if len(means) == 1:
        return f"mean {_sol(means[0], cut):.3f}"
    between = ",\n" if narrow else ", "
    return "mean " + between.join(f"{mean.name} {_sol(mean, cut):.3f}" for mean in means)


def _reach(apart: Sequence[Floats]) -> float:
    """Range of the distances from the mean, without the last two per cent."""
    return max(float(np.percentile(np.abs(np.concatenate(apart)), 98.0)), 1e-4)


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
