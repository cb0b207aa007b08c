"""The particle that a cell belongs to: that of the nearest voxel of its phase."""

import numpy as np
import numpy.typing as npt
from numba import njit

RADIUS = 6
"""How far a voxel is looked for [voxels]; surfaces move by less than one."""


def nearest_particles(
    middles: npt.NDArray[np.float64],
    phase: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    particles: npt.NDArray[np.int32],
    first: int,
    voxel: tuple[float, float, float],
) -> npt.NDArray[np.int32]:
    """Particle ids of cells.

    Args:
        middles: Centres of the cells [µm], order (z, y, x), shape ``(cells, 3)``.
        phase: Phase of each cell.
        labels, particles: Of the voxel layers held [z, y, x].
        first: Layer of the image that these begin with.
        voxel: Edge lengths of a voxel [µm] along z, y, x.

    Returns:
        Id of the nearest voxel of the cell's phase that is in a particle; 0 where there is none
        within ``RADIUS``.
    """
    steps = np.array(
        [
            (k, j, i)
            for k in range(-RADIUS, RADIUS + 1)
            for j in range(-RADIUS, RADIUS + 1)
            for i in range(-RADIUS, RADIUS + 1)
            if k * k + j * j + i * i <= RADIUS * RADIUS
        ]
    )
    far = np.sum((steps * np.array(voxel)) ** 2, axis=1)
    steps = steps[np.argsort(far, kind="stable")]
    out = np.zeros(len(middles), dtype=np.int32)
    _search(middles, phase, labels, particles, first, np.array(voxel), steps, out)
    return out


@njit(cache=True)
def _search(
    middles: npt.NDArray[np.float64],
    phase: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    particles: npt.NDArray[np.int32],
    first: int,
    voxel: npt.NDArray[np.float64],
    steps: npt.NDArray[np.int64],
    out: npt.NDArray[np.int32],
) -> None:
    nz, ny, nx = labels.shape
    for t in range(len(middles)):
        k0 = min(max(int(middles[t, 0] / voxel[0]) - first, 0), nz - 1)
        j0 = min(max(int(middles[t, 1] / voxel[1]), 0), ny - 1)
        i0 = min(max(int(middles[t, 2] / voxel[2]), 0), nx - 1)
        for s in range(len(steps)):
            k, j, i = k0 + steps[s, 0], j0 + steps[s, 1], i0 + steps[s, 2]
            if k < 0 or j < 0 or i < 0 or k >= nz or j >= ny or i >= nx:
                continue
            if particles[k, j, i] > 0 and labels[k, j, i] == phase[t]:
                out[t] = particles[k, j, i]
                break
