"""Diffusion along the radius of a ball or of a long cylinder under a constant current.

At constant current the flux is known, so that diffusion decouples from the voltage: finite volumes
along the radius, integrated by LSODA.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from voxtrode.data.errors import NumericalError
from voxtrode.data.law import FARADAY
from voxtrode.data.materials import ActiveMaterial

Array = npt.NDArray[np.float64]

CELLS = 50
"""Finite volumes along the radius; capacities are within 1e-4 of those with four times as many."""


@dataclass(frozen=True, eq=False)
class Radial:
    """A round particle of one isotropic material, as a diffusion problem.

    Attributes:
        material: Its material.
        radius: [m].
        dimension: 3 for a ball, 2 for a cylinder that nothing crosses along its axis.
        start: Initial stoichiometry.
        cells: Finite volumes along the radius.
    """

    material: ActiveMaterial
    radius: float
    dimension: int
    start: float
    cells: int = CELLS

    def per_second(self, J: float) -> float:
        """d(mean θ)/dt [1/s] under a flux J [A m⁻²], positive out of the particle."""
        return -J * self.dimension / (self.radius * FARADAY * self.material.c_max.value)

    def surface(self, theta: Array, J: float, factor: float = 1.0) -> float:
        """θ at the surface from the cells' [cells]: the flux over D_s half way there."""
        edge = self._grid[0][-1] - self._grid[1][-1]
        last = theta[-1:]
        value = last
        inward = self.per_second(J) / self.dimension
        for _ in range(4):
            step = inward * edge / (self._D_s(0.5 * (value + last)) * factor / self.radius**2)
            value = last + step
        return float(value[0])

    def run(
        self,
        J: float,
        until: float,
        end: Callable[[Array], float],
        factor: float = 1.0,
        at: Sequence[float] | Array = (),
    ) -> tuple[float, Array]:
        """Integrates from uniform θ under a constant flux.

        Args:
            J: Flux [A m⁻²], positive out of the particle.
            until: Longest time [s].
            end: Ends the run where this function of the cells' θ falls to zero.
            factor: On D_s.
            at: Instants [s] whose θ is wanted, rising.

        Returns:
            The end [s], and θ of the cells at those wanted instants that it reached,
            float[instants, cells].

        Raises:
            NumericalError: The integration failed.
        """
        faces, middles, volumes = self._grid
        area = faces[1:-1] ** (self.dimension - 1)
        width = np.diff(middles)
        scale = factor / self.radius**2
        through = self.per_second(J) / self.dimension

        def rates(_: float, theta: Array) -> Array:
            between = self._D_s(0.5 * (theta[1:] + theta[:-1])) * scale
            inward = np.zeros(len(theta) + 1)
            inward[1:-1] = between * area * np.diff(theta) / width
            inward[-1] = through
            return np.asarray(np.diff(inward) / volumes)

        def excess(_: float, theta: Array) -> float:
            return end(theta)

        excess.terminal = True  # type: ignore[attr-defined]
        found = solve_ivp(
            rates,
            (0.0, until),
            np.full(self.cells, self.start),
            method="LSODA",
            events=excess,
            t_eval=np.asarray(at, dtype=np.float64),
            rtol=1e-6,
            atol=1e-8,
            lband=1,
            uband=1,
        )
        if found.status < 0:
            raise NumericalError(f"diffusion in a ball of {self.radius:.3g} m: {found.message}")
        stopped = found.t_events[0]
        last = float(stopped[0]) if len(stopped) else until
        return last, np.asarray(found.y).T.reshape(-1, self.cells)

    def spread(self, J: float, means: Array) -> Array:
        """Standard deviation of θ over the volume when the mean has come to given values.

        Where the surface is full (or empty) before that, the last one: the particle could not take
        this current any longer.

        Args:
            J: Flux [A m⁻²], positive out of the particle, not zero.
            means: Mean stoichiometries, on the way from the start.

        Returns:
            Standard deviations, float[means].
        """
        times = (means - self.start) / self.per_second(J)
        longest = float(times.max(initial=0.0))
        if longest <= 0.0:
            return np.zeros(len(means))

        def room(theta: Array) -> float:
            at_surface = self.surface(theta, J)
            return min(at_surface, 1.0 - at_surface)

        wanted = np.linspace(0.0, longest, 401)[1:]
        _, states = self.run(J, longest * (1.0 + 1e-9), room, at=wanted)
        share = self._grid[2] / self._grid[2].sum()
        mean = states @ share
        std = np.sqrt(np.maximum((states - mean[:, None]) ** 2 @ share, 0.0))
        reached = wanted[: len(std)]
        found = np.interp(times, np.append(0.0, reached), np.append(0.0, std))
        return np.asarray(found, dtype=np.float64)

    def _D_s(self, theta: Array) -> Array:
        held = np.clip(theta, 0.0, 1.0)
        return np.asarray(self.material.D_s(theta=held)) * np.ones_like(held)

    @cached_property
    def _grid(self) -> tuple[Array, Array, Array]:
        """Faces and middles over the radius, and volumes; finest at the surface."""
        s = np.linspace(0.0, 1.0, self.cells + 1)
        faces = 1.0 - (1.0 - s) ** 1.5
        volumes = np.diff(faces**self.dimension) / self.dimension
        return faces, 0.5 * (faces[1:] + faces[:-1]), volumes
