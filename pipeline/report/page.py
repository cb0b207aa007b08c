"""The page: sections in order, rendered by a template into one self-contained file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

import voxtrode
from voxtrode.pipeline.report.blocks import Page, Section
from voxtrode.pipeline.report.cautions import cautions
from voxtrode.pipeline.report.evidence_sections import (
    balance_section,
    provenance_section,
    solver_section,
    study_section,
)
from voxtrode.pipeline.report.findings import tiles, verdict
from voxtrode.pipeline.report.limits_section import limits_section
from voxtrode.pipeline.report.mesh_sections import mesh_section
from voxtrode.pipeline.report.parameter_section import assumptions, parameter_section
from voxtrode.pipeline.report.result_sections import (
    cell_section,
    field_section,
    particle_section,
)
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.report.structure_sections import structure_section
from voxtrode.pipeline.report.style import style
from voxtrode.pipeline.report.transport_section import transport_section

TEMPLATE = "report.html.j2"

type MakeSection = Callable[[Results], Section]


def section_makers(folder: Path) -> tuple[MakeSection, ...]:
    """What makes each section, in the order of the page.

    Args:
        folder: Where files may lie for a while.
    """
    return (
        partial(structure_section, folder=folder),
        cell_section,
        particle_section,
        limits_section,
        field_section,
        balance_section,
        mesh_section,
        transport_section,
        solver_section,
        parameter_section,
        study_section,
        provenance_section,
    )


def make_page(
    results: Results, folder: Path, done: Callable[[float, str], None] = lambda count, name: None
) -> Page:
    """Draws and collects everything.

    Args:
        results: The run.
        folder: Where files may lie for a while.
        done: Told after each section how many are done, and its title.
    """
    sections = []
    with style():
        for make in section_makers(folder):
            sections.append(make(results))
            done(len(sections), sections[-1].title)
    return Page(
        title=results.study.name,
        verdict=verdict(results),
        tiles=tiles(results),
        warnings=all_cautions(results),
        sections=sections,
        footer=f"voxtrode {voxtrode.__version__}",
    )


def all_cautions(results: Results) -> list[str]:
    """What to know before trusting the numbers, the assumed parameters included."""
    found = cautions(results)
    if count := assumptions(results):
        found.append(f"{count} parameters are assumed, not published; they are listed below.")
    return found


def render(page: Page) -> str:
    """The page as HTML: styles and pictures inside, no scripts, nothing fetched."""
    environment = Environment(
        loader=PackageLoader("voxtrode.pipeline", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(page=page)
