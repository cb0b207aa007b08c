"""Moves of points lift the worst cells, within bounds, and alike on any number of ranks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.stuffing.improve import Effort, ImproveEvidence, Sharing, improve
from voxtrode.meshing.stuffing.patch import cells_at, with_neighbours
from voxtrode.meshing.stuffing.search import squared_sine

COMM = MPI.COMM_WORLD
EDGE = 8


def body_centred(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of edge 1 between the centres of n³ cubes: four around each face inside."""
    cube = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
    doubled = []
    for e, u, v in (np.roll(np.eye(3, dtype=int), k, axis=0) for k in range(3)):
        low = cube[cube @ e < n - 1]
        centres = [2 * low + 1, 2 * (low + e) + 1]
        ring = [2 * (low + e + step) for step in (0 * u, u, u + v, v)]
        doubled += [np.stack([*centres, ring[k - 1], ring[k]], 1) for k in range(4)]
    corners = np.concatenate(doubled)
    points, cells = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    points, cells = points / 2.0, cells.reshape(-1, 4).astype(np.int32)
    return points, right_handed(points, cells)


def right_handed(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The cells with their last two vertices exchanged where that is needed."""
    _, volumes = shape_measures(points[cells])
    turned = cells.copy()
    turned[volumes < 0.0] = turned[volumes < 0.0][:, [0, 1, 3, 2]]
    return turned


def hull(points: np.ndarray) -> np.ndarray:
    """Points within a cube's edge of the sides, as flags."""
    return np.any((points <= 1.0) | (points >= EDGE - 1.0), axis=1)


def shaken(amplitude: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, cells, keys and frozen hull of a lattice shaken at random, no cell inverted."""
    rest, cells = body_centred(EDGE)
    rng = np.random.default_rng(4)
    frozen = np.repeat(hull(rest)[:, None], 3, axis=1)
    points = rest + ~frozen * rng.uniform(-amplitude, amplitude, rest.shape)
    while True:
        angles, volumes = shape_measures(points[cells])
        bad = cells[(volumes <= 0.0) | (angles[:, 0] < 0.5)].ravel()
        if len(bad) == 0:
            return points, cells, 1000 + 7 * rng.permutation(len(points)), frozen
        points[bad] = rest[bad]


def wrapped(centre: float, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A lattice whose points near a sphere are drawn to it: points, cells, points on the sphere.

    Points are left where they were if a cell would be inverted; flat cells stay.
    """
    rest, cells = body_centred(EDGE)
    ray = rest - centre
    distance = np.maximum(np.linalg.norm(ray, axis=1), 1e-9)
    on = np.abs(distance - radius) < 0.42
    while True:
        points = np.where(on[:, None], centre + ray * (radius / distance)[:, None], rest)
        angles, volumes = shape_measures(points[cells])
        bad = cells[(volumes <= 0.0) | (angles[:, 0] < 0.5)]
        if len(bad) == 0:
            return points, cells, on
        furthest = np.argmax(np.where(on, np.abs(distance - radius), -1.0)[bad], axis=1)
        on[np.take_along_axis(bad, furthest[:, None], axis=1)] = False


def test_quality_is_the_sine_of_the_worst_angle() -> None:
    """Small and large angles count alike; a cell that is not right-handed is worse than all."""
    points = np.random.default_rng(0).normal(size=(400, 3))
    cells = right_handed(points, np.arange(400, dtype=np.int32).reshape(100, 4))
    angles, _ = shape_measures(points[cells])
    worst = np.minimum(angles[:, 0], 180.0 - angles[:, 1])
    found = np.array([squared_sine(points, *cell) for cell in cells])
    assert found == pytest.approx(np.sin(np.radians(worst)) ** 2, rel=1e-9)
    assert all(squared_sine(points, *cell[[0, 1, 3, 2]]) == -1.0 for cell in cells)


@pytest.mark.parametrize(("centre", "radius"), [(4.1, 2.9), (4.2, 2.6), (4.0, 2.9)])
def test_flat_cells_on_a_surface_are_lifted(centre: float, radius: float) -> None:
    """Cells with all points on a sphere, of 1 to 3 degrees, by 0.12 of the edge: above 8 degrees.

    The hull is frozen, so that the volume of all cells must stay but for rounding.
    """
    points, cells, on = wrapped(centre, radius)
    frozen = np.repeat(hull(points)[:, None], 3, axis=1)
    reach = np.where(on, 0.12, 0.0)
    angles, volumes = shape_measures(points[cells])
    flat = angles[:, 0] < 3.0
    assert np.count_nonzero(flat) >= 18
    assert np.all(on[cells[flat]])
    evidence = improve(points, cells, np.arange(len(points)), frozen, reach, Effort())
    lifted, changed = shape_measures(points[cells])
    assert lifted[:, 0].min() > 8.0
    assert changed.min() > 0.0
    assert changed.sum() == pytest.approx(volumes.sum(), rel=1e-13)
    assert evidence.before.below[1] >= np.count_nonzero(flat)
    assert evidence.after.below[:3] == (0, 0, 0)


def test_evidence_is_what_the_mesh_shows() -> None:
    """Counts, extremes and distances, found here in another way."""
    points, cells, keys, frozen = shaken(0.3)
    start = points.copy()
    reach = np.full(len(points), 0.12)
    evidence = improve(points, cells, keys, frozen, reach, Effort(target=20.0, rounds=3))
    for shape, x in ((evidence.before, start), (evidence.after, points)):
        angles, _ = shape_measures(x[cells])
        flatness = np.minimum(angles[:, 0], 180.0 - angles[:, 1])
        assert shape.below == tuple(np.count_nonzero(flatness < k) for k in (2, 5, 10, 20))
        assert shape.smallest == pytest.approx(angles[:, 0].min(), abs=1e-9)
        assert shape.largest == pytest.approx(angles[:, 1].max(), abs=1e-9)
    distance = np.linalg.norm(points - start, axis=1)
    assert evidence.moved == np.count_nonzero(distance) > 0
    assert evidence.displacement == distance.max()
    assert evidence.rounds == 3


def test_points_stay_within_their_bounds() -> None:
    """Frozen components to the last bit; no point further than its reach from where it started.

    The offset is drawn back to the reach and added again, so it may be longer by rounding.
    """
    points, cells, keys, frozen = shaken(0.3)
    rng = np.random.default_rng(2)
    frozen |= rng.random(points.shape) < 0.3
    reach = rng.uniform(0.0, 0.3, len(points)) * (rng.random(len(points)) < 0.7)
    start = points.copy()
    evidence = improve(points, cells, keys, frozen, reach, Effort())
    assert evidence.moved > 10
    assert np.array_equal(points[frozen], start[frozen])
    assert np.all(np.linalg.norm(points - start, axis=1) <= reach * (1.0 + 1e-12))
    assert np.any(np.linalg.norm(points - start, axis=1) > 0.99 * reach)


def test_each_round_raises_the_worst_or_leaves_it() -> None:
    """Runs that end after 1, 2, … rounds are the beginnings of one run."""
    worst = []
    for rounds in range(12):
        points, cells, keys, frozen = shaken(0.3)
        reach = np.full(len(points), 0.12)
        evidence = improve(points, cells, keys, frozen, reach, Effort(rounds=rounds))
        worst.append(min(evidence.after.smallest, 180.0 - evidence.after.largest))
        assert np.all(shape_measures(points[cells])[1] > 0.0)
    assert np.all(np.diff(worst) >= -1e-9)  # a squared sine and an angle round differently
    assert worst[-1] > worst[0] + 8.0


def test_good_cells_are_left_alone() -> None:
    """Only cells below the target move anything; points that may not move do not."""
    points, cells, keys, frozen = shaken(0.15)
    start = points.copy()
    reach = np.full(len(points), 0.3)
    evidence = improve(points, cells, keys, frozen, reach, Effort(target=10.0))
    assert evidence.rounds == evidence.moved == 0
    assert np.array_equal(points, start)
    points, cells, keys, frozen = shaken(0.3)
    start = points.copy()
    evidence = improve(points, cells, keys, frozen, 0.0 * reach, Effort())
    assert evidence.before.below[3] > 0
    assert evidence.before == evidence.after
    assert np.array_equal(points, start)


Agree = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


EFFORT = Effort(target=25.0, rounds=30)


def slab(rank: int, size: int, agree: Agree) -> tuple[np.ndarray, np.ndarray, ImproveEvidence]:
    """Improve what a rank holds: keys and positions of its own points, and the evidence.

    Points and cells are in an order of the rank's own, and vertices turned within their cells.
    """
    points, cells, keys, frozen = shaken(0.36)
    rng = np.random.default_rng(rank)
    owner = np.minimum(points[:, 0] * size / EDGE, size - 1).astype(int)
    mine = cells[cells_at(cells, with_neighbours(cells, owner == rank))]
    mine = rng.permutation(mine)[:, [1, 2, 0, 3] if rank % 2 else [2, 3, 0, 1]]
    held = rng.permutation(np.unique(mine))
    row = np.empty(len(points), dtype=np.int32)
    row[held] = np.arange(len(held))
    x, own = points[held], owner[held] == rank
    reach = np.where(keys % 3 == 0, 0.3, 0.12)[held]
    evidence = improve(x, row[mine], keys[held], frozen[held], reach, EFFORT, Sharing(own, agree))
    return keys[held][own], x[own], evidence


def check_against_whole(
    parts: list[tuple[np.ndarray, np.ndarray, ImproveEvidence]],
) -> None:
    """The same positions to the last bit, and counts that add up."""
    points, cells, keys, frozen = shaken(0.36)
    reach = np.where(keys % 3 == 0, 0.3, 0.12)
    whole = improve(points, cells, keys, frozen, reach, EFFORT)
    assert whole.moved > 50
    found = np.concatenate([part[0] for part in parts])
    order = np.argsort(found)
    assert np.array_equal(found[order], np.sort(keys))
    positions = np.concatenate([part[1] for part in parts])[order]
    assert np.array_equal(positions, points[np.argsort(keys)])
    evidence = [part[2] for part in parts]
    assert sum(e.moved for e in evidence) == whole.moved
    assert all(min(e.moved, e.rounds) > 0 for e in evidence)
    assert max(e.displacement for e in evidence) == whole.displacement
    for pick in ("before", "after"):
        below = np.sum([getattr(e, pick).below for e in evidence], axis=0)
        assert tuple(below) == getattr(whole, pick).below
        smallest = min(getattr(e, pick).smallest for e in evidence)
        assert smallest == pytest.approx(getattr(whole, pick).smallest, abs=1e-9)


@pytest.mark.parametrize("size", [2, 3])
def test_slabs_in_turn_make_the_same_mesh(size: int) -> None:
    """Threads that wait for each other in each round stand for ranks."""
    barrier, box = Barrier(size, timeout=60.0), [None] * size

    def agree(rank: int, keys: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, ...]:
        box[rank] = (keys, positions)
        barrier.wait()
        others = [entry for k, entry in enumerate(box) if k != rank]
        barrier.wait()
        return tuple(np.concatenate(part) for part in zip(*others, strict=True))

    with ThreadPoolExecutor(size) as pool:
        runs = [
            pool.submit(slab, k, size, lambda *tried, k=k: agree(k, *tried)) for k in range(size)
        ]
        check_against_whole([run.result() for run in runs])


@pytest.mark.mpi
@pytest.mark.mpi3
def test_ranks_make_the_same_mesh() -> None:
    """Slabs of ranks against the whole mesh on one."""

    def agree(keys: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tried = COMM.allgather((keys, positions))
        others = [entry for k, entry in enumerate(tried) if k != COMM.rank]
        others.append((keys[:0], positions[:0]))
        return np.concatenate([k for k, _ in others]), np.concatenate([p for _, p in others])

    check_against_whole(COMM.allgather(slab(COMM.rank, COMM.size, agree)))
