"""Bodies drawn into voxels; where several cover one, it belongs to the one deepest inside."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.bed import Bed
from voxtrode.data.generation.shape import Ball, Bodies

Floats = NDArray[np.float64]
Particles = NDArray[np.int32]
Indices = NDArray[np.int64]
Powers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """Pieces of bodies in a window, ready to be drawn at any size; all lengths in voxels.

    A point at gauge g of a body of diameter d is at q = g d / 2, the distance from the centre if
    the body is a ball. A body drawn with radius R covers q < R. A voxel in several belongs to the
    least q² - R²: balls are cut in the plane through the circle in which they meet.

    Attributes:
        shape: Voxels of the window along (z, y, x).
        body: Of each piece, rising, int[m].
        centres: Of the image of the body that each piece is cut from, float[m, 3].
        radii: Half the diameters, float[m].
        share: Of each body's voxels that lie between the sides of the window, float[m].
        round: Pieces of balls, bool[m].
        first: Where the field of each piece begins in `voxels`, `squared`; empty for balls,
            int[m + 1].
        voxels: Flat indices in the window, int64[k].
        squared: q² there, float32[k].
    """

    shape: tuple[int, int, int]
    body: NDArray[np.intp]
    centres: Floats
    radii: Floats
    share: Floats
    round: NDArray[np.bool_]
    first: Indices
    voxels: Indices
    squared: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.body)

    def draw(self, levels: Floats) -> Particles:
        """Piece of each voxel.

        Args:
            levels: Factor on each piece's radius; 0 leaves it out, float[m].

        Returns:
            1 + index of the piece, 0 outside all, int32[z, y, x].
        """
        owner = np.zeros(self.shape, dtype=np.int32)
        power = np.zeros(self.shape, dtype=np.float32)
        radii = levels * self.radii
        _draw_balls(self.centres, np.where(self.round, radii, 0.0), owner, power)
        _draw_fields(self.first, self.voxels, self.squared, radii, owner.ravel(), power.ravel())
        return owner

    def voxels_of(self, owner: Particles) -> Indices:
        """Voxels of each piece, int[m]."""
        counted: Indices = _count(owner.ravel(), len(self))
        return counted

    def around(self, piece: int) -> tuple[Indices, NDArray[np.float32]]:
        """Voxels in and near a piece, as flat indices, and q² there."""
        if not self.round[piece]:
            part = slice(self.first[piece], self.first[piece + 1])
            return self.voxels[part], self.squared[part]
        centre, reach = self.centres[piece], 1.2 * self.radii[piece] + 1.0
        low = np.clip(np.ceil(centre - reach - 0.5), 0, self.shape).astype(np.int64)
        high = np.clip(np.floor(centre + reach - 0.5) + 1, 0, self.shape).astype(np.int64)
        index = _grid(low, high)
        squared = ((index + 0.5 - centre) ** 2).sum(axis=1)
        flat = np.ravel_multi_index(tuple(index.T), self.shape).astype(np.int64)
        return flat, squared.astype(np.float32)

    def touches(self, flat: Particles, voxels: Indices, value: int) -> NDArray[np.bool_]:
        """Voxels with a face neighbour of a value.

        Args:
            flat: Values of the window's voxels, int32[z * y * x].
            voxels: Flat indices, int[k].
            value: Looked for.
        """
        place = np.stack(np.unravel_index(voxels, self.shape), axis=1)
        found = np.zeros(len(voxels), dtype=bool)
        for axis in range(3):
            stride = int(np.prod(self.shape[axis + 1 :]))
            up = place[:, axis] + 1 < self.shape[axis]
            down = place[:, axis] > 0
            found[up] |= flat[voxels[up] + stride] == value
            found[down] |= flat[voxels[down] - stride] == value
        return found

    def nominal(self) -> Floats:
        """Volume of each piece if it were alone and no wall cut it at top and bottom, float[m].

        That of the whole body by its diameter, times the share of its voxels between the sides.
        """
        volume: Floats = np.pi / 6.0 * (2.0 * self.radii) ** 3 * self.share
        return volume


def scene(
    bed: Bed,
    shape: tuple[int, int, int],
    growth: float,
    pieces: tuple[NDArray[np.intp], Floats] | None = None,
) -> Scene:
    """The pieces of a bed's bodies in the window from the corner of its box.

    Args:
        bed: The bodies; its box is as high as the window and at least as wide.
        shape: Voxels of the window along (z, y, x).
        growth: Largest factor on the radii that the scene will be drawn with.
        pieces: Bodies and centres of the pieces, where they are known already.
    """
    bodies = bed.bodies
    bounds = bodies.diameters * np.array([s.reach for s in bodies.shapes])[bodies.shape]
    body, centres = _images(bed, shape, bounds) if pieces is None else pieces
    reach = bounds[body][:, None]
    inner = (centres[:, 1:] >= reach) & (centres[:, 1:] <= np.asarray(shape[1:]) - reach)
    ball = np.array([s == Ball() for s in bodies.shapes])[bodies.shape][body]
    cut = ~inner.all(axis=1)
    share = np.ones(len(body))
    for piece in np.flatnonzero(cut & ball):
        radius = 0.5 * bodies.diameters[body[piece]]
        share[piece] = _share_of_ball(centres[piece], radius, np.array(shape))
    first = np.zeros(len(body) + 1, dtype=np.int64)
    voxels: list[Indices] = []
    squared: list[NDArray[np.float32]] = []
    for piece in np.flatnonzero(~ball):
        field = _field(
            bodies, int(body[piece]), centres[piece], float(bounds[body[piece]]), growth, shape
        )
        voxels.append(field.voxels)
        squared.append(field.squared)
        first[piece + 1] = len(field.voxels)
        if cut[piece]:
            share[piece] = field.share
    return Scene(
        shape,
        body,
        centres,
        0.5 * bodies.diameters[body],
        share,
        ball,
        np.cumsum(first),
        np.concatenate([np.zeros(0, dtype=np.int64), *voxels]),
        np.concatenate([np.zeros(0, dtype=np.float32), *squared]),
    )


def _images(
    bed: Bed, shape: tuple[int, int, int], reach: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """The images of bodies whose bounding balls meet the window, by body."""
    found: list[NDArray[np.intp]] = []
    places: list[Floats] = []
    sides = np.asarray(shape, dtype=np.float64)
    for y in (-1.0, 0.0, 1.0):
        for x in (-1.0, 0.0, 1.0):
            centres = bed.bodies.centres + np.array([0.0, y, x]) * bed.box
            outside = np.maximum(np.maximum(-centres, centres - sides), 0.0)[:, 1:]
            inside = np.flatnonzero((outside**2).sum(axis=1) < reach**2)
            found.append(inside)
            places.append(centres[inside])
    body = np.concatenate(found)
    order = np.argsort(body, kind="stable")
    return body[order], np.concatenate(places)[order]


class _Field(NamedTuple):
    voxels: Indices
    squared: NDArray[np.float32]
    share: float


def _field(
    bodies: Bodies,
    body: int,
    centre: Floats,
    reach: float,
    growth: float,
    shape: tuple[int, int, int],
) -> _Field:
    """Voxels of the window in a body grown by a factor, q² there, and its share between the sides.

    The share is that of its voxels at any height, the window's or not.
    """
    free = np.array([np.iinfo(np.int32).max, shape[1], shape[2]])
    low = np.clip(np.ceil(centre - growth * reach - 0.5), [-free[0], 0, 0], free).astype(np.int64)
    high = np.clip(np.floor(centre + growth * reach - 0.5) + 1, low, free).astype(np.int64)
    index = _grid(low, high)
    away = index + 0.5 - centre
    near = (away**2).sum(axis=1) < (growth * reach) ** 2
    index, away = index[near], away[near]
    diameter = bodies.diameters[body]
    gauge = bodies.shapes[bodies.shape[body]].gauge(away @ bodies.rotations[body] / diameter)
    share = np.count_nonzero(gauge < 1.0) / (np.pi / 6.0 * diameter**3)
    inside = (gauge < growth) & (index[:, 0] >= 0) & (index[:, 0] < shape[0])
    flat = np.ravel_multi_index(tuple(index[inside].T), shape).astype(np.int64)
    squared = (0.5 * diameter * gauge[inside]) ** 2
    # Below 1 also where a coarse body counts more voxels than it has volume: it is no whole one.
    return _Field(flat, squared.astype(np.float32), min(float(share), 1.0 - 1e-9))


def _grid(low: Indices, high: Indices) -> Indices:
    axes = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


@njit(cache=True)
def _draw_balls(centres: Floats, radii: Floats, owner: Particles, power: Powers) -> None:
    for p in range(len(radii)):
        radius = radii[p]
        if radius <= 0.0:
            continue
        z0 = max(int(np.ceil(centres[p, 0] - radius - 0.5)), 0)
        z1 = min(int(np.floor(centres[p, 0] + radius - 0.5)) + 1, owner.shape[0])
        y0 = max(int(np.ceil(centres[p, 1] - radius - 0.5)), 0)
        y1 = min(int(np.floor(centres[p, 1] + radius - 0.5)) + 1, owner.shape[1])
        x0 = max(int(np.ceil(centres[p, 2] - radius - 0.5)), 0)
        x1 = min(int(np.floor(centres[p, 2] + radius - 0.5)) + 1, owner.shape[2])
        for z in range(z0, z1):
            dz = z + 0.5 - centres[p, 0]
            for y in range(y0, y1):
                dy = y + 0.5 - centres[p, 1]
                base = dz * dz + dy * dy - radius * radius
                if base >= 0.0:
                    continue
                for x in range(x0, x1):
                    dx = x + 0.5 - centres[p, 2]
                    value = np.float32(base + dx * dx)
                    if value < power[z, y, x]:
                        power[z, y, x] = value
                        owner[z, y, x] = p + 1


@njit(cache=True)
def _draw_fields(
    first: Indices,
    voxels: Indices,
    squared: Powers,
    radii: Floats,
    owner: Particles,
    power: Powers,
) -> None:
    for p in range(len(radii)):
        square = np.float32(radii[p] * radii[p])
        for k in range(first[p], first[p + 1]):
            value = squared[k] - square
            if value < power[voxels[k]]:
                power[voxels[k]] = value
                owner[voxels[k]] = p + 1


@njit(cache=True)
def _count(owner: Particles, pieces: int) -> Indices:
    count = np.zeros(pieces, np.int64)
    for k in range(len(owner)):
        if owner[k] > 0:
            count[owner[k] - 1] += 1
    return count


@njit(cache=True)
def _share_of_ball(centre: Floats, radius: float, shape: Indices) -> float:
    inside = 0
    total = 0
    low = np.ceil(centre - radius - 0.5)
    for z in range(int(low[0]), int(centre[0] + radius) + 1):
        dz = z + 0.5 - centre[0]
        for y in range(int(low[1]), int(centre[1] + radius) + 1):
            dy = y + 0.5 - centre[1]
            for x in range(int(low[2]), int(centre[2] + radius) + 1):
                dx = x + 0.5 - centre[2]
                if dz * dz + dy * dy + dx * dx < radius * radius:
                    total += 1
                    if 0 <= y < shape[1] and 0 <= x < shape[2]:
                        inside += 1
    return inside / max(total, 1)


@njit(cache=True)
def neighbour_pairs(owner: Particles) -> Indices:
    """Pairs of pieces for each voxel face between them: smaller piece * 2³² + larger one."""
    nz, ny, nx = owner.shape
    codes = np.empty(1024, np.int64)
    found = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                a = owner[z, y, x]
                if a == 0:
                    continue
                for axis in range(3):
                    if axis == 0:
                        b = owner[z + 1, y, x] if z + 1 < nz else a
                    elif axis == 1:
                        b = owner[z, y + 1, x] if y + 1 < ny else a
                    else:
                        b = owner[z, y, x + 1] if x + 1 < nx else a
                    if b * (b - a) == 0:  # outside, or the same piece
                        continue
                    if found == len(codes):
                        codes = np.concatenate((codes, np.empty_like(codes)))
                    codes[found] = (np.int64(min(a, b)) << 32) + max(a, b)
                    found += 1
    return codes[:found].copy()


def contacts(owner: Particles) -> tuple[Indices, Indices]:
    """Pieces that share voxel faces.

    Returns:
        Pairs of indices of pieces (from 0), smaller first, int[k, 2], and their faces, int[k].
    """
    codes, faces = np.unique(neighbour_pairs(owner), return_counts=True)
    pairs = np.stack([codes >> 32, codes & 0xFFFFFFFF], axis=1) - 1
    return pairs.astype(np.int64), faces.astype(np.int64)
