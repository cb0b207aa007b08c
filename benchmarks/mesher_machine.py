"""Speed, ranks, the CT volume and other meshers; see `mesher.py`."""

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from smooth_cases import UM, composite, mesh, packing

from voxtrode.data.reading.labels import read_labels
from voxtrode.data.reading.request import ImageRequest
from voxtrode.data.volume import Volume
from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.stuffing.box import plan_box
from voxtrode.meshing.stuffing.calibration import Calibration
from voxtrode.meshing.stuffing.improve import Effort
from voxtrode.meshing.stuffing.part import ImageSlab, Part, make_part
from voxtrode.meshing.stuffing.window import Window

HERE = Path(__file__).resolve()
IMAGES = Path(os.environ.get("VOXTRODE_TEST_IMAGES") or HERE.parents[2] / "shared" / "images")
CT_VOXEL = 398e-9
PATIENCE = 200
"""What another mesher may take [s]."""


def ct_volume(n: int | None) -> Volume | None:
    """A corner of n³ voxels of the CT volume, or all of it; None, with a message, without it."""
    path = IMAGES / "nmc1cal_xct_cbd.tif"
    if not path.is_file():
        print(f"missing image {path.name}: not in {IMAGES} (set VOXTRODE_TEST_IMAGES)")
        return None
    volume = read_labels(ImageRequest(path, [CT_VOXEL], {"pore": 0, "nmc": 1, "cbd": 2}))
    labels = np.ascontiguousarray(volume.labels[:n, :n, :n])
    return Volume(labels, volume.phases, volume.voxel, (labels == 1).astype(np.int32))


def stuffed(volume: Volume, size: float, levels: int) -> Part:
    """Fields, lattice, calibration and mending of a whole volume on one rank; no DOLFINx."""
    z, y, x = (edge / UM for edge in volume.voxel)
    nz, ny, nx = volume.labels.shape
    box = plan_box((z * nz, y * ny, x * nx), size * z, 0.0, levels)
    slab = ImageSlab(
        volume.labels, volume.particles, 0, nz, slice(0, nz), (z, y, x), len(volume.phases)
    )
    window = Window.of(box, levels, 0, box.shape[0])
    return make_part(slab, window, Calibration(), Effort(), MPI.COMM_SELF)


def speed() -> None:
    """Cells per second of processor time of the stuffing alone."""
    print("| volume | h [voxels], levels | cells | passes | CPU | cells/s |")
    print("| --- " * 6 + "|")
    two, three = packing(0, 64), composite(0, 64)
    stuffed(packing(1, 32), 2.0, 2)
    stuffed(composite(1, 32), 2.0, 2)
    cases = [("two phases, 64³", two, h, k) for h, k in ((2.0, 2), (1.5, 2), (1.0, 2), (1.5, 0))]
    cases += [("three phases, 64³", three, h, k) for h, k in ((2.0, 2), (1.5, 2), (1.5, 0))]
    for name, volume, size, levels in cases:
        start = process_time()
        part = stuffed(volume, size, levels)
        cpu = process_time() - start
        print(
            f"| {name} | {size:g}, {levels} | {len(part.cells)} | {part.passes} | {cpu:.1f} s"
            f" | {len(part.cells) / cpu:.0f} |",
            flush=True,
        )


def _hash(*arrays: NDArray[np.generic]) -> str:
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]


def one_of_ranks() -> None:
    """Hash of the whole mesh on the ranks that this process is one of."""
    comm = MPI.COMM_WORLD
    for name, volume in (("two phases", packing(3, 40)), ("three phases", composite(2, 40))):
        built = mesh(volume, 1.5, 2, comm).built
        rows = [built.block.x, built.block.cells, built.block.phase, built.block.particle]
        whole = [np.concatenate(comm.allgather(row)) for row in [*rows, built.block.alive]]
        evidence = built.evidence
        if comm.rank == 0:
            print(
                f"| {name} | {comm.size} | {evidence['cells']} | {_hash(*whole)}"
                f" | {evidence['exterior_area_error']:.1e} |",
                flush=True,
            )


def ranks() -> None:
    """The same mesh on 1, 2, 3 and 6 ranks."""
    print("| volume | ranks | cells | hash of x, cells, tags | exterior area error |")
    print("| --- " * 5 + "|", flush=True)
    launcher = Path(sys.executable).with_name("mpiexec")
    for count in (1, 2, 3, 6):
        subprocess.run(
            [launcher, "-n", str(count), sys.executable, HERE.with_name("mesher.py"), "--rank"],
            check=True,
        )


