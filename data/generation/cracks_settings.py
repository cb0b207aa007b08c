"""What cracks are wanted."""

from dataclasses import dataclass

import numpy as np

from voxtrode.data.errors import InputError


@dataclass(frozen=True)
class Cracks:
    """What cracks are wanted.

    Attributes:
        surface_fraction: Of surface cracks in the volume of all particles before cracking.
        internal_fraction: Of internal cracks, likewise.
        width: Thickness of the sheets [m]; never less than voxels need to connect by faces.
        depth: How far a surface crack goes in, over the particle's largest inscribed radius.
        length: Half its length along the surface, over the same radius.
        internal_radius: Of an internal crack, over the same radius.
        share: Share of the particles (of those that are resolved) that may crack.
        waviness: Rms displacement of a sheet off its plane, over its depth; without grains only.

    Raises:
        InputError: A value is out of range.
    """

    surface_fraction: float
    internal_fraction: float
    width: float
    depth: float = 0.6
    length: float = 0.6
    internal_radius: float = 0.4
    share: float = 1.0
    waviness: float = 0.08

    def __post_init__(self) -> None:
        limits = {
            "surface_fraction": (0.0, 0.3),
            "internal_fraction": (0.0, 0.3),
            "depth": (0.05, 0.95),
            "length": (0.05, 1.5),
            "internal_radius": (0.05, 0.9),
            "share": (0.0, 1.0),
            "waviness": (0.0, 0.5),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} of cracks is {value:g}: expected {low:g} to {high:g}")
        if not 0.0 < self.width < np.inf:
            raise InputError(f"width of cracks is {self.width:g} m: expected a positive length")
