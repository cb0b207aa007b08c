"""The `surroundings` section: particles in a stirred electrolyte in the place of a cell."""

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from voxtrode.pipeline.study_base import Section

STIRRED = "stirred"


class Contact(StrEnum):
    """Where electrons come from: one potential on all conductors, or the face z = 0."""

    EVERYWHERE = "everywhere"
    COLLECTOR = "collector"


class Stirred(Section):
    """A well-stirred electrolyte: uniform and constant, its potential that of lithium.

    Attributes:
        contact: `everywhere`: the particle is an equipotential; `collector`: electrons enter where
            the volume's face z = 0 cuts a conductor, and meet the conductivities.
    """

    contact: Contact = Contact.EVERYWHERE


class Surroundings(Section):
    """What is around the volume; stands for `separator` and `counter`.

    Attributes:
        stirred: A well-stirred electrolyte; `surroundings: stirred` is short for its defaults.
    """

    stirred: Stirred = Field(default_factory=Stirred)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        if isinstance(given, str):
            if given != STIRRED:
                raise ValueError(f'expected "{STIRRED}", got {given!r}')
            return {STIRRED: {}}
        return given
