"""Volumes, areas and lengths of voxelised bodies against closed forms: `python closed_forms.py`.

Bodies of radius 1 are put on grids of n voxels a radius, each several times, moved by fractions of
a voxel and turned or tilted at random. The table has the root mean square of the relative errors at
each n, the observed order in the voxel size, and the mean ratio of staircase to exact value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.lines import line_lengths
from voxtrode.data.characterisation.surfaces import contacts, phase_areas
from voxtrode.data.interfaces import marching_cubes_areas, voxel_face_areas

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]
Pairs = dict[str, tuple[float, float]]

RESOLUTIONS = (5, 10, 20, 40)
SEEDS = (0, 1, 2, 3)


@dataclass(frozen=True, eq=False)
class Sample:
    """A body on a grid.

    Attributes:
        labels: Phase of each voxel [z, y, x].
        edge: Edge length of a voxel [radii].
    """

    labels: Labels
    edge: float

    @property
    def voxel(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel."""
        return self.edge, self.edge, self.edge

    @property
    def counts(self) -> Floats:
        """Volume of each phase."""
        return np.bincount(self.labels.ravel(), minlength=3) * self.edge**3

    def areas(self) -> dict[str, Floats]:
        """Area of the interface of each two phases, by method."""
        faces = voxel_face_areas(self.labels, 3, self.voxel)
        return {
            "projected faces": phase_areas(self.labels, 3, self.voxel),
            "marching cubes": marching_cubes_areas(self.labels, faces > 0.0, self.voxel)[0],
            "voxel faces": faces,
        }


def points(size: tuple[float, float, float], n: int) -> Floats:
    """Voxel centres of a box about the origin [radii], float[nz, ny, nx, 3]."""
    counts = [round(length * n) for length in size]
    axes = [(np.arange(count) + 0.5 - count / 2) / n for count in counts]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def moved(size: tuple[float, float, float], n: int, random: np.random.Generator) -> Floats:
    """Voxel centres in the frame of a body that is moved by up to a voxel and turned."""
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    turned: Floats = (points(size, n) - random.random(3) / n) @ turn
    return turned


def in_ball(place: Floats, centre: float = 0.0) -> NDArray[np.bool_]:
    """Whether points are in the unit ball about (centre, 0, 0)."""
    inside: NDArray[np.bool_] = ((place - np.array([centre, 0, 0])) ** 2).sum(axis=-1) < 1.0
    return inside


def ball(n: int, random: np.random.Generator) -> Pairs:
    """A ball in a matrix."""
    place = moved((2.6, 2.6, 2.6), n, random)
    sample = Sample(in_ball(place).astype(np.uint8), 1.0 / n)
    pairs = {"volume": (float(sample.counts[1]), 4.0 / 3.0 * np.pi)}
    for method, areas in sample.areas().items():
        pairs[f"area, {method}"] = float(areas[0, 1]), 4.0 * np.pi
    return pairs


def two_balls(n: int, random: np.random.Generator) -> Pairs:
    """Two overlapping balls, centres 1.2 radii apart, cut by their middle plane: two phases."""
    distance = 1.2
    place = moved((3.6, 3.6, 3.6), n, random)
    first, second = in_ball(place, -distance / 2), in_ball(place, distance / 2)
    labels = np.where(place[..., 0] < 0.0, 1, 2) * (first | second)
    sample = Sample(labels.astype(np.uint8), 1.0 / n)
    cap = 1.0 - distance / 2
    neck = np.sqrt(1.0 - distance**2 / 4)
    union = 2.0 * (4.0 / 3.0 * np.pi - np.pi * cap**2 * (3.0 - cap) / 3.0)
    pairs = {"volume of union": (float(sample.counts[1:].sum()), float(union))}
    for method, areas in sample.areas().items():
        outside = float(areas[0, 1] + areas[0, 2])
        pairs[f"area of union, {method}"] = outside, 2.0 * (4.0 * np.pi - 2.0 * np.pi * cap)
        pairs[f"area of neck, {method}"] = float(areas[1, 2]), float(np.pi * neck**2)
    area = float(contacts(labels.astype(np.int32), sample.voxel).area.sum())
    pairs["contact of particles"] = area, float(np.pi * neck**2)
    return pairs | _lines(sample, float(2.0 * np.pi * neck))


