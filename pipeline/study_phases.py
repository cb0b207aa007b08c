"""The `phases` and `separator` sections: what each region stores and conducts.

ε and τ are intrinsic to a phase (not of the whole electrode).
"""

from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.pipeline.quantities import Conductivity, Distance, Porosity, to_si
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_material import ElectrolyteGiven, MaterialGiven

BRUGGEMAN = "bruggeman"
"""As a tortuosity: τ = ε^−0.5 with the intrinsic ε of the phase."""


def _tortuosity(given: object) -> float | str:
    if given == BRUGGEMAN:
        return BRUGGEMAN
    value = to_si(given, "", "tortuosity factor", "1.43")
    if value < 1.0:
        raise ValueError(f'{given!r} is below 1; expected a tortuosity factor, or "{BRUGGEMAN}"')
    return value


type Tortuosity = Annotated[
    float | str,
    BeforeValidator(_tortuosity),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 1.0}, {"const": BRUGGEMAN}]}),
]

DEFAULT_ELECTROLYTE = "default"
"""As the electrolyte of a phase: the electrolyte of the study."""


def bruggeman(porosity: float) -> float:
    """Tortuosity factor τ = ε^−0.5 of Bruggeman's relation D_eff = ε^1.5 D."""
    return float(porosity**-0.5)


def tortuosity_value(given: float | str, porosity: float) -> float:
    """The tortuosity factor as a number."""
    return bruggeman(porosity) if given == BRUGGEMAN else float(given)


class AnisotropyEntry(Section):
    """Diffusion of lithium that is slower (or faster) along one axis of the lattice.

    Attributes:
        ratio: Diffusivity along the c axis over that along the layers, D_c/D_ab; the material's
            D_s is D_ab.
        axis: The c axis as [z, y, x], of any length; None: that of each grain of the volume.
    """

    ratio: Annotated[float, Field(gt=0.0)]
    axis: tuple[float, float, float] | None = None

    @field_validator("axis", mode="after")
    @classmethod
    def _no_zero(cls, axis: tuple[float, float, float] | None) -> Any:
        if axis is not None and not any(axis):
            raise ValueError("has no direction, got zeros; expected e.g. [1, 0, 0]")
        return axis


class PhaseEntry(Section):
    """One phase of the volume.

    Attributes:
        material: An active material, a conductor or a solid electrolyte of the library, which says
            what it is; or an active material of a BPX file or a PyBaMM set.
        porosity: Intrinsic volume fraction ε of electrolyte; overrides a conductor's.
        tortuosity: Intrinsic tortuosity factor τ, or "bruggeman"; overrides a conductor's.
        conductivity: Electronic conductivity inside the phase [S/m]; overrides the library's.
        ionic_conductivity: Conductivity of lithium ions in a single-ion conductor [S/m]; overrides
            the library's.
        electrolyte: Electrolyte inside the phase; None and "default": the study's.
        anisotropy: Diffusion of lithium along the c axis, where it is not that of all directions.
        inert: The phase stores and conducts nothing (void, insulator).
    """

    material: MaterialGiven | None = None
    porosity: Porosity | None = None
    tortuosity: Tortuosity | None = None
    conductivity: Conductivity | None = None
    ionic_conductivity: Conductivity | None = None
    electrolyte: ElectrolyteGiven | None = None
    anisotropy: AnisotropyEntry | None = None
    inert: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = sorted(self.model_dump())
        if self.inert and given != ["inert"]:
            other = ", ".join(key for key in given if key != "inert")
            raise ValueError(f"an inert phase has no other keys, got {other}")
        if not given:
            raise ValueError(
                "says nothing; expected a material, a porosity, a conductivity or inert: true"
            )
        if self.ionic_conductivity is not None and self.holds_liquid:
            raise ValueError(
                "has an ionic_conductivity (of a single-ion solid) and a liquid electrolyte;"
                " expected one of them"
            )
        if self.material is None and self.porosity is not None and self.tortuosity is None:
            raise ValueError(
                'has a porosity but no tortuosity; give its tortuosity factor, or "bruggeman"'
            )
        return self

    @property
    def holds_liquid(self) -> bool:
        """Whether the entry itself says that the phase holds electrolyte."""
        return any(key is not None for key in (self.porosity, self.tortuosity, self.electrolyte))

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value not in (None, False)}


FULL_PORE = PhaseEntry(porosity=1.0, tortuosity=1.0)
"""What a phase called `pore` is when the study has no entry for it: full of the electrolyte."""


class Separator(Section):
    """The separator between electrode and counter electrode: a porous one or a solid electrolyte.

    Attributes:
        thickness: Thickness [m]; 0 where a volume holds both electrodes and what is between them.
        porosity: Volume fraction ε of electrolyte.
        tortuosity: Tortuosity factor τ, or "bruggeman".
        electrolyte: Its electrolyte; None and "default": the study's.
        material: A solid electrolyte of the library, in the place of porosity and tortuosity.
        ionic_conductivity: Conductivity of lithium ions in a solid electrolyte [S/m]; overrides
            the library's.
    """

    thickness: Distance
    porosity: Porosity | None = None
    tortuosity: Tortuosity | None = None
    electrolyte: ElectrolyteGiven | None = Field(
        default_factory=lambda data: None if data.get("porosity") is None else DEFAULT_ELECTROLYTE
    )
    material: str | None = None
    ionic_conductivity: Conductivity | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        said = [getattr(self, key) is not None for key in ("porosity", "tortuosity", "electrolyte")]
        solid = self.material is not None or self.ionic_conductivity is not None
        if solid and any(said):
            raise ValueError(
                "is a solid electrolyte (material, ionic_conductivity) and holds a liquid"
                " (porosity, tortuosity, electrolyte); expected one of them"
            )
        if not solid:
            for key, there in zip(("porosity", "tortuosity"), said, strict=False):
                if not there:
                    raise ValueError(
                        f"has no {key}; give porosity and tortuosity, or a solid electrolyte as"
                        " material"
                    )
        return self

    @property
    def holds_liquid(self) -> bool:
        """Whether the separator holds a liquid electrolyte."""
        return self.porosity is not None

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


NO_SEPARATOR = Separator(thickness=0.0, porosity=1.0, tortuosity=1.0)
"""The separator of a cell whose volume holds both electrodes."""
