"""What a generator was asked for beside what it met, read from its evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from matplotlib.axes import Axes

from voxtrode.pipeline.report.numbers import is_number
from voxtrode.pipeline.report.style import INK, UM

_PERCENTILES = {"d10": 10.0, "d50": 50.0, "d90": 90.0}  # % of the volume is smaller
_DIAMETERS = "diameters_m"
_LENGTHS = "asked_m"  # a mapping of lengths, whose keys do not say so
_MET = {"asked": "met", _LENGTHS: "inside_m"}
_LEFT_OUT = frozenset({"classes", "seed"})  # too fine for a table; no measure


@dataclass(frozen=True)
class Pair:
    """A number asked for and the one met.

    Attributes:
        name: Keys that lead to it in the evidence.
        asked, met: The numbers; lengths in metres where the last key ends with `_m`.
    """

    name: tuple[str, ...]
    asked: float
    met: float


@dataclass(frozen=True)
class Asked:
    """Sizes of particles that were asked for.

    Attributes:
        diameters: Single sizes [m].
        percentiles: Diameter [m] and share of the volume below it [%].
    """

    diameters: tuple[float, ...] = ()
    percentiles: tuple[tuple[float, float], ...] = ()

    def draw(self, axes: Axes) -> None:
        """Marks them over a cumulated distribution: diameters in µm, shares in %."""
        for k, diameter in enumerate(self.diameters):
            axes.axvline(
                diameter * UM,
                color=INK,
                linewidth=0.9,
                linestyle=":",
                label="asked" if k == 0 else None,
            )
        if self.percentiles:
            axes.plot(
                [UM * diameter for diameter, _ in self.percentiles],
                [share for _, share in self.percentiles],
                linestyle="none",
                marker="o",
                markersize=5.0,
                markerfacecolor="none",
                markeredgecolor=INK,
                label="asked, by volume",
                zorder=4.0,
            )


def asked_sizes(evidence: Mapping[str, Any]) -> Asked:
    """Sizes that a generator was asked for, anywhere under `asked` or `asked_m`.

    Percentiles of several populations are none of the whole: they are left out.
    """
    diameters: list[float] = []
    found: list[tuple[tuple[float, float], ...]] = []
    for node in _asked_nodes(evidence, under=False):
        given = node.get(_DIAMETERS, ())
        sizes = [given] if is_number(given) else given
        diameters += [float(one) for one in sizes if is_number(one)]
        values = [(node.get(key, node.get(f"{key}_m")), at) for key, at in _PERCENTILES.items()]
        percentiles = tuple((float(value), at) for value, at in values if is_number(value))
        if percentiles:
            found.append(percentiles)
    alone = found[0] if len(set(found)) == 1 else ()
    return Asked(tuple(dict.fromkeys(diameters)), alone)


def asked_and_met(evidence: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[Pair]:
    """Numbers that stand twice in a generator's evidence: as asked for and as met.

    Paired are `asked: {x}` with `met: {x}` or with `x` beside it, `asked_m` with `inside_m`
    (lengths), and `x_asked` or `asked_x` with `x`; in nested mappings and lists too.

    Args:
        evidence: What the generator says.
        path: Keys that lead there.
    """
    pairs: list[Pair] = []
    for key, value in evidence.items():
        if key in _LEFT_OUT:
            continue
        if key in _MET and isinstance(value, Mapping):
            met = evidence.get(_MET[key])
            beside = {k: v for k, v in evidence.items() if k not in _MET}
            found = _paired(value, met if isinstance(met, Mapping) else beside, path)
            pairs += [_as_length(pair) for pair in found] if key == _LENGTHS else found
        elif name := _plain_name(key):
            pairs += _paired({name: value}, evidence, path)
        elif isinstance(value, Mapping):
            pairs += asked_and_met(value, (*path, key))
        elif isinstance(value, list | tuple):
            for place, one in enumerate(value):
                if isinstance(one, Mapping):
                    pairs += asked_and_met(one, (*path, f"{key} {place + 1}"))
    return pairs


def _as_length(pair: Pair) -> Pair:
    *before, last = pair.name
    return Pair((*before, f"{last}_m"), pair.asked, pair.met)


def _paired(asked: Mapping[str, Any], met: Mapping[str, Any], path: tuple[str, ...]) -> list[Pair]:
    pairs: list[Pair] = []
    for key, value in asked.items():
        if key in _LEFT_OUT:
            continue
        other = met.get(key)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            pairs += _paired(value, other, (*path, key))
        elif is_number(value) and is_number(other):
            pairs.append(Pair((*path, key), float(value), float(met[key])))
    return pairs


def _plain_name(key: str) -> str:
    """`x` of `x_asked` and of `asked_x`; empty for other keys."""
    if key.endswith("_asked"):
        return key.removesuffix("_asked")
    return key.removeprefix("asked_") if key.startswith("asked_") else ""


def _asked_nodes(node: Any, under: bool) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if under:
            yield node
        found = (_asked_nodes(value, under or key in _MET) for key, value in node.items())
        yield from chain.from_iterable(found)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        yield from chain.from_iterable(_asked_nodes(one, under) for one in node)
