"""Two electrodes in one volume: the last one is the mirror of what its generator made."""

import numpy as np

from voxtrode.data.generation.stack import stacked
from voxtrode.data.volume import Grains, Volume


def electrode(seed: int, depth: int, grains: bool) -> Volume:
    """Labels and particles at random; a grain a particle."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (depth, 3, 4), dtype=np.uint8)
    particles = np.where(labels == 0, rng.integers(1, 4, labels.shape), 0).astype(np.int32)
    turns = rng.normal(size=(3, 4))
    turns /= np.linalg.norm(turns, axis=1)[:, None]
    crystals = Grains(particles, np.arange(1, 4, dtype=np.int32), turns) if grains else None
    edges = (1e-6, 1e-6, 1e-6)
    return Volume(labels, ("active", "nsd"), edges, particles, {}, crystals, np.full(3, 2e-6))


def test_the_last_electrode_is_turned_over() -> None:
    """Labels, ids and the crystals' axes: a mirror across z, its axes without a sign."""
    first, last = electrode(1, 5, False), electrode(2, 4, True)
    both = stacked(first, last, 2)
    assert both.phases == ("first-active", "first-nsd", "between", "last-active", "last-nsd")
    assert both.labels.shape == (11, 3, 4)
    np.testing.assert_array_equal(both.labels[:5], first.labels)
    assert np.all(both.labels[5:7] == 2)
    np.testing.assert_array_equal(both.labels[:6:-1], last.labels + 3)
    np.testing.assert_array_equal(both.particles[:6:-1] > 0, last.particles > 0)
    assert set(np.unique(both.particles)) == set(range(7))
    assert both.made_diameters is not None
    assert len(both.made_diameters) == 6
    assert both.grains is not None
    assert last.grains is not None
    np.testing.assert_array_equal(both.grains.particle, [4, 5, 6])
    np.testing.assert_array_equal(both.grains.ids[:6:-1], last.grains.ids)
    mirrored = last.grains.c_axes * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(
        np.abs(np.sum(both.grains.c_axes * mirrored, axis=1)), 1.0, rtol=1e-12
    )
    assert stacked(first, electrode(3, 4, False), 1).grains is None
