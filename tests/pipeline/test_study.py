"""The study file: shape, units, defaults, round trip, messages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from voxtrode.data.errors import InputError, NotAvailableError
from voxtrode.pipeline.catalogue import study_schema
from voxtrode.pipeline.study import Study, load_study, parse_study, write_study
from voxtrode.pipeline.study_file import apply_overrides, shipped_studies
from voxtrode.pipeline.study_stops import StopKind

type Tree = dict[str, Any]


def parse(tree: Tree, *changes: str) -> Study:
    """A study from a mapping, with `--set` changes."""
    return parse_study(apply_overrides(tree, changes), Path("/studies"))


def image_tree(tree: Tree, **image: object) -> Tree:
    """The study on an image of pore, nmc and void."""
    source = {
        "file": "cathode.tif",
        "voxel_size": "398 nm",
        "labels": {"pore": 0, "nmc": 1, "void": 7},
        **image,
    }
    phases = {"nmc": {"material": "nmc811"}, "void": {"inert": True}}
    return {**tree, "volume": {"image": source}, "phases": phases}


@pytest.mark.parametrize("path", shipped_studies().values(), ids=lambda path: path.stem)
def test_shipped_studies_fit_the_schema(path: Path) -> None:
    """Every shipped study loads, and JSON Schema agrees."""
    assert load_study(path.stem).name == path.stem
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), study_schema())


def test_the_schema_refuses_unknown_keys(tree: Tree) -> None:
    """An editor that knows the schema marks what the parser refuses."""
    tree["mesh"]["siez"] = 1.0
    with pytest.raises(jsonschema.ValidationError, match="siez"):
        jsonschema.validate(tree, study_schema())


@pytest.mark.parametrize("folder", ["", "elsewhere"])
def test_round_trip(tree: Tree, tmp_path: Path, folder: str) -> None:
    """The resolved study loads back to the same study, from any folder, every default written."""
    study = parse(image_tree(tree, crop=[[0, 10], [0, 10], [5, 10]]))
    target = tmp_path / folder / "study.yaml"
    target.parent.mkdir(exist_ok=True)
    write_study(study, target)
    again = load_study(target)
    assert again == study
    assert again.resolved() == study.resolved()
    written = yaml.safe_load(target.read_text(encoding="utf-8"))
    assert written["volume"]["image"]["file"] == "/studies/cathode.tif"
    for key in Study.model_fields:
        assert key in written
    assert written["mesh"] == {
        "size": 2e-6,
        "method": "smooth",
        "coarsening": 2,
        "islands": 0,
        "contacts": False,
    }
    assert written["solver"]["max_krylov"] == 200


def test_a_voxel_mesh_has_no_keys_of_the_smooth_one(tree: Tree, tmp_path: Path) -> None:
    """Its defaults, written out, load again; the schema refuses what the parser refuses."""
    tree["mesh"] = {"size": "2 um", "method": "voxel"}
    tree["volume"]["generate"]["kind"] = "spheres"
    study = parse(tree)
    assert study.resolved()["mesh"] == {"size": 2e-6, "method": "voxel"}
    write_study(study, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == study
    jsonschema.validate(tree, study_schema())
    tree["mesh"]["coarsening"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, study_schema())


def test_paths_are_relative_to_the_study_file(
    tree: Tree, write_tree: Callable[[Tree], Path]
) -> None:
    """Not to the working directory."""
    path = write_tree(image_tree(tree, file="images/a.tif"))
    image = load_study(path).volume.image
    assert image is not None
    assert image.file == path.parent / "images" / "a.tif"


def test_units(tree: Tree) -> None:
    """Exact: literals against literals."""
    tree |= {"nominal_capacity": "1.5 mA*h/cm^2", "temperature": "25 degC"}
    study = parse(tree)
    assert study.nominal_capacity == 54000.0
    assert study.temperature == 298.15
    assert study.separator.thickness == 5e-6
    assert study.volume.generate is not None
    assert study.volume.generate.shape == (16, 16, 16)


def test_steps(tree: Tree) -> None:
    """Each step gives its current and its stops, whatever its kind."""
    tree["protocol"] = [
        {"discharge": "C/2", "until": ["2.8 V", "90 min", "1.2 mA*h/cm^2", "60 % DoD", "0.7 DoD"]},
        {"rest": "10 min"},
        {"discharge": "4 mA/cm^2", "until": "3 V"},
        {"discharge": 15.0, "until": "3 V"},
    ]
    steps = parse(tree).protocol
    assert [step.current_density(30.0) for step in steps] == [15.0, 0.0, 40.0, 15.0]
    assert [(stop.kind, stop.value) for stop in steps[0].stops] == [
        (StopKind.VOLTAGE, 2.8),
        (StopKind.TIME, 5400.0),
        (StopKind.CAPACITY, 43200.0),
        (StopKind.DOD, 0.6),
        (StopKind.DOD, 0.7),
    ]
    assert [(stop.kind, stop.value) for stop in steps[1].stops] == [(StopKind.TIME, 600.0)]


def test_voltage_window(tree: Tree) -> None:
    """The lower cut-off follows the discharge, else 3.0 V; both can be given."""
    assert parse(tree).voltage_window == (3.0, 4.2)
    assert parse(tree, "protocol.0.until=2.8 V").voltage_window == (2.8, 4.2)
    assert parse(tree, "protocol.0.until=1 h").voltage_window == (3.0, 4.2)
    assert parse(tree, "voltage_window=[2.7 V, 4.3 V]").voltage_window == (2.7, 4.3)


def test_stored_instants(tree: Tree) -> None:
    """Every tenth by default; a list of one's own replaces the tenths."""
    assert parse(tree).store.instants(0.35) == (0.1, 0.2, 0.3)
    assert parse(tree).store.instants(1.0)[-1] == 1.0
    assert parse(tree, "store.dod=[0.5, 0.25]").store.instants(1.0) == (0.25, 0.5)
    assert parse(tree, "store={dod: [0.25], every_dod: 0.5}").store.instants(1) == (0.25, 0.5, 1.0)


