"""The coarse mesh of the transport stage: the same estimate on any number of ranks."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.data.volume import Volume, read_header, write_volume
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.transport_meshes import coarse_mesh, usable_ranks

COMM = MPI.COMM_WORLD
STUDY = {
    "name": "coarse",
    "volume": {
        "image": {"file": "x.tif", "voxel_size": "1 um", "labels": {"pore": 0, "nmc": 1}},
    },
    "phases": {"nmc": {"material": "nmc622"}},
    "separator": {"thickness": "4 um", "porosity": 0.5, "tortuosity": 1.5},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "1 um", "method": "voxel"},
}


def write_image(folder: Path) -> None:
    """Eight layers with a bar along z and a block in the way."""
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[:, 2:4, 2:] = labels[4:6, :2, :2] = 1
    volume = Volume(labels, ("pore", "nmc"), (1e-6,) * 3, labels.astype(np.int32))
    folder.mkdir()
    write_volume(volume, folder)
    area = {"marching_cubes": 1e-10, "voxel_faces": 1e-10}
    shares = {"pore": 1.0 - float(labels.mean()), "nmc": float(labels.mean())}
    measured = {
        "phases": {name: {"fraction": share} for name, share in shares.items()},
        "shape": labels.shape,
        "interfaces": {"pore|nmc": {"area_m2": area}},
    }
    (folder / "image.json").write_text(json.dumps(measured), encoding="utf-8")


@pytest.mark.mpi
@pytest.mark.mpi3
def test_more_ranks_than_its_layers_allow(shared_path: Path) -> None:
    """Four layers are made by one rank, and every rank hears what it finds."""
    if COMM.rank == 0:
        write_image(shared_path / "image")
    COMM.barrier()
    header = read_header(shared_path / "image")
    assert usable_ranks(header, 1e-6, COMM.size) == 1
    found = []
    for comm in (COMM, MPI.COMM_SELF):
        log = SimpleNamespace(warning=pytest.fail)
        nothing = shared_path / "nothing"
        study = Study.model_validate(STUDY)
        context = StageContext(study, shared_path, nothing, comm, False, log, bool)
        coarse = coarse_mesh(context, header)
        assert coarse is not None
        found.append(coarse.solve("pore", {0: (1.0, 1.0)}, "z").effective_ratio)
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert 0.5 < found[0] < 0.75
