"""How many cells fill a length: what a mesher takes, and what a prediction counts on."""

from math import ceil

ADJUSTED = 0.1
"""Largest change of a spacing for a number of cells that large cells fit, too."""


def cubes_along(length: float, spacing: float, levels: int) -> int:
    """Number of equal cells along an axis.

    A multiple of 2**levels, or else the nearest whole number, where the spacing changes by no more
    than ``ADJUSTED`` for it; so many that they are no larger than wanted where neither does.

    Args:
        length: To be filled [any unit].
        spacing: Wanted, in the same unit.
        levels: How often cells may double in size.
    """
    exact, block = length / spacing, 2**levels
    for count in (block * max(1, round(exact / block)), max(1, round(exact))):
        if abs(exact / count - 1.0) <= ADJUSTED:
            return count
    return ceil(exact)


def separator_layers(
    thickness: float, first: float, growth: float = 1.25, cap: float = 3.0
) -> tuple[float, ...]:
    """Layer thicknesses that grow from the electrode outwards and add up to ``thickness``.

    Args:
        thickness: Separator thickness [m]; 0 for none.
        first: Thickness of the layer at the electrode [m], kept up to the final scaling.
        growth: Ratio of neighbouring layers.
        cap: Largest layer in multiples of ``first``.

    Returns:
        Tuple of thicknesses [m].
    """
    if thickness <= 0.0:
        return ()
    sizes: list[float] = []
    while sum(sizes) < thickness:
        sizes.append(first * min(growth ** len(sizes), cap))
    scale = thickness / sum(sizes)
    return tuple(size * scale for size in sizes)
