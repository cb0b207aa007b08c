"""The report stage: the results of a run become one page, `report/report.html`."""

import tempfile
from pathlib import Path

from voxtrode.pipeline.analysis.delivered import delivered
from voxtrode.pipeline.analysis.limits import limits
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.report.page import make_page, render, section_makers
from voxtrode.pipeline.report.results import read_results
from voxtrode.pipeline.stages import StageContext


def run(context: StageContext) -> None:
    """Write `report/report.html`; warnings, what was delivered and what limits to `summary.json`.

    It reads the run folder alone; what is missing there the page says.
    """
    if context.comm.rank != 0:
        return
    results = read_results(context.run_dir, context.study)
    with (
        context.log.task("report", total=float(len(section_makers(Path())))) as task,
        tempfile.TemporaryDirectory() as scratch,
    ):
        page = make_page(results, Path(scratch), task.update)
    folder = context.staging / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(render(page), encoding="utf-8")
    discharge = delivered(results)
    found = {
        "warnings": list(page.warnings),
        "delivered": None if discharge is None else discharge.tree(),
        "limits": [one.tree() for one in limits(results)[0]],
    }
    write_json(context.staging / "summary.json", found)
