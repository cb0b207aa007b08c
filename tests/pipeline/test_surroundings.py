"""`surroundings: stirred` in a study: its short form, what it excludes, what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from voxtrode.data.errors import InputError
from voxtrode.pipeline.build import materials
from voxtrode.pipeline.check import check
from voxtrode.pipeline.stage_image import roles_of
from voxtrode.pipeline.study import Study, load_study, parse_study, write_study
from voxtrode.pipeline.study_file import apply_overrides

TREE: dict[str, Any] = {
    "name": "particle",
    "surroundings": "stirred",
    "volume": {
        "generate": {
            "kind": "secondary_particle",
            "diameter": "6 um",
            "voxel": "0.5 um",
            "margin": "1 um",
            "flat": 0,
        }
    },
    "phases": {"active": {"material": "nmc622"}, "pore": {"porosity": 1, "tortuosity": 1}},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "1 um"},
}
SEPARATOR = {"thickness": "20 um", "porosity": 0.5, "tortuosity": 1.5}
BOTH = {
    "negative": {"phases": ["active"], "collector": "last", "potentials": ["0.1 V", "0.9 V"]},
    "positive": {"phases": ["pore"], "collector": "first"},
}


def study(**changes: Any) -> Study:
    """The study with some keys changed; None takes one out."""
    tree = {key: value for key, value in {**TREE, **changes}.items() if value is not None}
    return parse_study(tree, Path())


def test_the_short_form_is_that_of_its_defaults(tmp_path: Path) -> None:
    """Written out and read again it is the same study."""
    made = study()
    assert made == study(surroundings={"stirred": {"contact": "everywhere"}})
    write_study(made, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == made
    assert made.separator_thickness == 0.0
    assert "lithium" not in materials(made)


def test_the_short_form_can_be_changed() -> None:
    """`--set` leads into it as into the long one."""
    for given in ("stirred", {"stirred": {"contact": "everywhere"}}):
        tree = {**TREE, "surroundings": given}
        changed = apply_overrides(tree, ["surroundings.stirred.contact=collector"])
        assert changed["surroundings"] == {"stirred": {"contact": "collector"}}
        made = parse_study(changed, Path())
        assert made.surroundings is not None
        assert not made.surroundings.stirred.everywhere
    with pytest.raises(InputError, match='no key "x" in the value'):
        apply_overrides({**TREE, "surroundings": "lithium"}, ["surroundings.x=1"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"separator": SEPARATOR}, "separator: has no place in a stirred electrolyte"),
        ({"surroundings": None}, "separator: is missing"),
        ({"counter": "lithium-indium"}, "counter: particles in a stirred electrolyte have none"),
        (BOTH, "take the place of a cell: remove negative and positive, or remove surroundings"),
        ({"surroundings": "stired"}, 'surroundings: expected "stirred"'),
        ({"surroundings": {"stirred": {"contact": "left"}}}, "contact: expected"),
        ({"surroundings": {"stirred": {"contacts": "collector"}}}, 'did you mean "contact"'),
    ],
)
def test_faults_are_said_in_one_line(changes: dict[str, Any], message: str) -> None:
    """What came, and what to do."""
    with pytest.raises(InputError, match=message.replace("?", r"\?")) as caught:
        study(**changes)
    assert "\n" not in str(caught.value)


def test_roles_follow_shape_and_contact() -> None:
    """No electrolyte comes in along an axis of one voxel; a cell has no bath."""
    names = ("active", "pore")
    assert roles_of(study(), names, (9, 9, 9)).bath == (0, 1, 2)
    assert roles_of(study(), names, (9, 9, 1)).bath == (0, 1)
    assert roles_of(study(), names, (9, 9, 9)).everywhere
    collector = {"stirred": {"contact": "collector"}}
    assert not roles_of(study(surroundings=collector), names, (9, 9, 9)).everywhere
    cell = study(surroundings=None, separator=SEPARATOR)
    assert (roles_of(cell, names, (9, 9, 9)).bath, roles_of(cell, names).everywhere) == ((), False)


@pytest.mark.parametrize("method", ["smooth", "voxel"])
def test_check_counts_no_separator(method: str) -> None:
    """Cells are expected, none of them of a separator."""
    found = check(study(mesh={"method": method, "size": "1 um"}))
    assert "0 separator layers" in found["cells"]
