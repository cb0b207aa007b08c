"""Numbers of a volume: fractions, percolation, isolated shares, and one row per particle."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.connectivity import (
    Flags,
    Roles,
    isolated_fractions,
    neighbours,
    percolating_shares,
)
from voxtrode.data.interfaces import Triple
from voxtrode.data.volume import Labels, Particles, Volume

COLUMNS = (
    "id",
    "phase",
    "volume_m3",
    "diameter_m",
    "z_m",
    "y_m",
    "x_m",
    "touches_box",
    "dead",
    "wetted_voxel_faces_m2",
)
"""Of particles.csv; (z, y, x) is the centroid, z its depth from the collector."""


@dataclass(frozen=True, eq=False)
class ParticleTable:
    """The particles of a volume, one entry each.

    Attributes:
        id: Particle id as in the volume, int[n].
        phase: Label of the phase, int[n].
        volume: Volume [m³], float[n].
        diameter: Of the ball of equal volume [m], float[n].
        centroid: Of its voxels (z, y, x) from the box's corner at the collector [m], float[n, 3].
        touches_box: Whether it has a voxel at one of the six sides of the box, bool[n].
        dead: Whether it has no electronic path or no wetted neighbour, bool[n].
        wetted_faces: Area of its voxel faces to living ion conductors [m²], float[n]; a
            staircase, half as large again as the smooth surface.
    """

    id: NDArray[np.int32]
    phase: NDArray[np.int64]
    volume: NDArray[np.float64]
    diameter: NDArray[np.float64]
    centroid: NDArray[np.float64]
    touches_box: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    wetted_faces: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)


def phase_numbers(volume: Volume, roles: Roles, flags: Flags) -> dict[str, dict[str, Any]]:
    """Fraction, percolation and isolated share of each phase by name.

    Args:
        volume: The volume.
        roles: What each label can do.
        flags: What is connected.

    Returns:
        Per phase: `label`; `fraction`; `percolates` with z, y, x (a component of this phase alone
        spans the box) and `percolating_fraction` (its share in such components);
        `isolated_fraction` (share of its voxels dead in at least one of its roles) and
        `isolated_by_role`.
    """
    numbers = {}
    for value, name in enumerate(volume.phases):
        mask = volume.labels == value
        shares = percolating_shares(mask)
        isolated, by_role = isolated_fractions(volume.labels, roles, flags, value)
        numbers[name] = {
            "label": value,
            "fraction": int(np.count_nonzero(mask)) / mask.size,
            "percolates": {axis: share > 0.0 for axis, share in shares.items()},
            "percolating_fraction": shares,
            "isolated_fraction": isolated,
            "isolated_by_role": by_role,
        }
    return numbers


def particle_table(volume: Volume, flags: Flags) -> ParticleTable:
    """Size, place and state of every particle of a volume.

    Args:
        volume: The volume with particle ids.
        flags: What is connected.
    """
    particles = volume.particles
    counts = np.bincount(particles.ravel())
    ids = np.flatnonzero(counts)
    ids = ids[ids > 0]
    size = len(counts)
    voxels = counts[ids]
    volumes = voxels.astype(np.float64) * float(np.prod(volume.voxel))
    centroid = _coordinate_sums(particles, size)[ids] / voxels[:, None] * np.array(volume.voxel)
    phase = np.zeros(size, dtype=np.int64)
    phase[particles] = volume.labels
    alive = np.bincount(particles[flags.active], minlength=size)[ids]
    return ParticleTable(
        id=ids.astype(np.int32),
        phase=phase[ids],
        volume=volumes,
        diameter=np.cbrt(6.0 / np.pi * volumes),
        centroid=centroid,
        touches_box=_touches_box(particles, size)[ids],
        dead=alive == 0,
        wetted_faces=_wetted_faces(particles, volume.labels, flags.ionic, volume.voxel, size)[ids],
    )


def write_particles(table: ParticleTable, phases: Sequence[str], path: Path) -> None:
    """Write one line per particle; lengths in metres, z the depth from the collector.

    Args:
        table: The particles.
        phases: Name of each label.
        path: The CSV file.
    """
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(
            zip(
                table.id.tolist(),
                [phases[value] for value in table.phase],
                table.volume.tolist(),
                table.diameter.tolist(),
                *table.centroid.T.tolist(),
                table.touches_box.tolist(),
                table.dead.tolist(),
                table.wetted_faces.tolist(),
                strict=True,
            )
        )


def particle_numbers(table: ParticleTable) -> dict[str, Any]:
    """Count, dead share and sizes of particles; those that touch the box are left out of sizes."""
    whole = table.diameter[~table.touches_box]
    total = float(table.volume.sum())
    return {
        "count": len(table),
        "touching_box": int(table.touches_box.sum()),
        "dead": int(table.dead.sum()),
        "dead_volume_share": float(table.volume[table.dead].sum()) / total if total else 0.0,
        "mean_diameter_m": float(whole.mean()) if len(whole) else None,
        "std_diameter_m": float(whole.std()) if len(whole) else None,
    }


def _coordinate_sums(particles: Particles, size: int) -> NDArray[np.float64]:
    """Sum of the voxels' centres in voxel units per particle, float[size, 3]; layer by layer."""
    sums = np.zeros((size, 3))
    row, column = np.indices(particles.shape[1:])
    for layer, ids in enumerate(particles):
        flat = ids.ravel()
        sums[:, 0] += np.bincount(flat, minlength=size) * (layer + 0.5)
        sums[:, 1] += np.bincount(flat, weights=row.ravel() + 0.5, minlength=size)
        sums[:, 2] += np.bincount(flat, weights=column.ravel() + 0.5, minlength=size)
    return sums


def _touches_box(particles: Particles, size: int) -> NDArray[np.bool_]:
    touches = np.zeros(size, dtype=bool)
    for axis in range(3):
        for end in (0, -1):
            touches[np.take(particles, end, axis=axis)] = True
    return touches


def _wetted_faces(
    particles: Particles, labels: Labels, ionic: NDArray[np.bool_], voxel: Triple, size: int
) -> NDArray[np.float64]:
    areas = np.zeros(size)
    for (here, there), edge in zip(neighbours(), voxel, strict=True):
        face = float(np.prod(voxel)) / edge
        for own, other in ((here, there), (there, here)):
            wet = ionic[other] & (labels[own] != labels[other])
            areas += face * np.bincount(particles[own][wet], minlength=size)
    return areas
