"""`voxtrode.open`, and the Python of docs/python.md as it stands there."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from made_run import Run

import voxtrode
from voxtrode.data.errors import InputError
from voxtrode.pipeline.view import view

DOCS = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_docs_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SoL is DoD + (z − 8 µm)/100 µm in balls whose mean depth is near 8 µm: 0.5 within 0.01."""
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    )
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "small").symlink_to(run.folder)
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}
    exec(compile(code, DOCS.name, "exec"), found)
    printed = capsys.readouterr().out
    assert "Kinetic overpotential [V]" in printed
    means = re.findall(r"^(0\.\d+)$", printed, re.MULTILINE)
    assert float(means[0]) == pytest.approx(0.5, abs=0.01)


def test_tables_and_fields(run: Run) -> None:
    opened = voxtrode.open(run.folder)
    assert opened.times == (0.0, 900.0, 1800.0, 2700.0, 3300.0)
    assert opened.particles["Dead"].sum() == len(opened.times)
    assert opened.image_particles["dead"].tolist() == [False, False, True]
    assert set(opened.fields()) == {"solid", "electrolyte"}
    assert opened.transport["tortuosity_factor"].tolist() == [1.2345] * 3
    assert opened.volume.labels.shape == (16, 16, 16)
    assert opened.summary["dofs"] == 4242
    early = opened.fields(800.0)["solid"]["SoL"]
    assert np.mean(early) < np.mean(opened.fields()["solid"]["SoL"])


def test_what_is_missing_says_which_command_makes_it(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        voxtrode.open(tmp_path / "nothing")
    opened = voxtrode.open(run.folder)
    with pytest.raises(InputError, match=r"mesh\.vtu is not there; .* voxtrode mesh"):
        opened.mesh()
    (run.folder / "simulate" / "cell.csv").unlink()
    with pytest.raises(InputError, match="voxtrode simulate"):
        _ = opened.cell


def test_a_picture_of_the_fields(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn where there is OpenGL; without a display there is no window."""
    picture = tmp_path / "fields.png"
    view(run.folder, picture, 0.5)
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not os.environ.get("DISPLAY")
    with pytest.raises(InputError, match="--screenshot"):
        view(run.folder, None, None)
    with pytest.raises(InputError, match=r"ends in \.png"):
        view(run.folder, tmp_path / "fields.jpg", None)
