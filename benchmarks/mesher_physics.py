"""Conduction on the smooth mesh, and what it keeps of thin features; see `mesher.py`."""

from time import process_time

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from smooth_cases import generated, mesh, roles_of, written

from voxtrode.data.volume import Volume
from voxtrode.meshing.build import BuiltMesh, build_voxel_mesh
from voxtrode.meshing.tagged import distribute
from voxtrode.solvers.transport import mesh_transport

EXACT = 0.490110
"""Conductivity of a simple cubic array of insulating balls, volume fraction 0.40, over the one
between them."""
RADIUS = (3.0 * 0.40 / (4.0 * np.pi)) ** (1.0 / 3.0)
"""Of a ball [edges of the unit cell]."""


def exact(fraction: float) -> float:
    """Conductivity ratio near a fraction of 0.40 of balls; the slope is Maxwell's."""
    return EXACT * _maxwell(fraction) / _maxwell(0.40)


def _maxwell(fraction: float) -> float:
    return 2.0 * (1.0 - fraction) / (2.0 + fraction)


def unit_cell(n: int) -> Volume:
    """One ball in the middle of n³ voxels; by symmetry, insulated sides make an array of it."""
    place = (np.indices((n, n, n)) + 0.5) / n - 0.5
    labels = ((place**2).sum(axis=0) < RADIUS**2).astype(np.uint8)
    edge = 64e-6 / n
    return Volume(labels, ("pore", "active"), (edge,) * 3, labels.astype(np.int32))


def voxel_mesh(volume: Volume, size: float) -> BuiltMesh:
    """The voxel mesh of a volume at a spacing [voxels]."""
    edge = volume.voxel[2]
    with written(volume, MPI.COMM_SELF) as (folder, measured):
        return build_voxel_mesh(
            folder, size * edge, 5.0 * edge, roles_of(volume.phases), measured, MPI.COMM_SELF
        )


def ratio(built: BuiltMesh, label: int) -> tuple[float, float]:
    """Effective conductivity of one phase along z over its own, and its volume fraction."""
    tagged = distribute(built.block, built.info, MPI.COMM_SELF)
    row = mesh_transport(tagged, "phase", {label: (1.0, 1.0)}, "z")
    return row.effective_ratio, row.fraction


def conduction() -> None:
    """Error of the conductivity between balls, with voxels a cell."""
    print(
        "| voxels a cell | mesh | h [voxels], levels | cells | fraction | σ ratio | error | CPU |"
    )
    print("| --- " * 8 + "|")
    for n in (16, 32, 64):
        volume = unit_cell(n)
        for size, levels in ((2.0, 0), (1.0, 0), (1.0, 2)):
            start = process_time()
            made = mesh(volume, size, levels)
            value, fraction = ratio(made.built, 0)
            _conduction_row(n, f"smooth | {size:g}, {levels}", made.built, value, fraction, start)
        start = process_time()
        built = voxel_mesh(volume, 1.0)
        value, fraction = ratio(built, 0)
        _conduction_row(n, "voxel | 1", built, value, fraction, start)


def _conduction_row(
    n: int, name: str, built: BuiltMesh, value: float, fraction: float, start: float
) -> None:
    print(
        f"| {n} | {name} | {built.info.cells} | {1.0 - fraction:.5f} | {value:.6f}"
        f" | {value / EXACT - 1.0:+.3%} | {value / exact(1.0 - fraction) - 1.0:+.3%}"
        f" | {process_time() - start:.1f} s |",
        flush=True,
    )


def grading() -> None:
    """Coarser cells inside large particles: vertices, areas, tortuosity."""
    print("| h [voxels] | levels | vertices | cells | area [µm²] | τ of nsd along z | CPU |")
    print("| --- " * 7 + "|")
    volume = generated(
        {
            "kind": "spheres",
            "size": ["128 um"] * 3,
            "voxel": "1 um",
            "seed": 1,
            "diameters": ["48 um"],
            "active_fraction": 0.5,
        }
    )
    label = volume.phases.index("nsd")
    for size in (2.0, 1.5):
        for levels in (2, 0):
            made = mesh(volume, size, levels)
            value, fraction = ratio(made.built, label)
            (area,) = (
                entry["area_m2"]["mesh"] * 1e12
                for pair, entry in made.evidence["interfaces"].items()
                if "separator" not in pair
            )
            print(
                f"| {size:g} | {levels} | {made.evidence['vertices']} | {made.evidence['cells']}"
                f" | {area:.0f} | {fraction / value:.5f} | {made.cpu:.1f} s |",
                flush=True,
            )


def _oblique(seed: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place along a random axis about the middle, and distance² to it, of each of n³ voxels."""
    random = np.random.default_rng(seed)
    axis = random.normal(size=3)
    axis /= np.linalg.norm(axis)
    offset = random.uniform(-0.5, 0.5, 3)
    place = np.indices((n, n, n)) + 0.5 - n / 2 - offset[:, None, None, None]
    return np.tensordot(axis, place, 1), (place**2).sum(axis=0)


def fibre(diameter: float, seed: int, n: int = 40) -> NDArray[np.uint8]:
    """A straight cylinder at random through the middle of n³ voxels [voxels]."""
    along, square = _oblique(seed, n)
    return (square - along**2 < 0.25 * diameter**2).astype(np.uint8)


def neck(diameter: float, seed: int, n: int = 40) -> NDArray[np.uint8]:
    """Two balls of 8 voxels radius that a bar of this diameter joins over a gap of 4."""
    along, square = _oblique(seed, n)
    bar = (square - along**2 < 0.25 * diameter**2) & (np.abs(along) < 10.0)
    balls = square - 20.0 * np.abs(along) + 100.0 < 64.0
    return (bar | balls).astype(np.uint8)


def thin(count: int = 4) -> None:
    """Whether fibres and necks stay in one piece: components, and share of the volume."""
    print("| feature, diameter [voxels] | h [voxels] | in one piece | pieces | volume error |")
    print("| --- " * 5 + "|")
    for name, make in (("fibre", fibre), ("neck", neck)):
        for diameter in (2.0, 2.5, 3.0):
            for size in (1.0, 1.5, 2.0, 3.0):
                pieces, errors = [], []
                for seed in range(count):
                    labels = make(diameter, seed)
                    volume = Volume(labels, ("pore", "active"), (1e-6,) * 3, labels.astype("i4"))
                    evidence = mesh(volume, size, 0).evidence
                    pieces.append(evidence["components"]["active"])
                    errors.append(evidence["volume_error"]["active"])
                worst = max(errors, key=abs)
                print(
                    f"| {name}, {diameter:g} | {size:g} | {pieces.count(1)} of {count} | {pieces}"
                    f" | {worst:+.2%} |",
                    flush=True,
                )
