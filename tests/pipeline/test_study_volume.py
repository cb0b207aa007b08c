"""The volume section: every kind of generator, the preparation of images, faults in either."""

import copy
from pathlib import Path

import pytest
from kinds import BOX, CELL, ENTRIES, KINDS, Tree, kind_tree

from voxtrode.data.errors import InputError
from voxtrode.pipeline.study import Study, load_study, parse_study, write_study
from voxtrode.pipeline.study_file import apply_overrides


def _parsed(tree: Tree, *changes: str) -> Study:
    return parse_study(apply_overrides(copy.deepcopy(tree), changes), Path("/nowhere"))


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str, tmp_path: Path) -> None:
    """Each kind names its phases and about their shares, and survives being written and read."""
    generate, names = KINDS[name]
    study = _parsed(kind_tree(generate, names))
    source = study.volume.generate
    assert source is not None
    assert source.phase_names == names
    assert set(source.expected_shares) == set(names)
    assert sum(source.expected_shares.values()) == pytest.approx(1.0)
    write_study(study, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == study


def test_composite_by_weight() -> None:
    """80/17/3 by weight: volumes are weights over densities, scaled to what is not empty."""
    study = _parsed(kind_tree(*KINDS["composite"]))
    parts = {"active": 0.8 / 4700.0, "electrolyte": 0.17 / 1860.0, "carbon": 0.03 / 670.0}
    source = study.volume.generate
    assert source is not None
    for name, part in parts.items():
        share = 0.95 * part / sum(parts.values())
        assert source.expected_shares[name] == pytest.approx(share)


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("two materials", {"fine": 0.3, "coarse": 0.7}),
        ("layered", {"coarse": 0.6, "fine": 0.4}),
    ],
)
def test_shares_of_active_phases(name: str, shares: dict[str, float]) -> None:
    """By the diameters' shares, and by the layers' thicknesses."""
    source = _parsed(kind_tree(*KINDS[name])).volume.generate
    assert source is not None
    for phase, share in shares.items():
        assert source.expected_shares[phase] == pytest.approx(0.5 * share)


def test_calendering_shortens() -> None:
    """Rigid particles: the thickness falls as the active fraction rises."""
    study = _parsed(kind_tree(*KINDS["ellipsoids from a table"]))
    source = study.volume.generate
    assert source is not None
    assert source.shape == (round(40 * 0.4 / 0.55), 20, 20)


def test_binder_by_weight() -> None:
    """4 % of the mass at half the density takes 4/96 · 2 of the active volume."""
    tree = kind_tree(
        BOX | {"diameters": ["4 um"], "active_fraction": 0.5}, ("active", "cbd", "pore")
    )
    change = "volume.generate.binder={weight: 0.04, density: 2350, active_density: 4700}"
    source = _parsed(tree, change).volume.generate
    assert source is not None
    assert source.expected_shares["cbd"] == pytest.approx(0.04 / 0.96 * 2.0 * 0.5)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "one size",
            "volume.generate.kind=cubes",
            "volume.generate.kind: expected one of spheres,",
        ),
        ("one size", "volume.generate.size.0=20.3 um", "expected a whole number of voxels"),
        ("one size", "volume.generate.diameters=[]", "either diameters or a distribution"),
        ("one size", "volume.generate.diameters=[30 um]", "does not fit a thickness"),
        ("one size", "volume.generate.shares=[0.5, 0.5]", "2 shares for 1 diameters"),
        ("one size", "volume.generate.phases=[a, b]", "2 phases for 1 diameters"),
        ("one size", "volume.generate.contacts=glued", "expected 'overlapping' or 'flattened'"),
        ("one size", "volume.generate.aspect=2", "aspect: unknown key"),
        ("one size", "volume.generate.binder={form: film}", "either fraction"),
        ("one size", "volume.generate.binder={fraction: 0.6}", "leave no pores"),
        ("one size", "volume.generate.binder={weight: 0.1}", "goes with density"),
        ("one size", "volume.generate.calender={porosity: 0.7}", "give a lower porosity"),
        ("one size", "volume.generate.cracks={width: 1 um}", "leave cracks out"),
        ("one size", "volume.generate.grains={arrangement: voronoi}", "with no size"),
        ("one size", "volume.generate.diameters=[1 um]", "expected at least 3 voxels per diameter"),
        ("one size", "volume.generate.diameters=[8]", "8 is 8 m, longer than any part of a cell"),
        (
            "one size",
            "volume.generate.cracks={surface: 0.1, width: 0.2 um}",
            "a width of one voxel",
        ),
        ("two materials", "volume.generate.phases=[nsd, fine]", "give the active phase another"),
        ("layered", "volume.generate.layers.0.phase=nsd", "give the active phase another"),
        ("composite", "volume.generate.phases=[carbon]", "give the active phase another"),
        ("ellipsoids from a table", "volume.generate.ratios=[1, 1, 100]", "at most 20 times"),
        ("secondary particle", "volume.generate.diameter=2 um", "expected 8 voxels across"),
        (
            "two materials",
            "volume.generate.shares=[0.3, 0.3]",
            "the shares add up to 0.6; expected 1",
        ),
        ("plates", "volume.generate.distribution.percentiles.d10=9 um", "expected rising"),
        ("plates", "volume.generate.distribution={}", "exactly one of lognormal"),
        (
            "ellipsoids from a table",
            "volume.generate.distribution.table.shares=[1]",
            "expected one limit more than shares",
        ),
        ("layered", "volume.generate.layers.0.thickness=13 um", "expected equal"),
        ("layered", "volume.generate.layers.0.active_fraction=0.6", "give active_fraction their"),
        ("layered", "volume.generate.layers.1.kind=cubes", "volume.generate.layers.1"),
        ("composite", "volume.generate.weights.active=0.9", "the weights add up to 1.1"),
        ("composite", "volume.generate.carbon.form=flakes", "carbon.form: expected one of spheres"),
        ("composite", "volume.generate.carbon={diameter: 1 um}", "carbon.form: is missing"),
    ],
)
def test_faults(name: str, change: str, message: str) -> None:
    """Each fault is one line that says where it is and what was expected."""
    with pytest.raises(InputError) as caught:
        _parsed(kind_tree(*KINDS[name]), change)
    assert message in str(caught.value)
    assert "volume.generate" in str(caught.value)
    assert "\n" not in str(caught.value)


