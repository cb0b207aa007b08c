"""What particles a generator packs: their sizes, shapes and orientation."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from voxtrode.pipeline.quantities import Length, Share
from voxtrode.pipeline.study_base import Section

if TYPE_CHECKING:
    from voxtrode.data.generation.populations import Population
    from voxtrode.data.generation.shape import Shape
    from voxtrode.data.generation.sizes import SizeDistribution

type Diameters = tuple[Length, ...]
type Positive = Annotated[float, Field(gt=0.0)]

_WHOLE = 1e-6
_SLENDEREST = 20.0


class LogNormal(Section):
    """A log-normal distribution of the volume over diameters.

    Attributes:
        d50: Median by volume [m].
        sigma: Standard deviation of ln(diameter).
    """

    d50: Length
    sigma: Annotated[float, Field(gt=0.0, le=1.5)]

    def sizes(self) -> "SizeDistribution":
        """The distribution."""
        from voxtrode.data.generation import sizes

        return sizes.LogNormal(self.d50, self.sigma)


class Percentiles(Section):
    """A smooth distribution through three percentiles by volume, as particle sizers report them.

    Attributes:
        d10: A tenth of the volume lies in particles below this diameter [m].
        d50: Half of it [m].
        d90: Nine tenths of it [m].
    """

    d10: Length
    d50: Length
    d90: Length

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.d10 < self.d50 < self.d90:
            raise ValueError(
                f"d10, d50, d90 are {self.d10:g}, {self.d50:g}, {self.d90:g} m; expected rising"
            )
        return self

    def sizes(self) -> "SizeDistribution":
        """The distribution."""
        from voxtrode.data.generation import sizes

        return sizes.Percentiles(self.d10, self.d50, self.d90)


class Table(Section):
    """A measured distribution: the volume's share in each class of diameters.

    Attributes:
        diameters: Rising limits of the classes [m], one more than there are shares.
        shares: Share of the volume in each class; they are scaled to add up to 1.
    """

    diameters: Annotated[Diameters, Field(min_length=2)]
    shares: Annotated[tuple[Share, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _classes(self) -> Self:
        if any(b <= a for a, b in zip(self.diameters, self.diameters[1:], strict=False)):
            raise ValueError("the limits of the classes (diameters) do not rise")
        if len(self.diameters) != len(self.shares) + 1:
            raise ValueError(
                f"{len(self.diameters)} limits for {len(self.shares)} shares; expected one limit"
                " more than shares"
            )
        if sum(self.shares) <= 0.0:
            raise ValueError("the shares are all 0")
        return self

    def sizes(self) -> "SizeDistribution":
        """The distribution."""
        from voxtrode.data.generation import sizes

        return sizes.Table(self.diameters, self.shares)


class Distribution(Section):
    """Exactly one kind of size distribution, each by volume."""

    lognormal: LogNormal | None = None
    percentiles: Percentiles | None = None
    table: Table | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self._given()) != 1:
            raise ValueError("expected exactly one of lognormal, percentiles or table")
        return self

    def _given(self) -> list[LogNormal | Percentiles | Table]:
        return [one for one in (self.lognormal, self.percentiles, self.table) if one is not None]

    def sizes(self) -> "SizeDistribution":
        """The distribution."""
        return self._given()[0].sizes()


class Roughness(Section):
    """Smooth random waves on a particle's surface.

    Attributes:
        amplitude: Root mean square height over the particle's diameter.
        wavelength: Their length over the particle's diameter.
    """

    amplitude: Annotated[float, Field(gt=0.0, le=0.2)]
    wavelength: Annotated[float, Field(ge=0.02, le=2.0)] = 0.25


class Particles(Section):
    """Particles of one shape. Give `diameters` (with `shares`) or a `distribution`.

    Attributes:
        diameters: Diameters of balls of equal volume [m].
        shares: Share of the active volume of each diameter; equal ones by default.
        distribution: Distribution of the diameters, by volume.
        phases: Names of the phases of the diameters, one each; default: all are `active`.
        roughness: Rough surfaces.
    """

    diameters: Diameters = ()
    shares: tuple[Share, ...] = ()
    distribution: Distribution | None = None
    phases: tuple[str, ...] = ()
    roughness: Roughness | None = None

    variants: ClassVar[int] = 12
    """Different surfaces where each is random."""

    @model_validator(mode="after")
    def _sizes_once(self) -> Self:
        if bool(self.diameters) == (self.distribution is not None):
            raise ValueError("expected either diameters or a distribution of the particles' sizes")
        if self.shares and len(self.shares) != len(self.diameters):
            raise ValueError(
                f"{len(self.shares)} shares for {len(self.diameters)} diameters; expected as many"
            )
        if self.shares and abs(sum(self.shares) - 1.0) > _WHOLE:
            raise ValueError(f"the shares add up to {sum(self.shares):g}; expected 1")
        if self.phases and len(self.phases) != max(len(self.diameters), 1):
            raise ValueError(
                f"{len(self.phases)} phases for {len(self.diameters)} diameters; expected as many"
            )
        return self

    @property
    def active_phases(self) -> tuple[str, ...]:
        """Names of the active phases, each once."""
        return tuple(dict.fromkeys(self.phases or ("active",)))

    @property
    def largest(self) -> float:
        """The largest diameter that is asked for outright [m]; 0 where a distribution says it."""
        return max(self.diameters, default=0.0)

    @property
    def smallest(self) -> float:
        """The smallest diameter that is asked for outright [m]; 0 where a distribution says it."""
        return min(self.diameters, default=0.0)

    @property
    def share_by_diameter(self) -> tuple[float, ...]:
        """Share of the active volume of each diameter."""
        count = len(self.diameters)
        return self.shares or (1.0 / count,) * count if count else ()

    @property
    def phase_shares(self) -> dict[str, float]:
        """Share of the particles' volume of each active phase by name."""
        names = self.active_phases
        if len(names) == 1:
            return {names[0]: 1.0}
        shares = dict.fromkeys(names, 0.0)
        for name, share in zip(self.phases, self.share_by_diameter, strict=True):
            shares[name] += share
        return shares

    def populations(self, groups: dict[str, int], seed: int) -> "tuple[Population, ...]":
        """The particles as the packing takes them.

        Args:
            groups: Number of each phase by name.
            seed: Of random surfaces.
        """
        from voxtrode.data.generation import sizes
        from voxtrode.data.generation.populations import Population

        shapes, orientation = self.shapes(seed), self.orientation()
        if self.distribution is not None:
            group = groups[self.active_phases[0]]
            return (Population(shapes, self.distribution.sizes(), 1.0, orientation, group),)
        if not self.phases:
            every = sizes.Discrete(self.diameters, self.share_by_diameter)
            return (Population(shapes, every, 1.0, orientation, groups[self.active_phases[0]]),)
        return tuple(
            Population(shapes, sizes.Discrete((d,), (1.0,)), share, orientation, groups[name])
            for d, share, name in zip(
                self.diameters, self.share_by_diameter, self.phases, strict=True
            )
        )

    def shapes(self, seed: int) -> "tuple[Shape, ...]":
        """Variants of the shape, drawn at random for each particle.

        Args:
            seed: Of random surfaces.
        """
        smooth = self.smooth_shapes(seed)
        if self.roughness is None:
            return smooth
        from voxtrode.data.generation.roughness import Rough

        count = max(self.variants, len(smooth))
        return tuple(
            Rough(
                smooth[k % len(smooth)],
                self.roughness.amplitude,
                self.roughness.wavelength,
                seed + k,
            )
            for k in range(count)
        )

    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """Variants of the shape before it is made rough."""
        raise NotImplementedError

    def orientation(self) -> Any:
        """The orientation of the particles."""
        from voxtrode.data.generation.orientation import RandomOrientation

        return RandomOrientation()


