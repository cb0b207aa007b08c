"""The `surroundings` section: particles in a stirred electrolyte in the place of a cell."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from voxtrode.pipeline.study_base import Section

STIRRED = "stirred"


class Stirred(Section):
    """A well-stirred electrolyte: uniform and constant, its potential that of lithium.

    Attributes:
        contact: `everywhere`: the particle is an equipotential; `collector`: electrons enter where
            the volume's face z = 0 cuts a conductor, and meet the conductivities.
    """

    contact: Literal["everywhere", "collector"] = "everywhere"

    @property
    def everywhere(self) -> bool:
        """Whether the particle is an equipotential."""
        return self.contact == "everywhere"


def _or_by_name(schema: dict[str, Any]) -> None:
    """A JSON Schema of a mapping becomes one of it or of the short form."""
    mapping = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"const": STIRRED}, mapping]


class Surroundings(Section):
    """What is around the volume; stands for `separator` and `counter`.

    Attributes:
        stirred: A well-stirred electrolyte; `surroundings: stirred` is short for its defaults.
    """

    model_config = ConfigDict(json_schema_extra=_or_by_name)

    stirred: Stirred = Field(default_factory=Stirred)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        if isinstance(given, str):
            if given != STIRRED:
                raise ValueError(f'expected "{STIRRED}", got {given!r}')
            return {STIRRED: {}}
        return given
