"""Studies whose materials come from BPX files and PyBaMM sets: named, resolved, keyed, refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.law import stoichiometry_at
from voxtrode.pipeline.build import all_phases, build_electrolyte, build_phases, materials
from voxtrode.pipeline.catalogue import listing, study_schema
from voxtrode.pipeline.keys import input_files, stage_keys
from voxtrode.pipeline.study import Study, load_study, parse_study, write_study
from voxtrode.pipeline.validation import validate

type Tree = dict[str, Any]

CELL: Tree = {
    "Header": {"BPX": "1.0.0", "Title": "made-up cell", "Model": "DFN"},
    "Parameterisation": {
        "Cell": {"Reference temperature [K]": 298.15},
        "Electrolyte": {
            "Cation transference number": 0.3,
            "Diffusivity [m2.s-1]": 3e-10,
            "Conductivity [S.m-1]": "1.2*x/1000*exp(-(x/1500)**2)",
            "Conductivity activation energy [J.mol-1]": 17100,
        },
        "Positive electrode": {
            "Conductivity [S.m-1]": 0.2,
            "Diffusivity [m2.s-1]": 1e-14,
            "OCP [V]": "4.4 - 0.9*x",
            "Reaction rate constant [mol.m-2.s-1]": 4e-6,
            "Minimum stoichiometry": 0.25,
            "Maximum stoichiometry": 0.9,
            "Maximum concentration [mol.m-3]": 51000.0,
        },
    },
}
ACTIVE = {"bpx": "cell.json", "electrode": "positive"}
SALT = {"bpx": "cell.json"}
LATER = {"simulate", "report"}
"""Stages that a material's other numbers than its conductivity change; no transport."""


@pytest.fixture
def content() -> Tree:
    """A BPX file to change."""
    return copy.deepcopy(CELL)


@pytest.fixture
def study_of(tree: Tree, tmp_path: Path) -> Callable[..., Study]:
    """The small study with a BPX file beside it, and some of its keys replaced."""

    def build(active: Any = ACTIVE, salt: Any = SALT, content: Tree = CELL, **other: Any) -> Study:
        (tmp_path / "cell.json").write_text(json.dumps(content), encoding="utf-8")
        phases = {**tree["phases"], "active": {"material": active}}
        changed = {**tree, "phases": phases, "electrolyte": salt, **other}
        return parse_study(changed, tmp_path, "study.yaml")

    return build


def test_a_study_can_name_a_bpx_file(study_of: Callable[..., Study]) -> None:
    """Its materials are those of the file; the potential reaches the study's cut-offs."""
    study = study_of()
    validate(study)
    phases = build_phases(study)
    active = phases["active"].active
    assert active is not None
    assert active.name == str(study.phases["active"].material) == "cell.json: positive electrode"
    assert active.c_max.value == 51000.0
    assert phases["active"].sigma == 0.2
    assert not phases["active"].conducts_ions
    assert stoichiometry_at(active.U, 4.2) == pytest.approx(0.2 / 0.9)  # the fit
    assert stoichiometry_at(active.U, 3.0) == pytest.approx(0.95)  # a tail from 0.9
    salt = build_electrolyte(study)
    assert salt.name == "cell.json: electrolyte"
    liquids = (phases["nsd"].liquid, all_phases(study)["separator"].liquid)
    assert {liquid.electrolyte.name for liquid in liquids if liquid} == {salt.name}
    assert set(materials(study)) == {active.name, salt.name, "lithium"}


def test_the_studys_temperature_counts(study_of: Callable[..., Study]) -> None:
    """κ at 318 K over κ at 298.15 K: exp(17100/R (1/298.15 − 1/318)) = 1.538."""
    warm, cold = (build_electrolyte(study_of(temperature=T)) for T in (318.0, 298.15))
    ratio = float(warm.kappa(c_e=1000.0)) / float(cold.kappa(c_e=1000.0))
    assert ratio == pytest.approx(1.538, abs=5e-4)


def test_a_conductivity_of_the_study_comes_first(study_of: Callable[..., Study]) -> None:
    """As with a material of the library."""
    nsd = {"porosity": 0.5, "tortuosity": 1.5, "conductivity": 10.0, "electrolyte": SALT}
    study = study_of(phases={"active": {"material": ACTIVE, "conductivity": 3.0}, "nsd": nsd})
    assert build_phases(study)["active"].sigma == 3.0


def test_the_resolved_copy_gives_the_same_study(
    study_of: Callable[..., Study], tmp_path: Path
) -> None:
    """Also from another folder: the path in it is absolute."""
    study = study_of()
    (tmp_path / "elsewhere").mkdir()
    write_study(study, tmp_path / "elsewhere" / "study.yaml")
    again = load_study(tmp_path / "elsewhere" / "study.yaml")
    assert again == study
    assert again.resolved()["electrolyte"] == {"bpx": str(tmp_path / "cell.json")}
    assert stage_keys(again, code="1") == stage_keys(study, code="1")


