"""The coupled solver: Newton iterations, Krylov iterations, memory, ranks, whole discharges.

    python benchmarks/solver.py PART...      # ratio direct krylov steps discharge ranks large

Parts print tables in Markdown. Meshes are made once, below $VOXTRODE_BENCHMARKS
(`runs/benchmarks`); every measurement is a process of its own. CPU is processor seconds.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from solver_cases import ct_crop, meshed, probed, spheres

SIZES = ("20 k", "65 k", "250 k")
GIB = 2**30
LIBRARIES = 0.36e9
"""Resident memory before any mesh [bytes]."""


def ratio() -> None:
    """One Newton iteration over one Poisson solve on the same mesh."""
    print("| volume | unknowns | CPU a Newton iteration | Poisson | ratio | residual, Jacobian, "
          "linear | Krylov mean / max | bytes an unknown |")  # fmt: skip
    trees = [spheres(size) for size in SIZES]
    for tree in [*trees, *([crop] if (crop := ct_crop(48, 64)) else [])]:
        found = probed(meshed(tree), 1, kind="ratio", dt=30.0, steps=3)
        parts = found["parts"]
        whole = sum(parts.values())
        linear = parts["setup_s"] + parts["krylov_s"]
        shares = (parts["residual_s"] / whole, parts["jacobian_s"] / whole, linear / whole)
        mine, poisson = found["cpu_per_newton"], found["poisson_cpu"]
        print(
            f"| {tree['name']} | {found['dofs']:,} | {mine:.3f} s | "
            f"{poisson:.3f} s | {mine / poisson:.2f} | "
            f"{', '.join(f'{share:.0%}' for share in shares)} | {found['krylov']:.1f} / "
            f"{found['krylov_max']} | {(found['peak'] - LIBRARIES) / found['dofs']:.0f} |"
        )


def direct() -> None:
    """The same with MUMPS."""
    print("| unknowns | CPU a Newton iteration | peak memory | bytes an unknown |")
    for size in SIZES:
        found = probed(meshed(spheres(size)), 1, kind="direct", dt=30.0)
        print(
            f"| {found['dofs']:,} | {found['cpu_per_newton']:.2f} s | {found['peak'] / GIB:.2f} GiB"
            f" | {(found['peak'] - LIBRARIES) / found['dofs']:.0f} |"
        )


CORNERS: tuple[dict[str, float], ...] = (
    {"rate": 1.0, "dt": 1.0},
    {"rate": 1.0, "dt": 30.0},
    {"rate": 1.0, "dt": 300.0},
    {"rate": 0.2, "dt": 300.0},
    {"rate": 6.0, "dt": 1.0},
    {"rate": 6.0, "dt": 30.0},
    {"rate": 1.0, "dt": 30.0, "i0": 0.05},
    {"rate": 1.0, "dt": 300.0, "i0": 0.05},
    {"rate": 1.0, "dt": 30.0, "i0": 50.0},
    {"rate": 1.0, "dt": 300.0, "i0": 50.0},
    {"rate": 1.0, "dt": 30.0, "sigma": 1e-3},
    {"rate": 0.2, "dt": 300.0, "sigma": 1e-3},
    {"rate": 1.0, "dt": 30.0, "sigma": 1e3},
    {"rate": 1.0, "dt": 300.0, "sigma": 1e3},
    {"rate": 6.0, "dt": 30.0, "i0": 50.0, "sigma": 1e3},
)
"""i0 [A/m²] and sigma [S/m] where they are not those of `quickstart`."""


def krylov() -> None:
    """Krylov iterations, mean and largest of two steps after a jump, for sizes and parameters."""
    trees = [spheres(size) for size in (*SIZES, "1 M")]
    crop = ct_crop(48, 64)
    print("| volume | " + " | ".join(_said(case) for case in CORNERS) + " |")
    for tree in [*trees, *([crop] if crop else [])]:
        found = probed(meshed(tree), 1, kind="krylov", cases=CORNERS)
        cells = [
            case.get("failed") or f"{case['mean']:.1f} / {case['max']}" for case in found["cases"]
        ]
        print(f"| {tree['name']}, {found['dofs']:,} | " + " | ".join(cells) + " |")


def _said(case: dict[str, float]) -> str:
    more = "".join(f", {name} {case[name]:g}" for name in ("i0", "sigma") if name in case)
    return f"{case['rate']:g}C, {case['dt']:g} s{more}"


def _compared(coarse: Sequence[Sequence[float]], fine: Sequence[Sequence[float]]) -> float:
    """Largest difference of V(t) at the times of the coarse curve, but the last ones [V]."""
    t, v = np.array(coarse).T
    t_fine, v_fine = np.array(fine).T
    inside = t < 0.99 * min(t[-1], t_fine[-1])
    return float(np.abs(v - np.interp(t, t_fine, v_fine))[inside].max())


def steps() -> None:
    """Accepted steps of a 1C discharge, and V(t) against a tenfold tighter tolerance."""
    folder = meshed(spheres("20 k"))
    runs = [probed(folder, 1, kind="discharge", rtol=rtol) for rtol in (1e-3, 1e-4)]
    for rtol, found in zip((1e-3, 1e-4), runs, strict=True):
        print(f"rtol {rtol:g}: {found['steps']} steps ({found['rejected']} rejected)")
    print(f"V(t) differs by {_compared(runs[0]['curve'], runs[1]['curve']) * 1e3:.2f} mV at most")


def discharge() -> None:
    """A 1C discharge of 250 k unknowns on two ranks."""
    _discharged(meshed(spheres("250 k")), 2)


def large() -> None:
    """Ten steps of 3 M unknowns on two ranks."""
    _discharged(meshed(spheres("3 M")), 2, steps=10)


def _discharged(folder: Any, ranks: int, **asked: Any) -> None:
    found = probed(folder, ranks, kind="discharge", **asked)
    balances = ", ".join(f"{one:.1e}" for one in found["balances"])
    print(
        f"{found['dofs']:,} unknowns, {ranks} ranks: {found['wall']:.0f} s wall, CPU "
        f"{found['cpu']:.0f} s a rank, {found['steps']} steps ({found['rejected']} rejected), "
        f"{found['newton']} Newton, Krylov {found['krylov']:.1f} / {found['krylov_max']}, ratio "
        f"{found['ratio_cpu']:.2f}, {found['memory'] / GIB:.2f} GiB, balances {balances}"
    )


def ranks() -> None:
    """Speed-up of the solver from one rank to two, beside what memory bandwidth allows."""
    folder = meshed(spheres("250 k"))
    one, two = (probed(folder, n, kind="ranks", dt=30.0) for n in (1, 2))
    print("| work | 1 rank | 2 ranks | speed-up | imbalance |\n| --- | --- | --- | --- | --- |")
    for name in one["seconds"]:
        first, second = one["seconds"][name], two["seconds"][name]
        print(f"| {name} | {first:.3g} s | {second:.3g} s | {first / second:.2f} | |")
    print("unknowns a rank, largest over mean: " + ", ".join(
        f"{name} {value:.3f}" for name, value in two["imbalance"].items()))  # fmt: skip


PARTS: dict[str, Callable[[], None]] = {
    part.__name__: part for part in (ratio, direct, krylov, steps, discharge, ranks, large)
}


def main() -> None:
    """Run the parts that are named."""
    for name in sys.argv[1:] or ["ratio"]:
        print(f"## {name}\n", flush=True)
        PARTS[name]()


if __name__ == "__main__":
    main()
