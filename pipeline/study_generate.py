"""The generators of `volume.generate`: which particles in which box, and what lies between them."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from voxtrode.data.generation.weights import VOID, volume_fractions
from voxtrode.pipeline.quantities import Distance, Fraction, Length, Share
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_filling import (
    Binder,
    Calender,
    Carbon,
    CarbonSpheres,
    Cracks,
    Densities,
    Grains,
    Weights,
)
from voxtrode.pipeline.study_layers import Layer, kind
from voxtrode.pipeline.study_population import (
    Ellipsoids,
    Fragments,
    Particles,
    Plates,
    Roughness,
    Spheres,
)

if TYPE_CHECKING:
    from voxtrode.data.volume import Volume

type Extent = tuple[Length, Length, Length]
type Contacts = Literal["overlapping", "flattened"]
type Seed = Annotated[int, Field(ge=0)]

_WHOLE = 1e-6  # a size in voxels is whole to rounding
SMALLEST = 3.0
"""Voxels per diameter that packed particles must have."""
FEWEST_ACROSS = 8.0
"""Voxels across a secondary particle, at least."""
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
            _whole_voxels(f"the size along {axis}", size, self.voxel)
        _several_names(self.phase_names)
        for one in self.particles:
            if 0.0 < one.smallest < SMALLEST * self.voxel * (1.0 - _WHOLE):
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
    def particles(self) -> tuple[Particles, ...]:
        """The particles of every layer."""
        raise NotImplementedError

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        raise NotImplementedError

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
        _cracks_are_voxels(self.cracks, self.voxel)
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


class GenerateUniform(Packed, Particles):
    """One kind of particles throughout."""

    @property
    def particles(self) -> tuple[Particles, ...]:
        """The particles."""
        return (self,)

    def make(self) -> "Volume":
        """Generates the volume."""
        from voxtrode.pipeline.generate import make_uniform

        return make_uniform(self)


class GenerateSpheres(GenerateUniform, Spheres):
    """Packed spheres."""


class GenerateEllipsoids(GenerateUniform, Ellipsoids):
    """Packed ellipsoids."""


class GeneratePlates(GenerateUniform, Plates):
    """Packed flakes."""


class GenerateFragments(GenerateUniform, Fragments):
    """Packed polyhedra."""


class GenerateLayered(Packed):
    """Sub-layers, each with its own particles.

    Attributes:
        layers: From the collector to the separator; their thicknesses add up to the size along z.
        mixing: Width of the zone in which neighbouring layers mix [m]; 0: sharp.
    """

    kind: Literal["layered"]
    active_fraction: Fraction
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    mixing: Distance = 0.0

    @model_validator(mode="after")
    def _thickness(self) -> Self:
        total = sum(layer.thickness for layer in self.layers)
        if abs(total - self.size[0]) > _WHOLE * total:
            raise ValueError(
                f"the layers are {total:g} m thick together, the size along z is"
                f" {self.size[0]:g} m; expected equal"
            )
        mean = sum(self.fractions[k] * one.thickness for k, one in enumerate(self.layers)) / total
        if abs(mean - self.active_fraction) > 1e-3:
            raise ValueError(
                f"the layers' active fractions have the mean {mean:.4f}, active_fraction is"
                f" {self.active_fraction:g}; give active_fraction their mean"
            )
        return self

    @property
    def particles(self) -> tuple[Particles, ...]:
        """The particles of every layer."""
        return self.layers

    @property
    def fractions(self) -> tuple[float, ...]:
        """Volume fraction of the particles in each layer."""
        return tuple(
            self.active_fraction if layer.active_fraction is None else layer.active_fraction
            for layer in self.layers
        )

    @property
    def parts(self) -> tuple[float, ...]:
        """Share of the active volume in each layer."""
        volumes = [
            one.thickness * fraction
            for one, fraction in zip(self.layers, self.fractions, strict=True)
        ]
        return tuple(volume / sum(volumes) for volume in volumes)

    def make(self) -> "Volume":
        """Generates the volume."""
        from voxtrode.pipeline.generate import make_layered

        return make_layered(self)


class GenerateComposite(Box, Spheres):
    """Active spheres, solid electrolyte and carbon by weight, with a share of empty space.

    Attributes:
        weights: Shares of the mass.
        densities: Their densities [kg/m³].
        void: Share of the volume that is empty.
        pocket: Diameter of the balls that are empty [m]; default: half the smallest particle's.
        carbon: Its form.
        contacts: As of other packings.
    """

    kind: Literal["composite"]  # type: ignore[assignment]
    weights: Weights
    densities: Densities = Densities()
    void: Annotated[Share, Field(lt=1.0)] = 0.0
    pocket: Length | None = None
    carbon: Carbon = CarbonSpheres(diameter=1e-6)
    contacts: Contacts = "flattened"

    @property
    def particles(self) -> tuple[Particles, ...]:
        """The particles."""
        return (self,)

    @property
    def volumes(self) -> dict[str, float]:
        """Volume fractions of active material, electrolyte, carbon and void."""
        weights, densities = self.weights.model_dump(), self.densities.model_dump()
        return volume_fractions(weights, densities, self.void)

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        rest = {name: share for name, share in self.volumes.items() if name != "active"}
        return (*self.active_names, *(name for name, share in rest.items() if share > 0.0))

    @property
    def expected_shares(self) -> dict[str, float]:
        """About what each phase will have of the volume."""
        volumes = self.volumes
        active = volumes.pop("active")
        actives = {name: active * share for name, share in self.active_shares.items()}
        return actives | {name: share for name, share in volumes.items() if share > 0.0}

    def make(self) -> "Volume":
        """Generates the volume."""
        from voxtrode.pipeline.generate import make_composite

        return make_composite(self)


class GenerateSecondary(Section):
    """One secondary particle of grains in electrolyte, resting on the collector.

    Attributes:
        diameter: Of the particle [m].
        voxel: Edge of a voxel [m].
        margin: Electrolyte around it [m].
        section: A section one voxel thick along x in the place of the whole particle.
        grains: Its crystals.
        roughness: A rough surface.
        cracks: Cracks; internal ones are the phase `void`.
        seed: Seed of everything random.
    """

    kind: Literal["secondary_particle"]
    diameter: Length
    voxel: Length
    margin: Length
    section: bool = False
    grains: Grains | None = None
    roughness: Roughness | None = None
    cracks: Cracks | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        _cracks_are_voxels(self.cracks, self.voxel)
        if self.diameter < FEWEST_ACROSS * self.voxel:
            raise ValueError(
                f"a particle of {self.diameter * 1e6:g} um in voxels of {self.voxel * 1e6:g} um;"
                f" expected {FEWEST_ACROSS:g} voxels across it at least, give smaller voxels"
            )
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x), about."""
        height = round((self.diameter + self.margin) / self.voxel)
        width = round((self.diameter + 2.0 * self.margin) / self.voxel)
        return height, width, 1 if self.section else width

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        return tuple(self.expected_shares)

    @property
    def expected_shares(self) -> dict[str, float]:
        """About what each phase will have of the volume."""
        z, y, x = self.shape
        cells = self.diameter / self.voxel
        ball = 0.785 * cells**2 / (z * y) if self.section else 0.524 * cells**3 / (z * y * x)
        void = ball * self.cracks.internal if self.cracks is not None else 0.0
        rest = {VOID: void} if void > 0.0 else {}
        return {"active": ball - void, "pore": 1.0 - ball} | rest

    def make(self) -> "Volume":
        """Generates the volume."""
        from voxtrode.pipeline.generate import make_secondary

        return make_secondary(self)


