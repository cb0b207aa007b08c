"""One, two and three ranks: the same numbers."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from runs import at_dod, balances, summary, table

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_give_the_same_results(run_on: Callable[[int], Path], ranks: int) -> None:
    """V at stored DoDs within 1e-6 V, end capacity within 1e-6, every row of particles.csv too.

    A column of particles.csv is compared relative to its largest value of all particles and
    instants. Newton's tolerance (1e-10 of the current) leaves 1e-8 and less, as long as all ranks
    take the same steps.
    """
    alone, several = run_on(1), run_on(ranks)
    cells = [table(run, "cell") for run in (alone, several)]
    for dod in (0.2, 0.5, 0.8):
        one, many = (at_dod(cell, dod, "Voltage [V]") for cell in cells)
        assert many == pytest.approx(one, rel=0.0, abs=1e-6)
    ends = [summary(run)["areal_capacity_mAh_cm2"] for run in (alone, several)]
    assert ends[1] == pytest.approx(ends[0], rel=1e-6)

    particles = [table(run, "particles") for run in (alone, several)]
    assert len(particles[0]) == len(particles[1]) > 0
    for name in particles[0].columns:
        one, many = (frame[name].to_numpy() for frame in particles)
        if one.dtype.kind != "f":
            assert np.array_equal(one, many), name
            continue
        scale = float(np.abs(one).max())
        assert np.allclose(many, one, rtol=0.0, atol=1e-6 * scale), name


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_balances_hold(run_on: Callable[[int], Path], ranks: int) -> None:
    """1e-9 at every stored instant, the end of the rest among them."""
    found = summary(run_on(ranks))
    assert max(balances(found).values()) <= 1e-9, balances(found)
    assert found["stop_reason"] == "time 300 s"


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_mesh_is_the_same(run_on: Callable[[int], Path], ranks: int) -> None:
    """Its description is, to rounding; so are tortuosity factors to the tolerance of CG."""
    one, many = (
        json.loads((run_on(n) / "mesh" / "mesh.json").read_text(encoding="utf-8"))
        for n in (1, ranks)
    )
    for key in ("cells", "vertices", "components", "inverted", "nonmanifold_facets"):
        assert many[key] == one[key]
    for pair, found in one["interfaces"].items():
        area, again = found["area_m2"], many["interfaces"][pair]["area_m2"]
        assert again.pop("mesh") == pytest.approx(area.pop("mesh"), rel=1e-12)
        assert again == area  # measured on the image
    rows = [
        json.loads((run_on(n) / "transport.json").read_text(encoding="utf-8"))["rows"]
        for n in (1, ranks)
    ]
    for a, b in zip(*rows, strict=True):
        assert [a[key] for key in ("phase", "axis", "method")] == [
            b[key] for key in ("phase", "axis", "method")
        ]
        assert b["effective_ratio"] == pytest.approx(a["effective_ratio"], rel=1e-8)