def half_sunk(n: int, random: np.random.Generator) -> Pairs:
    """A ball sunk by half into the plane between two other phases: a circle."""
    place = moved((2.6, 2.6, 2.6), n, random)
    labels = np.where(in_ball(place), 2, place[..., 0] < 0.0)
    return _lines(Sample(labels.astype(np.uint8), 1.0 / n), 2.0 * np.pi)


def slabs(n: int, random: np.random.Generator) -> Pairs:
    """Tilted slabs of phases 0, 1, 2, 0; the planes leave the box at its y and x sides alone."""
    size = (5.0, 2.0, 2.0)
    tilt = random.uniform(-0.5, 0.5, size=2)
    place = points(size, n)
    depth = place[..., 0] - place[..., 1:] @ tilt - random.random() / n
    labels = np.digitize(depth, [-1.0, 0.1, 1.07]) % 3
    sample = Sample(labels.astype(np.uint8), 1.0 / n)
    pairs = {"volume of two": (float(sample.counts[1:].sum()), 2.07 * size[1] * size[2])}
    exact = 3.0 * size[1] * size[2] * float(np.sqrt(1.0 + tilt @ tilt))
    for method, areas in sample.areas().items():
        pairs[f"area, {method}"] = 0.5 * float(areas.sum()), exact
    return pairs


def cylinders(n: int, random: np.random.Generator) -> Pairs:
    """Two by two parallel tilted cylinders that leave the box at its z sides alone."""
    size = (2.0, 7.2, 7.2)
    tilt = random.uniform(-0.5, 0.5, size=2)
    place = points(size, n)
    across = place[..., 1:] - place[..., :1] * tilt - random.random(2) / n
    along = float(np.sqrt(1.0 + tilt @ tilt))
    axis = np.array([1.0, *tilt]) / along
    labels = np.zeros(place.shape[:3], dtype=np.uint8)
    for y in (-1.75, 1.75):
        for x in (-1.75, 1.75):
            offset = across - np.array([y, x])
            distance = (offset**2).sum(axis=-1) - (offset @ axis[1:]) ** 2
            labels[distance < 1.0] = 1
    sample = Sample(labels, 1.0 / n)
    pairs = {"volume": (float(sample.counts[1]), 4.0 * np.pi * size[0] * along)}
    for method, areas in sample.areas().items():
        pairs[f"area, {method}"] = float(areas[0, 1]), 8.0 * np.pi * size[0] * along
    return pairs


CASES: dict[str, Callable[[int, np.random.Generator], Pairs]] = {
    "ball": ball,
    "two balls": two_balls,
    "half-sunk ball": half_sunk,
    "slabs": slabs,
    "cylinders": cylinders,
}


def ratios(case: str, n: int, seeds: tuple[int, ...] = SEEDS) -> dict[str, Floats]:
    """Measured over exact value of each quantity of a case, one for each seed.

    Args:
        case: Name in `CASES`.
        n: Voxels a radius.
        seeds: Of the offsets and tilts.
    """
    found = [CASES[case](n, np.random.default_rng(seed)) for seed in seeds]
    return {
        quantity: np.array([one[quantity][0] / one[quantity][1] for one in found])
        for quantity in found[0]
    }


def order(resolutions: tuple[int, ...], errors: Floats) -> float:
    """Observed order of convergence: slope of log error over log voxel size."""
    return float(-np.polyfit(np.log(resolutions), np.log(np.maximum(errors, 1e-12)), 1)[0])


def rms(values: Floats) -> float:
    """Root mean square of the relative errors of ratios."""
    return float(np.sqrt(((values - 1.0) ** 2).mean()))


def _lines(sample: Sample, exact: float) -> Pairs:
    _, lengths, edges = line_lengths(sample.labels, 3, sample.voxel)
    return {
        "three-phase line": (float(lengths[0]), exact),
        "three-phase line, voxel edges": (float(edges[0]), exact),
    }


def main() -> None:
    """Print the table."""
    heads = " | ".join(f"n = {n}" for n in RESOLUTIONS)
    print(f"| body | quantity | {heads} | order | mean ratio at {RESOLUTIONS[-1]} |")
    print("| --- " * (4 + len(RESOLUTIONS)) + "|")
    for case in CASES:
        found = [ratios(case, n) for n in RESOLUTIONS]
        for quantity, last in found[-1].items():
            errors = np.array([rms(one[quantity]) for one in found])
            columns = " | ".join(f"{error:.2%}" for error in errors)
            slope = order(RESOLUTIONS, errors)
            print(f"| {case} | {quantity} | {columns} | {slope:.1f} | {last.mean():.3f} |")


if __name__ == "__main__":
    main()