def _several_names(names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f'"{name}" is what the generator calls a phase that is no active one; give the'
                " active phase another name"
            )


def _cracks_are_voxels(cracks: Cracks | None, voxel: float) -> None:
    if cracks is not None and cracks.width < voxel * (1.0 - _WHOLE):
        raise ValueError(
            f"cracks of {cracks.width * 1e6:g} um in voxels of {voxel * 1e6:g} um; expected a width"
            " of one voxel at least"
        )


def _whole_voxels(what: str, size: float, voxel: float) -> None:
    count = size / voxel
    if abs(count - round(count)) > _WHOLE * count or round(count) < 1:
        raise ValueError(
            f"{what} ({size:g} m) is {count:g} voxels of {voxel:g} m; expected a whole number of"
            " voxels"
        )


type Generate = Annotated[
    Annotated[GenerateSpheres, Tag("<spheres>")]
    | Annotated[GenerateEllipsoids, Tag("<ellipsoids>")]
    | Annotated[GeneratePlates, Tag("<plates>")]
    | Annotated[GenerateFragments, Tag("<fragments>")]
    | Annotated[GenerateLayered, Tag("<layered>")]
    | Annotated[GenerateComposite, Tag("<composite>")]
    | Annotated[GenerateSecondary, Tag("<secondary_particle>")],
    Discriminator(kind),
]
"""One generator, by its `kind`; spheres where it says none."""
