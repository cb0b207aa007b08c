"""Size distributions of a generator's particles, each by volume."""

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from voxtrode.pipeline.quantities import Length, Share
from voxtrode.pipeline.study_base import Section

if TYPE_CHECKING:
    from voxtrode.data.generation.sizes import SizeDistribution

type Diameters = tuple[Length, ...]


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
