"""The smooth mesh from the image's files to tagged cells, on any number of ranks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from slabs import ball

from voxtrode.data.connectivity import Roles
from voxtrode.data.errors import InputError, NumericalError
from voxtrode.data.interfaces import interface_areas
from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.build import BuiltMesh
from voxtrode.meshing.cells import ACTIVE, ELECTRONIC, IONIC
from voxtrode.meshing.gate import refuse_bad_cells
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh
from voxtrode.meshing.tagged import read_mesh, write_mesh

COMM = MPI.COMM_WORLD
NAMES = ("pore", "nmc", "cbd")
ROLES = Roles(active=(1,), electronic=(1, 2), ionic=(0,))


def build(
    folder: Path,
    labels: np.ndarray,
    size: float,
    settings: SmoothSettings | None = None,
    particles: np.ndarray | None = None,
    comm: MPI.Comm = COMM,
) -> BuiltMesh:
    """The smooth mesh of an image of 1 µm voxels with a separator of 4 µm; collective."""
    names = NAMES[: int(labels.max()) + 1]
    voxel = (1e-6, 1e-6, 1e-6)
    if comm.rank == 0:
        ids = (labels == 1).astype(np.int32) if particles is None else particles
        write_volume(Volume(labels, names, voxel, ids), folder)
    comm.barrier()
    areas, _ = interface_areas(labels, names, voxel)
    return build_smooth_mesh(
        folder, size, 4e-6, ROLES, {"interfaces": areas}, settings or SmoothSettings(), comm
    )


def three_phases() -> np.ndarray:
    """Two touching balls of NMC in a pore, and a bar of carbon-binder that joins the collector."""
    z, y, x = np.indices((20, 18, 18)) + 0.5
    labels = np.zeros(z.shape, dtype=np.uint8)
    labels[(y - 9) ** 2 + (x - 9) ** 2 < 3.0**2] = 2
    for middle in (6.0, 14.0):
        labels[(z - middle) ** 2 + (y - 8.2) ** 2 + (x - 9.3) ** 2 < 5.0**2] = 1
    return labels


@pytest.mark.mpi
@pytest.mark.mpi3
def test_ranks_build_one_mesh_bit_for_bit(shared_path: Path) -> None:
    """Coordinates, cells and tags put together are those of one rank, to the last bit."""
    labels = three_phases()
    settings = SmoothSettings(levels=1, islands=3)
    mine = build(shared_path, labels, 1.5e-6, settings).block
    parts = COMM.gather([mine.x, mine.cells, mine.phase, mine.particle, mine.alive])
    if COMM.rank == 0:
        whole = build(shared_path, labels, 1.5e-6, settings, comm=MPI.COMM_SELF).block
        for k, name in enumerate(("x", "cells", "phase", "particle", "alive")):
            together = np.concatenate([part[k] for part in parts])
            assert np.array_equal(together, getattr(whole, name)), name


@pytest.mark.mpi
@pytest.mark.mpi3
def test_mesh_comes_back_as_it_was_distributed(shared_path: Path) -> None:
    """On as many ranks the cells go where they went; every cell is some rank's own, once."""
    built = build(shared_path, three_phases(), 2e-6)
    write_mesh(shared_path, built.block, built.info, COMM, built.partition)
    mesh = read_mesh(shared_path, COMM)
    owned = mesh.mesh.topology.index_map(3).size_local
    numbers = np.sort(np.concatenate(COMM.allgather(mesh.cell_number[:owned])))
    assert np.array_equal(numbers, np.arange(built.info.cells))
    # The rank that the file names first for a cell is the rank that owns it.
    first = np.concatenate(COMM.allgather(built.partition[:, 0]))
    assert np.all(first[mesh.cell_number[:owned]] == COMM.rank)


def test_evidence_of_a_good_mesh(tmp_path: Path) -> None:
    """Nothing inverted, angles well above the gate, volumes met, the box filled exactly.

    The calibration aims at 2e-4 of each phase; moves of single points afterwards are rare.
    """
    evidence = build(tmp_path, three_phases(), 1.5e-6).evidence
    assert evidence["inverted"] == evidence["nonmanifold_facets"] == evidence["untagged_cells"] == 0
    assert evidence["min_dihedral_deg"] > 10.0
    assert evidence["exterior_area_error"] == pytest.approx(0.0, abs=1e-12)
    assert all(abs(error) < 1e-3 for error in evidence["volume_error"].values())
    assert (evidence["components"]["pore"], evidence["components"]["nmc"]) == (1, 1)
    spacing = np.array(evidence["spacing_m"])
    assert np.all(np.abs(spacing / 1.5e-6 - 1.0) <= 0.1)
    assert np.allclose(spacing * np.round([20e-6, 18e-6, 18e-6] / spacing), [20e-6, 18e-6, 18e-6])


def test_phase_volumes_come_from_cells(tmp_path: Path) -> None:
    """Cells of the rows fill electrode and separator, each phase its share; particles follow."""
    labels = three_phases()
    built = build(tmp_path, labels, 1.5e-6)
    corners = built.local_x[built.local_cells]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    assert np.all(volumes > 0.0)
    assert volumes.sum() == pytest.approx(24.0 * 18 * 18, rel=1e-12)
    assert volumes[built.block.phase == 3].sum() == pytest.approx(4.0 * 18 * 18, rel=1e-12)
    assert np.array_equal(built.block.particle > 0, built.block.phase == 1)


