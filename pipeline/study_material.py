"""Materials and electrolytes of a study: a name of the library, a BPX file or a PyBaMM set."""

from abc import ABC, abstractmethod
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Tag,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.data.errors import InputError
from voxtrode.data.materials import ActiveMaterial, Electrolyte
from voxtrode.data.sources.bpx import read_bpx
from voxtrode.data.sources.pybamm_package import package_of
from voxtrode.data.sources.pybamm_sets import pybamm_set
from voxtrode.data.sources.source import MaterialSource
from voxtrode.data.sources.tails import reaching
from voxtrode.pipeline.study_base import Section

type Electrode = Literal["negative", "positive"]


class Source(Section, ABC):
    """Parameters that do not come from the library: exactly one of a file and a set.

    Attributes:
        bpx: A BPX file; in the study file relative to it, absolute once validated.
        pybamm: Name of a parameter set of PyBaMM.
    """

    bpx: Path | None = None
    pybamm: str | None = None

    @field_validator("bpx", mode="after")
    @classmethod
    def _absolute(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        base: Path = (info.context or {}).get("folder", Path.cwd())
        return None if file is None else Path(base, file.expanduser()).absolute()

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.bpx is None) == (self.pybamm is None):
            raise ValueError("expected exactly one of bpx (a file) or pybamm (a parameter set)")
        return self

    @property
    def origin(self) -> str:
        """Name of the file or set."""
        return self.bpx.name if self.bpx is not None else str(self.pybamm)

    @property
    def identity(self) -> dict[str, Any]:
        """What results depend on: the content of the file, not its place; or set and package.

        Raises:
            InputError: The file cannot be read, or PyBaMM has no such set.
        """
        said = self.model_dump(mode="json")
        if self.bpx is None:
            return {**said, "package": package_of(str(self.pybamm))}
        try:
            return {**said, "bpx": sha256(self.bpx.read_bytes()).hexdigest()}
        except OSError as error:
            raise InputError(f"{self.bpx} cannot be read: {error.strerror}") from None

    def open(self) -> MaterialSource:
        """The parameters (InputError where they cannot be read)."""
        return read_bpx(self.bpx) if self.bpx is not None else pybamm_set(str(self.pybamm))

    @abstractmethod
    def __str__(self) -> str:
        """The name of what is taken, as reports show it."""

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


class MaterialFrom(Source):
    """An active material of an electrode of a cell.

    Attributes:
        electrode: Which electrode.
        particle: Which particle of a blended electrode.
    """

    electrode: Electrode
    particle: str | None = None

    def load(self, temperature: float, cutoffs: tuple[float, float]) -> ActiveMaterial:
        """The material.

        Args:
            temperature: T of its laws [K].
            cutoffs: Lower and upper voltage [V] that its potential must meet; where it does not,
                an assumed tail does.
        """
        found = self.open().active_material(self.electrode, self.particle, temperature)
        return reaching(found, *cutoffs)

    def __str__(self) -> str:
        which = self.electrode if self.particle is None else f"{self.electrode}, {self.particle}"
        return f"{self.origin}: {which} electrode"


class ElectrolyteFrom(Source):
    """The electrolyte of a cell."""

    def load(self, temperature: float) -> Electrolyte:
        """The electrolyte at a temperature [K]."""
        return self.open().electrolyte(temperature)

    def __str__(self) -> str:
        return f"{self.origin}: electrolyte"


def _form(given: object) -> str:
    return "<name>" if isinstance(given, str) else "<source>"


type MaterialGiven = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[MaterialFrom, Tag("<source>")], Discriminator(_form)
]
type ElectrolyteGiven = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[ElectrolyteFrom, Tag("<source>")],
    Discriminator(_form),
]
