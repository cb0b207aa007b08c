"""Surfaces of particles and contacts between them, from weighted voxel faces."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.face_weights import face_window, weigh_face
from voxtrode.data.interfaces import Triple
from voxtrode.data.volume import Labels, Particles

RESOLVED = 8.0
"""Least volume of a particle whose normals are estimated [cubes of the largest voxel edge]."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Areas of the particles 0..n-1, of ids 1..n [m²].

    Attributes:
        area: Surface inside the box, contacts included, float[n].
        cut: Area of its voxel faces in the sides of the box, float[n].
        wetted: Surface to wetting voxels, float[n].
        wetted_faces: Area of the voxel faces to those, a staircase, float[n].
        pairs: The two ids of each contact, the lesser first, ascending, int[m, 2].
        contact: Area of each contact, float[m].
    """

    area: NDArray[np.float64]
    cut: NDArray[np.float64]
    wetted: NDArray[np.float64]
    wetted_faces: NDArray[np.float64]
    pairs: NDArray[np.int64]
    contact: NDArray[np.float64]

    def coordination(self) -> NDArray[np.int64]:
        """Number of other particles that share a face with each one, int[n]."""
        return np.bincount(self.pairs.ravel() - 1, minlength=len(self.area))

    def contact_area(self) -> NDArray[np.float64]:
        """Area that each particle shares with others [m²], float[n]."""
        both = np.repeat(self.contact, 2)
        return np.bincount(self.pairs.ravel() - 1, weights=both, minlength=len(self.area))


def particle_surfaces(
    particles: Particles, labels: Labels, wetting: NDArray[np.bool_], voxel: Triple
) -> Surfaces:
    """Areas of the particles' surfaces, one pass over the voxel faces between two of them.

    A voxel face of area A with the normal e counts A |n·e|, where n is the normal of the surface:
    of a plane with any n the faces across axis k make up |n_k| per area, and so count Σ n_k² = 1.
    n is the slope of the plane fitted, with weights Π (1 - x_k²/R²)² about the face's centre, to an
    indicator that is -1 in the one particle and +1 beyond the face (in the other particle, or in
    what is none); voxels of third ones and what lies outside the box are no part of the fit. Flat
    faces along the axes are exact; planes of other directions err by some 1 % (3 % at most), balls
    by 1 % from four of the largest voxel edges in radius on. Edges sharper than the window are
    rounded off, by about a voxel's width of area along them. Fragments of less than `RESOLVED` have
    no normals to speak of: their faces count in full.

    Contacts are too large where their necks are of few voxels: faces are shared wherever the gap
    beside the neck is narrower than a voxel h, which for balls of radius R adds up to π R h / 2,
    whatever the neck. For R = 25 voxels a neck of 3, 5, 9 and 13 voxels radius comes out some 95,
    40, 10 and 4 % too large; in voxels twice as long as wide 60 % at 5 of the shorter edges.

    Args:
        particles: Particle id of each voxel [z, y, x], 0 where there is none.
        labels: Phase of each voxel [z, y, x].
        wetting: Voxels that wet the particles of other phases beside them, bool[z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
    """
    count = int(particles.max())
    edges = np.array(voxel)
    totals = np.zeros((3, count + 1))
    sizes = np.bincount(particles.ravel(), minlength=count + 1) * edges.prod() / edges.max() ** 3
    resolved = sizes >= RESOLVED
    resolved[0] = True
    faces = edges.prod() / edges
    keys, areas = [], []
    for axis in range(3):
        size = _count_contacts(particles, axis)
        key, area = np.empty(size, dtype=np.int64), np.empty(size)
        offsets, terms = face_window(edges, axis)
        _weigh(
            particles,
            labels,
            wetting,
            resolved,
            axis,
            faces[axis],
            offsets,
            terms,
            totals,
            key,
            area,
        )
        keys.append(key)
        areas.append(area)
    pairs, which = np.unique(np.concatenate(keys), return_inverse=True)
    return Surfaces(
        totals[0, 1:],
        _cut(particles, faces, count),
        totals[1, 1:],
        totals[2, 1:],
        np.stack([pairs // (count + 1), pairs % (count + 1)], axis=1),
        np.bincount(which.ravel(), weights=np.concatenate(areas), minlength=len(pairs)),
    )


def _cut(particles: Particles, faces: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    areas = np.zeros(count + 1)
    for axis in range(3):
        for end in (0, -1):
            side = np.take(particles, end, axis=axis).ravel()
            areas += faces[axis] * np.bincount(side, minlength=count + 1)
    return areas[1:]


@njit(cache=True)
def _count_contacts(particles: NDArray[np.int32], axis: int) -> int:
    nz, ny, nx = particles.shape
    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
    count = 0
    for z in range(nz - dz):
        for y in range(ny - dy):
            for x in range(nx - dx):
                here, there = particles[z, y, x], particles[z + dz, y + dy, x + dx]
                if here != there and here > 0 and there > 0:
                    count += 1
    return count


@njit(cache=True)
def _weigh(
    particles: NDArray[np.int32],
    labels: NDArray[np.uint8],
    wetting: NDArray[np.bool_],
    resolved: NDArray[np.bool_],
    axis: int,
    face: float,
    offsets: NDArray[np.int64],
    terms: NDArray[np.float64],
    totals: NDArray[np.float64],
    keys: NDArray[np.int64],
    areas: NDArray[np.float64],
) -> None:
    """Add up the faces across one axis.

    Args:
        particles, labels, wetting: As in `particle_surfaces`.
        resolved: Whether normals are estimated, by id.
        axis, face: The axis, and the area of a face across it.
        offsets, terms: As of `face_window`.
        totals: Added to by id: surface, wetted surface, wetted faces.
        keys, areas: Filled for each face between two particles: lesser id * number of ids + other
            id, and weighted area.
    """
    nz, ny, nx = particles.shape
    dz, dy, dx = int(axis == 0), int(axis == 1), int(axis == 2)
    found = 0
    for z in range(nz - dz):
        for y in range(ny - dy):
            for x in range(nx - dx):
                here, there = particles[z, y, x], particles[z + dz, y + dy, x + dx]
                if here == there:
                    continue
                area = face
                if resolved[here] and resolved[there]:
                    area *= weigh_face(particles, z, y, x, axis, offsets, terms)
                totals[0, here] += area
                totals[0, there] += area
                if here > 0 and there > 0:
                    keys[found] = min(here, there) * np.int64(totals.shape[1]) + max(here, there)
                    areas[found] = area
                    found += 1
                if labels[z, y, x] == labels[z + dz, y + dy, x + dx]:
                    continue
                if wetting[z + dz, y + dy, x + dx]:
                    totals[1, here] += area
                    totals[2, here] += face
                if wetting[z, y, x]:
                    totals[1, there] += area
                    totals[2, there] += face
