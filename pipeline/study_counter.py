"""The `counter` section: a metal by its name, or an electrode balanced with that of the volume."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag, field_validator

from voxtrode.pipeline.quantities import Voltage
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_electrodes import rising
from voxtrode.pipeline.study_material import MaterialGiven


class CounterMaterial(Section):
    """A well-mixed negative electrode on the counter face.

    Attributes:
        material: Its active material.
        potentials: Its potentials against lithium [V] where the cell is fully charged and fully
            discharged; its capacity lies between them.
        capacity_ratio: That capacity over that of the electrode in the volume (N/P).
        area_factor: Its surface per area of the counter face.
    """

    material: MaterialGiven
    potentials: tuple[Voltage, Voltage]
    capacity_ratio: Annotated[float, Field(gt=0.0)]
    area_factor: Annotated[float, Field(gt=0.0)]

    @field_validator("potentials", mode="after")
    @classmethod
    def _rising(cls, ends: tuple[float, float]) -> tuple[float, float]:
        return rising(ends)


def _form(given: object) -> str:
    return "<name>" if isinstance(given, str) else "<electrode>"


type CounterGiven = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[CounterMaterial, Tag("<electrode>")],
    Discriminator(_form),
]
