"""Bodies with known volume and area for the smooth mesher: as level sets, and as voxels.

A level set is the exact distance from a surface, sampled at voxel centres, so that the error is the
mesher's own: no image is smoothed and no constant is calibrated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrode.meshing.quality import shape_measures
from voxtrode.meshing.stuffing.box import plan_box
from voxtrode.meshing.stuffing.calibration import Calibrated, Calibration, calibrated, first_guess
from voxtrode.meshing.stuffing.fields import PhaseFields, phase_fields
from voxtrode.meshing.stuffing.graded import graded_lattice
from voxtrode.meshing.stuffing.stuff import Sampled, Stuffed, sampled, stuff

Floats = NDArray[np.float64]
Distance = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Body:
    """A body about the origin in a box, lengths in units of its radius.

    Attributes:
        distance: Distance from its surface, positive inside, of points float[3, ...] (z, y, x).
        size: Edge lengths of the box along (z, y, x).
        volume, area: Exact.
    """

    distance: Distance
    size: tuple[float, float, float]
    volume: float
    area: float


def _ball(place: Floats) -> Floats:
    radius: Floats = 1.0 - np.linalg.norm(place, axis=0)
    return radius


_APART = 1.2
"""Distance of the centres of two balls."""


def _two_balls(place: Floats) -> Floats:
    step = np.array([0.0, 0.0, 0.5 * _APART]).reshape(3, *[1] * (place.ndim - 1))
    both: Floats = np.maximum(_ball(place - step), _ball(place + step))
    return both


_MINOR = 0.4
"""Radius of the tube of a torus."""


def _torus(place: Floats) -> Floats:
    ring = np.hypot(place[1], place[2]) - 1.0
    tube: Floats = _MINOR - np.hypot(ring, place[0])
    return tube


_CAP = 1.0 - _APART / 2.0
BODIES = {
    "ball": Body(_ball, (2.6, 2.6, 2.6), 4.0 / 3.0 * np.pi, 4.0 * np.pi),
    "two overlapping balls": Body(
        _two_balls,
        (2.6, 2.6, 3.8),
        2.0 * (4.0 / 3.0 * np.pi - np.pi * _CAP**2 * (3.0 - _CAP) / 3.0),
        2.0 * (4.0 * np.pi - 2.0 * np.pi * _CAP),
    ),
    "torus": Body(_torus, (1.4, 3.4, 3.4), 2.0 * np.pi**2 * _MINOR**2, 4.0 * np.pi**2 * _MINOR),
}


def places(body: Body, n: int, random: np.random.Generator, turn: bool = True) -> Floats:
    """Voxel centres, n a radius, in the frame of a body moved by up to a voxel and turned.

    Bodies are turned about the axis along which their box is not square alone, so that they stay
    inside.

    Args:
        body: The body.
        n: Voxels a radius.
        random: Draws the offset and the turn.
        turn: Whether the body is turned.
    """
    counts = [round(edge * n) + 2 for edge in body.size]
    axes = [(np.arange(count) + 0.5 - 0.5 * count) / n for count in counts]
    place: Floats = np.stack(np.meshgrid(*axes, indexing="ij"))
    place -= (random.uniform(-0.5, 0.5, 3) / n)[:, None, None, None]
    if turn and body.size[0] == body.size[1] == body.size[2]:
        axes_of, _ = np.linalg.qr(random.normal(size=(3, 3)))
        place = np.einsum("ij,jzyx->izyx", axes_of, place)
    return place


def start_from(fields: NDArray[np.float32], h: float) -> Sampled:
    """Uniform lattice of spacing about h in a box of unit voxels, without a separator."""
    shape = fields.shape[1:]
    box = plan_box((float(shape[0]), float(shape[1]), float(shape[2])), h, 0.0, 0)
    lattice = graded_lattice(box.shape, (0, box.shape[0]), np.ones(box.shape, bool), 0)
    return sampled(box, lattice, PhaseFields(fields, 0, shape[0], (1.0, 1.0, 1.0)))


def mesh_level_set(inside: Floats, h: float) -> Stuffed:
    """Stuff the level set of a body [voxels] at spacing h [voxels]; nothing is calibrated."""
    fields = np.stack([-inside, inside]).astype(np.float32)
    return stuff(start_from(fields, h), np.zeros(2))


def mesh_labels(labels: NDArray[np.uint8], h: float, settings: Calibration) -> Calibrated:
    """Stuff an image at spacing h [voxels], volumes calibrated; nothing is mended."""
    phases = int(labels.max()) + 1
    start = start_from(phase_fields(labels, phases), h)
    count = np.bincount(labels.ravel(), minlength=phases).astype(np.float64)
    own = np.ones(len(start.lattice.tets), dtype=bool)
    # Any estimate of areas will do: it steers the first step of the calibration alone.
    swept = np.full((phases, phases), float(labels.size) ** (2.0 / 3.0))
    np.fill_diagonal(swept, 0.0)
    guess = first_guess(count, swept, settings)
    return calibrated(start, own, count, guess, settings, settings.tolerance, _alone)


def _alone(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum over one rank."""
    return counts


