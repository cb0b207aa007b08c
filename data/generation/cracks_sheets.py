"""Sheets that cut into a particle: where a crack runs before it is kept from cutting it in two."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.generation.shape import Floats

Mask = NDArray[np.bool_]
Triple = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Frame:
    """Where a sheet starts and how it lies; vectors are (z, y, x).

    Attributes:
        origin: On the surface for a crack from there, else in the middle [m].
        along: Unit vector of the way in.
        across: Unit vector in the sheet, perpendicular to `along`.
        normal: Unit vector perpendicular to both.
        length: Half axes of the elliptic sheet along `along` and `across` [m].
        width: Its thickness [m].
        waviness: Rms of its displacement along `normal` over the half axis along `along`.
    """

    origin: Floats
    along: Floats
    across: Floats
    normal: Floats
    length: tuple[float, float]
    width: float
    waviness: float

    @property
    def half_extent(self) -> float:
        """Half edge of a cube about the origin that holds the sheet [m]."""
        return max(self.length) * (1.0 + 3.0 * self.waviness) + self.width


Sheet = Callable[[Frame, tuple[slice, ...], Mask, Triple, np.random.Generator], Mask]
"""Voxels of a sheet in a window: from the frame, the window, the particle in it, and voxel edges.
"""


def wavy_plane(
    frame: Frame,
    window: tuple[slice, ...],
    inside: Mask,
    voxel: Triple,
    random: np.random.Generator,
) -> Mask:
    """A plane, displaced by three random waves; at least as thick as faces need to connect.

    A digital plane with normal n is connected by faces from the thickness Σ|n_i| h_i on (Andres,
    Acharya & Sibata, Graph. Models Image Process. 59, 302, 1997).
    """
    into, beside, off = _coordinates(frame, window, voxel)
    slope = np.zeros(inside.shape)
    for _ in range(3):
        numbers = np.pi * random.uniform(0.5, 2.0, 2) * random.choice(np.array([-1.0, 1.0]), 2)
        phase = random.uniform(0.0, 2.0 * np.pi)
        slope += np.cos(numbers[0] * into + numbers[1] * beside + phase)
    off = off + frame.waviness * frame.length[0] * slope / np.sqrt(1.5)
    extent = [size > 1 for size in inside.shape]
    least = float(np.abs(frame.normal * np.asarray(voxel))[extent].sum())
    sheet: Mask = inside & (np.abs(off) < 0.5 * max(frame.width, least))
    return sheet & (into**2 + beside**2 < 1.0)


def grain_boundaries(grains: NDArray[np.int32]) -> Sheet:
    """Sheets between the grains on one side of a plane and those on its other side.

    Such a sheet follows grain boundaries and cuts no grain off. A grain is on the side on which
    most of it lies, as far as it is in the window; the sheet is taken from one side, `width` deep.

    Args:
        grains: Grain of each voxel of the array in which windows are given; 0 where there is none.
    """

    def between(
        frame: Frame,
        window: tuple[slice, ...],
        inside: Mask,
        voxel: Triple,
        random: np.random.Generator,
    ) -> Mask:
        into, beside, off = _coordinates(frame, window, voxel)
        own = grains[window]
        balance = np.bincount(own.ravel(), np.sign(off).ravel())
        upper = (balance > 0.0)[own] & inside
        lower = (balance <= 0.0)[own] & inside
        if not (upper.any() and lower.any()):
            return np.zeros(inside.shape, dtype=bool)
        # Neighbours over an edge count as near: the sheet is then connected by faces.
        edges = sorted(h for h, size in zip(voxel, inside.shape, strict=True) if size > 1)[-2:]
        near = max(frame.width, float(np.sqrt(np.square(edges).sum()))) * (1.0 + 1e-9)
        distance = ndimage.distance_transform_edt(~lower, sampling=voxel)
        apart = off / max(frame.length)
        return upper & (distance <= near) & (into**2 + beside**2 + apart**2 < 1.0)

    return between


def _coordinates(
    frame: Frame, window: tuple[slice, ...], voxel: Triple
) -> tuple[Floats, Floats, Floats]:
    """Along and across the sheet over its half axes, and off its plane [m]."""
    axes = [
        (np.arange(part.start, part.stop) + 0.5) * edge - start
        for part, edge, start in zip(window, voxel, frame.origin, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)

    def component(vector: Floats) -> Floats:
        value: Floats = z * vector[0] + y * vector[1] + x * vector[2]
        return value

    into, beside = component(frame.along) / frame.length[0], component(frame.across)
    return into, beside / frame.length[1], component(frame.normal)
