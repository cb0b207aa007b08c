"""Tables of how a volume came about; each is None where `image.json` lacks its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from voxtrode.pipeline.image_figures.asked import Pair, asked_and_met
from voxtrode.pipeline.report.blocks import Cell, Table
from voxtrode.pipeline.report.numbers import NONE, number, percent, quantity, square_microns

_UM = 1e6
_MUCH = 0.05  # relative change of a fraction that is marked

type Tree = Mapping[str, Any]
type Rows = list[list[Cell | str]]


def segmentation_table(image: Tree) -> Table | None:
    """What the volume owes to the thresholds of its segmentation."""
    sensitivity = _made(image).get("segmentation", {}).get("sensitivity", {})
    steps = {key: sensitivity[key] for key in ("low", "base", "high") if key in sensitivity}
    if "base" not in steps:
        return None
    rows: Rows = [
        [f"{name}, fraction", *(percent(step["fractions"].get(name)) for step in steps.values())]
        for name in steps["base"].get("fractions", {})
    ]
    rows += [
        [
            f"{pair.replace('|', ' | ')}, area [µm²]",
            *(
                square_microns(
                    step.get("interfaces", {})
                    .get(pair, {})
                    .get("area_m2", {})
                    .get("marching_cubes")
                )
                for step in steps.values()
            ),
        ]
        for pair in steps["base"].get("interfaces", {})
    ]
    share = percent(sensitivity.get("vary"))
    names = {"low": f"− {share}", "base": "as chosen", "high": f"+ {share}"}
    return Table(
        ["Thresholds", *(names[key] for key in steps)],
        rows,
        "Sensitivity to the segmentation: thresholds moved by a share of the distance between the"
        " grey values of two classes.",
    )


def downsampling_table(image: Tree) -> Table | None:
    """What down-sampling of the image cost."""
    loss = _made(image).get("downsampling")
    if not loss:
        return None
    rows: Rows = [
        [
            name,
            percent(entry.get("before")),
            percent(entry.get("after")),
            Cell(
                percent(entry.get("relative_change")),
                "warn" if abs(entry.get("relative_change") or 0.0) > 0.05 else "",
            ),
        ]
        for name, entry in loss.get("fractions", {}).items()
    ]
    factor = " × ".join(map(str, loss.get("factor", [])))
    return Table(
        ["Phase", "Before", "After", "Relative change"],
        rows,
        f"Fractions before and after down-sampling by {factor} (z × y × x), by majority.",
    )


def asked_table(image: Tree) -> Table | None:
    """What the generator was asked for and what it met."""
    rows: Rows = [
        [_words(pair.name), _unit(pair, pair.asked), _unit(pair, pair.met), _off(pair)]
        for pair in asked_and_met(_made(image))
    ]
    if not rows:
        return None
    return Table(["Quantity", "Asked", "Met", "Off by"], rows, "What was asked of the generator.")


def agreement_table(image: Tree) -> Table | None:
    """How well the watershed finds the particles that a generator made."""
    found = _made(image).get("watershed", {})
    if "adjusted_rand_index" not in found:
        return None
    bits = found.get("variation_of_information_bits") or {}
    rows: Rows = [
        ["Particles made", number(found.get("particles_made"))],
        ["Particles found", number(found.get("particles_found"))],
        ["Made particles that are matched", percent(found.get("matched_share"))],
        ["Adjusted Rand index", number(found["adjusted_rand_index"])],
        ["Split, merged [bits]", f"{number(bits.get('split'))}, {number(bits.get('merged'))}"],
    ]
    return Table(
        [],
        rows,
        "What the partition into particles would find in this volume if it were an image. The run"
        " keeps the particles as they were made.",
    )


def _made(image: Tree) -> Tree:
    made: Tree = image.get("evidence", {}).get("volume", {})
    return made


def _area(entry: Tree) -> Any:
    return entry.get("area_m2", {}).get("marching_cubes")


def _words(name: Sequence[str]) -> str:
    *before, last = name
    return " · ".join([*before, last.removesuffix("_m")]).replace("_", " ")


def _unit(pair: Pair, value: float) -> str:
    return quantity(value, "µm", _UM, 4) if pair.name[-1].endswith("_m") else number(value, 4)


def _off(pair: Pair) -> str:
    return percent(pair.met / pair.asked - 1.0, 2) if pair.asked else NONE