@pytest.mark.parametrize("entry", [None, {}, "absent"])
def test_pore_is_full_of_electrolyte(tree: Tree, entry: object) -> None:
    """A phase called `pore` needs no entry; it is written out."""
    content = image_tree(tree)
    if entry != "absent":
        content["phases"]["pore"] = entry
    pore = parse(content).phases["pore"]
    assert (pore.porosity, pore.tortuosity) == (1.0, 1.0)


def test_phases_are_in_the_order_of_the_labels(tree: Tree) -> None:
    """Label values are positions in the study's phases."""
    assert list(parse(image_tree(tree)).phases) == ["pore", "nmc", "void"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("mesh.siez=1 um", 'mesh.siez: unknown key; did you mean "size"?'),
        ("protocl=3", 'protocl: unknown key; did you mean "protocol"?'),
        ("volume.generate.seeds=3", 'volume.generate.seeds: unknown key; did you mean "seed"?'),
        ("protocol.0.untill=3 V", 'protocol.0.untill: unknown key; did you mean "until"?'),
        ("mesh.size=60 V", 'mesh.size: "60 V" is no length'),
        ("mesh.size=-1 um", "mesh.size: '-1 um' is not positive"),
        ("mesh.size=0", "mesh.size: 0 is not positive"),
        ("volume.generate.size.1=-16 um", "volume.generate.size.1: '-16 um' is not positive"),
        ("volume.generate.voxel=", "volume.generate.voxel: None is no quantity"),
        ("volume.generate.voxel=3 um", "is 5.33333 voxels"),
        ("phases.nsd.porosity=1.2", "phases.nsd.porosity: expected a number of at most 1"),
        ("phases.nsd.tortuosity=0.5", "phases.nsd.tortuosity: 0.5 is below 1"),
        ("phases.nsd.tortuosity=brugeman", 'phases.nsd.tortuosity: "brugeman" is no quantity'),
        ("phases.cbd={material: cbd}", 'phases: the volume has no phase "cbd"'),
        ("phases={}", 'phases: no entry for the phase "active"'),
        ("phases.nsd={}", "phases.nsd: says nothing"),
        ("phases.nsd={inert: true, porosity: 0.4}", "phases.nsd: an inert phase has no other keys"),
        ("protocol.0.discharge=1X", 'protocol.0.discharge: the unit "X" is not known'),
        ("protocol.0.until=3.0", "protocol.0.until.0: 3.0 has no unit"),
        ("protocol.0.until=3 kg", 'protocol.0.until.0: "3 kg" is no voltage'),
        ("protocol.0.until=C/20", "no current can end it"),
        ("protocol=[]", "protocol: expected at least 1"),
        ("protocol=[{dicharge: 1C}]", 'got dicharge; did you mean "discharge"?'),
        ("voltage_window=[4.2 V, 3.0 V]", "is not below the upper"),
        ("name=../elsewhere", "name: "),
        ("volume.run=other", "expected exactly one of generate, image or run"),
    ],
)
def test_faults(tree: Tree, change: str, message: str) -> None:
    """One line that names the key by its path and says what is expected."""
    with pytest.raises(InputError) as caught:
        parse(tree, change)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "volume={run: other}",
    ],
)
def test_not_available_yet(tree: Tree, change: str) -> None:
    """What the design names but is not there is said to be so, never faked."""
    with pytest.raises(NotAvailableError, match="not available yet"):
        parse(tree, change)


