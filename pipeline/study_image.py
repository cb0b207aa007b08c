"""The `volume.image` section: a file of labels, or a grey one and how it is segmented."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_serializer, model_validator
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.pipeline.quantities import Length
from voxtrode.pipeline.study_base import Section

type Extent = tuple[Length, Length, Length]
type Count = Annotated[int, Field(ge=1)]
type Whole = Annotated[int, Field(ge=0)]
type Range = tuple[Whole, Count]
type Label = Annotated[int, Field(ge=-(2**31), le=2**32 - 1)]


class Raw(Section):
    """How the voxels lie in a file without a header.

    Attributes:
        shape: Number of voxels along the axes of the file, the slowest first.
        dtype: Type of a voxel, as NumPy names it.
        byte_order: Of types of several bytes.
        offset: Bytes before the first voxel.
    """

    shape: tuple[Count, Count, Count]
    dtype: Literal["uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64"] = (
        "uint8"
    )
    byte_order: Literal["little", "big"] = "little"
    offset: Whole = 0


class Padding(Section):
    """Voxels added at both sides in the plane, so that a crop ends as the simulation sees it.

    Attributes:
        mode: `mirror` or `periodic`.
        y: Voxels added at each side along y.
        x: Voxels added at each side along x.
    """

    mode: Literal["mirror", "periodic"]
    y: Whole = 0
    x: Whole = 0


class Denoise(Section):
    """Exactly one filter.

    Attributes:
        nlm: Non-local means; the strength in standard deviations of the noise.
        median: Median over a cube; half its edge [voxels].
    """

    nlm: Annotated[float, Field(gt=0.0)] | None = None
    median: Count | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.nlm is None) == (self.median is None):
            raise ValueError("expected exactly one of nlm or median")
        return self

    @model_serializer(mode="wrap")
    def _only_the_filter(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class Segment(Section):
    """How a grey image becomes labels.

    Attributes:
        classes: Names of the phases from dark to bright.
        denoise: The filter before; "none" for none.
        thresholds: Grey values between the classes, rising; default: multi-Otsu.
        watershed: Put the boundaries on the edges, by a watershed of the gradient.
        relax: Rounds of learning by which boundaries are relaxed on the noisy grey values; 0 for
            none.
        specks: Smallest component that is kept [voxels].
        vary: Shift of the thresholds whose effect is reported, over the distance of the classes.
    """

    classes: Annotated[tuple[str, ...], Field(min_length=2, max_length=5)]
    denoise: Denoise | Literal["none"] = Denoise(nlm=0.4)
    thresholds: tuple[float, ...] | None = None
    watershed: bool = True
    relax: Annotated[int, Field(ge=0, le=100)] = 8
    specks: Whole = 27
    vary: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes {list(self.classes)} name one phase twice")
        given = self.thresholds
        if given is not None and (
            len(given) != len(self.classes) - 1 or list(given) != sorted(set(given))
        ):
            raise ValueError(
                f"{len(given)} thresholds {list(given)} for {len(self.classes)} classes; expected"
                f" {len(self.classes) - 1}, rising"
            )
        return self


class Image(Section):
    """A file of voxels: TIFF, a folder of TIFF slices, .npy, HDF5 or raw.

    Attributes:
        file: The file or folder; in the study file relative to it, absolute once validated.
        voxel_size: Edge(s) of a voxel [m] in the axes of the file.
        thickness_axis: Axis of the file that is the thickness.
        collector: End of the thickness axis where the collector is.
        labels: Value (or values) in the file of each phase by name; not for grey images.
        segment: How a grey image becomes labels.
        crop: Voxels kept, [first, last) per axis of the file; None keeps all.
        padding: Voxels added in the plane.
        downsample: Voxels along (z, y, x) that become one, by majority.
        raw: Layout of a file without a header.
        dataset: Dataset of an HDF5 file that has several.
    """

    file: Path
    voxel_size: Extent
    thickness_axis: Annotated[int, Field(ge=0, le=2)] = 0
    collector: Literal["first", "last"] = "first"
    labels: dict[str, Label | Annotated[tuple[Label, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    segment: Segment | None = None
    crop: tuple[Range, Range, Range] | None = None
    padding: Padding | None = None
    downsample: tuple[Count, Count, Count] = (1, 1, 1)
    raw: Raw | None = None
    dataset: str | None = None

    @field_validator("file", mode="after")
    @classmethod
    def _absolute(cls, file: Path, info: ValidationInfo) -> Path:
        base: Path = (info.context or {}).get("folder", Path.cwd())
        return Path(base, file.expanduser()).absolute()

    @field_validator("voxel_size", "downsample", mode="before")
    @classmethod
    def _per_axis(cls, given: Any) -> Any:
        return given if isinstance(given, list | tuple) else (given, given, given)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.labels) == (self.segment is not None):
            raise ValueError(
                "expected either labels (of a segmented image) or segment (of a grey one)"
            )
        seen: dict[int, str] = {}
        for name, values in self.label_values.items():
            for value in values:
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
    def label_values(self) -> Mapping[str, tuple[int, ...]]:
        """Values in the file of each phase by name."""
        return {
            name: (value,) if isinstance(value, int) else value
            for name, value in self.labels.items()
        }

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the study file."""
        return tuple(self.labels) if self.segment is None else self.segment.classes

    @model_serializer(mode="wrap")
    def _only_what_counts(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        empty: tuple[Any, ...] = (None, {})
        optional = ("labels", "segment", "padding", "raw", "dataset")
        tree: dict[str, Any] = handler(self)
        return {k: v for k, v in tree.items() if not (k in optional and v in empty)}
