"""The section on the mesh: what either method writes, and nothing made up where keys are absent."""

from typing import Any

from made_run import Run

from voxtrode.pipeline.records import read_json, write_json
from voxtrode.pipeline.report.blocks import Block, Cell, Figure, Table
from voxtrode.pipeline.report.mesh_sections import mesh_section
from voxtrode.pipeline.report.results import read_results
from voxtrode.pipeline.report.style import style

VOXEL: dict[str, Any] = {
    "method": "voxel",
    "spacing_m": [2e-6] * 3,
    "separator_layers_m": [2e-6, 3e-6, 3e-6],
    "cells": 10,
    "interfaces": {
        "active|nsd": {
            "area_m2": {"mesh": 6e-10, "marching_cubes": 6.2e-10, "voxel_faces": 8.8e-10},
            "facet_weight_mean": 0.7,
            "facet_weight_factor": 1,
        }
    },
    "facet_weight": "|n·g|",
    "components": {"active": 3},
}


def blocks(run: Run, changes: dict[str, Any] | None = None) -> list[Block]:
    """Blocks of the section; with changes, `mesh.json` holds these alone."""
    if changes is not None:
        write_json(run.folder / "mesh" / "mesh.json", changes)
    with style():
        return list(mesh_section(read_results(run.folder, run.study)).blocks)


def texts(table: Block) -> list[list[str]]:
    """Its rows as texts."""
    assert isinstance(table, Table)
    return [[c.text if isinstance(c, Cell) else c for c in row] for row in table.rows]


def test_a_smooth_mesh_is_told_in_full(run: Run) -> None:
    """Overview, cut and histogram, phases, areas; numbers as the file has them."""
    overview, cut, angles, phases, areas = blocks(run)
    values = {row[0]: row[1].replace("\u00a0", " ") for row in texts(overview)}
    assert values["Worst cell"] == "15.3° in active at z, y, x = 1.00, 2.50, 3.00 µm"
    assert values["Points moved for better cells"] == "3, at most 0.100 µm"
    assert values["Contacts between particles"] == "12.50 µm²"
    assert values["Voxels of islands below 9 given to the phase around"] == "active 0, nsd 17"
    assert isinstance(cut, Figure)
    assert cut.uri.startswith("data:image/png;base64,")
    assert isinstance(angles, Figure)
    assert isinstance(phases, Table)
    assert texts(phases)[0][2:6] == ["5", "3", "1", "1"]
    assert isinstance(marked := phases.rows[0][3], Cell)
    assert marked.state == "warn"
    assert isinstance(areas, Table)
    assert texts(areas) == [["active | nsd", "600.0", "620.0", "880.0"]]
    assert "weight" not in areas.caption


def test_a_voxel_mesh_says_how_its_facets_are_weighted(run: Run) -> None:
    """No angles are made up for it, its picture is there."""
    found = blocks(run, VOXEL)
    assert [block.kind for block in found] == ["table", "figure", "table", "table"]
    areas = found[-1]
    assert isinstance(areas, Table)
    assert "Mean facet weight" in areas.head
    assert "|n·g|" in areas.caption
    assert any("3, 2.00" in row[1] for row in texts(found[0]) if row[0] == "Separator layers")


def test_a_sparse_file_still_makes_a_section(run: Run) -> None:
    """Nothing but a method: no picture, no error, and no verdict on what is not known."""
    (run.folder / "mesh" / "cut.png").unlink()
    found = blocks(run, {"method": "other"})
    assert [block.kind for block in found] == ["table", "table", "table"]
    assert ["Inverted cells", "–"] in texts(found[0])


def test_bad_cells_stand_out(run: Run) -> None:
    """Inverted cells and cells without a particle are marked."""
    mesh = read_json(run.folder / "mesh" / "mesh.json") | {"inverted": 2, "untagged_cells": 5}
    overview = blocks(run, mesh)[0]
    assert isinstance(overview, Table)
    marked = [row[0] for row in overview.rows if isinstance(row[1], Cell) and row[1].state == "bad"]
    assert marked == ["Inverted cells", "Active cells without a particle"]
