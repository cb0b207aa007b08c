"""Sizes of particles that a box cuts, against simulations and by hand."""

import numpy as np
import pytest
from particle_volumes import table_of

from voxtrode.data.morphology import particle_numbers


def two_sizes(shape, radii, counts, walls, rng):
    """Balls of two sizes that share no voxel, large ones first, in a periodic box [voxels].

    Between walls half of them rest on one.
    """
    particles = np.zeros(shape, np.int32)
    made = 0
    for radius, count in zip(radii, counts, strict=True):
        reach = np.arange(-int(radius) - 1, int(radius) + 2)
        body = sum(g**2 for g in np.meshgrid(reach, reach, reach)) < radius**2
        least = int(np.ceil(radius)) - 1  # the ball's lowest layer is the box's
        for _ in range(count):
            while True:
                centre = rng.integers(0, shape)
                if walls:
                    inside = rng.integers(least, shape[0] - least)
                    centre[0] = rng.choice([least, inside, inside, shape[0] - 1 - least])
                around = np.ix_(*((c + reach) % n for c, n in zip(centre, shape, strict=True)))
                if not particles[around][body].any():
                    break
            made += 1
            particles[around] = np.where(body, made, particles[around])
    return particles


@pytest.mark.parametrize("walls", [False, True])
def test_sizes_of_what_a_box_cuts(walls):
    """Windows anywhere in a periodic volume: with weights, sizes are those of all its particles.

    The ratio of two sums over some 50 particles is biased by less than its standard error over the
    windows, of which three are allowed. Without weights large balls are too rare.
    """
    rng = np.random.default_rng(1)
    shape = (50 if walls else 100, 100, 100)
    counts = (18, 140) if walls else (36, 280)
    particles = two_sizes(shape, (9.0, 3.5), counts, walls, rng)
    sizes = np.cbrt(6 / np.pi * np.bincount(particles.ravel())[1:])
    assert np.count_nonzero(sizes > 10) == counts[0]
    found, plain = [], []
    for _ in range(40):
        low = rng.integers(0, shape)
        if walls:
            low[0] = 0
        window = tuple(
            np.arange(first, first + length) % n
            for first, length, n in zip(low, (50, 46, 54), shape, strict=True)
        )
        table = table_of(particles[np.ix_(*window)])
        numbers = particle_numbers(table, walls)
        found.append(numbers["mean_diameter_m"] * 1e6)
        plain.append(numbers["unweighted_mean_diameter_m"] * 1e6)
    errors = [np.std(values, ddof=1) / np.sqrt(len(values)) for values in (found, plain)]
    assert abs(np.mean(found) - sizes.mean()) < 3 * errors[0]
    assert np.mean(plain) < sizes.mean() - 5 * errors[1]


def test_percentiles():
    """Cubes of 1 … 10 voxels a side: by number the ninth of ten, by volume of 3035 the tenth.

    A voxel apart that belongs to each makes their extents, and with them their weights, the same.
    """
    particles = np.zeros((14, 14, 130), np.int32)
    for side in range(1, 11):
        start = 1 + 12 * (side - 1)
        particles[1 : 1 + side, 1 : 1 + side, start : start + side] = side
        particles[12, 12, start + 11] = side
    table = table_of(particles)
    assert (table.extent == 12).all()
    numbers = particle_numbers(table)

    def sides(names):
        volumes = {name: np.pi / 6 * (value * 1e6) ** 3 for name, value in names.items()}
        return {name: np.cbrt(volume - 1) for name, volume in volumes.items()}

    assert sides(numbers["number_weighted_m"]) == pytest.approx({"D10": 1, "D50": 5, "D90": 9})
    # Particles up to 5, 8 and 9 make up 230, 1304 and 2034 of 3035.
    assert sides(numbers["volume_weighted_m"]) == pytest.approx({"D10": 6, "D50": 9, "D90": 10})
    assert numbers["mean_coordination"] == 0.0


def test_weights_by_hand():
    """A cube of 2 and one of 6 voxels in a box of 8 x 10 x 20, and one that a side may cut.

    The first leaves both outer layers free at 5 x 7 x 17 of its places, the second at 1 x 3 x 13.
    """
    particles = np.zeros((8, 10, 20), np.int32)
    particles[3:5, 3:5, 1:3], particles[1:7, 2:8, 4:10] = 1, 2
    particles[:4, 2:6, 12:16] = 3
    table = table_of(particles)
    assert table.extent.tolist() == [[2] * 3, [6] * 3, [4] * 3]
    assert table.touches.tolist() == [[False] * 3, [False] * 3, [True, False, False]]
    sides = np.array([2.0, 6.0, 4.0])
    ball = np.cbrt(6 / np.pi) * 1e-6
    weights = np.array([1 / (5 * 7 * 17), 1 / (1 * 3 * 13)])
    mean = (weights * sides[:2]).sum() / weights.sum()
    numbers = particle_numbers(table)
    assert numbers["whole"] == 2
    assert numbers["mean_diameter_m"] == pytest.approx(mean * ball, rel=1e-12)
    spread = np.sqrt((weights * (sides[:2] - mean) ** 2).sum() / weights.sum())
    assert numbers["std_diameter_m"] == pytest.approx(spread * ball, rel=1e-12)
    assert numbers["unweighted_mean_diameter_m"] == pytest.approx(4.0 * ball, rel=1e-12)
    # Between walls the third is whole, and z is in no weight.
    weights = 1 / np.array([7 * 17, 3 * 13, 5 * 15])
    numbers = particle_numbers(table, walls=True)
    assert numbers["whole"] == 3
    assert numbers["touching_box"] == 1
    mean = (weights * sides).sum() / weights.sum()
    assert numbers["mean_diameter_m"] == pytest.approx(mean * ball, rel=1e-12)
