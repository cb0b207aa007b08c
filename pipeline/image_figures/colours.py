"""Colours of many particles, and of phases behind them."""

import colorsys
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from voxtrode.pipeline.report.style import phase_colours

UNKNOWN = "#b9b9b9"  # a phase that the study does not know
_GOLDEN = 0.6180339887498949
_TONES = ((0.62, 0.86), (0.45, 0.95), (0.72, 0.68))  # (saturation, value), taken in turn
_LIGHTEST = 0.52

type Bytes = NDArray[np.uint8]


def particle_colours(largest: int) -> Bytes:
    """A colour for each id 0..`largest`, uint8[largest + 1, 3]; 0 is white.

    Hues step by the golden ratio, which keeps any few successive ones apart, and go to the ids in
    random order, so that a gradient of ids (by depth, say) is none of colours. The same id has the
    same colour in every figure of a volume.
    """
    order = np.random.default_rng(0).permutation(largest)
    table = np.full((largest + 1, 3), 255, np.uint8)
    for place, number in enumerate(order.tolist()):
        saturation, value = _TONES[place % len(_TONES)]
        rgb = colorsys.hsv_to_rgb((0.07 + _GOLDEN * place) % 1.0, saturation, value)
        table[number + 1] = np.rint(255.0 * np.array(rgb))
    return table


def largest_id(table: pd.DataFrame | None) -> int:
    """The largest particle id of a `particles.csv`; 0 without one."""
    return int(table["id"].max()) if table is not None and len(table) else 0


def named_colours(
    phases: tuple[str, ...], able: Mapping[str, Mapping[str, bool]]
) -> tuple[str, ...]:
    """The colour of each label of a volume, as CSS writes it."""
    known = phase_colours(able)
    return tuple(known.get(name, UNKNOWN) for name in phases)


def pale(colour: str, share: float = 0.55) -> Bytes:
    """A colour mixed with so much white, uint8[3]."""
    mixed = (1.0 - share) * np.array(to_rgb(colour)) + share
    return np.rint(255.0 * mixed).astype(np.uint8)


def solid(colour: str) -> Bytes:
    """A colour as bytes, uint8[3]."""
    return pale(colour, 0.0)


def strong(colour: str) -> tuple[float, float, float]:
    """A colour that a line can have on white: no lighter than half, and not grey if it was not."""
    hue, light, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    if light <= _LIGHTEST:
        return to_rgb(colour)
    return colorsys.hls_to_rgb(hue, _LIGHTEST, 0.8 * saturation)
