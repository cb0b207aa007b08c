"""Size distributions by volume: closed forms, and few particles that still stand for them."""

import numpy as np
import pytest
from scipy.special import ndtri

from voxtrode.data.errors import InputError
from voxtrode.data.generation.sizes import (
    Discrete,
    LogNormal,
    Percentiles,
    Table,
    draw,
    sample_statistics,
    share_below,
    statistics,
)

UM = 1e-6
EVERY = [
    Discrete((8 * UM,), (1.0,)),
    Discrete((8 * UM, 12 * UM), (0.33, 0.67)),
    LogNormal(20 * UM, 0.35),
    LogNormal(10 * UM, 0.6),
    Percentiles(8 * UM, 14 * UM, 22 * UM),
    Table((4 * UM, 8 * UM, 12 * UM, 20 * UM), (0.2, 0.5, 0.3)),
]


def ball(diameter):
    return np.pi / 6.0 * diameter**3


def test_mean_of_two_sizes():
    """Equal volumes hold (12/8)³ small balls for each large one."""
    found = statistics(Discrete((8 * UM, 12 * UM), (0.5, 0.5)))
    small = 1.5**3
    assert found.mean == pytest.approx((small * 8 + 12) / (small + 1) * UM, rel=1e-9)


@pytest.mark.parametrize(("shares", "size"), [((0.0, 1.0), 12 * UM), ((1.0, 0.0), 8 * UM)])
def test_a_share_of_zero_leaves_the_size_out(shares, size):
    sizes = Discrete((8 * UM, 12 * UM), shares)
    assert statistics(sizes).mean == pytest.approx(size)
    assert draw(sizes, 30.2 * ball(size)) == pytest.approx(np.full(30, size))


def test_mean_of_a_lognormal_distribution():
    """By number it is d50 exp(-5/2 σ²); the tails cut off hold 2 per mille of the volume.

    Of narrow sizes they hold little more of the number.
    """
    found = statistics(LogNormal(20 * UM, 0.1))
    assert found.mean == pytest.approx(20 * UM * np.exp(-2.5 * 0.01), rel=1e-3)
    assert found.d50 == pytest.approx(20 * UM)
    assert found.d90 / found.d50 == pytest.approx(np.exp(0.1 * ndtri(0.9)), rel=1e-3)


def test_percentiles_are_met_and_the_ends_are_finite():
    sizes = Percentiles(8 * UM, 14 * UM, 22 * UM)
    assert sizes.diameter(np.array([0.1, 0.5, 0.9])) == pytest.approx([8 * UM, 14 * UM, 22 * UM])
    every = sizes.diameter(np.linspace(0.0, 1.0, 1001))
    assert np.all(np.diff(every) >= 0.0)
    assert 3 * UM < every[0] < 8 * UM < 22 * UM < every[-1] < 50 * UM


def test_a_lognormal_is_found_from_its_percentiles():
    """The curve through three points on a line is that line, out to the outer percentiles."""
    spread = np.exp(0.3 * ndtri(0.9))
    sizes = Percentiles(20 * UM / spread, 20 * UM, 20 * UM * spread)
    quantile = np.linspace(0.01, 0.99, 9)
    assert sizes.diameter(quantile) == pytest.approx(20 * UM * np.exp(0.3 * ndtri(quantile)))


def test_volume_is_even_in_the_classes_of_a_table():
    sizes = Table((4 * UM, 8 * UM, 12 * UM), (1.0, 3.0))
    assert sizes.diameter(np.array([0.0, 0.125, 0.25, 0.625, 1.0])) == pytest.approx(
        np.array([4, 6, 8, 10, 12]) * UM
    )
    assert share_below(sizes, 10 * UM) == pytest.approx(0.625)


def test_empty_classes_hold_no_particles():
    sizes = Table((2 * UM, 4 * UM, 6 * UM, 8 * UM, 10 * UM), (0.0, 0.5, 0.0, 0.5))
    drawn = draw(sizes, 400 * ball(7 * UM))
    assert drawn.min() >= 4 * UM
    assert not np.any((drawn > 6 * UM) & (drawn < 8 * UM))


@pytest.mark.parametrize("sizes", EVERY)
@pytest.mark.parametrize("count", [100, 1000, 5000])
def test_drawn_particles_stand_for_the_distribution(sizes, count):
    """Mean by number within 1 %, the volume to half a particle.

    The volume below any diameter, too, to two particles: one for the cut there, one that a class of
    larger particles may have been rounded by.
    """
    asked = statistics(sizes)
    total = count * ball(asked.mean)
    drawn = draw(sizes, total)
    found = sample_statistics(drawn)
    allowed = 0.01 if len(drawn) > 90 else 0.015
    assert found.mean == pytest.approx(asked.mean, rel=allowed)
    assert ball(drawn).sum() == pytest.approx(total, abs=0.51 * ball(drawn.max()))
    for limit in np.linspace(drawn.min(), drawn.max(), 9)[1:-1]:
        below = ball(drawn[drawn < limit]).sum()
        larger = ball(drawn[drawn >= limit].min())
        assert below == pytest.approx(share_below(sizes, limit) * total, abs=2.1 * larger)


def test_shares_of_few_particles_are_met_to_one():
    sizes = Discrete((8 * UM, 12 * UM), (0.5, 0.5))
    for count in range(1, 40):
        total = count * ball(8 * UM)
        drawn = draw(sizes, total)
        large = ball(drawn[drawn > 10 * UM]).sum()
        assert large == pytest.approx(0.5 * total, abs=0.5 * ball(12 * UM) + 1e-30)
        assert ball(drawn).sum() == pytest.approx(total, abs=0.5 * ball(8 * UM) + 1e-30)


def test_nothing_is_drawn_from_no_volume():
    assert len(draw(LogNormal(10 * UM, 0.3), 0.0)) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Discrete((8 * UM,), (0.5, 0.5)), "2 shares for 1 diameters"),
        (lambda: Discrete((8 * UM,), (0.0,)), "not all 0"),
        (lambda: Discrete((-8 * UM,), (1.0,)), "expected above 0"),
        (lambda: LogNormal(10 * UM, 0.0), "expected above 0"),
        (lambda: Percentiles(8 * UM, 7 * UM, 9 * UM), "expected rising"),
        (lambda: Table((8 * UM, 7 * UM), (1.0,)), "expected rising"),
        (lambda: Table((8 * UM, 9 * UM), (0.5, 0.5)), "2 shares for 1 classes"),
    ],
)
def test_bad_distributions_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