def measured(mesh: Stuffed, phase: int = 1) -> tuple[float, float]:
    """Volume of a phase and area of its surface inside the box [voxels]."""
    x = np.ascontiguousarray(mesh.x[:, ::-1])
    volumes = shape_measures(x[mesh.cells])[1]
    facets, sides = shared_facets(mesh.cells)
    between = (mesh.phase[sides] == phase).sum(axis=1) == 1
    return float(volumes[mesh.phase == phase].sum()), float(areas(x, facets[between]).sum())


def shared_facets(
    cells: NDArray[np.signedinteger],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Facets with two cells, int[n, 3], and those cells, int[n, 2]."""
    corners = np.sort(cells.astype(np.int64), axis=1)
    facets = np.concatenate([np.delete(corners, k, axis=1) for k in range(4)])
    order = np.lexsort(facets.T)
    facets = facets[order]
    same = np.flatnonzero(np.all(facets[1:] == facets[:-1], axis=1))
    return facets[same], np.stack([order[same], order[same + 1]], axis=1) % len(cells)


def areas(x: Floats, facets: NDArray[np.int64]) -> Floats:
    """Areas of triangles."""
    p, q, r = (x[facets[:, k]] for k in range(3))
    found: Floats = 0.5 * np.linalg.norm(np.cross(q - p, r - p), axis=1)
    return found


def level_set_errors(name: str, n: int, h: float, seed: int) -> tuple[float, float]:
    """Relative errors of volume and area of one body from its level set."""
    body = BODIES[name]
    place = places(body, n, np.random.default_rng(seed))
    volume, area = measured(mesh_level_set(n * body.distance(place), h))
    return volume / (body.volume * n**3) - 1.0, area / (body.area * n**2) - 1.0


def touching_errors(n: int, h: float, seed: int) -> tuple[float, float, float]:
    """Relative errors of two overlapping balls that are a phase each: volume, area, contact.

    The groove between them is then where three phases meet, and the mesh may follow it.
    """
    body = BODIES["two overlapping balls"]
    place = places(body, n, np.random.default_rng(seed))
    step = np.array([0.0, 0.0, 0.5 * _APART]).reshape(3, 1, 1, 1)
    one, other = n * _ball(place - step), n * _ball(place + step)
    fields = np.stack([np.zeros_like(one), one, other]).astype(np.float32)
    mesh = stuff(start_from(fields, h), np.zeros(3))
    x = np.ascontiguousarray(mesh.x[:, ::-1])
    volumes = shape_measures(x[mesh.cells])[1]
    facets, sides = shared_facets(mesh.cells)
    pairs = np.sort(mesh.phase[sides], axis=1)
    area = areas(x, facets)
    outer = area[(pairs[:, 0] == 0) & (pairs[:, 1] > 0)].sum()
    contact = area[(pairs[:, 0] == 1) & (pairs[:, 1] == 2)].sum()
    lens = np.pi * (1.0 - 0.25 * _APART**2)
    return (
        float(volumes[mesh.phase > 0].sum() / (body.volume * n**3) - 1.0),
        float(outer / (body.area * n**2) - 1.0),
        float(contact / (lens * n**2) - 1.0),
    )


def image_errors(name: str, n: int, h: float, seed: int) -> tuple[float, float]:
    """Relative errors of volume and area of one body from its voxels."""
    body = BODIES[name]
    place = places(body, n, np.random.default_rng(seed))
    labels = (body.distance(place) > 0.0).astype(np.uint8)
    volume, area = measured(mesh_labels(labels, h, Calibration()).mesh)
    return volume / (body.volume * n**3) - 1.0, area / (body.area * n**2) - 1.0


def order(resolutions: tuple[int, ...], errors: Floats) -> float:
    """Observed order of convergence: slope of log error over log spacing."""
    return float(-np.polyfit(np.log(resolutions), np.log(np.maximum(errors, 1e-12)), 1)[0])