def test_every_kind_of_step(tree: Tree, tmp_path: Path) -> None:
    """Signs, held voltages and repetitions, one after another; the round trip keeps them."""
    tree["protocol"] = [
        {"discharge": "1C", "until": "3 V"},
        {"charge": "C/2", "until": ["4.1 V", "2 h"]},
        {"hold": "4.1 V", "until": ["C/20", "15 min"]},
        {
            "repeat": 2,
            "steps": [
                {"discharge": "C/10", "until": "15 min"},
                {"repeat": 2, "steps": [{"rest": "1 h"}]},
            ],
        },
    ]
    study = parse(tree)
    steps = study.steps
    assert [one.key for one in steps[:4]] == [
        "protocol.0",
        "protocol.1",
        "protocol.2",
        "protocol.3.steps.0",
    ]
    assert [one.step.current_density(10.0) for one in steps[:4]] == [10.0, -5.0, 0.0, 1.0]
    assert [one.step.held for one in steps[:4]] == [None, None, 4.1, None]
    assert len(steps) == 3 + 2 * (1 + 2)
    assert study.voltage_window == (3.0, 4.1)
    write_study(study, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == study
    tree["volume"]["generate"]["kind"] = "spheres"
    jsonschema.validate(tree, study_schema())


def full_cell(tree: Tree, **negative: object) -> Tree:
    """The image study with the void as a graphite: a full cell in one volume."""
    carbon = {"pybamm": "Chen2020", "electrode": "negative"}
    changed = image_tree(tree)
    changed["phases"] = {"nmc": {"material": "nmc811"}, "void": {"material": carbon}}
    own = {"phases": ["void"], "collector": "last", "potentials": ["0.1 V", "0.9 V"], **negative}
    changed |= {"negative": own, "positive": {"phases": ["nmc"], "collector": "first"}}
    del changed["separator"]
    return changed


def test_a_full_cell_in_one_volume(tree: Tree, tmp_path: Path) -> None:
    """It has no separator and no counter of its own; the round trip keeps that."""
    study = parse(full_cell(tree))
    assert study.counter is None
    assert study.separator.thickness == 0.0
    assert study.far == ("void",)
    write_study(study, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == study


@pytest.mark.parametrize(
    ("negative", "change", "message"),
    [
        ({"collector": "first"}, "name=a", "both electrodes have their collector first"),
        ({"phases": ["nmc"]}, "name=a", '"nmc" is in both electrodes'),
        ({"phases": ["tin"]}, "name=a", 'negative.phases: the volume has no phase "tin"'),
        ({"potentials": ["1 V", "0.1 V"]}, "name=a", "lower where the cell is charged"),
        ({}, "counter=lithium", "expected no counter"),
        ({}, "separator={thickness: 5 um, porosity: 0.5, tortuosity: 1.5}", "remove the section"),
    ],
)
def test_faults_of_full_cells(
    tree: Tree, negative: dict[str, object], change: str, message: str
) -> None:
    """One line that says what does not fit."""
    with pytest.raises(InputError) as caught:
        parse(full_cell(tree, **negative), change)
    assert message in str(caught.value)


def test_one_electrode_alone_is_refused(tree: Tree) -> None:
    """A positive electrode needs a negative one."""
    changed = full_cell(tree)
    del changed["negative"]
    changed["separator"] = tree["separator"]
    with pytest.raises(InputError, match="no negative electrode"):
        parse(changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("protocol.0={hold: 4 V, until: 3 V}", "no voltage can end it"),
        ("protocol.0={hold: 4 V, until: 50 % DoD}", "add a current or a time"),
        ("protocol.0={charge: 1C, until: C/20}", "the current of a charge is constant"),
        ("protocol.0={repeat: 0, steps: [{rest: 1 s}]}", "at least 1"),
        ("protocol.0={repeat: 2, steps: []}", "at least 1 of them"),
        ("protocol.0={repeat: 2, steps: [{rset: 1 s}]}", "expected a step"),
        ("initial={sol: 0.5, voltage: 3.7 V}", "exactly one of sol, voltage and run"),
        ("initial={sol: 1.5}", "at most 1"),
        ("initial={}", "exactly one"),
        ("counter=blocking", "passes no current"),
        (
            "counter={material: nmc811, potentials: [3 V, 2 V], capacity_ratio: 1, area_factor: 9}",
            "lower",
        ),
        ("separator.thickness=0", "not positive"),
    ],
)
def test_faults_of_what_drives(tree: Tree, change: str, message: str) -> None:
    """Named by their key, in one line."""
    with pytest.raises(InputError) as caught:
        parse(tree, change)
    assert message in str(caught.value)
    assert change.split("=", maxsplit=1)[0].split(".", maxsplit=1)[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overrides_reach_lists_and_leave_the_original(tree: Tree) -> None:
    """Integers index lists, the next index appends, new sections are made."""
    changed = apply_overrides(
        tree, ["protocol.0.discharge=2C", "protocol.1.rest=10 min", "store.dod=[0.5]"]
    )
    assert changed["protocol"] == [
        {"discharge": "2C", "until": ["3.0 V", "1 % DoD"]},
        {"rest": "10 min"},
    ]
    assert changed["store"] == {"dod": [0.5]}
    assert tree["protocol"][0]["discharge"] == "1C"


@pytest.mark.parametrize(
    "change", ["mesh.size", "=3", "protocol.5.rest=1", "name.first=a", "mesh.size=[1"]
)
def test_bad_overrides(tree: Tree, change: str) -> None:
    """The message repeats the override."""
    with pytest.raises(InputError, match="--set") as caught:
        apply_overrides(tree, [change])
    assert change in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b\n", 'the key "name" stands twice, again in line 2'),
        ("name: [1\nmesh: 2", "is no YAML in line"),
        ("- 1\n", "holds no study"),
        ("", "holds no study"),
        ("\x00", "is no YAML"),
    ],
)
def test_bad_yaml(tmp_path: Path, text: str, message: str) -> None:
    """Faults of the file itself, with the line where there is one."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_study(path)


def test_exponents_without_a_point_are_numbers(tree: Tree, tmp_path: Path) -> None:
    """YAML 1.1 reads `1e-3` as a text."""
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump({**tree, "mesh": {"size": 0}}).replace("size: 0", "size: 2e-6"))
    assert load_study(path).mesh.size == 2e-6
