"""The section on parameters: where they come from and which of them are assumed."""

from voxtrode.data.material_kinds import kind_name
from voxtrode.data.materials import Material, assumed_parameters
from voxtrode.pipeline.build import build_phases, materials, windows
from voxtrode.pipeline.report.blocks import Block, Cell, Section, Table
from voxtrode.pipeline.report.material_figures import potential_figure
from voxtrode.pipeline.report.numbers import shortest, unit_text
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.study_phases import PhaseEntry

_OVERRIDES = ("porosity", "tortuosity", "conductivity")


def parameter_section(results: Results) -> Section:
    """Potentials, sources and assumptions of every material of the study."""
    study = results.study
    used = materials(study)
    phases = build_phases(study)
    ends = windows(study)
    active = [(phases[name].active, ends[name]) for name in results.active]
    distinct = list({one.name: (one, window) for one, window in active if one}.values())
    blocks: list[Block] = []
    figure = potential_figure(distinct)
    if figure is not None:
        blocks.append(figure)
    blocks.append(_assumed_table(results, used))
    blocks.append(
        Table(
            ["Material", "Kind", "Source"],
            [[name, kind_name(entry), entry.source] for name, entry in used.items()],
            "Sources; those of each number stand in the file of the material.",
            left=(0, 1, 2),
        )
    )
    return Section("parameters", "Parameters", blocks)


def assumptions(results: Results) -> int:
    """How many parameters are assumed."""
    return sum(len(assumed_parameters(entry)) for entry in materials(results.study).values())


def _assumed_table(results: Results, used: dict[str, Material]) -> Table:
    rows: list[list[Cell | str]] = []
    for name, entry in used.items():
        for assumed in assumed_parameters(entry):
            replaced = _overridden(results, name, assumed.name)
            value = assumed.value if isinstance(assumed.value, str) else shortest(assumed.value)
            rows.append(
                [
                    name,
                    assumed.name,
                    Cell(value, code=isinstance(assumed.value, str)),
                    unit_text(assumed.unit),
                    "; ".join(filter(None, [assumed.note, replaced])),
                ]
            )
    return Table(
        ["Material", "Parameter", "Assumed value", "Unit", "Note"],
        rows or [["none", "", "", "", ""]],
        "Assumed parameters: no source gives them; every result rests on them. What a study"
        " gives itself (phases, separator) overrides them; other values come with a material file.",
        left=(0, 1, 2, 3, 4),
    )


def _overridden(results: Results, name: str, parameter: str) -> str:
    """Where the study gives a value of its own instead."""

    def given(entry: PhaseEntry) -> bool:
        own = {"sigma": "conductivity"}.get(parameter, parameter)
        return str(entry.material) == name and own in _OVERRIDES and getattr(entry, own) is not None

    phases = [phase for phase, entry in results.study.phases.items() if given(entry)]
    return f"not used: the study gives its own for {', '.join(phases)}" if phases else ""
