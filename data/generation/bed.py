"""A bed of bodies in a box that is periodic along y and x; all lengths in voxels."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from voxtrode.data.generation.populations import Members
from voxtrode.data.generation.relax import Clumps, Relaxed, relax
from voxtrode.data.generation.settle import settle
from voxtrode.data.generation.shape import Bodies

Floats = NDArray[np.float64]

_DIGITS = 12  # of rotations and clumps: what a processor does to the last bits must not matter
_RANDOM = 0.01  # order below which directions are random; of many draws it is known to 0.003
_SLUGGISH = 30.0  # inertia of aligned bodies against turning: contacts rather push than turn them


@dataclass(frozen=True, eq=False)
class Bed:
    """Bodies between the walls z = 0 and z = L.

    Attributes:
        bodies: In voxels.
        members: What else is known of each.
        box: Edge lengths (z, y, x) [voxels], float[3].
        shares: Wanted share of each class in the active volume, float[classes].
        orders: Wanted mean of (3 u_z² - 1)/2 over the bodies of each population, u their short
            axes; nan for balls, float[populations].
    """

    bodies: Bodies
    members: Members
    box: Floats
    shares: Floats
    orders: Floats

    @property
    def aligned(self) -> NDArray[np.bool_]:
        """Populations that are not wanted at random, bool[populations]."""
        return np.abs(np.nan_to_num(self.orders)) > _RANDOM

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Bed":
        """Some of the bodies, by mask or by index."""
        return replace(self, bodies=self.bodies.chosen(which), members=self.members.chosen(which))

    def relaxed(self, overlap: float, steps: int, enough: float) -> tuple["Bed", Relaxed, Floats]:
        """The bodies moved and turned until their cores hardly overlap.

        Args:
            overlap: Share of the radii that is no part of the cores.
            steps: At most that many.
            enough: Ends when no overlap of cores is larger, over the sum of radii.

        Returns:
            The new bed, how the relaxation ended, and the energy of each body.
        """
        clumps = self.clumps()
        outcome, energy = relax(clumps, 1.0 - overlap, steps, enough)
        return self._moved(clumps), outcome, energy

    def settled(self, overlap: float) -> "Bed":
        """Bodies that hang on nothing moved straight to the nearest one that does not."""
        clumps = self.clumps()
        settle(
            clumps.box,
            clumps.centres,
            clumps.balls(),
            (1.0 - overlap) * clumps.radii,
            clumps.first,
            clumps.body(),
            0.5 * overlap,
        )
        clumps.centres[:, 1:] %= self.box[1:]
        return self._moved(clumps)

    def clumps(self) -> Clumps:
        """The bodies as clumps of balls."""
        bodies = self.bodies
        parts = [shape.clump() for shape in bodies.shapes]
        sizes = np.array([len(radii) for _, radii in parts], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        centres = np.round(np.concatenate([centres for centres, _ in parts]), _DIGITS)
        radii = np.round(np.concatenate([radii for _, radii in parts]), _DIGITS)
        counts = sizes[bodies.shape]
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        body = np.repeat(np.arange(len(bodies)), counts)
        ball = starts[bodies.shape][body] + np.arange(first[-1]) - first[body]
        scale = bodies.diameters[body]
        return Clumps(
            self.box,
            bodies.centres.copy(),
            _quaternions(bodies.rotations),
            first,
            centres[ball] * scale[:, None],
            radii[ball] * scale,
            self.members.lower,
            self.members.upper,
            np.where(self.aligned[self.members.population], _SLUGGISH, 1.0),
        )

    def _moved(self, clumps: Clumps) -> "Bed":
        rotations = self.bodies.rotations
        turned = np.flatnonzero(np.diff(clumps.first) > 1)
        if len(turned):
            rotations = rotations.copy()
            rotations[turned] = Rotation.from_quat(
                clumps.quaternions[turned], scalar_first=True
            ).as_matrix()
        bodies = replace(self.bodies, centres=clumps.centres, rotations=rotations)
        return replace(self, bodies=bodies)


def _quaternions(rotations: Floats) -> Floats:
    if len(rotations) == 0:
        return np.zeros((0, 4))
    rounded = np.round(Rotation.from_matrix(rotations).as_quat(scalar_first=True), _DIGITS)
    unit: Floats = rounded / np.sqrt((rounded**2).sum(axis=1))[:, None]
    return unit
