"""From a study's entries to phases: solids that conduct lithium or electrons, temperature."""

from pathlib import Path
from typing import Any

import pytest

from voxtrode.data.errors import InputError
from voxtrode.pipeline.build import all_phases, build_phases, holds_salt, materials
from voxtrode.pipeline.study import Study, parse_study, write_study
from voxtrode.pipeline.validation import validate

TREE: dict[str, Any] = {
    "name": "composite",
    "volume": {
        "generate": {
            "kind": "composite",
            "size": ["14 um", "8 um", "8 um"],
            "voxel": "0.5 um",
            "seed": 3,
            "diameters": ["4 um"],
            "weights": {"active": 0.75, "electrolyte": 0.2, "carbon": 0.05},
            "void": 0.05,
            "carbon": {"form": "fibres", "diameter": "0.5 um", "length": "4 um"},
        }
    },
    "phases": {
        "active": {"material": "nmc622"},
        "electrolyte": {"material": "argyrodite"},
        "carbon": {"material": "carbon-black"},
        "void": {"inert": True},
    },
    "separator": {"thickness": "10 um", "material": "argyrodite"},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "1 um"},
}


def study_of(**changes: Any) -> Study:
    """The composite with other phases (by name) or other keys."""
    phases = {**TREE["phases"], **changes.pop("phases", {})}
    return parse_study({**TREE, "phases": phases, **changes}, Path("/"))


def test_a_composite_of_solids() -> None:
    """Each phase does what its material does; nothing in it holds salt."""
    study = study_of()
    validate(study)
    phases = build_phases(study)
    assert phases["electrolyte"].kappa == 0.25
    assert phases["electrolyte"].sigma is None
    assert (phases["carbon"].sigma, phases["carbon"].kappa) == (500.0, None)
    assert not phases["void"].conducts_ions
    assert not phases["void"].conducts_electrons
    assert all_phases(study)["separator"].kappa == 0.25
    assert not holds_salt(study)
    assert set(materials(study)) == {"nmc622", "argyrodite", "carbon-black", "lithium"}


def test_a_conductivity_alone_makes_a_solid_electrolyte(tmp_path: Path) -> None:
    """And a mixed conductor with that of electrons; the written study is the same one."""
    both = {"ionic_conductivity": "2 mS/cm", "conductivity": "1 S/m"}
    solid = {"thickness": "10 um", "ionic_conductivity": "0.1 S/m"}
    study = study_of(phases={"electrolyte": both}, separator=solid)
    phase = build_phases(study)["electrolyte"]
    assert (phase.kappa, phase.sigma) == (pytest.approx(0.2), 1.0)
    assert all_phases(study)["separator"].kappa == 0.1
    write_study(study, tmp_path / "study.yaml")
    assert (
        "porosity"
        not in (tmp_path / "study.yaml").read_text(encoding="utf-8").split("separator")[1]
    )


def test_a_solid_conducts_better_when_warm() -> None:
    """Arrhenius with 35 kJ/mol: exp(35000/R (1/298.15 − 1/333.15)) = 4.41."""
    phase = build_phases(study_of(temperature="60 degC"))["electrolyte"]
    assert phase.kappa == pytest.approx(4.41 * 0.25, rel=1e-3)


LIQUID = {"thickness": "10 um", "porosity": 0.5, "tortuosity": 1.5}
FAULTS = {
    "both electrolytes": (
        {"ionic_conductivity": 0.1, "porosity": 0.5, "tortuosity": 2.0},
        "one of",
    ),
    "liquid in a solid": ({"material": "argyrodite", "porosity": 0.5}, "holds no liquid"),
    "an ion-conducting oxide": (
        {"material": "nmc622", "ionic_conductivity": 0.1},
        "phase of its own",
    ),
    "a metal": ({"material": "lithium"}, r"no material of a phase \(its kind: metal electrode\)"),
    "solid beside a liquid": ({"material": "cbd", "ionic_conductivity": 0.1}, "liquid electrolyte"),
}


@pytest.mark.parametrize(("entry", "said"), FAULTS.values(), ids=list(FAULTS))
def test_phases_that_cannot_be(entry: dict[str, Any], said: str) -> None:
    """Refused with a word on what to do."""
    with pytest.raises(InputError, match=said):
        build_phases(study_of(phases={"electrolyte": entry}))


@pytest.mark.parametrize(
    ("separator", "said"),
    [
        ({"thickness": "10 um"}, "separator.*no porosity"),
        ({"thickness": "10 um", "porosity": 0.5}, "separator.*no tortuosity"),
        ({**LIQUID, "material": "argyrodite"}, "separator.*holds a liquid"),
        ({"thickness": "10 um", "material": "nmc622"}, "separator.material.*no solid electrolyte"),
    ],
)
def test_separators_that_cannot_be(separator: dict[str, Any], said: str) -> None:
    """Refused with a word on what to do."""
    with pytest.raises(InputError, match=said):
        validate(study_of(separator=separator))
