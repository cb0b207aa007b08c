"""The tiny study of the chain's tests, and how to read what a run leaves behind."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STUDY: dict[str, Any] = {
    "name": "tiny",
    "volume": {
        "generate": {
            "diameters": ["6 um"],
            "active_fraction": 0.45,
            "size": ["16 um", "10 um", "10 um"],
            "voxel": "1 um",
            "seed": 3,
        }
    },
    "phases": {
        "active": {"material": "nmc622"},
        "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
    },
    "separator": {"thickness": "5 um", "porosity": 0.5, "tortuosity": 1.5},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}, {"rest": "5 min"}],
    "mesh": {"size": "1 um"},
    "store": {"dod": [0.2, 0.5, 0.8]},
}
"""1600 voxels and a rest at the end; about ten seconds to simulate on a free core."""


def command(*arguments: str | Path) -> list[str]:
    """`voxtrode ARGUMENTS…`, the program beside this Python."""
    return [str(Path(sys.executable).parent / "voxtrode"), *map(str, arguments)]


def table(run: Path, name: str) -> pd.DataFrame:
    """A table of a run's simulation."""
    return pd.read_csv(run / "simulate" / f"{name}.csv")


def at_dod(cell: pd.DataFrame, dod: float, column: str) -> float:
    """A value at a stored depth of discharge."""
    row = cell[np.isclose(cell["DoD"], dod, rtol=0.0, atol=1e-9)]
    assert len(row) == 1
    return float(row[column].iloc[0])


def balances(summary: dict[str, Any]) -> dict[str, float]:
    """The three balances of a run's summary."""
    return {name: summary[f"{name}_balance"] for name in ("lithium", "salt", "charge")}


def summary(run: Path) -> dict[str, Any]:
    """A run's `summary.json`."""
    found: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return found


def stamps(folder: Path) -> dict[str, int]:
    """When each file of a run was last written [ns]; without those that any start touches."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.log", "lock")
    }
