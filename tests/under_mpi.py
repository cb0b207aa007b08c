"""Run pytest on every rank: `mpiexec -n 2 python tests/under_mpi.py 2 -m mpi`.

Rank 0 speaks; from the other ranks come only failures (conftest.py prints them as they happen). The
exit status is the worst of all ranks. The first argument is the number of ranks asked for: a
launcher that does not fit the MPI library silently starts as many runs of one rank each, which
would prove nothing.
"""

import os
import sys

import pytest
from mpi4py import MPI


def main() -> int:
    """Check the number of ranks, run pytest, and gather the worst exit status."""
    world = MPI.COMM_WORLD
    asked = int(sys.argv[1])
    if world.size != asked:
        print(f"asked for {asked} ranks, the communicator has {world.size}", file=sys.stderr)
        return 2
    if world.rank > 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    options = ["-p", "no:cacheprovider", "-o", "faulthandler_timeout=300"]
    status = int(pytest.main([*options, *sys.argv[2:]]))
    return int(world.allreduce(status, op=MPI.MAX))


if __name__ == "__main__":
    sys.exit(main())
