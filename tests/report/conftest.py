"""A made-up run folder, and the report of it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_run import Run
from synthetic import write_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run folder of one's own."""
    return Run(tmp_path / "run", write_run(tmp_path / "run"))


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staging folder of a report that was made once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("report") / "run"
    return Run(folder, write_run(folder)).report()
