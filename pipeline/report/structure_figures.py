"""Pictures of the volume: sections, the 3D picture with its labels, distributions, profiles."""

from pathlib import Path

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.image_figures.distributions import distributions_drawing
from voxtrode.pipeline.image_figures.profiles import profiles_drawing
from voxtrode.pipeline.image_figures.rendering import labelled_picture
from voxtrode.pipeline.image_figures.slices import slices_drawing
from voxtrode.pipeline.report.blocks import Figure
from voxtrode.pipeline.report.electrodes import depth_runs
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.solids import Scene
from voxtrode.pipeline.report.style import SOL_MAP, as_figure


def sections_figure(results: Results, header: VolumeHeader) -> Figure:
    """Three sections through the volume, by phase and by particle, to one scale."""
    figure = slices_drawing(
        results.folder / "image", header, results.image, results.able, results.image_particles
    )
    return as_figure(
        figure,
        "Sections through the middle of the labelled volume, all to one scale: its phases, and its"
        f" particles each in a colour of its own; {depth_runs(results)}.",
        "Three orthogonal sections through the volume, coloured by phase and by particle",
    )


def distributions_figure(results: Results, header: VolumeHeader) -> Figure | None:
    """Sizes, shapes and contacts of the particles, widths of the phases."""
    figure = distributions_drawing(header, results.image, results.able, results.image_particles)
    if figure is None:
        return None
    return as_figure(
        figure,
        "Distributions. Particles: whole ones only, those that the box cuts have no size. Phases:"
        " local thickness, the diameter of the largest ball that fits into the phase and covers a"
        " place.",
        "Distributions of particle size and of the widths of the phases",
    )


def profiles_figure(results: Results, header: VolumeHeader) -> Figure | None:
    """Fractions against depth, and the halves of the volume beside the whole."""
    figure = profiles_drawing(header, results.image, results.able, results.study.collectors)
    if figure is None:
        return None
    return as_figure(
        figure,
        "Fraction of each phase against depth, and how evenly it is spread in the plane. Diamonds:"
        " each half of the volume. Right, where known: how far the halves across each axis are"
        " from the whole; the shaded band is the tolerance.",
        "Fraction of each phase against depth",
    )


def scene_figure(scene: Scene, results: Results, folder: Path) -> Figure | str:
    """The 3D picture with its labels, or why there is none.

    Args:
        scene: What it shows.
        results: The run.
        folder: Where files may lie for a while.
    """
    drawn = labelled_picture(scene, folder, 1.1 if scene.what else 0.5)
    if isinstance(drawn, str):
        return drawn
    figure, axes = drawn
    caption = (
        f"The volume with one corner cut away; {depth_runs(results)}. Closing faces show the inside"
        " of particles."
    )
    plain = [s.name for s in scene.surfaces if not len(s.values) and len(s.points)]
    if scene.what:
        mappable = ScalarMappable(Normalize(*scene.limits), SOL_MAP)
        bar = figure.colorbar(
            mappable, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.09
        )
        bar.set_label(f"state of lithiation SoL at {results.instant_name(scene.time)}")
        bar.outline.set_visible(False)
        caption += " Colour: local state of lithiation (colours span the 1st to 99th percentile)."
        if plain:
            caption += f" In plain colour: {', '.join(plain)}."
    elif any(len(surface.paint) for surface in scene.surfaces):
        caption += " Every particle has a colour of its own."
    return as_figure(figure, caption, "3D picture of the electrode, cut open")
