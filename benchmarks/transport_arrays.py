"""Conduction around balls on cubic lattices, by voxels and on the smooth mesh, against series.

`python benchmarks/transport_arrays.py`. Insulating balls of 40 % by volume on simple, body-centred
and face-centred cubic lattices, one cubic cell; by symmetry insulated sides make the lattice of it.
The exact value for the simple one is that of D. R. McKenzie, R. C. McPhedran, G. H. Derrick, Proc.
R. Soc. A 362 (1978) 211; the series for all three of A. S. Sangani, A. Acrivos, Proc. R. Soc. A 386
(1983) 263, which is 4e-4 above the former at 40 %, and closer for the other two.
"""

from time import process_time

import numpy as np
from mesher_physics import EXACT, ratio
from smooth_cases import mesh

from voxtrode.data.volume import Volume
from voxtrode.solvers.voxel_transport import voxel_transport

FRACTION = 0.40
CORNER = ((0.0, 0.0, 0.0),)
CENTRES = {
    "SC": ((0.5, 0.5, 0.5),),
    "BCC": (*CORNER, (0.5, 0.5, 0.5)),
    "FCC": (*CORNER, (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
}
SERIES = {
    "SC": (1.305, 0.231, 0.405, 0.0723, 0.153, 0.0105),
    "BCC": (0.129, -0.413, 0.764, 0.257, 0.0113, 0.00562),
    "FCC": (0.0753, 0.697, -0.741, 0.0420, 0.0231, 9.14e-7),
}


def series(lattice: str, f: float) -> float:
    """Conductivity over that between the balls, at their fraction f, up to f^(25/3)."""
    c1, c2, c3, c4, c5, c6 = SERIES[lattice]
    first, *rest = (-(2 * n - 1) / (2.0 * n) for n in range(1, 6))
    l2, l3, l4, l5 = rest
    pair = (
        c1 * l2 * f ** (10 / 3) * (1.0 + c2 * l3 * f ** (11 / 3)) / (1.0 - c3 * l2 * f ** (7 / 3))
    )
    others = c4 * l3 * f ** (14 / 3) + c5 * l4 * f**6 + c6 * l5 * f ** (22 / 3)
    return 1.0 - 3.0 * f / (-1.0 / first + f + pair + others)


def exact(lattice: str, f: float) -> float:
    """The series, made to meet the exact value where there is one."""
    scale = EXACT / series("SC", FRACTION) if lattice == "SC" else 1.0
    return scale * series(lattice, f)


def unit_cell(lattice: str, n: int) -> Volume:
    """One cubic cell of n³ voxels."""
    centres = np.array(CENTRES[lattice])
    radius = (3.0 * FRACTION / (4.0 * np.pi * len(centres))) ** (1.0 / 3.0)
    place = np.moveaxis((np.indices((n, n, n)) + 0.5) / n, 0, -1)
    labels = np.zeros((n, n, n), np.uint8)
    for centre in centres:
        apart = (place - centre + 0.5) % 1.0 - 0.5
        labels |= ((apart**2).sum(axis=-1) < radius**2).astype(np.uint8)
    return Volume(labels, ("pore", "active"), (64e-6 / n,) * 3, labels.astype(np.int32))


def row(lattice: str, n: int, method: str, value: float, fraction: float, start: float) -> None:
    """Prints a row."""
    print(
        f"| {lattice} | {n} | {method} | {1.0 - fraction:.5f} | {value:.6f}"
        f" | {value / exact(lattice, FRACTION) - 1.0:+.2%}"
        f" | {value / exact(lattice, 1.0 - fraction) - 1.0:+.2%}"
        f" | {process_time() - start:.1f} s |",
        flush=True,
    )


def main() -> None:
    """The table."""
    print("| lattice | voxels a cell | method | balls | D_eff/D₀ | error | at its fraction | CPU |")
    print("| --- " * 8 + "|")
    for lattice in CENTRES:
        for n in (32, 64, 128):
            labels = unit_cell(lattice, n).labels
            start = process_time()
            found = voxel_transport(
                labels, (1.0, 1.0, 1.0), {0: (1.0, 1.0)}, "z", periodic=("y", "x"), tolerance=1e-6
            )
            row(lattice, n, "voxel", found.effective_ratio, found.fraction, start)
        start = process_time()
        value, fraction = ratio(mesh(unit_cell(lattice, 32), 1.0, 0).built, 0)
        row(lattice, 32, "mesh, h = 1 voxel", value, fraction, start)


if __name__ == "__main__":
    main()
