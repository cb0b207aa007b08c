"""The box that is meshed: lattice cubes of electrode and separator, and where their points lie."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxtrode.data.spacing import cubes_along

KEY_UNITS = 12
"""Parts of a half unit in which the centre of up to four lattice points is a whole number."""


@dataclass(frozen=True)
class Box:
    """Lattice cubes of the electrode, z = 0 at the collector, and of the separator above.

    Attributes:
        electrode: Cubes of the electrode along z, y, x.
        spacing: Edge lengths of a cube [µm] along z, y, x.
        separator: Layers of cubes of the separator.
        separator_spacing: Their height [µm].
    """

    electrode: tuple[int, int, int]
    spacing: tuple[float, float, float]
    separator: int
    separator_spacing: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cubes of the whole box along z, y, x."""
        return self.electrode[0] + self.separator, self.electrode[1], self.electrode[2]

    @property
    def plane(self) -> int:
        """Height of the plane between electrode and separator [half units]."""
        return 2 * self.electrode[0]

    @property
    def size(self) -> tuple[float, float, float]:
        """Edge lengths of the electrode [µm]."""
        z, y, x = (n * h for n, h in zip(self.electrode, self.spacing, strict=True))
        return z, y, x

    @property
    def top(self) -> float:
        """Thickness of electrode and separator [µm]."""
        return self.size[0] + 2 * self.separator * (0.5 * self.separator_spacing)

    @property
    def cube(self) -> float:
        """Volume of an electrode cube [µm³]."""
        return float(np.prod(self.spacing))

    def positions(self, points: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """Coordinates (z, y, x) [µm] of points in half units, the same on every rank."""
        x = points * (0.5 * np.array(self.spacing))
        above = points[:, 0] > self.plane
        steps = points[above, 0] - self.plane
        x[above, 0] = self.size[0] + steps * (0.5 * self.separator_spacing)
        return x

    def fixed(self, points: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Coordinates that must stay, for points on a face of the box or on the separator."""
        ends = 2 * np.array(self.shape)
        at = (points == 0) | (points == ends)
        at[:, 0] |= points[:, 0] == self.plane
        result: npt.NDArray[np.bool_] = at
        return result

    def keys(self, corners: npt.NDArray[np.signedinteger], weight: int) -> npt.NDArray[np.int64]:
        """Global numbers of points by the centres of their lattice points.

        Args:
            corners: Sums of the lattice points' coordinates [half units], shape ``(n, 3)``.
            weight: ``KEY_UNITS`` over the number of lattice points.

        Returns:
            Distinct numbers for distinct simplices of the lattice, ascending with z, y, x.
        """
        centre = weight * corners.astype(np.int64)
        ny, nx = (2 * KEY_UNITS * n + 1 for n in self.shape[1:])
        return (centre[:, 0] * ny + centre[:, 1]) * nx + centre[:, 2]

    def key_range(self, first: int, last: int) -> tuple[int, int]:
        """Keys of the points from layer `first` on up to below layer `last`."""
        ny, nx = (2 * KEY_UNITS * n + 1 for n in self.shape[1:])
        return 2 * KEY_UNITS * first * ny * nx, 2 * KEY_UNITS * last * ny * nx


def plan_box(
    size: tuple[float, float, float], spacing: float, separator: float, levels: int
) -> Box:
    """Lattice for an electrode of a given size.

    The number of cubes along an axis follows from :func:`cubes_along`.

    Args:
        size: Edge lengths of the electrode [µm] along z, y, x.
        spacing: Wanted lattice spacing [µm].
        separator: Thickness of the separator [µm].
        levels: How often cells may double in size.
    """
    cubes = [cubes_along(length, spacing, levels) for length in size]
    layers = cubes_along(separator, spacing, 0) if separator > 0.0 else 0
    return Box(
        (cubes[0], cubes[1], cubes[2]),
        (size[0] / cubes[0], size[1] / cubes[1], size[2] / cubes[2]),
        layers,
        separator / layers if layers else spacing,
    )