class Spheres(Particles):
    """Balls."""

    kind: Literal["spheres"] = "spheres"

    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """The ball."""
        del seed
        from voxtrode.data.generation.shape import Ball

        return (Ball(),)


class Oriented(Particles):
    """Particles with an orientation.

    Attributes:
        alignment: Watson's concentration κ of the short axes about the thickness: 0 random, 10 and
            more flat on the collector.
    """

    alignment: Annotated[float, Field(ge=0.0)] = 0.0

    def orientation(self) -> Any:
        """Random, or in plane."""
        from voxtrode.data.generation.orientation import InPlane, RandomOrientation

        return InPlane(self.alignment) if self.alignment > 0.0 else RandomOrientation()


class Ellipsoids(Oriented):
    """Ellipsoids.

    Attributes:
        ratios: Ratios of the three axes; the shortest is the one that `alignment` turns.
    """

    kind: Literal["ellipsoids"] = "ellipsoids"
    ratios: tuple[Positive, Positive, Positive] = (1.0, 1.4, 1.8)

    @model_validator(mode="after")
    def _not_needles(self) -> Self:
        if max(self.ratios) > _SLENDEREST * min(self.ratios):
            raise ValueError(
                f"ratios {list(self.ratios)}: expected the longest axis at most {_SLENDEREST:g}"
                " times the shortest"
            )
        return self

    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """The ellipsoid."""
        del seed
        from voxtrode.data.generation.shapes_basic import Ellipsoid

        shortest, middle, longest = sorted(self.ratios)
        return (Ellipsoid((shortest, middle, longest)),)


class Plates(Oriented):
    """Flakes, such as graphite's.

    Attributes:
        aspect: Diameter over thickness.
    """

    kind: Literal["plates"] = "plates"
    aspect: Annotated[float, Field(ge=1.0, le=20.0)] = 4.0

    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """The flake."""
        del seed
        from voxtrode.data.generation.shapes_basic import Plate

        return (Plate(self.aspect),)


class Fragments(Particles):
    """Irregular convex polyhedra, such as crushed grains."""

    kind: Literal["fragments"] = "fragments"

    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """Several polyhedra."""
        from voxtrode.data.generation.shapes_fragment import Fragment

        return tuple(Fragment(seed + k) for k in range(self.variants))
