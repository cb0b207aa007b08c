"""What packed volumes share: a box of voxels, particles in it, and what may lie between them."""

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from voxtrode.data.generation.limits import SMALLEST
from voxtrode.data.generation.weights import VOID
from voxtrode.pipeline.quantities import Fraction, Length
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_filling import Binder, Calender, Cracks, Grains
from voxtrode.pipeline.study_population import Particles

type Extent = tuple[Length, Length, Length]
type Contacts = Literal["overlapping", "flattened"]
type Seed = Annotated[int, Field(ge=0)]

WHOLE = 1e-6
"""A size in voxels, and a sum of sizes, is whole to rounding."""
LUMPED = "nsd"


class Box(Section):
    """What all packings share.

    Attributes:
        size: Size of the box [m], (z, y, x), z the thickness (before calendering).
        voxel: Edge of a voxel [m].
        seed: Seed of everything random.
        grains: Crystals in the particles.
    """

    size: Extent
    voxel: Length
    seed: Seed = 0
    grains: Grains | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for axis, size in zip("zyx", self.size, strict=True):
            check_whole(f"the size along {axis}", size, self.voxel)
        _check_names(self.phase_names)
        for one in self.particles:
            if 0.0 < one.smallest < SMALLEST * self.voxel * (1.0 - WHOLE):
                raise ValueError(
                    f"particles of {one.smallest * 1e6:g} um in voxels of {self.voxel * 1e6:g} um;"
                    f" expected at least {SMALLEST:g} voxels per diameter, give a smaller voxel"
                )
            if one.largest > self.size[0]:
                raise ValueError(
                    f"a sphere of {one.largest:g} m does not fit a thickness of"
                    f" {self.size[0]:g} m; enlarge the size or take a smaller diameter"
                )
        return self

    @property
    @abstractmethod
    def particles(self) -> tuple[Particles, ...]:
        """The particles of every layer."""

    @property
    @abstractmethod
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x)."""
        z, y, x = (round(size / self.voxel) for size in self.size)
        return z, y, x

    @property
    def parts(self) -> tuple[float, ...]:
        """Share of the active volume of each of the `particles`."""
        return (1.0,)

    @property
    def active_shares(self) -> dict[str, float]:
        """Share of the active volume of each active phase by name."""
        shares: dict[str, float] = {}
        for part, one in zip(self.parts, self.particles, strict=True):
            for name, share in one.phase_shares.items():
                shares[name] = shares.get(name, 0.0) + part * share
        return shares

    @property
    def active_names(self) -> tuple[str, ...]:
        """Names of the active phases."""
        return tuple(self.active_shares)


class Packed(Box):
    """Particles with pores between them.

    Attributes:
        active_fraction: Volume fraction of the particles before cracks are cut.
        contacts: `overlapping` particles keep their shape and lose their overlaps; `flattened` ones
            keep their volume and press flat contacts into each other (for fractions up to 0.76).
        cracks: Cracks in the particles.
        binder: A resolved carbon-binder domain; without one it is lumped with the pores (`nsd`).
        calender: Compression of the packing.
    """

    active_fraction: Fraction
    contacts: Contacts = "overlapping"
    cracks: Cracks | None = None
    binder: Binder | None = None
    calender: Calender | None = None

    @model_validator(mode="after")
    def _leaves_pores(self) -> Self:
        check_cracks(self.cracks, self.voxel)
        if self.calender is not None and self.final_fraction <= self.active_fraction:
            raise ValueError(
                f"calender.porosity {self.calender.porosity:g} leaves"
                f" {self.final_fraction:.3f} for the active material, no more than"
                f" active_fraction ({self.active_fraction:g}) before; give a lower porosity"
            )
        if self.binder_fraction + self.final_fraction >= 1.0:
            raise ValueError(
                f"active material ({self.final_fraction:.3f}) and binder"
                f" ({self.binder_fraction:.3f}) leave no pores; give less of either"
            )
        return self

    @property
    def final_fraction(self) -> float:
        """Volume fraction of the particles after calendering, before cracks are cut."""
        if self.calender is None:
            return self.active_fraction
        solids = 1.0 - self.calender.porosity
        return solids if self.binder is None else self.binder.active_among(solids)

    @property
    def binder_fraction(self) -> float:
        """Share of the final volume that is resolved binder."""
        return 0.0 if self.binder is None else self.binder.volume_fraction(self.final_fraction)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x), after calendering."""
        z, y, x = super().shape
        return max(round(z * self.active_fraction / self.final_fraction), 1), y, x

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        between = (LUMPED,) if self.binder is None else ("cbd", "pore")
        void = (VOID,) if self.cracks is not None and self.cracks.internal > 0.0 else ()
        return (*self.active_names, *between, *void)

    @property
    def expected_shares(self) -> dict[str, float]:
        """About what each phase will have of the volume."""
        cracks, active = self.cracks, self.final_fraction
        void = active * cracks.internal if cracks is not None else 0.0
        left = active - void - (active * cracks.surface if cracks is not None else 0.0)
        shares = {name: left * share for name, share in self.active_shares.items()}
        free = 1.0 - left - void
        if self.binder is None:
            shares[LUMPED] = free
        else:
            shares |= {"cbd": self.binder_fraction, "pore": free - self.binder_fraction}
        return shares | ({VOID: void} if void > 0.0 else {})


def _check_names(names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f'"{name}" is what the generator calls a phase that is no active one; give the'
                " active phase another name"
            )


def check_cracks(cracks: Cracks | None, voxel: float) -> None:
    """Refuse cracks that voxels cannot show.

    Raises:
        ValueError: They are thinner than a voxel.
    """
    if cracks is not None and cracks.width < voxel * (1.0 - WHOLE):
        raise ValueError(
            f"cracks of {cracks.width * 1e6:g} um in voxels of {voxel * 1e6:g} um; expected a width"
            " of one voxel at least"
        )


def check_whole(what: str, size: float, voxel: float) -> None:
    """Refuse a size that is no whole number of voxels.

    Raises:
        ValueError: With what it is the size of.
    """
    count = size / voxel
    if abs(count - round(count)) > WHOLE * count or round(count) < 1:
        raise ValueError(
            f"{what} ({size:g} m) is {count:g} voxels of {voxel:g} m; expected a whole number of"
            " voxels"
        )
