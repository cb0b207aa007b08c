"""What a packing is asked for, and whether it can be had."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.generation.limits import SMALLEST
from voxtrode.data.generation.policies import Contacts, Overlapping
from voxtrode.data.generation.populations import SubLayer
from voxtrode.data.generation.sizes import share_below

Floats = NDArray[np.float64]

_FINE = 0.01
_WHOLE = 1e-6
_HIGHEST = 0.95


@dataclass(frozen=True)
class Calender:
    """Compression along z.

    Attributes:
        active_fraction: Volume fraction of the particles after it.
    """

    active_fraction: float


@dataclass(frozen=True)
class PackingRequest:
    """Particles in a box.

    Attributes:
        size: Edge lengths of the box along (z, y, x) before calendering [m], whole voxels.
        voxel: Edge length of a voxel [m].
        seed: The same seed gives the same packing, bit for bit.
        layers: From the collector to the separator; their thicknesses add up to that of the box.
        contacts: What becomes of the volume that particles share.
        calender: Compression, or none.
        mixing: Width of the zone in which neighbouring layers mix [m].
    """

    size: tuple[float, float, float]
    voxel: float
    seed: int
    layers: tuple[SubLayer, ...]
    contacts: Contacts = field(default_factory=Overlapping)
    calender: Calender | None = None
    mixing: float = 0.0

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x) before calendering."""
        z, y, x = (max(round(length / self.voxel), 1) for length in self.size)
        return z, y, x

    @property
    def active_fraction(self) -> float:
        """Volume fraction of the particles before calendering."""
        return sum(one.active_fraction * one.thickness for one in self.layers) / self.size[0]

    @cached_property
    def boundaries(self) -> Floats:
        """Heights of the layers' limits, from 0 to the thickness [voxels], float[layers + 1]."""
        thickness = np.array([layer.thickness for layer in self.layers])
        limits = np.concatenate([[0.0], np.cumsum(thickness)])
        scaled: Floats = limits / limits[-1] * self.shape[0]
        return scaled

    @property
    def fractions(self) -> Floats:
        """Active fraction of each layer before calendering, float[layers]."""
        return np.array([layer.active_fraction for layer in self.layers])

    def profile(self, count: int) -> Floats:
        """Active fraction of each of the voxel layers that the thickness is cut into.

        Args:
            count: Their number, before or after calendering.

        Returns:
            Fractions before calendering, float[count].
        """
        limits = self.boundaries / self.shape[0] * count
        index = np.arange(count)
        profile = np.zeros(count)
        for low, high, fraction in zip(limits[:-1], limits[1:], self.fractions, strict=True):
            part = np.clip(np.minimum(index + 1, high) - np.maximum(index, low), 0.0, 1.0)
            profile += part * fraction
        return profile

    @property
    def final_fraction(self) -> float:
        """Volume fraction of the particles at the end."""
        return self.active_fraction if self.calender is None else self.calender.active_fraction

    @property
    def final_shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x) after calendering, which keeps the particles' volume."""
        z, y, x = self.shape
        if self.calender is None:
            return z, y, x
        return max(round(z * self.active_fraction / self.calender.active_fraction), 1), y, x


def check(request: PackingRequest) -> None:
    """Refuses what cannot be packed.

    Raises:
        InputError: A value is out of range, or values do not fit each other.
    """
    lengths = {"voxel": request.voxel, "size": min(request.size)}
    for name, value in lengths.items():
        if not (math.isfinite(value) and value > 0.0):
            raise InputError(f"{name} is {value:g} m: expected a positive length")
    if request.seed < 0:
        raise InputError(f"seed is {request.seed}: expected a whole number from 0")
    for axis, length, count in zip("zyx", request.size, request.shape, strict=True):
        if abs(count * request.voxel - length) > _WHOLE * length:
            raise InputError(
                f"size {um(length)} along {axis} is no whole multiple of the voxel"
                f" {um(request.voxel)}: give {um(count * request.voxel)}, or another voxel"
            )
    if not request.layers:
        raise InputError("no sub-layers: expected at least one")
    total = sum(layer.thickness for layer in request.layers)
    if abs(total - request.size[0]) > _WHOLE * request.size[0]:
        raise InputError(
            f"the sub-layers are {um(total)} thick together, the box {um(request.size[0])}:"
            " expected equal"
        )
    if request.mixing < 0.0:
        raise InputError(f"mixing is {request.mixing:g} m: expected a width from 0")
    for layer in request.layers:
        _check_layer(layer, request)
    if request.calender is not None:
        _check_calender(request.calender, request)


def _check_layer(layer: SubLayer, request: PackingRequest) -> None:
    if not 0.0 < layer.active_fraction < 1.0:
        raise InputError(
            f"active_fraction is {layer.active_fraction:g}: expected a value between 0 and 1"
        )
    if not layer.thickness > 0.0:
        raise InputError(f"a sub-layer is {um(layer.thickness)} thick: expected above 0")
    shares = [population.share for population in layer.populations]
    if min(shares, default=-1.0) < 0.0 or abs(sum(shares) - 1.0) > _WHOLE:
        raise InputError(f"shares of the populations are {shares}: expected to add up to 1")
    for population in layer.populations:
        if population.share == 0.0:
            continue
        fine = share_below(population.sizes, SMALLEST * request.voxel * (1.0 - 1e-9))
        if fine > _FINE:
            raise InputError(
                f"{fine:.1%} of the volume is in particles below {SMALLEST:g} voxels of"
                f" {um(request.voxel)}: expected at least {SMALLEST:g} voxels per diameter; give a"
                " smaller voxel"
            )


def _check_calender(calender: Calender, request: PackingRequest) -> None:
    before, after = request.active_fraction, calender.active_fraction
    if not before < after < _HIGHEST:
        raise InputError(
            f"calendering to an active fraction of {after:g} from {before:g}: expected above"
            f" {before:g} and below {_HIGHEST:g}"
        )


def um(length: float) -> str:
    """A length in metres as text, for messages."""
    return f"{length * 1e6:g} um"
