"""How figures look: one type size, dark on white, colours that mean the same everywhere."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from voxtrode.pipeline.report.blocks import Figure

UM = 1e6  # micrometres in a metre
WIDTH = 7.6  # inches, the width of the page's column
INK = "#1d2733"
FAINT = "#8a95a1"
ACCENT = "#b5432a"
SOL_MAP = "viridis"
DEVIATION_MAP = "RdBu_r"
INSTANT_MAP = "plasma"

# Overpotential parts: electrolyte in blues, solid in warm colours, surfaces in greens.
PART_COLOURS = {
    "Ohmic": "#1f5a8a",
    "Concentration": "#5b9bc9",
    "Counter": "#b4d3e7",
    "Electronic": "#4a4a4a",
    "Contact": "#9a9a9a",
    "Kinetic": "#2c8a6b",
    "Film": "#9ccfb8",
    "Solid diffusion": "#d9822b",
    "Particle-to-particle": "#f2c46d",
}

# Phases by what they can do (stores, electrons, ions); a second phase of a kind takes the next.
_PHASE_COLOURS: dict[tuple[bool, bool, bool], Sequence[str]] = {
    (True, True, False): ("#52657a", "#7d6b91", "#8a5a44"),
    (False, True, True): ("#efd9a7", "#e0b35c", "#c9a27a"),
    (False, False, True): ("#dceaf3", "#bcd9d3", "#cfe0b8"),
    (False, True, False): ("#262626", "#4d3b2f"),
    (False, False, False): ("#b9b9b9", "#a39a9a"),
}
DEAD = "#c8102e"

_RC: Any = {
    "font.size": 9.0,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.prop_cycle": cycler(color=["#1f5a8a", ACCENT, "#2c8a6b", "#7d6b91", "#d9822b", INK]),
    "grid.color": "#e4e8ec",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.dpi": 96.0,
    "savefig.dpi": 180.0,  # of rasterised parts
    "svg.fonttype": "path",
    "svg.hashsalt": "voxtrode",
    "figure.constrained_layout.use": True,
    "image.interpolation": "nearest",
}


@contextmanager
def style() -> Iterator[None]:
    """Draws in the house's style."""
    with mpl.rc_context(_RC):
        yield


def drawing(height: float, width: float = WIDTH) -> Drawing:
    """An empty figure of a size [inch]."""
    return Drawing(figsize=(width, height))


def as_figure(figure: Drawing, caption: str, alt: str) -> Figure:
    """A drawing as a block of the page."""
    stream = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(stream, format="svg", metadata=nothing)
    width = round(figure.get_figwidth() * 100.0)
    return Figure(data_uri(stream.getvalue(), "image/svg+xml"), caption, alt, width)


def data_uri(content: bytes, kind: str) -> str:
    """Content as a data URI of a media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def phase_colours(able: Mapping[str, Mapping[str, bool]]) -> dict[str, str]:
    """A colour for each phase by what it can do, in the order given.

    Args:
        able: `stores`, `electrons` and `ions` of each phase by name.
    """
    used: dict[tuple[bool, bool, bool], int] = {}
    colours = {}
    for name, can in able.items():
        kind = (can["stores"], can["electrons"], can["ions"])
        choice = _PHASE_COLOURS.get(kind, _PHASE_COLOURS[False, False, False])
        colours[name] = choice[used.get(kind, 0) % len(choice)]
        used[kind] = used.get(kind, 0) + 1
    return colours


def instant_colours(count: int) -> list[Any]:
    """Colours of so many instants, in order."""
    cmap = mpl.colormaps[INSTANT_MAP]
    return [cmap(0.03 + 0.83 * k / max(count - 1, 1)) for k in range(count)]


def light_grid(axes: Axes, which: str = "y") -> None:
    """Faint lines behind the data."""
    axes.grid(visible=True, axis=which)  # type: ignore[arg-type]
