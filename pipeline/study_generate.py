"""The generators of `volume.generate`, by their `kind`."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from voxtrode.data.generation.stack import BETWEEN, FIRST, LAST, stacked
from voxtrode.data.generation.weights import volume_fractions
from voxtrode.pipeline.quantities import Distance, Fraction, Length, Share
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_box import WHOLE, Box, Contacts, Packed, check_whole
from voxtrode.pipeline.study_filling import Carbon, CarbonSpheres, Densities, Grains, Weights
from voxtrode.pipeline.study_layers import Layer, kind
from voxtrode.pipeline.study_population import Ellipsoids, Fragments, Particles, Plates, Spheres
from voxtrode.pipeline.study_secondary import GenerateSecondary

if TYPE_CHECKING:
    from voxtrode.data.volume import Volume


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
        if abs(total - self.size[0]) > WHOLE * total:
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


_PACKED = (
    Annotated[GenerateSpheres, Tag("<spheres>")]
    | Annotated[GenerateEllipsoids, Tag("<ellipsoids>")]
    | Annotated[GeneratePlates, Tag("<plates>")]
    | Annotated[GenerateFragments, Tag("<fragments>")]
    | Annotated[GenerateLayered, Tag("<layered>")]
    | Annotated[GenerateComposite, Tag("<composite>")]
)
type Packing = Annotated[_PACKED, Discriminator(kind)]
"""The generator of an electrode, by its `kind`; spheres where it says none."""


class GenerateTwoElectrodes(Section):
    """Two packed electrodes with a layer of one phase between them.

    Attributes:
        first: The electrode at z = 0.
        between: Thickness of the layer between them [m], the phase `between`.
        last: The electrode at z = L, of the same voxel and extent in plane; its own z counts from
            its collector.
    """

    kind: Literal["two_electrodes"]
    first: Packing
    between: Length
    last: Packing

    @model_validator(mode="after")
    def _fit(self) -> Self:
        for what in ("voxel", "size"):
            one, two = getattr(self.first, what), getattr(self.last, what)
            if what == "size":
                one, two = one[1:], two[1:]
            if one != two:
                raise ValueError(
                    f"the {what} of last is {two}, that of first {one}; expected equal"
                    + (" (y, x)" if what == "size" else "")
                )
        check_whole("the layer between", self.between, self.voxel)
        return self

    @property
    def voxel(self) -> float:
        """Edge of a voxel [m]."""
        return self.first.voxel

    @property
    def layers(self) -> int:
        """Voxels between the electrodes along z."""
        return round(self.between / self.voxel)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x)."""
        z, y, x = self.first.shape
        return z + self.layers + self.last.shape[0], y, x

    @property
    def grains(self) -> Grains | None:
        """Crystals in the particles of one of them at least."""
        return self.first.grains or self.last.grains

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        return tuple(self.expected_shares)

    @property
    def expected_shares(self) -> dict[str, float]:
        """About what each phase will have of the volume."""
        total = self.shape[0]
        shares: dict[str, float] = {}
        for prefix, one in ((FIRST, self.first), (LAST, self.last)):
            own = one.expected_shares
            shares |= {prefix + name: own[name] * one.shape[0] / total for name in one.phase_names}
            if prefix == FIRST:
                shares[BETWEEN] = self.layers / total
        return shares

    @property
    def parts(self) -> tuple[float, ...]:
        """Share of the active volume of each of the `particles`."""
        own = self.expected_shares
        active = [
            sum(own[prefix + name] for name in one.active_names)
            for prefix, one in ((FIRST, self.first), (LAST, self.last))
        ]
        return tuple(
            part * share / sum(active)
            for one, share in zip((self.first, self.last), active, strict=True)
            for part in one.parts
        )

    @property
    def particles(self) -> tuple[Particles, ...]:
        """The particles of both."""
        return (*self.first.particles, *self.last.particles)

    def make(self) -> "Volume":
        """Generates the volume."""
        return stacked(self.first.make(), self.last.make(), self.layers)


type Generate = Annotated[
    _PACKED
    | Annotated[GenerateSecondary, Tag("<secondary_particle>")]
    | Annotated[GenerateTwoElectrodes, Tag("<two_electrodes>")],
    Discriminator(kind),
]
"""One generator, by its `kind`; spheres where it says none."""
