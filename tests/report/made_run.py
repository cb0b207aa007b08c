"""A run folder of one's own, and the report stage on it."""

from dataclasses import dataclass
from pathlib import Path

from voxtrode.pipeline import stage_report
from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.progress import SILENT
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study


@dataclass(frozen=True)
class Run:
    """A run folder and its study."""

    folder: Path
    study: Study

    def report(self) -> Path:
        """Runs the report stage; the folder it wrote into."""
        staging = self.folder / ".partial" / "report"
        staging.mkdir(parents=True, exist_ok=True)
        stage_report.run(
            StageContext(
                study=self.study,
                run_dir=self.folder,
                staging=staging,
                comm=Serial(),
                resume=False,
                log=SILENT,
                stop_requested=lambda: False,
            )
        )
        return staging