def test_what_is_alive_is_judged_by_facets(tmp_path: Path) -> None:
    """A loose ball is dead; a ball on the collector lives; pore and separator carry ions."""
    labels = ball(20, 5.0)
    labels[:6, 9:12, 9:12] = 1  # a stem to the collector
    labels[17:20, 0:3, 0:3] = 1  # loose
    particles = labels.astype(np.int32)
    particles[17:20, 0:3, 0:3] = 2
    block = build(tmp_path, labels, 1e-6, particles=particles).block
    electronic = (block.alive & ELECTRONIC) > 0
    assert np.array_equal(electronic, (block.alive & ACTIVE) > 0)
    assert np.array_equal(electronic, block.particle == 1)
    assert np.array_equal((block.alive & IONIC) > 0, np.isin(block.phase, (0, 2)))


def _lens(radius: float, distance: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping balls on an oblique axis, placed at random, and whose each voxel is."""
    axis = np.array([0.96, 0.20, 0.195])
    axis /= np.linalg.norm(axis)
    shape = np.ceil(2 * radius + distance * axis + 6.0).astype(int)
    first = radius + 3.0 + np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
    points = np.moveaxis(np.indices(shape) + 0.5, 0, -1)
    away = [((points - c) ** 2).sum(-1) for c in (first, first + distance * axis)]
    labels = (np.minimum(*away) < radius**2).astype(np.uint8)
    return labels, np.where(labels == 1, np.where(away[0] < away[1], 1, 2), 0).astype(np.int32)


def test_contact_of_two_balls_is_their_lens(tmp_path: Path) -> None:
    """The contact area converges to that of the lens, π(r² − d²/4).

    Its rim is sharp, and voxels smear it over about a third of a voxel: 2 · 0.33/a of the area at
    a rim of radius a voxels, first order. Where the rim lies among the voxels changes it by a
    fifth, so that means of four places are compared.
    """
    errors = []
    for radius, distance in ((8.0, 10.0), (16.0, 20.0)):
        exact = np.pi * (radius**2 - distance**2 / 4.0) * 1e-12
        ratios = []
        for seed in range(4):
            labels, ids = _lens(radius, distance, seed)
            found = build(tmp_path, labels, 1.5e-6, SmoothSettings(contacts=True), ids).evidence
            ratios.append(found["contacts"]["area_m2"] / exact - 1.0)
            assert abs(found["particle_volume_error"]["worst"]["error"]) < 2e-3
        errors.append(abs(np.mean(ratios)))
    assert errors[1] < 0.06
    assert errors[1] < 0.6 * errors[0]


def test_contacts_are_not_to_be_used_unless_asked_for(tmp_path: Path) -> None:
    """Without smooth contacts there is no area to take for one."""
    contacts = build(tmp_path, three_phases(), 2e-6).evidence["contacts"]
    assert contacts["smooth"] is False
    assert "area_m2" not in contacts


def test_islands_go_to_what_they_touch(tmp_path: Path) -> None:
    """A voxel of NMC in the pore becomes pore, one of pore in a ball becomes NMC."""
    labels = ball(16, 6.0)
    labels[1, 1, 1] = 1
    labels[8, 8, 8] = 0
    kept = build(tmp_path, labels, 1e-6).evidence
    cleaned = build(tmp_path, labels, 1e-6, SmoothSettings(islands=2)).evidence
    assert kept["regions"]["nmc"]["image"] == 2
    assert cleaned["islands"]["voxels"] == {"pore": 1, "nmc": 1}
    assert cleaned["image_components"] == {"pore": 1, "nmc": 1}
    assert cleaned["regions"]["nmc"]["lost"] == 0


def test_regions_too_small_for_the_mesh_are_told(tmp_path: Path) -> None:
    """A single voxel has no cell at twice its size: one region and one voxel are lost."""
    labels = ball(16, 6.0)
    labels[1, 1, 1] = 1
    regions = build(tmp_path, labels, 2e-6).evidence["regions"]
    assert regions["nmc"]["lost"] == 1
    assert regions["nmc"]["lost_voxels"] == 1
    assert regions["pore"]["lost"] == regions["pore"]["split"] == 0


@pytest.mark.parametrize(
    ("below", "said"),
    [
        ({"2": 1, "5": 1, "10": 1}, "1 cells with angles below 2 degrees"),
        ({"2": 0, "5": 12, "10": 12}, "12 cells with angles below 5 degrees"),
        ({"2": 0, "5": 0, "10": 101}, "101 cells with angles below 10 degrees"),
    ],
)
def test_gate_says_what_and_where(below: dict[str, int], said: str) -> None:
    """A mesh of a million cells with too many flat ones is refused, with the place of the worst."""
    evidence: dict[str, Any] = {
        "inverted": 0,
        "nonmanifold_facets": 0,
        "cells": 1_000_000,
        "cells_below_deg": below,
        "worst_cell": {"angle_deg": 1.5, "position_m": [1e-6, 2e-6, 3e-6], "phase": "nmc"},
    }
    with pytest.raises(NumericalError, match=said) as error:
        refuse_bad_cells(evidence)
    assert "1.50 degrees in nmc at z, y, x = 1.00, 2.00, 3.00 um" in str(error.value)


def test_gate_lets_a_few_cells_pass() -> None:
    """At the limits: none below 2 degrees, 1e-5 of the cells below 5, 1e-4 below 10."""
    refuse_bad_cells(
        {
            "inverted": 0,
            "nonmanifold_facets": 0,
            "cells": 1_000_000,
            "cells_below_deg": {"2": 0, "5": 10, "10": 100},
        }
    )


def test_size_beyond_the_volume_is_refused(tmp_path: Path) -> None:
    """A lattice coarser than the volume is bad input."""
    with pytest.raises(InputError, match=r"mesh\.size"):
        build(tmp_path, ball(8, 3.0), 9e-6)
