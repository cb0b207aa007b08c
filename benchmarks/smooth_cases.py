"""Volumes for the smooth mesher, the mesh that the pipeline makes of each, and what is judged."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from voxtrode.data.connectivity import Roles
from voxtrode.data.interfaces import interface_areas
from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.build import BuiltMesh
from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.smooth import SmoothSettings, build_smooth_mesh

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
UM = 1e-6


def generated(tree: Mapping[str, Any]) -> Volume:
    """A volume as `volume.generate` of a study makes it."""
    from pydantic import TypeAdapter

    from voxtrode.pipeline.study_generate import Generate

    volume: Volume = TypeAdapter(Generate).validate_python(dict(tree)).make()
    return volume


def packing(seed: int, n: int = 80) -> Volume:
    """Spheres in n³ voxels of 1 µm: fraction 0.43 to 0.62, mean radius 6 to 12 µm by the seed."""
    random = np.random.default_rng(seed)
    radius, fraction = random.uniform(6.0, 12.0), random.uniform(0.43, 0.62)
    return generated(
        {
            "kind": "spheres",
            "size": [f"{n} um"] * 3,
            "voxel": "1 um",
            "seed": seed,
            "diameters": [f"{2.0 * radius:.2f} um"],
            "active_fraction": round(fraction, 3),
        }
    )


FILLINGS: tuple[dict[str, Any], ...] = (
    {"binder": {"fraction": 0.08, "form": "film"}},
    {"binder": {"fraction": 0.08, "form": "film", "coverage": 0.6, "patch": "5 um"}},
    {"binder": {"fraction": 0.10, "form": "mixed"}},
    {"binder": {"fraction": 0.06, "form": "bridges"}},
    {
        "kind": "composite",
        "weights": {"active": 0.8, "electrolyte": 0.17, "carbon": 0.03},
        "void": 0.0,
        "carbon": {"form": "spheres", "diameter": "4 um"},
    },
)
"""What lies between the spheres of the three-phase volumes."""


def composite(seed: int, n: int = 64) -> Volume:
    """Three phases in n³ voxels of 1 µm, one of `FILLINGS` by the seed."""
    tree = {
        "size": [f"{n} um"] * 3,
        "voxel": "1 um",
        "seed": seed,
        "kind": "spheres",
        "diameters": ["18 um"],
        **FILLINGS[seed % len(FILLINGS)],
    }
    if tree["kind"] == "spheres":
        tree["active_fraction"] = 0.5
    return generated(tree)


def noisy(volume: Volume, share: float, seed: int) -> Volume:
    """A share of the voxels, at random, is given another phase; what turns active has no id."""
    random = np.random.default_rng(seed)
    count = len(volume.phases)
    flipped = random.random(volume.labels.shape) < share
    step = random.integers(1, count, size=volume.labels.shape)
    labels = np.where(flipped, (volume.labels + step) % count, volume.labels).astype(np.uint8)
    particles = np.where(flipped, 0, volume.particles).astype(np.int32)
    return Volume(labels, volume.phases, volume.voxel, particles)


def roles_of(phases: tuple[str, ...]) -> Roles:
    """What labels can do, by the names that the generators give."""
    active = tuple(k for k, name in enumerate(phases) if name in {"active", "nmc"})
    solid = tuple(k for k, name in enumerate(phases) if name in {"cbd", "carbon", "nsd"})
    liquid = tuple(k for k, name in enumerate(phases) if name in {"pore", "electrolyte", "nsd"})
    return Roles(active, (*active, *solid), liquid)


@dataclass(frozen=True, eq=False)
class Meshed:
    """A mesh as the pipeline makes it.

    Attributes:
        built: This rank's rows and the evidence.
        cpu: Processor time of the whole build on this rank [s], DOLFINx included.
    """

    built: BuiltMesh
    cpu: float

    @property
    def evidence(self) -> dict[str, Any]:
        """Content of `mesh.json`."""
        return self.built.evidence


def mesh(
    volume: Volume,
    size: float,
    levels: int,
    comm: MPI.Intracomm = MPI.COMM_SELF,
    separator: float = 5.0,
) -> Meshed:
    """Write a volume and mesh it, as the stages do.

    Args:
        volume: The image; equal on every rank.
        size: Spacing [voxels].
        levels: How often cells may double in size.
        comm: Communicator; collective.
        separator: Thickness [voxels].
    """
    edge = volume.voxel[2]
    with written(volume, comm) as (folder, measured):
        start = process_time()
        built = build_smooth_mesh(
            folder,
            size * edge,
            separator * edge,
            roles_of(volume.phases),
            measured,
            SmoothSettings(levels=levels),
            comm,
        )
        cpu = process_time() - start
    return Meshed(built, cpu)


@contextmanager
def written(volume: Volume, comm: MPI.Intracomm) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder with the image's files, and what `image.json` would say; collective."""
    areas, _ = interface_areas(volume.labels, volume.phases, volume.voxel)
    shares = {
        name: {"fraction": float(np.mean(volume.labels == k))}
        for k, name in enumerate(volume.phases)
    }
    with TemporaryDirectory() as made:
        folder = comm.bcast(Path(made))
        if comm.rank == 0:
            write_volume(volume, folder)
        comm.barrier()
        yield folder, {"phases": shares, "interfaces": areas}
        comm.barrier()


def particle_errors(volume: Volume, built: BuiltMesh) -> tuple[Floats, Floats]:
    """Sizes [voxels] and relative volume errors of the particles; one rank.

    Returns:
        Equivalent diameter and error of each particle of the image.
    """
    block = built.block
    _, volumes = shape_measures(block.x[block.cells])
    voxels = np.bincount(volume.particles.ravel())[1:]
    unit = float(np.prod(volume.voxel)) / UM**3
    found = np.bincount(block.particle, weights=volumes, minlength=len(voxels) + 1)[1:] / unit
    there = voxels > 0
    diameter: Floats = (6.0 * voxels[there] / np.pi) ** (1.0 / 3.0)
    return diameter, found[there] / voxels[there] - 1.0
