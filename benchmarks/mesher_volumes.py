"""Quality and volumes of the smooth mesh on generated electrodes; see `mesher.py`."""

from itertools import pairwise
from typing import Any

import numpy as np
from smooth_cases import composite, mesh, noisy, packing, particle_errors

from voxtrode.data.volume import Volume

HEAD = "| volume | h, levels | cells | min, max angle | below 2, 5, 10° | inverted, crowded |"
SIZES = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 30.0)
"""Limits of the classes of particle diameters [voxels]."""


def _row(name: str, size: float, levels: int, evidence: dict[str, Any], cpu: float) -> None:
    small = evidence["cells_below_deg"]
    errors = ", ".join(f"{key} {100 * e:+.4f}" for key, e in evidence["volume_error"].items())
    counts = {key: evidence["components"][key] for key in evidence["image_components"]}
    print(
        f"| {name} | {size:g}, {levels} | {evidence['cells']}"
        f" | {evidence['min_dihedral_deg']:.2f}, {evidence['max_dihedral_deg']:.1f}"
        f" | {small['2']}, {small['5']}, {small['10']}"
        f" | {evidence['inverted']}, {evidence['nonmanifold_facets']} | {errors}"
        f" | {list(counts.values())} of {list(evidence['image_components'].values())}"
        f" | {evidence['volume_passes']} | {cpu:.1f} |",
        flush=True,
    )


def _heading() -> None:
    print(f"{HEAD} volume errors [%] | components of those in the image | passes | CPU [s] |")
    print("| --- " * 10 + "|")


def packings(count: int = 20) -> None:
    """Packed spheres: levels 2 and 0, h 1.5 and 2 voxels in turn; volumes of particles."""
    _heading()
    found: dict[tuple[float, bool], list[np.ndarray]] = {}
    for seed in range(count):
        volume = packing(seed)
        size, levels = (2.0, 1.5)[seed % 2], (2, 0)[seed // 2 % 2]
        made = mesh(volume, size, levels)
        share = float(np.mean(volume.labels == volume.phases.index("active")))
        _row(f"seed {seed}, {share:.2f}", size, levels, made.evidence, made.cpu)
        diameter, error = particle_errors(volume, made.built)
        cut = _cut(volume)
        for low, high in pairwise(SIZES):
            for flag in (False, True):
                here = (diameter >= low) & (diameter < high) & (cut == flag)
                found.setdefault((low, flag), []).append(error[here])
    print("\n| diameter [voxels] | cut by the box | particles | mean | rms | worst |")
    print("| --- " * 6 + "|")
    for (low, flag), parts in sorted(found.items()):
        error = 100.0 * np.concatenate(parts)
        if len(error):
            print(
                f"| from {low:g} | {flag} | {len(error)} | {error.mean():+.2f} %"
                f" | {np.sqrt((error**2).mean()):.2f} % | {np.abs(error).max():.2f} % |"
            )


def _cut(volume: Volume) -> np.ndarray:
    """Whether each particle of the image touches a side of the box."""
    ids = volume.particles
    there = np.bincount(ids.ravel())[1:] > 0
    cut = np.zeros(len(there) + 1, dtype=bool)
    for axis in range(3):
        for end in (0, -1):
            cut[np.unique(np.take(ids, end, axis))] = True
    return cut[1:][there]


def composites(count: int = 10) -> None:
    """Three phases, as generated and with 1 or 2 % of the voxels flipped."""
    _heading()
    for seed in range(count):
        clean = composite(seed)
        size, levels = (2.0, 1.5)[seed % 2], (2, 0)[seed // 2 % 2]
        share = (0.01, 0.02)[seed % 2]
        for name, volume in (("clean", clean), (f"{share:.0%}", noisy(clean, share, seed))):
            made = mesh(volume, size, levels)
            names = "/".join(volume.phases)
            _row(f"seed {seed} {names}, {name}", size, levels, made.evidence, made.cpu)


def noise(count: int = 5) -> None:
    """Packed spheres with 1 or 2 % of the voxels flipped."""
    _heading()
    for seed in range(count):
        share = (0.01, 0.02)[seed % 2]
        made = mesh(noisy(packing(seed), share, seed), 2.0, 2)
        _row(f"seed {seed}, {share:.0%}", 2.0, 2, made.evidence, made.cpu)
