"""What `voxtrode check` predicts of a mesh, against meshes that are made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds import KINDS, kind_tree
from mpi4py import MPI

from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.build import BuiltMesh
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.estimates import Estimate, estimate, unknown_fields
from voxtrode.pipeline.expected_area import counted_area, made_area
from voxtrode.pipeline.expected_iterations import OF_DISCHARGE, TO_BEGIN, expected_iterations
from voxtrode.pipeline.mesh_counts import touching
from voxtrode.pipeline.stage_image import roles_of
from voxtrode.pipeline.study import Study, parse_study
from voxtrode.pipeline.study_surroundings import Surroundings


def study_of(kind: str, mesh: dict[str, Any]) -> Study:
    """A study of a generated volume."""
    return parse_study(kind_tree(*KINDS[kind]) | {"mesh": mesh}, Path("/"))


def expected(study: Study, volume: Volume, area: float) -> Estimate:
    """What is predicted for an area of interfaces over the volume [1/m]."""
    found = np.bincount(volume.labels.ravel(), minlength=len(volume.phases)) / volume.labels.size
    shares = dict(zip(volume.phases, found.tolist(), strict=True))
    phases = build_phases(study)
    return estimate(
        volume.header,
        shares,
        area,
        phases,
        study.mesh,
        study.separator.thickness,
        unknown_fields(study.surroundings),
        expected_iterations(study),
    )


def unknowns(study: Study, volume: Volume, built: BuiltMesh) -> int:
    """Vertices of each field's phases on a mesh; what takes no part counts here."""
    phases = build_phases(study)
    total = 0
    for fields, can in ((1, "stores"), (1, "conducts_electrons"), (2, "conducts_ions")):
        labels = [k for k, name in enumerate(volume.phases) if getattr(phases[name], can)]
        labels += [len(volume.phases)] if can == "conducts_ions" else []
        cells = built.local_cells[np.isin(built.block.phase, labels)]
        total += fields * len(np.unique(cells))
    return total


@pytest.mark.parametrize("kind", ["one size", "log-normal with cracks and binder"])
@pytest.mark.parametrize("mesh", [{"size": "1 um"}, {"size": "1.25 um", "coarsening": 0}])
def test_the_size_of_a_smooth_mesh_is_foretold(
    kind: str, mesh: dict[str, Any], tmp_path: Path
) -> None:
    """Within a factor of 2 without the voxels, of 1.25 with them; fitted to other volumes."""
    study = study_of(kind, mesh)
    generate = study.volume.generate
    assert generate is not None
    volume = generate.make()
    write_volume(volume, tmp_path)
    asked: Any = study.mesh
    built = build_smooth_mesh(
        tmp_path,
        asked.size,
        study.separator.thickness,
        roles_of(study, volume.phases),
        {"interfaces": {}},
        SmoothSettings(levels=asked.coarsening),
        MPI.COMM_SELF,
    )
    active = [name for name, phase in build_phases(study).items() if phase.stores]
    blind = made_area(generate, generate.expected_shares, active)
    made = (built.info.cells, built.info.vertices, unknowns(study, volume, built))
    for area, factor in ((blind, 2.0), (counted_area(volume.labels, volume.voxel), 1.25)):
        cost = expected(study, volume, area)
        vertices = cost.mesh.inside + cost.mesh.behind
        for told, is_so in zip((cost.mesh.cells, vertices, cost.unknowns), made, strict=True):
            assert is_so / factor < told < is_so * factor


def test_the_lattice_of_a_voxel_mesh_is_exact() -> None:
    """20 x 10 x 10 voxels of 1 µm, six cells each, and the separator's growing layers."""
    study = study_of("one size", {"size": "1 um", "method": "voxel"})
    generate = study.volume.generate
    assert generate is not None
    volume = generate.make()
    counts = expected(study, volume, counted_area(volume.labels, volume.voxel)).mesh
    assert counts.lattice == (20, 10, 10)
    assert counts.cells == 6 * (20 + counts.separator_layers) * 100
    assert counts.inside + counts.behind == (20 + counts.separator_layers + 1) * 121


def test_faces_are_counted_by_the_area_they_stand_for() -> None:
    """A plane through 4 x 2 x 2 voxels: two thirds of its faces, staircases being larger."""
    labels = np.zeros((4, 2, 2), np.uint8)
    labels[3:] = 1
    assert counted_area(labels, (2.0, 1.0, 1.0)) == pytest.approx(1.0 / 8.0 / 1.5)


def test_phases_touch_by_chance() -> None:
    """Two phases always; of three equal ones, two are on two thirds of the interfaces or on all."""
    assert touching({"a": 0.3, "b": 0.7}, ["a"]) == 1.0
    thirds = dict.fromkeys("abc", 1 / 3)
    assert touching(thirds, ["a"]) == pytest.approx(2 / 3)
    assert touching(thirds, ["a", "b"]) == pytest.approx(1.0)
    assert touching({"a": 1.0}, ["a"]) == 0.0


PULSE = {"discharge": "C/10", "until": "15 min"}
TO_END = {"discharge": "1C", "until": "3.0 V"}


@pytest.mark.parametrize(
    ("protocol", "begun", "depth"),
    [
        ([TO_END], 1, 1.0),
        ([{"discharge": "1C", "until": ["3.0 V", "60 % DoD"]}], 1, 0.6),
        ([PULSE], 1, 0.025),
        ([{"repeat": 20, "steps": [PULSE, {"rest": "1 h"}]}], 40, 0.5),
        ([TO_END, {"charge": "1C", "until": ["4.2 V", "40 % DoD"]}], 2, 1.6),
        ([TO_END, {"hold": "3.0 V", "until": "C/50"}], 2, 1.0),
        ([{"discharge": "4 A/m^2", "until": "1 h"}], 1, 1.0),
    ],
)
def test_steps_cost_what_they_pass(protocol: list[Any], begun: int, depth: float) -> None:
    """A beginning each, and by the DoD; what is not known before the mesh counts as all of it."""
    tree = kind_tree(*KINDS["one size"]) | {"protocol": protocol}
    found = expected_iterations(parse_study(tree, Path("/")))
    assert found == pytest.approx(begun * TO_BEGIN + depth * OF_DISCHARGE, rel=0.05)


def test_a_nominal_capacity_tells_how_far_a_current_goes() -> None:
    """4 A/m² for 1 h are a tenth of 40 A h/m²; a slow one is held up by max_dt."""
    step = {"discharge": "4 A/m^2", "until": "1 h"}
    tree = kind_tree(*KINDS["one size"]) | {"nominal_capacity": "4 mA*h/cm^2"}
    found = expected_iterations(parse_study(tree | {"protocol": [step]}, Path("/")))
    assert found == pytest.approx(TO_BEGIN + 0.1 * OF_DISCHARGE)
    rest = tree | {"protocol": [{"rest": "100 h"}]}
    assert expected_iterations(parse_study(rest, Path("/"))) == pytest.approx(1200.0)


def test_a_stirred_electrolyte_has_no_unknowns() -> None:
    """φ_s is none either where electrons come from everywhere."""
    assert unknown_fields(None) == ("c_s", "phi_s", "phi_e", "c_e")
    assert unknown_fields(Surroundings.model_validate("stirred")) == ("c_s",)
    collector = Surroundings.model_validate({"stirred": {"contact": "collector"}})
    assert unknown_fields(collector) == ("c_s", "phi_s")
