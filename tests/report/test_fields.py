"""Slices and profiles of stored fields against the formulas they were written from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import BALLS, DODS, TIMES, UM, write_fields

from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.report.fields import depth_profile, read_series, slice_part


@dataclass
class Pretended:
    """One of several ranks, in one process: the others agree with it."""

    rank: int
    size: int = 2

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """The object itself."""
        del root
        return obj

    def allgather(self, sendobj: Any) -> list[Any]:
        """As if every rank had sent the same."""
        return [sendobj] * self.size

    def barrier(self) -> None:
        """Nobody to wait for."""


def test_series_names_times_and_parts(tmp_path: Path) -> None:
    """Instants and parts are those that were written; a torn file is no series."""
    series = read_series(write_fields(tmp_path, Serial()))
    assert series.times == TIMES
    assert series.has("solid")
    assert not series.has("interface")
    assert series.nearest(1000.0) == 900.0
    (tmp_path / "fields.pvd").write_text("<VTKFile><Coll")
    assert read_series(tmp_path / "fields.pvd").times == ()
    assert read_series(tmp_path / "none.pvd").times == ()


def test_slice_of_a_linear_field_is_exact(tmp_path: Path) -> None:
    """P1 fields are linear along the cut edges, so only rounding (float64, ~1e-16/UM) is left."""
    series = read_series(write_fields(tmp_path, Serial()))
    time = TIMES[2]
    place = 8.3 * UM
    cut = slice_part(series.files[time]["solid"], "SoL", 1, place)
    expected = DODS[2] + (cut.points[:, 0] / UM - 8.0) / 100.0
    assert len(cut.triangles) > 20
    assert cut.values == pytest.approx(expected, abs=1e-12)
    whole = slice_part(series.files[time]["electrolyte"], "c_e", 0, place)
    assert _area(whole.points, whole.triangles) == pytest.approx(24.0 * 16.0 * UM**2, rel=1e-12)


def _area(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    first, second = b - a, c - a
    return float(0.5 * np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum())


def test_profile_of_a_linear_field(tmp_path: Path) -> None:
    """Mean of a linear field over a layer of bricks is its value in the middle, by symmetry.

    All vertices of a layer of height h = 2 µm lie at ± h/2 from its middle, so that the deviation
    of c_e = 1000 + 5 z by vertex quadrature is 5 h/2 = 5 mol/m³; squares of 1e3 leave 1e-9 of it.
    """
    series = read_series(write_fields(tmp_path, Serial()))
    bins = np.linspace(0.0, 24.0, 13) * UM
    found = depth_profile(series.files[TIMES[1]]["electrolyte"], "c_e", bins)
    assert found.depth == pytest.approx((np.arange(12) * 2.0 + 1.0) * UM)
    assert found.mean == pytest.approx(1000.0 + 5.0 * found.depth / UM, rel=1e-12)
    assert found.std == pytest.approx(np.full(12, 5.0), rel=1e-8)


def test_empty_bins_are_not_a_number(tmp_path: Path) -> None:
    """Where there is no solid there is no mean: the line breaks instead of falling to zero."""
    series = read_series(write_fields(tmp_path, Serial()))
    solid = series.files[TIMES[1]]["solid"]
    found = depth_profile(solid, "SoL", np.array([-4.0, -2.0, 8.0]) * UM)
    assert np.isnan(found.mean[0])
    assert np.isfinite(found.mean[1])


def test_pieces_of_ranks_are_joined(tmp_path: Path) -> None:
    """Two pieces with the same cells weigh twice, and change no mean."""
    one = read_series(write_fields(tmp_path / "one", Serial()))
    for rank in (1, 0):
        two = read_series(write_fields(tmp_path / "two", Pretended(rank)))
    path = two.files[TIMES[1]]["solid"]
    assert path.suffix == ".pvtu"
    bins = np.linspace(0.0, 16.0, 9) * UM
    single = depth_profile(one.files[TIMES[1]]["solid"], "SoL", bins)
    double = depth_profile(path, "SoL", bins)
    assert double.mean == pytest.approx(single.mean, rel=1e-12, nan_ok=True)
    cuts = [slice_part(p, "SoL", 1, BALLS[0][0][1] * UM + 1e-8) for p in (path,)]
    assert len(cuts[0].triangles) == 2 * len(
        slice_part(one.files[TIMES[1]]["solid"], "SoL", 1, BALLS[0][0][1] * UM + 1e-8).triangles
    )


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    """The message says what there is."""
    series = read_series(write_fields(tmp_path, Serial()))
    with pytest.raises(KeyError, match="no field phi among c_e"):
        slice_part(series.files[0.0]["electrolyte"], "phi", 0, UM)
