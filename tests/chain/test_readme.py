"""The lines of the front page run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _blocks(repository: Path, language: str) -> list[str]:
    text = (repository / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_front_page_runs(repository: Path, tmp_path: Path) -> None:
    """The study, the commands and the Python lines of README.md, in an empty folder."""
    (tmp_path / "small.yaml").write_text(_blocks(repository, "yaml")[0], encoding="utf-8")
    binaries = Path(sys.executable).parent
    for line in _blocks(repository, "sh")[0].splitlines():
        words = line.split("#")[0].split()
        assert words[0] == "voxtrode"
        done = subprocess.run(
            [str(binaries / words[0]), *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    for run in ("small", "small-2C"):
        assert (tmp_path / "runs" / run / "report" / "report.html").is_file()
    done = subprocess.run(
        [sys.executable, "-c", _blocks(repository, "python")[0]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SoL" in done.stdout
