"""The `volume` section: where the labelled voxels come from."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_serializer, model_validator
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.data.errors import NotAvailableError
from voxtrode.pipeline.quantities import Fraction, Length
from voxtrode.pipeline.study_base import Section

type Extent = tuple[Length, Length, Length]
type Range = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]
type Label = Annotated[int, Field(ge=0, le=65535)]

_WHOLE = 1e-6  # a size in voxels is whole to rounding


class Generate(Section):
    """A volume made by voxtrode: spheres that touch and overlap slightly, in a non-solid domain.

    Attributes:
        kind: The generator; its phases are `active` and `nsd`.
        diameters: Diameters of the spheres [m].
        active_fraction: Volume fraction of the active phase.
        size: Size of the box [m], (z, y, x), z the thickness.
        voxel: Edge of a voxel [m].
        seed: Seed of the random positions.
    """

    kind: Literal["spheres"] = "spheres"
    diameters: Annotated[tuple[Length, ...], Field(min_length=1)]
    active_fraction: Fraction
    size: Extent
    voxel: Length
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _whole_voxels(self) -> Self:
        for axis, size in zip("zyx", self.size, strict=True):
            count = size / self.voxel
            if abs(count - round(count)) > _WHOLE * count or round(count) < 1:
                raise ValueError(
                    f"the size along {axis} ({size:g} m) is {count:g} voxels of {self.voxel:g} m;"
                    " expected a whole number of voxels"
                )
        if len(self.diameters) > 1:
            raise NotAvailableError(
                "volume.generate.diameters: more than one diameter is not available yet; give one"
            )
        if self.diameters[0] > self.size[0]:
            raise ValueError(
                f"a sphere of {self.diameters[0]:g} m does not fit a thickness of"
                f" {self.size[0]:g} m; enlarge the size or take a smaller diameter"
            )
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x)."""
        z, y, x = (round(size / self.voxel) for size in self.size)
        return z, y, x

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases that the generator makes."""
        return ("active", "nsd")


class Image(Section):
    """A labelled TIFF.

    Attributes:
        file: The file; in the study file relative to it, absolute once validated.
        voxel_size: Edge(s) of a voxel [m], (z, y, x) in the axes of the file.
        thickness_axis: Axis of the file that is the thickness.
        collector: End of the thickness axis where the collector is.
        labels: Value in the file of each phase by name.
        crop: Voxels kept, [first, last) per axis of the file; None keeps all.
    """

    file: Path
    voxel_size: Extent
    thickness_axis: Annotated[int, Field(ge=0, le=2)] = 0
    collector: Literal["first", "last"] = "first"
    labels: Annotated[dict[str, Label], Field(min_length=1)]
    crop: tuple[Range, Range, Range] | None = None

    @field_validator("file", mode="after")
    @classmethod
    def _absolute(cls, file: Path, info: ValidationInfo) -> Path:
        base: Path = (info.context or {}).get("folder", Path.cwd())
        return Path(base, file.expanduser()).absolute()

    @field_validator("voxel_size", mode="before")
    @classmethod
    def _per_axis(cls, given: Any) -> Any:
        return given if isinstance(given, list | tuple) else (given, given, given)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: dict[int, str] = {}
        for name, value in self.labels.items():
            if value in seen:
                raise ValueError(f'labels "{seen[value]}" and "{name}" share the value {value}')
            seen[value] = name
        for axis, (first, last) in enumerate(self.crop or ()):
            if first >= last:
                raise ValueError(
                    f"crop [{first}, {last}] of axis {axis} is empty; expected first < last"
                )
        return self

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the study file."""
        return tuple(self.labels)


class VolumeSource(Section):
    """Exactly one source of the volume."""

    generate: Generate | None = None
    image: Image | None = None
    run: str | None = None

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
