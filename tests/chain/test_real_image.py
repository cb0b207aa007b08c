"""A piece of a real X-ray CT with three phases, from the image to the end of a 1C discharge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import balances, summary, table

pytestmark = pytest.mark.slow

IMAGE = "nmc1cal_xct_cbd.tif"


@pytest.fixture(scope="module")
def run(
    image_file: Callable[[str], Path],
    voxtrode: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """48³ voxels on a lattice twice as coarse, on two ranks."""
    folder = tmp_path_factory.mktemp("ct")
    image = {
        "file": str(image_file(IMAGE)),
        "voxel_size": "398 nm",
        "labels": {"pore": 0, "nmc": 1, "cbd": 2},
        "crop": [[60, 108], [100, 148], [100, 148]],
    }
    study = {
        "name": "ct",
        "volume": {"image": image},
        "phases": {"nmc": {"material": "nmc532-xu2019"}, "cbd": {"material": "cbd"}},
        "separator": {"thickness": "10 um", "porosity": 0.47, "tortuosity": 1.46},
        "protocol": [{"discharge": "1C", "until": "3.0 V"}],
        "mesh": {"size": "0.796 um"},
        "store": {"dod": [0.5]},
    }
    path = folder / "ct.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    out = folder / "run"
    found = voxtrode("run", path, "--out", out, "--ranks", "2", "--until", "simulate")
    assert found.returncode == 0, found.stderr
    return out


def test_balances_hold_to_the_cutoff(run: Path) -> None:
    """1e-9 at each stored instant; the discharge ends on its voltage."""
    found = summary(run)
    assert max(balances(found).values()) <= 1e-9, balances(found)
    assert found["stop_reason"] == "voltage 3 V"
    assert found["voltage_end_V"] == pytest.approx(3.0, abs=1e-6)
    assert 0.5 < found["dod_end"] < 1.0
    assert found["krylov_mean"] <= 20.0


def test_what_is_dead_is_reported(run: Path) -> None:
    """In the image by phase and role; dead particles have rows without lithium or current."""
    image = json.loads((run / "image" / "image.json").read_text(encoding="utf-8"))
    assert set(image["phases"]) == {"pore", "nmc", "cbd"}
    cbd = image["phases"]["cbd"]["isolated_by_role"]
    assert set(cbd) == {"ionic", "electronic"}
    assert 0.0 < cbd["ionic"] < 0.1
    assert image["phases"]["nmc"]["isolated_fraction"] < 0.05
    particles = table(run, "particles")
    dead = particles[particles["Dead"]]
    assert (dead["SoL"] == 0.0).all()
    assert (dead["J_ct [A.m-2]"] == 0.0).all()
    assert not particles["Dead"].all()


def test_the_mesh_tells_what_it_made_of_the_image(run: Path) -> None:
    """19 µm of electrode, two voxels a cell: good cells, volumes met, regions compared.

    The calibration aims at 2e-4 of each phase and moving points for better cells adds as much; the
    CBD, a film of a few voxels in hundreds of pieces, is met as well as the others.
    """
    mesh = json.loads((run / "mesh" / "mesh.json").read_text(encoding="utf-8"))
    assert mesh["method"] == "smooth"
    assert mesh["spacing_m"] == pytest.approx([0.796e-6] * 3, rel=1e-9)
    assert mesh["inverted"] == mesh["nonmanifold_facets"] == mesh["untagged_cells"] == 0
    assert mesh["cells_below_deg"]["5"] == 0
    assert set(mesh["volume_error"]) == {"pore", "nmc", "cbd"}
    assert max(map(abs, mesh["volume_error"].values())) < 1e-3
    assert mesh["image_components"]["cbd"] > mesh["components"]["cbd"] > 1
    assert "nmc|cbd" in mesh["interfaces"]
    assert (run / "mesh" / "cut.png").stat().st_size > 10_000
    said = (run / "run.log").read_text(encoding="utf-8")
    assert f"cbd has {mesh['image_components']['cbd']} face-connected regions" in said


def test_transport_has_a_row_for_what_carries_ions(run: Path) -> None:
    """Each phase, all that carry ions and electrons, by both methods; together they carry more."""
    rows = json.loads((run / "transport.json").read_text(encoding="utf-8"))["rows"]
    found = {(row["phase"], row["axis"], row["method"]): row for row in rows}
    phases = ("pore", "nmc", "cbd", "ions", "electrons")
    wanted = {(p, axis, m) for p in phases for axis in "zyx" for m in ("voxel", "mesh")}
    assert set(found) == wanted
    assert all(row["flux_imbalance"] < 1e-8 for row in rows if row["method"] == "mesh")
    assert all(row["flux_imbalance"] < 1e-3 for row in rows if row["method"] == "voxel")
    pore, ions = found["pore", "z", "mesh"], found["ions", "z", "mesh"]
    assert 0.0 < pore["effective_ratio"] < ions["effective_ratio"] < ions["fraction"]
