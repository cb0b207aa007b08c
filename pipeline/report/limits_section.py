"""The section on what limits the electrode."""

from voxtrode.pipeline.analysis.limits import Limits, limits
from voxtrode.pipeline.report.blocks import Block, Missing, Section, Table, Words
from voxtrode.pipeline.report.limits_figures import lithiation_figure, spread_figure
from voxtrode.pipeline.report.limits_words import limits_text
from voxtrode.pipeline.report.numbers import number
from voxtrode.pipeline.report.results import Results

_LONGEST = 10


def limits_section(results: Results) -> Section:
    """Words, figures and the idle particles of each electrode."""
    found, reasons = limits(results)
    blocks: list[Block] = []
    for one in found:
        assert results.header is not None
        blocks.append(Words(limits_text(one, results.header.size[0])))
        blocks.append(spread_figure(one))
        if picture := lithiation_figure(one):
            blocks.append(picture)
        if len(one.idle):
            blocks.append(_idle_table(one))
    blocks += [Missing(f"No comparison with free particles for {reason}.") for reason in reasons]
    missing = Missing("No particles here: run the simulation, `voxtrode simulate`.")
    return Section("limits", "What limits", blocks or [missing])


def _idle_table(found: Limits) -> Table:
    rows = [
        [
            number(int(row["Particle"])),
            str(row["Phase"]),
            number(1e6 * row["Depth [m]"]),
            number(1e6 * row["Diameter [m]"]),
            number(row["SoL"]),
            number(row["C_p*"]),
            "yes" if row["Touches box"] else "no",
        ]
        for _, row in found.idle.head(_LONGEST).iterrows()
    ]
    more = len(found.idle) - len(rows)
    return Table(
        ["Particle", "Phase", "Depth [µm]", "Diameter [µm]", "SoL", "C_p* [1/h]", "Touches box"],
        rows,
        "Particles that moved less than half of the electrode's mean, the idlest first"
        + (f"; {more} more are in simulate/particles.csv." if more else "."),
        left=(1,),
    )
