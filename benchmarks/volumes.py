"""Every kind of generated volume on 200³ voxels: fraction and mean diameter met, time, memory.

    python benchmarks/volumes.py [KIND...]

Each kind is made in a process of its own on one core, compiled code cached (a small volume of the
kind is made before the clock starts). Prints a table in Markdown.
"""

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

_BOX = {"size": ["100 um"] * 3, "voxel": "0.5 um", "seed": 1}
_CRACKS = {"surface": 0.038, "internal": 0.046, "width": "1 um"}

KINDS: dict[str, dict[str, Any]] = {
    "spheres 8 um, 0.43": {"diameters": ["8 um"], "active_fraction": 0.43},
    "spheres 8 um, 0.62": {"diameters": ["8 um"], "active_fraction": 0.62},
    "spheres 8 um, 0.76 flattened": {
        "diameters": ["8 um"],
        "active_fraction": 0.76,
        "contacts": "flattened",
    },
    "spheres 8 + 12 um, 1:2": {
        "diameters": ["8 um", "12 um"],
        "shares": [1 / 3, 2 / 3],
        "active_fraction": 0.5,
    },
    "spheres log-normal 8 um, 0.3": {
        "distribution": {"lognormal": {"d50": "8 um", "sigma": 0.3}},
        "active_fraction": 0.5,
    },
    "spheres D10/50/90 5/8/13 um, 0.70 flattened": {
        "distribution": {"percentiles": {"d10": "5 um", "d50": "8 um", "d90": "13 um"}},
        "active_fraction": 0.70,
        "contacts": "flattened",
    },
    "spheres from a table": {
        "distribution": {
            "table": {"diameters": [5e-6, 7e-6, 9e-6, 12e-6], "shares": [0.2, 0.5, 0.3]}
        },
        "active_fraction": 0.5,
    },
    "layered 12 um below 8 um": {
        "kind": "layered",
        "layers": [
            {"thickness": "60 um", "diameters": ["12 um"], "phase": "coarse"},
            {"thickness": "40 um", "diameters": ["8 um"], "phase": "fine"},
        ],
        "active_fraction": 0.5,
    },
    "ellipsoids 1:1.4:1.8": {
        "kind": "ellipsoids",
        "diameters": ["10 um"],
        "active_fraction": 0.5,
    },
    "plates 1:4, aligned": {
        "kind": "plates",
        "diameters": ["10 um"],
        "aspect": 4.0,
        "alignment": 8.0,
        "active_fraction": 0.5,
    },
    "fragments": {"kind": "fragments", "diameters": ["10 um"], "active_fraction": 0.5},
    "rough spheres": {
        "diameters": ["12 um"],
        "roughness": {"amplitude": 0.03, "wavelength": 0.25},
        "active_fraction": 0.5,
    },
    "cracked spheres": {"diameters": ["16 um"], "active_fraction": 0.5, "cracks": _CRACKS},
    "grains in spheres": {
        "diameters": ["16 um"],
        "active_fraction": 0.5,
        "grains": {"arrangement": "voronoi", "size": "4 um"},
    },
    "binder, mixed": {
        "diameters": ["8 um"],
        "active_fraction": 0.5,
        "binder": {"fraction": 0.1, "form": "mixed"},
    },
    "calendered 0.50 to 0.65": {
        "diameters": ["8 um"],
        "active_fraction": 0.5,
        "contacts": "flattened",
        "calender": {"porosity": 0.35},
    },
    "composite 80/17/3, carbon spheres": {
        "kind": "composite",
        "diameters": ["8 um"],
        "weights": {"active": 0.8, "electrolyte": 0.17, "carbon": 0.03},
        "void": 0.05,
        "carbon": {"form": "spheres", "diameter": "2 um"},
    },
    "composite 80/17/3, carbon fibres": {
        "kind": "composite",
        "diameters": ["8 um"],
        "weights": {"active": 0.8, "electrolyte": 0.17, "carbon": 0.03},
        "void": 0.05,
        "carbon": {"form": "fibres", "diameter": "1.5 um", "length": "8 um"},
    },
    "secondary particle, radial grains, cracks": {
        "kind": "secondary_particle",
        "diameter": "90 um",
        "margin": "5 um",
        "roughness": {"amplitude": 0.03, "wavelength": 0.2},
        "grains": {"arrangement": "radial", "size": "6 um"},
        "cracks": _CRACKS,
    },
}


def _made(tree: dict[str, Any]) -> Any:
    from pydantic import TypeAdapter

    from voxtrode.pipeline.study_generate import Generate

    source = TypeAdapter(Generate).validate_python(tree)
    return source, source.make()


def _trees(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The volume that is timed, and a small one of its kind that compiles everything."""
    kind = KINDS[name]
    if kind.get("kind") == "secondary_particle":
        whole = kind | {"voxel": "0.5 um", "seed": 1}
        return whole, whole | {"diameter": "20 um", "cracks": None}
    small: dict[str, Any] = {}
    if kind.get("kind") == "layered":
        small = {"layers": [layer | {"thickness": "20 um"} for layer in kind["layers"]]}
        return kind | _BOX, kind | _BOX | small | {"size": ["40 um", "20 um", "20 um"]}
    return kind | _BOX, kind | _BOX | {"size": ["30 um"] * 3}


def measure(name: str) -> dict[str, Any]:
    """Makes one kind in this process."""
    whole, small = _trees(name)
    _made(small)
    start = time.perf_counter()
    source, volume = _made(whole)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fractions = np.bincount(volume.labels.ravel(), minlength=len(volume.phases))
    shares = dict(zip(volume.phases, (fractions / volume.labels.size).tolist(), strict=True))
    return {
        "shape": volume.labels.shape,
        "asked": source.expected_shares,
        "met": shares,
        "mean_diameter": _mean_diameter(volume.evidence),
        "seconds": seconds,
        "peak_MB": peak / 1024.0,
    }


def _mean_diameter(evidence: Any) -> list[list[float]]:
    """Asked and met mean diameter [m] of each population."""
    if "sizes" in evidence:
        return [[one["asked_m"]["mean"], one["inside_m"]["mean"]] for one in evidence["sizes"]]
    return [[evidence["asked"]["diameter_m"], evidence["diameter_m"]]]


def main() -> None:
    """Prints the table."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(json.dumps(measure(sys.argv[2])))
        return
    wanted = sys.argv[1:] or list(KINDS)
    print("| kind | voxels | asked | met | mean diameter asked / met | time | memory |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in wanted:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"| {name} | failed: {(done.stderr.strip().splitlines() or ['?'])[-1]} |")
            continue
        found = json.loads(done.stdout)
        asked = ", ".join(f"{key} {value:.4f}" for key, value in found["asked"].items())
        met = ", ".join(f"{key} {value:.4f}" for key, value in found["met"].items())
        pairs = found["mean_diameter"]
        means = ", ".join(f"{1e6 * asked:.3f} / {1e6 * met:.3f} µm" for asked, met in pairs)
        size = " × ".join(map(str, found["shape"]))
        print(
            f"| {name} | {size} | {asked} | {met} | {means} |"
            f" {found['seconds']:.1f} s | {found['peak_MB']:.0f} MB |",
            flush=True,
        )


if __name__ == "__main__":
    main()