def test_both_forms_fit_the_schema(study_of: Callable[..., Study]) -> None:
    """The resolved study does too."""
    schema = study_schema()
    sets = {"pybamm": "Chen2020", "electrode": "negative", "particle": "primary"}
    for active, salt in ((ACTIVE, SALT), (sets, {"pybamm": "Chen2020"}), ("nmc622", "default")):
        resolved = study_of(active, salt).resolved()
        jsonschema.validate(json.loads(json.dumps(resolved)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**resolved, "electrolyte": {"bpxx": "cell.json"}}, schema)


def test_the_files_content_counts_and_its_place_does_not(
    study_of: Callable[..., Study], content: Tree, tmp_path: Path
) -> None:
    """It is no input of the volume and of the mesh, D_s none of transport; σ is one."""
    study = study_of()
    before = stage_keys(study, code="1")
    assert set(input_files(study)) == {"phases.active.material.bpx", "electrolyte.bpx"}
    (tmp_path / "sub").mkdir()
    (tmp_path / "cell.json").rename(tmp_path / "sub" / "cell.json")
    moved = parse_study(
        {
            **study.resolved(),
            "electrolyte": {"bpx": "sub/cell.json"},
            "phases": {
                **study.resolved()["phases"],
                "active": {"material": {"bpx": "sub/cell.json", "electrode": "positive"}},
            },
        },
        tmp_path,
    )
    assert stage_keys(moved, code="1") == before
    content["Parameterisation"]["Positive electrode"]["Diffusivity [m2.s-1]"] = 2e-14
    after = stage_keys(study_of(content=content), code="1")
    assert {name for name in before if before[name] != after[name]} == LATER
    content["Parameterisation"]["Positive electrode"]["Conductivity [S.m-1]"] = 0.3
    after = stage_keys(study_of(content=content), code="1")
    assert {name for name in before if before[name] != after[name]} == {"transport", *LATER}


def test_a_set_and_its_package_count(
    study_of: Callable[..., Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set's numbers are part of PyBaMM: another version makes results stale."""
    pytest.importorskip("pybamm", reason="missing package pybamm (extra twin)")
    chen = {"pybamm": "Chen2020", "electrode": "positive"}
    study = study_of(chen, {"pybamm": "Chen2020"})
    validate(study)
    assert build_electrolyte(study).name == "Chen2020: electrolyte"
    assert not input_files(study)
    before = stage_keys(study, code="1")
    monkeypatch.setattr("voxtrode.pipeline.study_material.package_of", lambda name: "pybamm 99")
    after = stage_keys(study, code="1")
    assert {name for name in before if before[name] != after[name]} == LATER


@pytest.mark.parametrize(
    ("active", "fault"),
    [
        ({"electrode": "positive"}, "expected exactly one of bpx .* or pybamm"),
        ({**ACTIVE, "pybamm": "Chen2020"}, "expected exactly one of bpx .* or pybamm"),
        ({"bpx": "cell.json"}, "phases.active.material.electrode: is missing"),
        ({**ACTIVE, "electrode": "anode"}, "electrode: expected 'negative' or 'positive', got 'an"),
        ({**ACTIVE, "electrod": "x"}, 'material.electrod: unknown key; did you mean "electrode"'),
        (3, "phases.active.material"),
    ],
)
def test_a_fault_in_the_study_is_named(
    study_of: Callable[..., Study], active: Any, fault: str
) -> None:
    with pytest.raises(InputError, match=fault) as refusal:
        study_of(active)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("active", "salt", "fault"),
    [
        ({**ACTIVE, "bpx": "no.json"}, SALT, r"phases.active.material: cannot read the BPX file"),
        ({**ACTIVE, "electrode": "negative"}, SALT, "key 'Negative electrode' is missing"),
        ({**ACTIVE, "particle": "tin"}, SALT, "has no particle 'tin'"),
        (ACTIVE, {"bpx": "no.json"}, "electrolyte: cannot read the BPX file"),
        (ACTIVE, {"pybamm": "Chen2021"}, "electrolyte: PyBaMM has no parameter set 'Chen2021'"),
    ],
)
def test_a_fault_of_the_source_is_named_with_its_key(
    study_of: Callable[..., Study], active: Tree, salt: Tree, fault: str
) -> None:
    pytest.importorskip("pybamm", reason="missing package pybamm (extra twin)")
    with pytest.raises(InputError, match=fault) as refusal:
        validate(study_of(active, salt))
    assert "\n" not in str(refusal.value)


def test_electrolyte_in_an_active_material_is_refused(study_of: Callable[..., Study]) -> None:
    nsd = {"porosity": 0.5, "tortuosity": 1.5, "conductivity": 10.0}
    phases = {"active": {"material": ACTIVE, "porosity": 0.5, "tortuosity": 1.0}, "nsd": nsd}
    with pytest.raises(InputError, match=r"cell.json: positive electrode is an active material"):
        validate(study_of(phases=phases))


def test_the_list_names_both_sources() -> None:
    entries = dict(listing()["Other sources of active materials and electrolytes"])
    assert set(entries) == {"bpx", "pybamm"}
    assert "twin" in entries["pybamm"]
