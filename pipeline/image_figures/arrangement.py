"""Where pictures to one scale go on a sheet, with room for a title above each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

HEAD = 0.24  # above each picture, for its title [inch]
FOOT = 0.30  # below each
LEFT = 0.30  # left of each
GAP = 0.12  # right of each
_LEAST = 1.08  # width of a column, so that a title fits

type Box = tuple[float, float, float, float]
type Place = tuple[int, int]


@dataclass(frozen=True)
class Arrangement:
    """Pictures on a sheet.

    Attributes:
        height: Of the sheet [inch].
        scale: Inches per unit of the pictures' sizes.
        boxes: Place (left, bottom, width, height) of each picture [inch].
    """

    height: float
    scale: float
    boxes: tuple[Box, ...]


def arrange(
    sizes: Sequence[tuple[float, float]],
    ways: Sequence[Sequence[Place]],
    width: float,
    height: float,
) -> Arrangement:
    """Puts pictures on a sheet, as large as one of several ways allows.

    Args:
        sizes: Height and width of each picture, any unit.
        ways: Row and column of each picture, for each way to try.
        width: Of the sheet [inch].
        height: Its largest height [inch].
    """
    grids = [_Grid.of(sizes, way) for way in ways]
    scales = [grid.largest_scale(width, height) for grid in grids]
    best = max(range(len(ways)), key=scales.__getitem__)
    return _placed(sizes, ways[best], grids[best], scales[best], width)


@dataclass(frozen=True)
class _Grid:
    heights: tuple[float, ...]
    widths: tuple[float, ...]

    @staticmethod
    def of(sizes: Sequence[tuple[float, float]], way: Sequence[Place]) -> "_Grid":
        rows, columns = (max(place[k] for place in way) + 1 for k in (0, 1))
        pairs = list(zip(way, sizes, strict=True))
        return _Grid(
            tuple(max(size[0] for place, size in pairs if place[0] == k) for k in range(rows)),
            tuple(max(size[1] for place, size in pairs if place[1] == k) for k in range(columns)),
        )

    def largest_scale(self, width: float, height: float) -> float:
        down = (height - len(self.heights) * (HEAD + FOOT)) / sum(self.heights)
        wide, room = list(self.widths), width
        while wide:
            across = (room - len(wide) * (LEFT + GAP)) / sum(wide)
            kept = [edge for edge in wide if edge * across + LEFT >= _LEAST]
            if len(kept) == len(wide):
                return min(down, across)
            # Narrow columns keep the width of a title; the others share what is left.
            room -= (len(wide) - len(kept)) * (_LEAST + GAP)
            wide = kept
        return min(down, (_LEAST - LEFT) / max(self.widths))


def _placed(
    sizes: Sequence[tuple[float, float]],
    way: Sequence[Place],
    grid: _Grid,
    scale: float,
    width: float,
) -> Arrangement:
    columns = [max(edge * scale + LEFT, _LEAST) + GAP for edge in grid.widths]
    spare = max(width - sum(columns), 0.0) / len(columns)
    lefts = list(accumulate((edge + spare for edge in columns), initial=0.5 * spare))
    rows = [edge * scale + HEAD + FOOT for edge in grid.heights]
    tops = [sum(rows) - gone for gone in accumulate(rows, initial=0.0)]
    boxes = [
        (lefts[column] + LEFT, tops[row] - HEAD - up * scale, across * scale, up * scale)
        for (row, column), (up, across) in zip(way, sizes, strict=True)
    ]
    return Arrangement(sum(rows), scale, tuple(boxes))
