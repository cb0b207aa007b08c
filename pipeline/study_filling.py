"""What a generator puts into and between particles: cracks, grains, binder, carbon."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from voxtrode.data.generation.weights import volume_fractions
from voxtrode.pipeline.quantities import Density, Fraction, Length, Share
from voxtrode.pipeline.study_base import Section

_WHOLE = 1e-6


class Cracks(Section):
    """Thin sheets cut out of the particles.

    Attributes:
        surface: Share of the active volume in cracks that reach the surface; they fill with what
            is around the particle.
        internal: Share of the active volume in cracks that do not; they are the phase `void`.
        width: Their opening [m].
        depth: How far a surface crack goes in, over the radius.
        share: Share of the particles that crack.
    """

    surface: Annotated[float, Field(ge=0.0, le=0.3)] = 0.0
    internal: Annotated[float, Field(ge=0.0, le=0.3)] = 0.0
    width: Length
    depth: Annotated[float, Field(ge=0.05, le=0.95)] = 0.6
    share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.surface + self.internal <= 0.0:
            raise ValueError("surface and internal are both 0; leave cracks out")
        return self


class Grains(Section):
    """Crystals inside the particles, each with one orientation.

    Attributes:
        arrangement: `voronoi` at random; `radial` elongated along the radius; `double_layer` radial
            in the outer third of the radius, random inside; `single_crystal` one a particle.
        size: Equivalent diameter of a grain [m]; not for single crystals.
        groups: In a section: number of orientations, evenly from 0 to 90 degrees; None: any.
    """

    arrangement: Literal["voronoi", "radial", "double_layer", "single_crystal"]
    size: Length | None = None
    groups: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _size(self) -> Self:
        if (self.size is None) != (self.arrangement == "single_crystal"):
            raise ValueError(
                f"{self.arrangement} grains with"
                f" {'no size' if self.size is None else 'a size'}; expected"
                " a size for voronoi, radial and double_layer, none for single_crystal"
            )
        return self


class Binder(Section):
    """A resolved carbon-binder domain, the phase `cbd` beside `pore`.

    Attributes:
        fraction: Share of the volume.
        weight: Share of the solids' mass, instead of `fraction`; needs the densities.
        density: Density of the binder domain, its pores included [kg/m³].
        active_density: Density of the active material [kg/m³].
        form: `film` on the particles; `bridges` where particles are near each other; `mixed`.
        bridges: Share of bridges in a mixed form.
        coverage: Share of the particles' surface that a film covers.
        patch: Mean length of a film's patches [m]; where it does not cover everything.
    """

    fraction: Fraction | None = None
    weight: Fraction | None = None
    density: Density | None = None
    active_density: Density | None = None
    form: Literal["film", "bridges", "mixed"] = "mixed"
    bridges: Share = 0.5
    coverage: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    patch: Length | None = None

    @model_validator(mode="after")
    def _amount(self) -> Self:
        if (self.fraction is None) == (self.weight is None):
            raise ValueError("expected either fraction (of the volume) or weight (of the solids)")
        densities = self.density is not None and self.active_density is not None
        if (self.weight is not None) != densities:
            raise ValueError("weight goes with density and active_density; fraction with neither")
        if (self.coverage < 1.0) != (self.patch is not None):
            raise ValueError("a coverage below 1 goes with the mean length of a patch")
        return self

    def volume_fraction(self, active: float) -> float:
        """Share of the box, beside a share `active` of active material."""
        if self.fraction is not None:
            return self.fraction
        assert self.weight is not None
        assert self.density is not None
        assert self.active_density is not None
        weights = {"active": 1.0 - self.weight, "cbd": self.weight}
        densities = {"active": self.active_density, "cbd": self.density}
        per_volume = volume_fractions(weights, densities)
        return per_volume["cbd"] / per_volume["active"] * active

    def active_among(self, solids: float) -> float:
        """Share of the box that is active where active and binder together have `solids`."""
        if self.fraction is not None:
            return solids - self.fraction
        return solids / (1.0 + self.volume_fraction(1.0))


class CarbonSpheres(Section):
    """Carbon as spheres spread through the electrolyte.

    Attributes:
        diameter: Of a sphere [m].
    """

    form: Literal["spheres"] = "spheres"
    diameter: Length


class CarbonFibres(Section):
    """Carbon as fibres that bridge particles.

    Attributes:
        diameter: Of a fibre [m].
        length: Mean length of a fibre [m].
    """

    form: Literal["fibres"]
    diameter: Length
    length: Length


type Carbon = Annotated[CarbonSpheres | CarbonFibres, Field(discriminator="form")]


class Weights(Section):
    """Shares of the composite's mass; they add up to 1.

    Attributes:
        active: Active material.
        electrolyte: Solid electrolyte.
        carbon: Carbon.
    """

    active: Fraction
    electrolyte: Share
    carbon: Share = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.active + self.electrolyte + self.carbon
        if abs(total - 1.0) > _WHOLE:
            raise ValueError(f"the weights add up to {total:g}; expected 1")
        return self


class Densities(Section):
    """Densities [kg/m³]; the defaults are measured (electrolyte, carbon) or assumed (active).

    Attributes:
        active: NMC (assumed).
        electrolyte: Argyrodite.
        carbon: Carbon black.
    """

    active: Density = 4700.0
    electrolyte: Density = 1860.0
    carbon: Density = 670.0


class Calender(Section):
    """Compression along the thickness with rigid particles.

    Attributes:
        porosity: Share of the volume that active material leaves free, after compression; with a
            resolved binder the share that both leave free.
    """

    porosity: Fraction
