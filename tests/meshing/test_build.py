"""From the image's files to mesh and evidence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from slabs import PHASES, ROLES, ball

from voxtrode.data.interfaces import interface_areas
from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.build import BuiltMesh, build_voxel_mesh

COMM = MPI.COMM_WORLD
VOXEL = (1e-6, 1e-6, 1e-6)


def prepare(folder: Path, labels: np.ndarray) -> dict[str, Any]:
    """Write the image's files; returns what `image.json` would say. Collective."""
    if COMM.rank == 0:
        write_volume(Volume(labels, PHASES, VOXEL, labels.astype(np.int32)), folder)
    COMM.barrier()
    areas, _ = interface_areas(labels, PHASES, VOXEL)
    shares = {name: {"fraction": float(np.mean(labels == k))} for k, name in enumerate(PHASES)}
    return {"phases": shares, "interfaces": areas}


def build(folder: Path, labels: np.ndarray, size: float, comm: MPI.Comm) -> BuiltMesh:
    """The voxel mesh with a separator of 3 µm."""
    return build_voxel_mesh(folder, size, 3e-6, ROLES, prepare(folder, labels), comm)


def two_balls() -> np.ndarray:
    """A large ball, and a small one that lies loose; particle 1 both."""
    labels = ball(18, 6.0)
    labels[16, 16, 16] = 1
    return labels


def test_evidence_of_a_good_mesh(tmp_path: Path) -> None:
    """Cell counts, no fault, exact volumes, areas of marching cubes, components.

    Layers of the separator (here of about 1 µm) are the only cells that are no cubes' sixths.
    """
    built = build(tmp_path, two_balls(), 1e-6, COMM)
    evidence = built.evidence
    layers = len(evidence["separator_layers_m"])
    assert evidence["cells"] == 6 * 18 * 18 * (18 + layers)
    assert evidence["vertices"] == 19 * 19 * (19 + layers)
    assert evidence["inverted"] == evidence["nonmanifold_facets"] == 0
    assert 35.0 < evidence["min_dihedral_deg"] <= 45.0
    assert evidence["max_dihedral_deg"] == pytest.approx(90.0, abs=1e-9)
    assert evidence["volume_error"] == pytest.approx({"nsd": 0.0, "active": 0.0}, abs=1e-12)
    assert evidence["components"] == {"nsd": 1, "active": 2}
    pair = evidence["interfaces"]["nsd|active"]
    assert pair["area_m2"]["mesh"] == pytest.approx(pair["area_m2"]["marching_cubes"], rel=1e-12)
    assert pair["area_m2"]["voxel_faces"] > 1.4 * pair["area_m2"]["mesh"]
    plane = evidence["interfaces"]["nsd|separator"]["area_m2"]
    assert plane["mesh"] == pytest.approx(18.0**2 * 1e-12, rel=1e-12)


def test_cropping_and_down_sampling_are_told(tmp_path: Path) -> None:
    """17 voxels in pairs leave one over; the plate's volume per phase is compared without it."""
    labels = np.zeros((17, 8, 8), dtype=np.uint8)
    labels[4:12] = 1
    built = build(tmp_path, labels, 2e-6, COMM)
    assert tuple(built.evidence["cropped_voxels"]) == (1, 0, 0)
    assert built.evidence["spacing_m"] == pytest.approx((2e-6,) * 3, rel=1e-12)
    assert built.evidence["volume_error"]["active"] == pytest.approx(0.0, abs=1e-12)
    assert built.info.thickness == pytest.approx(16e-6, rel=1e-12)
    assert built.info.height == pytest.approx(19e-6, rel=1e-12)


@pytest.mark.mpi
@pytest.mark.mpi3
@pytest.mark.parametrize("size", [1e-6, 2e-6])
def test_ranks_build_one_mesh(shared_path: Path, size: float) -> None:
    """Rows put together are those of one rank: integers exactly, reals to rounding."""
    built = build(shared_path, two_balls(), size, COMM)
    alone = build(shared_path, two_balls(), size, MPI.COMM_SELF)
    for name in ("x", "cells", "phase", "particle", "alive", "normal"):
        rows = np.concatenate(COMM.allgather(getattr(built.block, name)))
        expected = getattr(alone.block, name)
        scale = float(np.abs(expected).max())
        assert rows.shape == expected.shape
        assert np.allclose(rows, expected, rtol=0.0, atol=1e-13 * scale)
    assert dict(built.info.facet_scale) == pytest.approx(dict(alone.info.facet_scale), rel=1e-12)
    for key in ("cells", "vertices", "components", "inverted", "nonmanifold_facets"):
        assert built.evidence[key] == alone.evidence[key]
