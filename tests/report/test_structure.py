"""The section on the volume: tables of what is known, and none of what is not."""

from typing import Any

import numpy as np
import pytest
from made_run import Run
from synthetic import EDGE, UM

from voxtrode.data.characterisation.summary import characterise
from voxtrode.data.volume import read_slab
from voxtrode.pipeline.image_figures import rendering
from voxtrode.pipeline.records import read_json, write_json
from voxtrode.pipeline.report.blocks import Cell, Figure, Listing, Table
from voxtrode.pipeline.report.characterisation_tables import (
    area_table,
    connection_table,
    line_table,
    representativity_table,
    size_table,
)
from voxtrode.pipeline.report.origin_tables import (
    agreement_table,
    asked_table,
    downsampling_table,
    segmentation_table,
)
from voxtrode.pipeline.report.results import read_results
from voxtrode.pipeline.report.structure_sections import structure_section
from voxtrode.pipeline.report.style import style

MEASURED = (
    area_table,
    line_table,
    lambda image: connection_table(image, {}),
    lambda image: size_table(image, {}),
    lambda image: representativity_table(image, {}),
)
ORIGIN = (asked_table, agreement_table, segmentation_table, downsampling_table)


def _texts(table: Table | None) -> list[list[str]]:
    assert table is not None
    assert all(len(row) == len(table.head or row) for row in table.rows)
    found = [[one.text if isinstance(one, Cell) else one for one in row] for row in table.rows]
    return [[text.replace("\u00a0", " ").replace("\u202f", " ") for text in row] for row in found]


def _made(evidence: dict[str, Any]) -> dict[str, Any]:
    return {"evidence": {"volume": evidence}}


@pytest.mark.parametrize("maker", [*MEASURED, *ORIGIN])
def test_what_is_not_known_has_no_table(maker: Any) -> None:
    """An empty record, and one that says nothing of where the volume comes from."""
    assert maker({}) is None
    assert maker(_made({"kind": "spheres"})) is None


def test_measured_numbers_are_in_the_tables() -> None:
    """A layered box of 8 x 4 x 4 µm: 16 µm² between the halves, so 0.125 and twice 0.25 per µm."""
    labels = np.zeros((8, 4, 4), np.uint8)
    labels[4:] = 1
    image = {"size_m": [8 * UM, 4 * UM, 4 * UM], **characterise(labels, ("a", "b"), (UM,) * 3)}
    (area,) = _texts(area_table(image))
    assert area[0] == "a | b"
    assert area[2:] == ["16.00", "16.00", "0.125", "0.250; 0.250"]
    first, second = _texts(connection_table(image, {}))
    assert first == ["a", "1", "100 %", "0 %", "no", "100 %", "100 %"]
    assert second[0] == "b"
    assert line_table(image) is None
    *_, verdict = _texts(representativity_table(image, {}))
    assert verdict[:2] == ["Verdict", "not representative"]
    assert len(_texts(size_table(image, {}))) == 2


def test_old_areas_still_have_their_specific_ones() -> None:
    """Where only marching cubes are known, the area over the box is theirs."""
    area = {"marching_cubes": 3e-10, "voxel_faces": 4.5e-10}
    image = {"size_m": [1e-5, 1e-5, 1e-5], "interfaces": {"a|b": {"area_m2": area}}}
    assert _texts(area_table(image)) == [["a | b", "300.0", "–", "450.0", "0.300", "–"]]


def test_where_the_volume_comes_from() -> None:
    """Asked and met, thresholds moved, down-sampled, found again: each in its table."""
    asked = _texts(asked_table(_made({"asked": {"d50_m": 4e-6}, "met": {"d50_m": 5e-6}})))
    assert asked == [["d50", "4.000 µm", "5.000 µm", "25 %"]]
    step = {
        "fractions": {"pore": 0.4},
        "interfaces": {"pore|nmc": {"area_m2": {"marching_cubes": 1e-9}}},
    }
    sensitivity = {"vary": 0.05, "low": step, "base": step, "high": step}
    moved = segmentation_table(_made({"segmentation": {"sensitivity": sensitivity}}))
    assert moved is not None
    assert len(moved.head) == 4
    assert _texts(moved)[0] == ["pore, fraction", "40.0 %", "40.0 %", "40.0 %"]
    assert _texts(moved)[1][0] == "pore | nmc, area [µm²]"
    loss = {"before": 0.1, "after": 0.08, "relative_change": -0.2}
    lost = downsampling_table(
        _made({"downsampling": {"factor": [2, 2, 1], "fractions": {"cbd": loss}}})
    )
    assert lost is not None
    assert "2 × 2 × 1" in lost.caption
    assert _texts(lost) == [["cbd", "10.0 %", "8.00 %", "−20.0 %"]]
    assert isinstance(lost.rows[0][3], Cell)
    assert lost.rows[0][3].state == "warn"
    again = agreement_table(_made({"watershed": {"adjusted_rand_index": 0.9}}))
    assert ["Adjusted Rand index", "0.900"] in _texts(again)


def test_the_section_grows_with_what_is_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old run has its pictures and three tables; one that is characterised has profiles too."""
    monkeypatch.setattr(rendering, "draw_apart", lambda *_: "not drawn in this test")
    with style():
        old = structure_section(read_results(run.folder, run.study), run.folder).blocks
    path = run.folder / "image" / "image.json"
    record = read_json(path)
    labels, particles = read_slab(path.parent, 0, EDGE)
    found = characterise(labels, ("active", "nsd"), (UM,) * 3, particles)
    evidence = {"volume": {**record["evidence"]["volume"], "counts": list(range(500))}}
    write_json(path, {**record, **found, "evidence": evidence})
    with style():
        new = structure_section(read_results(run.folder, run.study), run.folder).blocks
    counts = [
        [sum(isinstance(b, kind) for b in blocks) for kind in (Figure, Table)]
        for blocks in (old, new)
    ]
    assert counts == [[2, 3], [3, 7]]
    (listing,) = (block for block in new if isinstance(block, Listing))
    assert "500 entries" in listing.text
    assert len(listing.text) < 1000
