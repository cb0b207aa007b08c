"""The smooth mesher: accuracy, quality, speed, ranks, conduction, thin features.

    python benchmarks/mesher.py PART...

Parts: level-sets, images, packings, composites, noise, ranks, conduction, grading, speed, thin,
real, and others=PYTHON, with an interpreter that has `mmgpy`, `pytetwild` and `scipy`. Each prints
a table in Markdown. One process on one core, but for `ranks` and `real`, which start ranks.
"""

import sys
from collections.abc import Callable
from time import process_time

import numpy as np
from level_sets import BODIES, image_errors, level_set_errors, order, touching_errors

RADII = (8, 16, 32)


def _fitted(name: str, errors: list[np.ndarray], radii: tuple[int, ...]) -> None:
    """A line for each of volume, area and contact, if told: mean |error| (mean error), order."""
    for column, quantity in enumerate(("volume", "area", "contact")[: errors[0].shape[1]]):
        sizes = np.array([np.abs(one[:, column]).mean() for one in errors])
        cells = " | ".join(
            f"{size:.4%} ({one[:, column].mean():+.4%})"
            for size, one in zip(sizes, errors, strict=True)
        )
        print(f"| {name} | {quantity} | {cells} | {order(radii, sizes):.2f} |", flush=True)


def level_sets() -> None:
    """Exact distances at voxel centres: the mesher alone, nothing calibrated."""
    heads = " | ".join(f"radius {n}" for n in RADII)
    print(f"| body, h [voxels] | quantity | {heads} | order |")
    print("| --- " * (3 + len(RADII)) + "|")
    for name in BODIES:
        for size in (1.0, 2.0):
            errors = [
                np.array([level_set_errors(name, n, size, seed) for seed in range(4)])
                for n in RADII
            ]
            _fitted(f"{name}, {size:g}", errors, RADII)
    for size in (1.0, 2.0):
        errors = [np.array([touching_errors(n, size, seed) for seed in range(4)]) for n in RADII]
        _fitted(f"the same, a phase each, {size:g}", errors, RADII)


def images() -> None:
    """Balls as voxels, with calibration: ten random offsets and turns each."""
    radii = (*RADII, 64)
    heads = " | ".join(f"radius {n}" for n in radii)
    print(f"| body, h [voxels] | quantity | {heads} | order |")
    print("| --- " * (3 + len(radii)) + "|")
    for size in (2.0, 1.0):
        used = radii if size > 1.0 else RADII
        errors = [
            np.array([image_errors("ball", n, size, seed) for seed in range(10)]) for n in used
        ]
        _fitted(f"ball, {size:g}", errors, used)


def _parts() -> dict[str, Callable[[], None]]:
    import mesher_machine
    import mesher_physics
    import mesher_volumes

    return {
        "level-sets": level_sets,
        "images": images,
        "packings": mesher_volumes.packings,
        "composites": mesher_volumes.composites,
        "noise": mesher_volumes.noise,
        "ranks": mesher_machine.ranks,
        "conduction": mesher_physics.conduction,
        "grading": mesher_physics.grading,
        "speed": mesher_machine.speed,
        "thin": mesher_physics.thin,
        "real": mesher_machine.real,
    }


def main() -> None:
    """Run the parts that are named."""
    import mesher_machine

    if sys.argv[1:] == ["--rank"]:
        mesher_machine.one_of_ranks()
        return
    if sys.argv[1:2] == ["--real"]:
        count = None if sys.argv[2] == "whole" else int(sys.argv[2])
        mesher_machine.one_of_real(count, float(sys.argv[3]))
        return
    parts = _parts()
    for name in sys.argv[1:] or list(parts):
        start = process_time()
        if name.startswith("others="):
            mesher_machine.others(name.removeprefix("others="))
        else:
            parts[name]()
        print(f"\n{name}: {process_time() - start:.0f} s of processor time\n", flush=True)


if __name__ == "__main__":
    main()
