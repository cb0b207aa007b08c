"""Keys of stages: what changes them, and what does not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voxtrode.pipeline import keys as keys_module
from voxtrode.pipeline.keys import code_hash, file_hash, package_root, stage_keys
from voxtrode.pipeline.progress import Event, Reporter
from voxtrode.pipeline.study import load_study, parse_study
from voxtrode.pipeline.study_file import apply_overrides

type Tree = dict[str, Any]

ALL = {"image", "mesh", "transport", "simulate", "report"}


def keys(tree: Tree, *changes: str, code: str = "1") -> dict[str, str]:
    """Keys of a study with changes."""
    return stage_keys(parse_study(apply_overrides(tree, changes), Path("/")), code=code)


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ("volume.generate.seed=2", ALL),
        ("phases.nsd.conductivity=", ALL),  # no longer an electron conductor: connectivity
        ("phases.nsd.conductivity=11 S/m", {"transport", "simulate", "report"}),
        ("phases.active.material=nmc811", {"simulate", "report"}),  # the same σ
        ("phases.active.conductivity=2 S/m", {"transport", "simulate", "report"}),
        ("mesh.size=1 um", ALL - {"image"}),
        ("separator.thickness=6 um", ALL - {"image"}),
        ("separator.tortuosity=1.7", {"simulate", "report"}),
        ("protocol.0.discharge=2C", {"simulate", "report"}),
        ("transport.tolerance=1e-4", {"transport", "report"}),
        ("store.dod=[0.5]", {"simulate", "report"}),
        ("solver.rtol=1e-4", {"simulate", "report"}),
        ("temperature=310", {"simulate", "report"}),
        ("name=other", {"report"}),
        ("mesh.size=2e-6", set()),  # the same length, written as a number
        ("electrolyte=lipf6-ec-emc-nyman2008", set()),  # the default, written out
    ],
)
def test_a_change_makes_the_right_stages_stale(tree: Tree, change: str, stale: set[str]) -> None:
    """Those that depend on it and those after them, no others."""
    before, after = keys(tree), keys(tree, change)
    assert {name for name in ALL if before[name] != after[name]} == stale


def test_transport_follows_the_numbers_it_uses(tree: Tree) -> None:
    """σ and κ at the study's temperature; not the names of materials, nor what one liquid is."""
    solid = {"nsd": {"ionic_conductivity": "0.1 S/m", "conductivity": "10 S/m"}}
    fixed = {**tree, "phases": {**tree["phases"], **solid}}
    argyrodite = {**tree["phases"], "nsd": {"material": "argyrodite", "conductivity": "10 S/m"}}
    warm = {**tree, "phases": argyrodite}
    for study, change, stale in (
        (warm, "temperature=310", True),
        (fixed, "temperature=310", False),
        (tree, "electrolyte=lipf6-dilute", False),
        (tree, "phases.nsd.tortuosity=2.5", True),
    ):
        changed = keys(study)["transport"] != keys(study, change)["transport"]
        assert changed == stale, change


def test_where_electrons_come_in_makes_everything_stale(tree: Tree) -> None:
    """The contact of a particle decides what is dead: connectivity, and the mesh's living cells."""
    alone = {key: value for key, value in tree.items() if key != "separator"}
    particle = {**alone, "surroundings": {"stirred": {}}}
    before = keys(particle)
    after = keys(particle, "surroundings.stirred.contact=collector")
    assert before == keys({**alone, "surroundings": "stirred"})
    assert all(before[name] != after[name] for name in ALL)


def test_a_code_change_makes_everything_stale(tree: Tree) -> None:
    """The hash of the sources is part of every key."""
    before, after = keys(tree, code="1"), keys(tree, code="2")
    assert all(before[name] != after[name] for name in ALL)


def test_an_images_content_counts_and_its_place_does_not(
    tree: Tree, write_tree: Callable[[Tree], Path]
) -> None:
    """The same bytes elsewhere give the same keys, other bytes others."""
    image = {"file": "a.tif", "voxel_size": "1 um", "labels": {"pore": 0, "nmc": 1}}
    content = {**tree, "volume": {"image": image}, "phases": {"nmc": {"material": "nmc811"}}}
    path = write_tree(content)

    def of(file: str) -> dict[str, str]:
        return stage_keys(load_study(path, [f"volume.image.file={file}"]), code="1")

    (path.parent / "a.tif").write_bytes(b"voxels")
    (path.parent / "sub").mkdir()
    (path.parent / "sub" / "b.tif").write_bytes(b"voxels")
    (path.parent / "c.tif").write_bytes(b"other voxels")
    assert of("a.tif") == of("sub/b.tif")
    assert all(of("a.tif")[name] != of("c.tif")[name] for name in ALL)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package laid out as voxtrode is: rooms elsewhere, links to them."""
    for name, text in {"data/law.py": "1", "data/library/a.yaml": "a: 1", "data/x.txt": ""}.items():
        path = tmp_path / "rooms" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    root = tmp_path / "src" / "voxtrode"
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("", encoding="utf-8")
    (root / "data").symlink_to(tmp_path / "rooms" / "data")
    return root


@pytest.mark.parametrize("name", ["__init__.py", "data/law.py", "data/library/a.yaml"])
def test_code_hash_follows_the_sources_through_links(package: Path, name: str) -> None:
    """One changed byte of a source or of a material changes it."""
    before = code_hash(package)
    code_hash.cache_clear()
    with (package / name).open("a", encoding="utf-8") as stream:
        stream.write("#")
    assert code_hash(package) != before


def test_code_hash_ignores_what_is_no_code(package: Path) -> None:
    """Compiled files, shipped studies, and where the package lies."""
    before = code_hash(package)
    code_hash.cache_clear()
    (package / "data" / "__pycache__").mkdir()
    (package / "data" / "__pycache__" / "law.pyc").write_bytes(b"0")
    (package / "data" / "studies").mkdir()
    (package / "data" / "studies" / "a.yaml").write_text("name: a", encoding="utf-8")
    assert code_hash(package) == before
    copy = package.parents[1] / "copy"
    shutil.copytree(package, copy)
    assert code_hash(copy) == before


def test_the_installed_package_is_found() -> None:
    """The hash covers this very checkout."""
    assert (package_root() / "pipeline" / "keys.py").samefile(
        Path(__file__).resolve().parents[2] / "pipeline" / "keys.py"
    )
    assert len(code_hash()) == 64


def test_a_large_file_is_hashed_once_and_says_how_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is that of any file, is not taken again, and is when the file changes."""
    small = file_hash(_file(tmp_path / "a.raw", b"12345678"))
    monkeypatch.setattr(keys_module, "_LARGE", 4)
    monkeypatch.setattr(keys_module, "_CHUNK", 4)
    said: list[Event] = []
    log = Reporter((said.append,))
    assert file_hash(tmp_path / "a.raw", log) == small
    assert [(event.text, event.done, event.total) for event in said][-1] == ("hash of a.raw", 8, 8)
    count = len(said)
    assert file_hash(tmp_path / "a.raw", log) == small
    assert len(said) == count
    assert file_hash(_file(tmp_path / "a.raw", b"123456789"), log) != small
    assert len(said) > count


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
