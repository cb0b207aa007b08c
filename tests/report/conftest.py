"""A made-up run folder, and the report of it."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from synthetic import write_run

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


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run folder of one's own."""
    return Run(tmp_path / "run", write_run(tmp_path / "run"))


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staging folder of a report that was made once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("report") / "run"
    return Run(folder, write_run(folder)).report()