def one_of_real(n: int | None, size: float) -> None:
    """The CT volume on the ranks that this process is one of: time and memory of each."""
    comm = MPI.COMM_WORLD
    volume = ct_volume(n)
    if volume is None:
        return
    start = perf_counter()
    made = mesh(volume, size, 2, comm, separator=20.0)
    wall = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    told = comm.allgather((made.cpu, peak))
    if comm.rank == 0:
        kept = {key: made.evidence[key] for key in EVIDENCE}
        rank = ", ".join(f"{cpu:.0f} s and {memory:.2f} GiB" for cpu, memory in told)
        print(f"{volume.labels.shape}, h = {size:g} voxels, {comm.size} ranks: wall {wall:.0f} s;")
        print(f"CPU and peak memory of each: {rank}\n{json.dumps(kept, indent=1)}", flush=True)


EVIDENCE = (
    "cells",
    "vertices",
    "min_dihedral_deg",
    "max_dihedral_deg",
    "cells_below_deg",
    "inverted",
    "nonmanifold_facets",
    "exterior_area_error",
    "volume_error",
    "interfaces",
    "components",
    "image_components",
    "volume_passes",
)


def real() -> None:
    """A crop of 128³ voxels at 1.5 voxels, and the whole volume at 3 voxels on two ranks."""
    launcher = Path(sys.executable).with_name("mpiexec")
    for count, n, size in ((1, "128", "1.5"), (2, "whole", "3")):
        subprocess.run(
            [
                launcher, "-n", str(count), sys.executable, HERE.with_name("mesher.py"),
                "--real", n, size,
            ],
            check=True,
        )  # fmt: skip


def others(python: str) -> None:
    """MMG and fTetWild on the same volume, by an interpreter that has `mmgpy` and `pytetwild`."""
    from mesher_physics import voxel_mesh
    from skimage.measure import marching_cubes

    from voxtrode.meshing.stuffing.fields import phase_fields

    size, volume = 2.0, packing(0, 40)
    stuffed(packing(1, 32), size, 2)
    print("| mesher | cells | min, max angle | interface area | volume error | CPU |")
    print("| --- " * 6 + "|")
    for levels in (0, 2):
        start = process_time()
        part = stuffed(volume, size, levels)
        cpu = process_time() - start
        x = np.ascontiguousarray(part.x[:, ::-1])
        _other(f"smooth, levels {levels}", x, part.cells, part.phase, volume, cpu)
    start = process_time()
    built = voxel_mesh(volume, size)
    block, below = built.block, built.block.phase < 2
    cpu = process_time() - start
    _other("voxel", block.x, block.cells[below], block.phase[below], volume, cpu)
    field = phase_fields(volume.labels, 2)[1]
    points, faces, _, _ = marching_cubes(field, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npz"
        np.savez(given, field=field, points=points + 0.5, faces=faces, size=size)
        for tool in ("mmg", "ftetwild"):
            script = HERE.with_name("other_meshers.py")
            command = [python, script, tool, given, made]
            try:
                subprocess.run(
                    command, check=True, capture_output=True, text=True, timeout=PATIENCE
                )
            except subprocess.TimeoutExpired:
                print(f"| {tool} | not done after {PATIENCE} s |")
                continue
            except subprocess.CalledProcessError as error:
                print(f"| {tool} | failed: {(error.stderr.strip().splitlines() or ['?'])[-1]} |")
                continue
            with np.load(made) as found:
                x, cells, cpu = found["x"], found["cells"], float(found["cpu"])
                phase = found["phase"]
            _other(tool, np.ascontiguousarray(x), cells, phase, volume, cpu)


def _other(
    name: str,
    x: NDArray[np.float64],
    cells: NDArray[np.int64],
    phase: NDArray[np.integer],
    volume: Volume,
    cpu: float,
) -> None:
    from level_sets import areas, shared_facets

    angles, volumes = shape_measures(x[cells])
    facets, sides = shared_facets(cells)
    area = areas(x, facets[phase[sides[:, 0]] != phase[sides[:, 1]]]).sum()
    share = np.abs(volumes)[phase == 1].sum() / np.count_nonzero(volume.labels == 1) - 1.0
    print(
        f"| {name} | {len(cells)} | {angles[:, 0].min():.1f}°, {angles[:, 1].max():.1f}°"
        f" | {area:.0f} | {share:+.3%} | {cpu:.1f} s |",
        flush=True,
    )
