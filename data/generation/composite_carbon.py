"""Carbon in a composite electrode: spheres spread through it, or fibres between particles."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.generation.composite_canvas import Canvas, check_resolved, scatter_balls
from voxtrode.data.generation.composite_paint import paint_path, particles_touched, path_length
from voxtrode.data.generation.fibres import draw_fibre, signed_distance, surface_sites
from voxtrode.data.interfaces import Triple

_RAYS = 24  # directions tried from each end of a fibre
_FAILURES = 2000  # draws in a row that may come to nothing


class Carbon(Protocol):
    """A morphology of carbon."""

    def paint(
        self, canvas: Canvas, count: int, value: int, random: np.random.Generator
    ) -> dict[str, Any]:
        """Paint exactly `count` free voxels with `value`; says what was painted.

        Raises:
            InputError: The voxels are too coarse for the bodies, or these do not fit.
        """
        ...


@dataclass(frozen=True)
class CarbonSpheres:
    """Spheres at random places outside the active material; what overlaps it is lost.

    Attributes:
        diameter: Of a sphere [m].
    """

    diameter: float

    def __post_init__(self) -> None:
        _check_length("diameter of the carbon spheres", self.diameter)

    def paint(
        self, canvas: Canvas, count: int, value: int, random: np.random.Generator
    ) -> dict[str, Any]:
        """Paint spheres whose centres lie in the free space; the last one is trimmed."""
        number = scatter_balls(canvas, "carbon spheres", self.diameter, count, value, random)
        return {"kind": "spheres", "diameter_m": self.diameter, "number": number}


@dataclass(frozen=True)
class CarbonFibres:
    """Fibres that bridge particles: both ends lie on the surfaces of two different ones.

    The middle of a fibre runs straight through free space; what is longer than the gap goes on
    along the surfaces of the two particles (and of others in the way), bent as they are.

    Attributes:
        diameter: Of a fibre [m].
        length: Of a fibre along its axis [m].
    """

    diameter: float
    length: float

    def __post_init__(self) -> None:
        _check_length("diameter of the carbon fibres", self.diameter)
        _check_length("length of the carbon fibres", self.length)
        if self.length < self.diameter:
            raise InputError(
                f"carbon fibres of length {self.length:g} m and diameter {self.diameter:g} m: "
                "expected a length above the diameter; give spheres instead"
            )

    def paint(
        self, canvas: Canvas, count: int, value: int, random: np.random.Generator
    ) -> dict[str, Any]:
        """Paint fibres from random places of the particles' surface; the last one is trimmed."""
        check_resolved("carbon fibres", self.diameter, canvas.voxel)
        edges, unit = canvas.edges, canvas.unit
        radius, length = 0.5 * self.diameter / unit, self.length / unit
        distance = signed_distance(canvas.particles, canvas.voxel)
        sites = surface_sites(canvas.particles)
        lengths: list[float] = []
        touched: list[int] = []
        painted = failed = 0
        while painted < count:
            if failed == _FAILURES or len(sites) == 0:
                raise InputError(
                    f"carbon fibres of length {self.length:g} m fill "
                    f"{painted / canvas.labels.size:.4f} of the box at most, asked for "
                    f"{count / canvas.labels.size:.4f}: no more ways between two particles within "
                    "this length; give less carbon, longer or thicker fibres, or spheres"
                )
            site = int(sites[random.integers(len(sites))])
            rays = random.uniform(-1.0, 1.0, (_RAYS, 3))
            path = draw_fibre(canvas.particles, distance, site, rays, edges, radius, length)
            new = 0
            if len(path):
                new = paint_path(
                    canvas.labels, path, radius, edges, count - painted, canvas.free, value
                )
            failed = 0 if new else failed + 1
            if new:
                painted += new
                lengths.append(path_length(path, edges) * unit)
                touched.append(particles_touched(canvas.particles, path, radius, edges))
        bridging = int(np.count_nonzero(np.asarray(touched) >= 2))
        return {
            "kind": "fibres",
            "diameter_m": self.diameter,
            "number": len(lengths),
            "length_asked_m": self.length,
            "length_mean_m": float(np.mean(lengths)) if lengths else None,
            "length_std_m": float(np.std(lengths)) if lengths else None,
            # Voxels that two fibres share count once.
            "diameter_of_equal_volume_m": _equal_diameter(painted, lengths, canvas.voxel),
            "particles_per_fibre": float(np.mean(touched)) if touched else None,
            "share_on_two_particles": bridging / len(lengths) if lengths else None,
        }


def _check_length(what: str, value: float) -> None:
    if not 0.0 < value < np.inf:
        raise InputError(f"{what} is {value:g} m: expected a positive length")


def _equal_diameter(painted: int, lengths: list[float], voxel: Triple) -> float | None:
    if not lengths:
        return None
    volume = painted * float(np.prod(voxel))
    return float(np.sqrt(4.0 * volume / (np.pi * sum(lengths))))
