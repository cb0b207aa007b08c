"""Conduction around insulating balls on the smooth mesh, against the exact value of their array."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from mesher_physics import exact, ratio, unit_cell
from smooth_cases import mesh


def test_an_array_of_balls() -> None:
    """By Dirichlet's principle P1 conducts too well; by tenths of a per cent here.

    The radius is 9 voxels there, and h = 1 voxel. Each error is against the value at the mesh's own
    fraction, since that of the voxels is off 0.40 by chance.
    """
    found = [ratio(mesh(unit_cell(n), 1.0, 0).built, 0) for n in (10, 20)]
    coarse, fine = (value / exact(1.0 - fraction) - 1.0 for value, fraction in found)
    assert 0.0 < fine < 0.005
    assert fine < 0.6 * coarse
