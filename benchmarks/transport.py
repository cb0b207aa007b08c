"""Voxel engine against TauFactor: `python benchmarks/transport.py IMAGE [--sizes 128 251]`.

Both work on the pore (label 0) of the same cubes cut from a labelled TIFF, along z, on the same
cores, one after the other in one run: the voxel engine on two ranks under this environment's
launcher, TauFactor with two threads and a heap that keeps its pages (no mmap, no trimming: the
count of page faults says whether it did). Times are end to end, labelling and set-up included, with
code compiled before; the best of three, of TauFactor above 200³ of one. Processor seconds are
summed over ranks and threads; of busy cores their ratio says more than that of wall times.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import tifffile

ROUNDS = 3
HEAP = {
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": "268435456",
}


def cube(image: str, size: int) -> np.ndarray:
    """The first voxels of an image."""
    return np.ascontiguousarray(tifffile.imread(image)[:size, :size, :size]).astype(np.uint8)


def timed[T](work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What it gives, its wall and processor seconds, and page faults."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), perf_counter()
    result = work()
    wall, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return result, {"wall": wall, "cpu": cpu, "faults": after.ru_minflt - before.ru_minflt}


def voxel(image: str, size: int, label: int, tolerance: float) -> None:
    """On every rank; rank 0 prints."""
    from mpi4py import MPI

    from voxtrode.solvers.voxel_transport import voxel_transport
    from voxtrode.solvers.voxel_transport.line import slab_starts

    comm = MPI.COMM_WORLD
    volume = cube(image, size)
    starts = slab_starts(len(volume), comm.size)
    labels = volume[starts[comm.rank] : starts[comm.rank + 1]].copy()
    del volume
    rounds = []
    for _ in range(ROUNDS + 1):
        comm.barrier()
        row, one = timed(
            lambda: voxel_transport(
                labels, (1.0, 1.0, 1.0), {label: (1.0, 1.0)}, "z", tolerance=tolerance, comm=comm
            )
        )
        rounds.append({**one, "cpu": comm.allreduce(one["cpu"])})
    if comm.rank == 0:
        best = min(rounds[1:], key=lambda one: one["wall"])
        tau, lost = row.tortuosity_factor, row.flux_imbalance
        print(json.dumps({"tau": tau, **best, "imbalance": lost, "its": row.iterations}))


def taufactor(image: str, size: int, label: int, tolerance: float) -> None:
    """In one process."""
    import torch

    from voxtrode.solvers.taufactor_engine import taufactor_transport

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    labels = cube(image, size)
    rounds = []
    for _ in range(1 if size > 200 else ROUNDS):
        row, one = timed(
            lambda: taufactor_transport(
                labels, (1.0, 1.0, 1.0), {label: (1.0, 1.0)}, "z", tolerance=tolerance
            )
        )
        rounds.append(one)
    best = min(rounds, key=lambda one: one["wall"])
    print(json.dumps({"tau": row.tortuosity_factor, **best, "imbalance": row.flux_imbalance}))


def ask(command: list[str], threads: int) -> dict[str, float]:
    """What a process prints last."""
    env = {**os.environ, **HEAP, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main() -> None:
    """Run both for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 251])
    parser.add_argument("--label", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--one", choices=("voxel", "taufactor"))
    parser.add_argument("--python", default=sys.executable, help="a Python that has TauFactor")
    given = parser.parse_args()
    if given.one is not None:
        engine = {"voxel": voxel, "taufactor": taufactor}[given.one]
        engine(given.image, given.sizes[0], given.label, 1e-4 if given.one == "voxel" else 1e-3)
        return
    launcher = str(Path(sys.executable).parent / "mpiexec")
    script = [__file__, given.image, "--label", str(given.label)]
    for size in given.sizes:
        one = [*script, "--sizes", str(size), "--one"]
        ours = ask([launcher, "-n", str(given.ranks), sys.executable, *one, "voxel"], 1)
        theirs = ask([given.python, *one, "taufactor"], given.ranks)
        wall, cpu = (theirs[key] / ours[key] for key in ("wall", "cpu"))
        apart = theirs["tau"] / ours["tau"] - 1.0
        print(f"{size}: voxel {ours}")
        print(f"{size}: taufactor {theirs}")
        print(
            f"{size}: wall {wall:.1f} x, processor {cpu:.1f} x, tau apart {apart:+.1e};"
            f" load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            flush=True,
        )


if __name__ == "__main__":
    main()
