"""Pictures of the transport stage: the potential and the flux in the plane through the middle."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Drawing
from mpi4py import MPI
from numpy.typing import NDArray

from voxtrode.pipeline.communicator import on_root
from voxtrode.pipeline.image_figures.draw import DPI
from voxtrode.pipeline.report.style import FAINT, INK, UM, WIDTH, style
from voxtrode.pipeline.transport_figures_names import FLUX
from voxtrode.solvers.voxel_transport.engine import Solved

_PIXELS = 900
_DECADES = (0.03, 10.0)  # of the flux over its mean

Plane = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FluxPlane:
    """A section normal to y; NaN where nothing flows.

    Attributes:
        potential: u, float64[z, x].
        flux: Magnitude of the flux, over the flux of a uniform block of the best conductor.
    """

    potential: Plane
    flux: Plane


def draw_flux(
    folder: Path, solved: Solved, title: str, size: tuple[float, float], comm: MPI.Intracomm
) -> None:
    """Draw the middle plane; collective. Each rank cuts its layers, rank 0 gathers the plane.

    Args:
        folder: Where the picture goes.
        solved: With a potential, unless nothing percolates: then nothing is drawn.
        title: What is conducted, and which way.
        size: Edge lengths (z, x) of the volume [m].
        comm: All ranks.
    """
    parts = comm.gather(_cut(solved))
    if solved.row.effective_ratio > 0.0:
        on_root(comm, lambda: _save(folder / FLUX, parts, solved, title, size))


def _cut(solved: Solved) -> FluxPlane | None:
    problem, padded = solved.problem, solved.potential
    if problem is None or padded is None:
        return None
    middle = padded.shape[1] // 2
    u = padded[:, middle - 1 : middle + 2]
    phase = problem.table.phase[:, middle - 1 : middle + 2]
    at = phase[1:-1, 1, 1:-1]
    squares = np.zeros(at.shape)
    inner = (slice(1, -1), slice(1, 2), slice(1, -1))
    for axis in range(3):
        flow = np.zeros(at.shape)
        for step in (-1, 1):
            there = tuple(
                slice(one.start + step, one.stop + step or None) if i == axis else one
                for i, one in enumerate(inner)
            )
            conductance = problem.table.values[axis, at, phase[there][:, 0]]
            flow += 0.5 * step * conductance * (u[inner] - u[there])[:, 0]
        squares += (flow * _edge(solved, axis)) ** 2
    length = problem.slab.line.starts[-1] if problem.axis == 0 else padded.shape[problem.axis] - 2
    conducts = at != 0
    return FluxPlane(
        np.where(conducts, u[inner][:, 0], np.nan),
        np.where(conducts, length * np.sqrt(squares), np.nan),
    )


def _edge(solved: Solved, axis: int) -> float:
    """Edge of a voxel along an axis, over that along the direction of transport."""
    assert solved.problem is not None
    # Conductances fall with the square of the edge; the flux density with the edge alone.
    values = solved.problem.table.values
    return float(np.sqrt(values[solved.problem.axis, 1, 1] / values[axis, 1, 1]))


def _save(
    path: Path,
    parts: list[FluxPlane | None] | None,
    solved: Solved,
    title: str,
    size: tuple[float, float],
) -> None:
    found = [part for part in parts or [] if part is not None]
    potential = np.concatenate([part.potential for part in found])
    flux = np.concatenate([part.flux for part in found])
    best = max(solved.problem.conductivity) if solved.problem is not None else 1.0
    with style():
        drawn = _drawing(potential, flux * best / solved.row.effective_ratio, title, size)
        drawn.savefig(path, dpi=DPI, bbox_inches="tight")


def _drawing(potential: Plane, flux: Plane, title: str, size: tuple[float, float]) -> Drawing:
    height, width = (edge * UM for edge in size)
    tall = min(0.5 * (WIDTH - 1.4) * height / width, 7.0)
    drawing = Drawing(figsize=(WIDTH, tall + 1.0), layout="constrained")
    drawing.suptitle(title, fontsize=9.0, color=INK)
    axes = drawing.subplots(1, 2, sharey=True)
    step = max(1, max(potential.shape) // _PIXELS)
    norms = (mpl.colors.Normalize(0.0, 1.0), LogNorm(*_DECADES))
    names = ("Potential", "Flux over mean flux")
    maps = ("viridis", "magma")
    pictures = (potential, np.maximum(flux, _DECADES[0]))
    for one, values, norm, name, colours in zip(axes, pictures, norms, names, maps, strict=True):
        colour_map = mpl.colormaps[colours].with_extremes(bad=FAINT)
        shown = one.imshow(
            values[::step, ::step],
            origin="lower",
            extent=(0.0, width, 0.0, height),
            cmap=colour_map,
            norm=norm,
            interpolation="nearest",
        )
        one.set_title(name)
        one.set_xlabel("x [µm]")
        drawing.colorbar(shown, ax=one, shrink=0.8)
    axes[0].set_ylabel("z [µm]")
    return drawing
