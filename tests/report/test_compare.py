"""Runs side by side, from made-up folders."""

from pathlib import Path

import pandas as pd
import pytest
from synthetic import write_run

from voxtrode.data.errors import InputError
from voxtrode.pipeline.compare import compare


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two runs that differ in the separator, the second's simulation missing its tables."""
    first, second = tmp_path / "a" / "run", tmp_path / "b" / "run"
    write_run(first)
    write_run(second, separator={"thickness": "12 um", "porosity": 0.5, "tortuosity": 1.5})
    (second / "simulate" / "cell.csv").unlink()
    return [first, second]


def test_a_table_and_a_page(runs: list[Path], tmp_path: Path) -> None:
    table, page = compare(runs, tmp_path / "out")
    rows = pd.read_csv(table)
    assert rows["run"].tolist() == ["a/run", "b/run"]
    assert rows["separator.thickness"].tolist() == [8e-6, 12e-6]
    assert rows["areal_mAh_cm2"].notna().tolist() == [True, False]
    assert rows["nsd tortuosity z (mesh)"].tolist() == [1.2345, 1.2345]
    html = page.read_text(encoding="utf-8")
    assert "b/run has no discharge to compare" in html
    assert "separator.thickness" in html
    assert "http" not in html.replace("http://www.w3.org", "").split("<body>")[1]
    assert sorted(path.name for path in page.parent.iterdir()) == [table.name, page.name]


def test_what_cannot_be_compared(runs: list[Path], tmp_path: Path) -> None:
    """Nothing is written."""
    for wrong, words in (
        (runs[:1], "two run folders or more"),
        ([*runs, runs[0]], "was given twice"),
        ([runs[0], tmp_path], "no run folder"),
    ):
        with pytest.raises(InputError, match=words):
            compare(wrong, tmp_path / "out")
    assert not (tmp_path / "out").exists()
