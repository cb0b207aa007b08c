"""Particles in a stirred electrolyte through every stage, whole, flat and with a collector."""

from pathlib import Path
from subprocess import run as start
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from runs import balances, command, summary, table

pytestmark = pytest.mark.slow

BASE: dict[str, Any] = {
    "surroundings": "stirred",
    "phases": {"active": {"material": "nmc622"}, "pore": {"porosity": 1, "tortuosity": 1}},
    "protocol": [{"discharge": "2C", "until": "3.0 V"}, {"rest": "5 min"}],
    "store": {"dod": [0.2, 0.5]},
}
SPHERE = {"kind": "secondary_particle", "diameter": "8 um", "voxel": "0.5 um", "margin": "1 um"}


def made(folder: Path, **keys: Any) -> Path:
    """The run of a study; it must succeed."""
    study = folder / "particle.yaml"
    study.write_text(yaml.safe_dump({"name": "particle", **BASE, **keys}), encoding="utf-8")
    done = start(
        command("run", study, "--out", folder / "run"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "run"


def agreed(run: Path) -> None:
    """Contracts that hold for a cell hold here: balances, tables that agree, a report."""
    assert max(balances(summary(run)).values()) < 1e-9
    cell, particles = table(run, "cell"), table(run, "particles")
    last = particles[particles["Time [s]"] == particles["Time [s]"].max()]
    mean = np.average(last["SoL"], weights=last["Volume [m3]"])
    assert mean == pytest.approx(cell["SoL"].iloc[-1], abs=1e-9)
    assert (cell["Min c_e [mol.m-3]"] == cell["Max c_e [mol.m-3]"]).all()
    report = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert "stirred electrolyte" in report
    assert "Solid-state tortuosity" in report


def test_a_ball_is_the_homogeneous_particle(tmp_path: Path) -> None:
    """Its capacity is that of the ball of its volume within 0.5 %, with 8 cells in the radius.

    The ratio of diffusivities is that error over the sensitivity, 0.1: within 10 % of one.
    """
    run = made(
        tmp_path,
        volume={"generate": {**SPHERE, "flat": 0}},
        mesh={"size": "0.5 um", "coarsening": 0},
    )
    agreed(run)
    found = summary(run)["solid_tortuosity"]
    assert found["shape"] == "ball"
    assert found["homogeneous_As"] == pytest.approx(found["capacity_As"], rel=5e-3)
    assert found["ratio"] == pytest.approx(1.0, abs=0.1)


def test_a_flat_section_is_a_cylinder(tmp_path: Path) -> None:
    """A section one voxel thick, on the voxel mesh; nothing crosses its two faces."""
    run = made(
        tmp_path,
        volume={"generate": {**SPHERE, "flat": 0, "section": True}},
        mesh={"method": "voxel", "size": "0.5 um"},
    )
    agreed(run)
    found = summary(run)["solid_tortuosity"]
    assert found["shape"] == "cylinder"
    assert found["homogeneous_As"] == pytest.approx(found["capacity_As"], rel=2e-2)


def test_an_image_with_a_collector(tmp_path: Path) -> None:
    """Half a ball of an image on the collector, σ small: electrons meet a resistance."""
    grid = np.indices((10, 16, 16)) + 0.5
    centre = np.array([0.0, 8.0, 8.0])[:, None, None, None]
    labels = (((grid - centre) ** 2).sum(axis=0) < 6.0**2).astype(np.uint8)
    tifffile.imwrite(tmp_path / "half.tif", labels)
    image = {"file": "half.tif", "voxel_size": "500 nm", "labels": {"pore": 0, "active": 1}}
    run = made(
        tmp_path,
        surroundings={"stirred": {"contact": "collector"}},
        phases={
            "active": {"material": "nmc622", "conductivity": "1e-4 S/m"},
            "pore": {"porosity": 1, "tortuosity": 1},
        },
        volume={"image": image},
        mesh={"size": "1 um"},
    )
    agreed(run)
    electronic = table(run, "cell")["Electronic overpotential [V]"].dropna()
    assert electronic.min() > 1e-5
