"""The `transport` section: by which methods effective transport is worked out, and how well."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from voxtrode.pipeline.study_base import Section

type Method = Literal["voxel", "mesh", "taufactor"]
type Axis = Literal["z", "y", "x"]


class Transport(Section):
    """Effective transport of the electrode.

    Attributes:
        methods: `voxel` (finite volumes on the image), `mesh` (P1 elements on the simulation's
            mesh), `taufactor` (TauFactor's own package, an extra).
        axes: Directions.
        tolerance: Flux imbalance at which the voxel engine stops: (largest − smallest)/mean of the
            total flux over all planes normal to the axis.
        sides: `mirror` (no flux through the sides) or `periodic` in the plane; of the voxel engine.
        electrode: Work out the electrode tortuosity τ_e of the ions along z by the voxel engine.
        tensor: Work out the full tensor by the voxel engine; needs periodic sides.
        estimate: Solve the image down-sampled by two as well, and a mesh of twice the spacing: the
            change estimates the error.
        figures: Draw potential and flux along the first of the axes.
    """

    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("voxel", "mesh")
    axes: Annotated[tuple[Axis, ...], Field(min_length=1)] = ("z", "y", "x")
    tolerance: Annotated[float, Field(ge=1e-12, lt=1.0)] = 1e-3
    sides: Literal["mirror", "periodic"] = "mirror"
    electrode: bool = True
    tensor: bool = False
    estimate: bool = True
    figures: bool = True

    @model_validator(mode="after")
    def _tensor_of_periodic_sides(self) -> Self:
        if self.tensor and self.sides != "periodic":
            raise ValueError(
                "a tensor needs sides: periodic; between mirrors its entries off the diagonal are"
                " zero, and the rows of the three axes are all of it"
            )
        return self
