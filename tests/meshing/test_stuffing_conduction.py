"""Conduction around insulating balls on the smooth mesh, against the exact value of their array."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from mesher_physics import exact, ratio, unit_cell
from smooth_cases import mesh


def test_an_array_of_balls() -> None:
    """Tenths of a per cent at a radius of 9 voxels and h = 1 voxel, and much more at half of that.

    P1 conducts too well by Dirichlet's principle, surfaces from voxels err either way. Each error
    is against the value at the mesh's own fraction, since that of voxels is off 0.40 by chance.
    """
    found = [ratio(mesh(unit_cell(n), 1.0, 0).built, 0) for n in (10, 20)]
    coarse, fine = (value / exact(1.0 - fraction) - 1.0 for value, fraction in found)
    assert abs(fine) < 0.005
    assert abs(fine) < 0.6 * abs(coarse)