_IMAGE: Tree = {
    "file": "some.tif",
    "voxel_size": "1 um",
    "labels": {"pore": 0, "active": [1, 3]},
    "downsample": 2,
    "padding": {"mode": "mirror", "x": 4},
    "raw": {"shape": [4, 5, 6], "dtype": "uint16"},
}


def _image(changes: Tree) -> Tree:
    image = {key: value for key, value in (_IMAGE | changes).items() if value is not None}
    phases = {"active": ENTRIES["active"], "pore": ENTRIES["pore"]}
    return copy.deepcopy(CELL | {"volume": {"image": image}, "phases": phases})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"labels": None, "segment": {"classes": ["pore", "active"]}},
        {
            "labels": None,
            "segment": {"classes": ["pore", "active"], "denoise": "none", "thresholds": [7]},
        },
        {
            "labels": None,
            "segment": {"classes": ["pore", "active"], "denoise": {"median": 2}},
        },
    ],
)
def test_images(changes: Tree, tmp_path: Path) -> None:
    """Preparation and segmentation survive being written and read."""
    study = _parsed(_image(changes))
    image = study.volume.image
    assert image is not None
    assert set(image.phase_names) == {"pore", "active"}
    assert image.downsample == (2, 2, 2)
    write_study(study, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == study


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"pore": 0, "active": 1.5}}, "volume.image.labels.active: expected a whole"),
        ({"labels": None}, "either labels (of a segmented image) or segment"),
        ({"segment": {"classes": ["pore", "active"]}}, "either labels"),
        ({"labels": {"pore": 0, "active": [0, 1]}}, "share the value 0"),
        ({"labels": None, "segment": {"classes": ["pore"]}}, "at least 2"),
        ({"labels": None, "segment": {"classes": ["pore", "pore"]}}, "twice"),
        (
            {"labels": None, "segment": {"classes": ["pore", "active"], "thresholds": [3, 2]}},
            "2 thresholds",
        ),
        (
            {"labels": None, "segment": {"classes": ["pore", "active"], "denoise": {}}},
            "exactly one",
        ),
        ({"padding": {"mode": "zero"}}, "expected 'mirror' or 'periodic'"),
        ({"downsample": 0}, "at least 1"),
        ({"raw": {"shape": [4, 5, 6], "dtype": "complex64"}}, "dtype"),
        ({"voxel_size": None}, "voxel_size: is missing"),
    ],
)
def test_image_faults(changes: Tree, message: str) -> None:
    """Each fault is one line that says where it is and what was expected."""
    with pytest.raises(InputError) as caught:
        _parsed(_image(changes))
    assert message in str(caught.value)
    assert "volume.image" in str(caught.value)
    assert "\n" not in str(caught.value)
