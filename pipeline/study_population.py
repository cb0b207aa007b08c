"""What particles a generator packs: their sizes, shapes and orientation."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from voxtrode.pipeline.quantities import Share
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_sizes import Diameters, Distribution

if TYPE_CHECKING:
    from voxtrode.data.generation.populations import Population
    from voxtrode.data.generation.shape import Shape

type Positive = Annotated[float, Field(gt=0.0)]

_WHOLE = 1e-6
_SLENDEREST = 20.0


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

    @abstractmethod
    def smooth_shapes(self, seed: int) -> "tuple[Shape, ...]":
        """Variants of the shape before it is made rough."""

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
