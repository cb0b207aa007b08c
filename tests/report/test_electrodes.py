"""Figures where both electrodes stand in the volume, and where there is no salt."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_run import Run
from synthetic import BALLS, DODS, TIMES, write_fields

from voxtrode.pipeline.communicator import Serial
from voxtrode.pipeline.report.electrodes import (
    Mean,
    depth_ends,
    depth_runs,
    electrode_means,
    from_electrode_mean,
)
from voxtrode.pipeline.report.field_figures import deviations
from voxtrode.pipeline.report.fields import Slice, holds, read_series
from voxtrode.pipeline.report.profile_figures import profile_figure
from voxtrode.pipeline.report.results import Results, read_results
from voxtrode.pipeline.study_electrodes import ElectrodeEntry, NegativeEntry
from voxtrode.pipeline.study_phases import NO_SEPARATOR


def both_electrodes(run: Run) -> Results:
    """The made-up run as if its second particle were the negative electrode."""
    found = read_results(run.folder, run.study)
    particles = found.particles
    assert particles is not None
    phase = np.where(particles["Particle"] == 2, "graphite", "active")
    stores = {"stores": True, "electrons": True, "ions": False}
    changed = {
        "negative": NegativeEntry(phases=("graphite",), collector="last", potentials=(0.1, 0.9)),
        "positive": ElectrodeEntry(phases=("active",), collector="first"),
        "separator": NO_SEPARATOR,
    }
    return replace(
        found,
        study=run.study.model_copy(update=changed),
        able={**found.able, "graphite": stores},
        particles=particles.assign(Phase=phase),
    )


def test_each_electrode_has_its_own_mean(run: Run) -> None:
    """The positive one's is the cell's; the negative one's is its only particle's."""
    results = both_electrodes(run)
    negative, positive = electrode_means(results, TIMES[2])
    (z, _, _), _ = BALLS[1]
    assert (negative.name, negative.phases) == ("negative", ("graphite",))
    assert negative.sol == pytest.approx(DODS[2] + (z - 8.0) / 100.0)
    assert (positive.name, positive.phases) == ("positive", ("active",))
    assert positive.sol == pytest.approx(DODS[2])


def test_particles_are_compared_with_their_electrode(run: Run) -> None:
    """The only particle of an electrode is at no distance from it."""
    results = both_electrodes(run)
    table = results.particles
    assert table is not None
    rows = table[np.isclose(table["Time [s]"], TIMES[2]) & ~table["Dead"]]
    (z, _, _), _ = BALLS[0]
    apart = from_electrode_mean(results, rows, TIMES[2])
    assert list(apart) == pytest.approx([(z - 8.0) / 100.0, 0.0])


def test_a_half_cell_has_one_mean(run: Run) -> None:
    """The cell's; without its table that of the living particles by volume."""
    results = read_results(run.folder, run.study)
    (mean,) = electrode_means(results, TIMES[1])
    assert mean == Mean("", ("active",), pytest.approx(DODS[1]))
    (mean,) = electrode_means(replace(results, cell=None), TIMES[1])
    # Two balls of one radius, 3 µm below and above the middle: SoL DoD ∓ 0.03.
    assert mean.sol == pytest.approx(DODS[1])
    assert electrode_means(replace(results, cell=None, particles=None), 0.0)[0].sol is None


def test_points_are_compared_with_their_electrode() -> None:
    """A triangle of each electrode."""
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    cut = Slice(np.zeros((6, 2)), triangles, np.repeat([0.3, 0.8], 3), np.array([2, 0]))
    means = [Mean("negative", ("graphite",), 0.75), Mean("positive", ("nmc",), 0.2)]
    found = deviations(cut, means, ("graphite", "pore", "nmc"))
    assert found == pytest.approx(np.repeat([0.1, 0.05], 3))


def test_the_ends_of_the_volume_are_named(run: Run) -> None:
    """Collectors at both ends, or a collector and what lies beyond."""
    ends = depth_ends(both_electrodes(run), "separator")
    assert "positive collector → negative collector" in ends
    half = read_results(run.folder, run.study)
    assert "collector → separator" in depth_ends(half, "separator")
    assert "to the separator (right)" in depth_runs(half)
    assert "to the negative collector (right)" in depth_runs(both_electrodes(run))


def test_no_separator_is_spoken_of_where_there_is_none(run: Run) -> None:
    """Neither in the caption nor as a bin of no width."""
    half = profile_figure(read_results(run.folder, run.study))
    full = profile_figure(both_electrodes(run))
    assert half is not None
    assert full is not None
    assert "separator" in half.caption
    assert "separator" not in full.caption


def test_profiles_without_salt(run: Run) -> None:
    """Where the electrolyte's file holds no c_e there is no panel of it."""
    path = write_fields(run.folder / "simulate", Serial(), salty=False)
    results = read_results(run.folder, run.study)
    series = read_series(path)
    assert not holds(series.files[TIMES[1]]["electrolyte"], "c_e")
    assert holds(series.files[TIMES[1]]["electrolyte"], "phi_e")
    figure = profile_figure(results)
    assert figure is not None
    assert "salt" not in figure.caption
    assert "lithiation of the solid and potential of the electrolyte" in figure.caption


def test_a_table_without_numbers_of_salt(run: Run) -> None:
    """Without salt the cell's table holds no c_e; the page stands all the same."""
    path = run.folder / "simulate" / "cell.csv"
    table = pd.read_csv(path)
    table.loc[:, [name for name in table if "c_e" in name]] = np.nan
    table.to_csv(path, index=False)
    write_fields(run.folder / "simulate", Serial(), salty=False)
    html = (run.report() / "report" / "report.html").read_text(encoding="utf-8")
    assert "Profiles over depth" in html
