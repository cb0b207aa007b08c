"""A full cell with two graphites in one volume, charged at 4C to a held voltage, by command."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from runs import balances, summary, table

from voxtrode.solvers.quantities import PARTS

pytestmark = pytest.mark.slow

STUDY: dict[str, Any] = {
    "name": "fast-charge",
    "volume": {
        "image": {
            "file": "cell.tif",
            "voxel_size": "1 um",
            "labels": {"pore": 0, "nmc": 1, "coarse": 2, "fine": 3},
        }
    },
    "phases": {
        "pore": {"porosity": 1, "tortuosity": 1},
        "nmc": {"material": "nmc622"},
        "coarse": {"material": "graphite-chen2020"},
        "fine": {"material": "graphite-ecker2015"},
    },
    "positive": {"phases": ["nmc"], "collector": "first"},
    "negative": {
        "phases": ["coarse", "fine"],
        "collector": "last",
        "potentials": ["0.1 V", "0.9 V"],
    },
    "voltage_window": ["2.7 V", "4.15 V"],
    "protocol": [
        {"discharge": "1C", "until": "70 % DoD"},
        {"rest": "2 min"},
        {"charge": "4C", "until": "4.1 V"},
        {"hold": "4.1 V", "until": "C/10"},
        {"hold": "3.9 V", "until": ["C/5", "2 min"]},
        {"repeat": 2, "steps": [{"discharge": "2C", "until": "1 min"}, {"rest": "1 min"}]},
        {"charge": "C/2", "until": "2 min"},
    ],
    "store": {"dod": [0.2, 0.5]},
    "mesh": {"method": "voxel", "size": "1 um"},
}


def volume() -> np.ndarray:
    """NMC at z = 0, two graphites at z = L side by side, pores through both."""
    labels = np.zeros((12, 4, 4), dtype=np.uint8)
    labels[:4, :3], labels[7:, :3, :2], labels[7:, :3, 2:] = 1, 2, 3
    return labels


def test_a_fast_charge_ends_on_its_current(
    tmp_path: Path, voxtrode: Callable[..., CompletedProcess[str]]
) -> None:
    """CC at 4C goes over into CV without a jump, CV ends on C/10; balances; the split at each row.

    Rows under current: the parts add up to U(θ̄) − V within 1e-4 V, in discharge, charge, holds
    with current either way and pulses; at rest there are none.
    """
    tifffile.imwrite(tmp_path / "cell.tif", volume(), photometric="minisblack")
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    done = voxtrode("run", study, "--out", tmp_path / "run", "--until", "simulate")
    assert done.returncode == 0, done.stderr
    found, cell = summary(tmp_path / "run"), table(tmp_path / "run", "cell")
    ends = [end["reason"] for end in found["step_ends"]]
    assert max(balances(found).values()) < 1e-9
    charge, hold = (cell[cell["Step"] == k] for k in (3, 4))
    one_c = -float(charge["Current density [A.m-2]"].iloc[-1]) / 4.0
    assert hold["Current density [A.m-2]"].iloc[0] == pytest.approx(-4.0 * one_c, rel=1e-3)
    assert hold["Current density [A.m-2]"].iloc[-1] == pytest.approx(-0.1 * one_c, rel=1e-5)
    np.testing.assert_allclose(hold["Voltage [V]"], 4.1, atol=1e-4)
    parts = sum(cell[f"{name} overpotential [V]"] for name in PARTS)
    flows = cell["Current density [A.m-2]"] != 0.0
    off = (parts - cell["Total overpotential [V]"])[flows].abs()
    assert off.max() < 1e-4
    assert parts[~flows].isna().all()
    assert (~flows).any()
    signs = np.sign(cell.groupby("Step")["Current density [A.m-2]"].last())
    assert list(signs) == [1, 0, -1, -1, 1, 1, 0, 1, 0, -1]
    print(
        f"fast charge: {ends}, {balances(found)}, parts off by {off.max():.1e} V, {len(cell)} rows"
    )
