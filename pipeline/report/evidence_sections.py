"""Sections on why to trust the numbers, and where they come from."""

from collections.abc import Mapping
from typing import Any

from voxtrode.pipeline.report.blocks import Block, Cell, Listing, Missing, Section, Table
from voxtrode.pipeline.report.findings import BALANCE_LIMIT, BALANCES, balance_state
from voxtrode.pipeline.report.numbers import duration, number, quantity
from voxtrode.pipeline.report.results import Results

_REFERENCES = {
    "lithium_balance": "charge passed, at least 0.1 % of the capacity",
    "salt_balance": "salt in the cell",
    "charge_balance": "current, at least that of 1C",
}
_JUDGED = {"good": "holds", "bad": "fails", "": "not known", "warn": ""}


def balance_section(results: Results) -> Section:
    """Conservation of lithium, salt and charge."""
    summary = results.summary
    if not any(key in summary for key in BALANCES):
        missing = Missing("No balances here: run the simulation, `voxtrode simulate`.")
        return Section("balances", "Balances", [missing])
    rows: list[list[Cell | str]] = []
    for key, name in BALANCES.items():
        state = balance_state(summary.get(key))
        rows.append(
            [
                name,
                number(summary.get(key), 2),
                number(BALANCE_LIMIT, 1),
                Cell(_JUDGED[state], state),
                _REFERENCES[key],
            ]
        )
    return Section(
        "balances",
        "Balances",
        [
            Table(
                ["Conserved", "Largest imbalance", "Limit", "Verdict", "Relative to"],
                rows,
                "Largest imbalance over all stored instants, rests included. Fluxes are the"
                " residuals of the discrete equations, so that nothing is lost but by rounding and"
                " the tolerance of Newton's method.",
                left=(0, 3, 4),
            )
        ],
    )


def solver_section(results: Results) -> Section:
    """How hard the equations were to solve."""
    summary = results.summary
    if "steps" not in summary:
        missing = Missing("No solver evidence here: run the simulation, `voxtrode simulate`.")
        return Section("solver", "Solver", [missing])
    newton, steps = summary.get("newton_iterations"), summary.get("steps")
    per_step = newton / max(steps, 1) if newton is not None and steps else None
    rejected = summary.get("rejected_steps", 0)
    rows: list[list[Cell | str]] = [
        ["Unknowns", number(summary.get("dofs"))],
        [
            "Time steps (rejected besides)",
            f"{number(steps)} ({number(rejected)})",
        ],
        ["Newton iterations (per step)", f"{number(newton)} ({number(per_step, 2)})"],
        [
            "Krylov iterations per linear solve, mean (largest)",
            f"{number(summary.get('krylov_mean'))} ({number(summary.get('krylov_max'))})",
        ],
        ["Newton iteration over one Poisson solve", _ratio(summary)],
        ["Peak memory of all ranks", quantity(summary.get("peak_memory_GiB"), "GiB")],
    ]
    parts = summary.get("newton_s", {})
    if parts:
        names = {"residual": "residual", "jacobian": "Jacobian", "linear": "linear solve"}
        text = ", ".join(f"{names[key]} {quantity(parts.get(key), 's', 1.0, 2)}" for key in names)
        rows.insert(4, ["Wall time of a Newton iteration", text])
    caption = (
        "Cost of the solution. The Poisson solve is one P1 problem on the same mesh and ranks:"
        " multigrid set-up and conjugate gradients to 10⁻⁸."
    )
    return Section("solver", "Solver", [Table([], rows, caption), _wall_table(results)])


def _ratio(summary: Mapping[str, Any]) -> str:
    text = number(summary.get("poisson_ratio"))
    seconds = summary.get("poisson_s")
    return f"{text} (of {quantity(seconds, 's', 1.0, 2)})" if seconds else text


def _wall_table(results: Results) -> Table:
    stages = results.provenance.get("stages", {})
    walls = {name: entry.get("wall_s") for name, entry in stages.items()}
    longest = max((wall for wall in walls.values() if wall), default=1.0)
    return Table(
        ["Stage", "Ranks", "Peak memory", "Wall time", ""],
        [
            [
                name,
                number(entry.get("ranks")),
                quantity(entry.get("peak_memory_GiB"), "GiB"),
                duration(walls[name]),
                Cell("", share=(walls[name] or 0.0) / longest),
            ]
            for name, entry in stages.items()
            if name != "report"
        ],
        "Wall time of each stage as it was last run.",
        left=(0, 4),
    )


def study_section(results: Results) -> Section:
    """The study as it was run."""
    block: Block = Missing("No study.yaml here.")
    if results.study_text:
        block = Listing("study.yaml: every default written out, SI units", results.study_text, True)
    return Section("study", "Study", [block])


def provenance_section(results: Results) -> Section:
    """Versions, machine, hashes."""
    record = results.provenance
    if not record:
        return Section("provenance", "Provenance", [Missing("No provenance.json here.")])
    machine = record.get("machine", {})
    rows: list[list[Cell | str]] = [
        [name, Cell(str(version), code=True)]
        for name, version in record.get("versions", {}).items()
    ]
    rows += [
        ["Commit", Cell(str(record.get("commit") or "no git checkout"), code=True)],
        ["Hash of the sources (SHA-256)", Cell(str(record.get("code_sha256", "–")), code=True)],
        [
            "Machine",
            f"{machine.get('host', '–')}, {machine.get('system', '–')},"
            f" {number(machine.get('cpus'))} CPUs",
        ],
    ]
    rows += [
        [f"Hash of {name}", Cell(str(digest), code=True)]
        for name, digest in record.get("input_sha256", {}).items()
    ]
    rows += [
        [f"Stage {name}, started", f"{entry.get('started', '–')}"]
        for name, entry in record.get("stages", {}).items()
        if name != "report"
    ]
    table = Table([], rows, "What made these results.")
    return Section("provenance", "Provenance", [table])
