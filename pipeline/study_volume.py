"""The `volume` section: where the labelled voxels come from."""

from typing import Annotated, Any, Self

from pydantic import Field, model_serializer, model_validator
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.data.errors import NotAvailableError
from voxtrode.data.partitioning import DEFAULT, Partitioning
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_generate import Generate
from voxtrode.pipeline.study_image import Image

type NotNegative = Annotated[float, Field(ge=0.0)]


class Partition(Section):
    """How the active phases of an image are split into particles (SNOW; Gostick 2017).

    Attributes:
        smoothing: Standard deviation of the Gaussian over the distance map [largest voxel edges].
        contrast: Merge where the neck is less than this share narrower than the lesser maximum.
        least_contrast: Merge where it is narrower by less than this [largest voxel edges].
        nearness: Merge basins whose maxima are nearer to each other than this many times the lesser
            one's distance to the boundary.
    """

    smoothing: NotNegative = DEFAULT.smoothing
    contrast: NotNegative = DEFAULT.contrast
    least_contrast: NotNegative = DEFAULT.least_contrast
    nearness: NotNegative = DEFAULT.nearness

    def build(self) -> Partitioning:
        """As `voxtrode.data` takes it."""
        return Partitioning(**self.model_dump())


class VolumeSource(Section):
    """Exactly one source of the volume.

    Attributes:
        generate: A generator.
        image: An image.
        run: The folder of another run.
        particles: How images are split into particles, and generated volumes to compare.
    """

    generate: Generate | None = None
    image: Image | None = None
    run: str | None = None
    particles: Partition = Partition()

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in ("generate", "image", "run") if getattr(self, name) is not None]
        if len(given) != 1:
            came = " and ".join(given) or "none"
            raise ValueError(f"expected exactly one of generate, image or run, got {came}")
        if self.run is not None:
            raise NotAvailableError("volume.run: volumes of other runs are not available yet")
        return self

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases of the volume."""
        source = self.generate or self.image
        assert source is not None
        return source.phase_names

    @model_serializer(mode="wrap")
    def _only_the_source(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}
