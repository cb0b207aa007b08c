"""One row per particle: size, shape, place, surface, contacts and state."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from voxtrode.data.connectivity import Flags
from voxtrode.data.particle_moments import particle_moments
from voxtrode.data.particle_surfaces import particle_surfaces
from voxtrode.data.volume import Volume

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
    "wetted_area_m2",
    "surface_area_m2",
    "contact_area_m2",
    "coordination",
    "sphericity",
    "axis_a_m",
    "axis_b_m",
    "axis_c_m",
    "a_z",
    "a_y",
    "a_x",
)
"""Of particles.csv; (z, y, x) is the centroid, z its depth from the collector. `made_diameter_m`
follows where the diameter that each particle was made with is known."""

_UNIT_BALL = {1: 1.0, 2: np.pi / 4.0, 3: np.pi / 6.0}  # content at the diameter 1, by dimensions


@dataclass(frozen=True, eq=False)
class ParticleTable:
    """The particles of a volume, one entry each.

    Attributes:
        id: Particle id as in the volume, int[n].
        phase: Label of the phase, int[n].
        volume: Volume [m³], float[n].
        diameter: Of the ball of equal volume [m], float[n]; in a section one voxel thick of the
            circle of equal area.
        centroid: Of its voxels (z, y, x) from the box's corner at the collector [m], float[n, 3].
        touches_box: Whether it has a voxel at one of the six sides of the box, bool[n]. All that is
            said of its size and shape is then said of the piece inside.
        dead: Whether it has no electronic path or no wetted neighbour, bool[n].
        wetted_faces: Area of its voxel faces to living ion conductors [m²], float[n]; a
            staircase, half as large again as the smooth surface.
        wetted_area: The same surface, smooth [m²], float[n].
        surface_area: Smooth surface inside the box, contacts included, cuts by its sides not [m²],
            float[n].
        contact_area: Area shared with other particles [m²], float[n]; far too large for necks of a
            few voxels (see `particle_surfaces`).
        coordination: Number of other particles, of any phase, that share a face, int[n].
        sphericity: Surface of the ball of equal volume over that of the particle, cuts by the sides
            of the box included, float[n]; in a section one voxel thick the circumference of the
            circle of equal area over the perimeter.
        axes: Full lengths a >= b >= c of the ellipsoid of equal second moments [m], float[n, 3].
        direction: Unit vector (z, y, x) along a, its largest component positive, float[n, 3].
        extent: Edge lengths of its bounding box along (z, y, x) [voxels], int[n, 3].
        touches: Whether it has a voxel at either side of the box across (z, y, x), bool[n, 3].
        box: Number of voxels of the box along (z, y, x).
        made_diameter: Diameter that it was made with [m], float[n], or None where that is unknown.
    """

    id: NDArray[np.int32]
    phase: NDArray[np.int64]
    volume: NDArray[np.float64]
    diameter: NDArray[np.float64]
    centroid: NDArray[np.float64]
    touches_box: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    wetted_faces: NDArray[np.float64]
    wetted_area: NDArray[np.float64]
    surface_area: NDArray[np.float64]
    contact_area: NDArray[np.float64]
    coordination: NDArray[np.int64]
    sphericity: NDArray[np.float64]
    axes: NDArray[np.float64]
    direction: NDArray[np.float64]
    extent: NDArray[np.int64]
    touches: NDArray[np.bool_]
    box: tuple[int, int, int]
    made_diameter: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.id)


def particle_table(
    volume: Volume, flags: Flags, made_diameters: NDArray[np.float64] | None = None
) -> ParticleTable:
    """Size, shape, place, surface and state of every particle of a volume.

    Args:
        volume: The volume with particle ids; there may be none, and ids may have gaps.
        flags: What is connected.
        made_diameters: Diameter that the particles 1..n were made with [m], float[n].

    Raises:
        ValueError: There are particles without a made diameter.
    """
    particles = volume.particles
    moments = particle_moments(particles, volume.voxel)
    surfaces = particle_surfaces(particles, volume.labels, flags.ionic, volume.voxel)
    count = len(moments.voxels)
    if made_diameters is not None and len(made_diameters) < count:
        raise ValueError(f"{len(made_diameters)} made diameters for particle ids up to {count}")
    rows = np.flatnonzero(moments.voxels)
    phase = np.zeros(count + 1, dtype=np.int64)
    phase[particles] = volume.labels
    alive = np.zeros(count + 1, dtype=bool)
    alive[particles[flags.active]] = True
    volumes = moments.voxels[rows].astype(np.float64) * float(np.prod(volume.voxel))
    diameter, sphericity = _as_ball(volumes, surfaces.area[rows] + surfaces.cut[rows], volume)
    return ParticleTable(
        id=(rows + 1).astype(np.int32),
        phase=phase[rows + 1],
        volume=volumes,
        diameter=diameter,
        centroid=moments.centroid[rows],
        touches_box=surfaces.cut[rows] > 0.0,
        dead=~alive[rows + 1],
        wetted_faces=surfaces.wetted_faces[rows],
        wetted_area=surfaces.wetted[rows],
        surface_area=surfaces.area[rows],
        contact_area=surfaces.contact_area()[rows],
        coordination=surfaces.coordination()[rows],
        sphericity=sphericity,
        axes=moments.axes[rows],
        direction=moments.direction[rows],
        extent=moments.extent[rows],
        touches=moments.touches[rows],
        box=volume.header.shape,
        made_diameter=None if made_diameters is None else made_diameters[rows],
    )


def _as_ball(
    volumes: NDArray[np.float64], closed: NDArray[np.float64], volume: Volume
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Diameter [m] of the ball of equal content, and its surface over the particle's.

    Axes of one voxel are left out: there the box is a section, its two sides no surface. The ball
    is a circle in a plane and a length on a line; a single voxel counts as a body.
    """
    flat = np.array(volume.labels.shape) == 1
    flat &= not flat.all()
    thickness = np.array(volume.voxel)[flat]
    dimensions = 3 - len(thickness)
    content = volumes / thickness.prod()
    surface = (closed - 2.0 * (volumes[:, None] / thickness).sum(axis=1)) / thickness.prod()
    diameter = (content / _UNIT_BALL[dimensions]) ** (1.0 / dimensions)
    # The surface of a ball is the slope of its content against the radius.
    return diameter, 2 * dimensions * content / (diameter * surface)


def write_particles(table: ParticleTable, phases: Sequence[str], path: Path) -> None:
    """Write one line per particle; lengths in metres, z the depth from the collector.

    Args:
        table: The particles.
        phases: Name of each label.
        path: The CSV file.
    """
    values = (
        table.id,
        [phases[value] for value in table.phase],
        table.volume,
        table.diameter,
        *table.centroid.T,
        table.touches_box,
        table.dead,
        table.wetted_faces,
        table.wetted_area,
        table.surface_area,
        table.contact_area,
        table.coordination,
        table.sphericity,
        *table.axes.T,
        *table.direction.T,
    )
    frame = pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))
    if table.made_diameter is not None:
        frame["made_diameter_m"] = table.made_diameter
    frame.to_csv(path, index=False, lineterminator="\n")
