"""Faults of a protocol that show before anything runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voxtrode.data.errors import InputError
from voxtrode.pipeline import validation
from voxtrode.pipeline.study import parse_study
from voxtrode.pipeline.validation import validate

TREE: dict[str, Any] = {
    "name": "cell",
    "volume": {
        "generate": {
            "kind": "spheres",
            "diameters": ["4 um"],
            "size": ["20 um", "10 um", "10 um"],
            "voxel": "0.5 um",
            "active_fraction": 0.5,
        }
    },
    "phases": {
        "active": {"material": "nmc622"},
        "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
    },
    "separator": {"thickness": "10 um", "porosity": 0.5, "tortuosity": 1.5},
    "mesh": {"size": "1 um"},
}
COUNTER = {
    "material": "graphite-chen2020",
    "potentials": ["0.1 V", "0.9 V"],
    "capacity_ratio": 1.1,
    "area_factor": 60,
}


def validated(*protocol: dict[str, Any], **changes: Any) -> None:
    """Validate a study with these steps."""
    validate(parse_study({**TREE, "protocol": list(protocol), **changes}, Path("/")))


def test_each_step_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is repeated or written: two ends of the window and two voltages."""
    asked = []
    found: Callable[..., float] = validation.stoichiometry_at

    def counted(*given: Any) -> float:
        asked.append(given)
        return found(*given)

    monkeypatch.setattr(validation, "stoichiometry_at", counted)
    cycle = [{"discharge": "1C", "until": "3.0 V"}, {"charge": "1C", "until": "4.2 V"}]
    validated(*cycle * 20, {"repeat": 10_000, "steps": cycle})
    assert len(asked) == 4


@pytest.mark.parametrize("repeat", [10_000, 317])
def test_more_steps_than_can_be(repeat: int) -> None:
    """Counted without carrying the repetitions out."""
    nested = {"repeat": repeat, "steps": [{"repeat": repeat, "steps": [{"rest": "1 s"}]}]}
    said = f"protocol: {repeat**2} steps with all repetitions, expected at most 100000"
    with pytest.raises(InputError, match=said):
        validated(nested)


CHARGE = {"charge": "1C", "until": "10 min"}
DISCHARGE = {"discharge": "1C", "until": ["3.0 V", "10 min"]}
WINDOW = ["3.0 V", "4.2 V"]


@pytest.mark.parametrize(
    ("sol", "step", "said"),
    [
        (0, CHARGE, r"protocol\.0: a charge cannot begin at 4\.2 V.*initial: \{sol: 1\}"),
        (0, {**CHARGE, "until": ["4.1 V", "4.3 V"]}, r"0\.until: a charge to 4\.1 V cannot begin"),
        (1, DISCHARGE, r"protocol\.0\.until: a discharge to 3 V cannot begin at 3 V.*sol: 0"),
        (1, {**DISCHARGE, "until": "10 min"}, r"protocol\.0: a discharge cannot begin at 3 V"),
    ],
)
def test_a_step_that_cannot_begin(sol: int, step: dict[str, Any], said: str) -> None:
    """A full cell is not charged, an empty one not discharged; on their own or repeated."""
    with pytest.raises(InputError, match=said):
        validated(step, initial={"sol": sol}, voltage_window=WINDOW)
    with pytest.raises(InputError, match="cannot begin"):
        validated({"repeat": 2, "steps": [step]}, initial={"sol": sol}, voltage_window=WINDOW)


def test_steps_that_can_begin() -> None:
    """Later, from elsewhere, beyond the window, or where the electrodes are not of one size."""
    validated({"rest": "1 s"}, CHARGE)
    validated(CHARGE, initial={"sol": 1})
    validated(CHARGE, initial={"sol": 0.5})
    validated(DISCHARGE, initial={"voltage": "3.7 V"})
    validated({**CHARGE, "until": ["4.25 V", "10 min"]}, voltage_window=WINDOW)
    validated(DISCHARGE, initial={"sol": 1}, counter=COUNTER)
