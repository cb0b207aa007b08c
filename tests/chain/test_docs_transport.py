"""The three lines of Python in docs/transport.md run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

DOCS = Path(__file__).resolve().parents[2] / "docs" / "transport.md"


def test_three_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    code = found[1]
    assert len([line for line in code.splitlines() if line]) == 3
    labels = np.zeros((12, 10, 10), np.uint8)
    labels[:, ::2] = 1
    tifffile.imwrite(tmp_path / "cathode.tif", labels)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, DOCS.name, "exec"), {})
    assert "tortuosity_factor=1.0" in capsys.readouterr().out
