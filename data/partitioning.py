"""When the watershed of a distance map takes two maxima for one particle; quick to import."""

import math
from dataclasses import asdict, dataclass

from voxtrode.data.errors import InputError


@dataclass(frozen=True)
class Partitioning:
    """When two maxima of the distance map are one particle.

    The defaults had the best mean adjusted Rand index of those tried on packings of equal balls,
    overlapping balls of log-normal diameters, ellipsoids, plates and rough versions of them.

    Attributes:
        smoothing: Standard deviation of the Gaussian over the distance map [largest voxel edges].
        contrast: Merge where the neck is less than this share narrower than the lesser maximum.
        least_contrast: Merge where it is narrower by less than this [largest voxel edges].
        nearness: Merge two touching basins whose maxima are nearer to each other than this many
            times the lesser one's distance to the boundary.
    """

    smoothing: float = 0.7
    contrast: float = 0.06
    least_contrast: float = 0.3
    nearness: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(
                    f"partitioning: {name} is {value:g}: expected a number from 0; "
                    f"leave it out for {getattr(Partitioning, name):g}"
                )


DEFAULT = Partitioning()
