"""What all tests share: one thread a rank, MPI before DOLFINx, images, an end for hung ranks."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when NumPy's BLAS is loaded

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mpi4py import MPI  # before DOLFINx: its wheel finds the MPI library through mpi4py

REPOSITORY = Path(__file__).resolve().parents[1]
SECONDS_TO_WAIT = 120.0  # for ranks that are slower in a test, on few cores
COMM = MPI.COMM_WORLD.Dup()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def image_file() -> Callable[[str], Path]:
    """Find a published image by its file name, or skip the test and name what is missing.

    The images are looked for in $VOXTRODE_TEST_IMAGES, else in ../shared/images.
    """
    default = REPOSITORY.parent / "shared" / "images"
    folder = Path(os.environ.get("VOXTRODE_TEST_IMAGES") or default)

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"missing image {name}: not in {folder} (set VOXTRODE_TEST_IMAGES)")
        return path

    return find


@pytest.fixture
def shared_path(tmp_path: Path) -> Path:
    """An empty folder for the test, the same one on every rank."""
    return Path(COMM.bcast(tmp_path))


def pytest_runtest_logfinish(nodeid: str) -> None:
    """After a test on several ranks, free its PETSc objects and wait for the other ranks.

    PETSc objects are destroyed collectively, so each rank must collect its garbage at the same
    place. Where one rank fails while the others wait inside a collective call, they will never come
    here: after a while the run is ended. The polling leaves the cores to the ranks that still work.
    """
    if COMM.size == 1:
        return
    gc.collect()
    arrived = COMM.Ibarrier()
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not arrived.Test():
        if time.monotonic() > deadline:
            print(f"\nrank {COMM.rank}: other ranks hang in {nodeid}", file=sys.stderr, flush=True)
            COMM.Abort(1)
        time.sleep(0.005)


def _print_at_once(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Print a failure on several ranks as it happens: the run may not live to see the summary."""
    if COMM.size > 1 and report.failed:
        parts = [report.longreprtext, report.capstdout, report.capstderr]
        text = "\n".join([f"\nrank {COMM.rank}: {report.nodeid}", *parts])
        print(text, file=sys.stderr, flush=True)


pytest_runtest_logreport = _print_at_once
pytest_collectreport = _print_at_once
