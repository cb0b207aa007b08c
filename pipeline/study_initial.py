"""The `initial` section: the state that a simulation starts from."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_serializer, model_validator
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.pipeline.quantities import Voltage
from voxtrode.pipeline.study_base import Section

CHECKPOINT = Path("simulate", "checkpoint.h5")
"""Where a run leaves the state that it ended in."""


class Initial(Section):
    """Exactly one of a lithiation, a voltage and another run.

    Attributes:
        sol: State of lithiation of the electrode that discharge fills: 0 fully charged, 1 fully
            discharged; in equilibrium.
        voltage: Cell voltage [V]; in equilibrium.
        run: Folder of another run on the same mesh, whose end is the start; in the study file
            relative to it, absolute once validated.
    """

    sol: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    voltage: Voltage | None = None
    run: Path | None = None

    @field_validator("run", mode="after")
    @classmethod
    def _absolute(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        base: Path = (info.context or {}).get("folder", Path.cwd())
        return None if folder is None else Path(base, folder.expanduser()).absolute()

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(one is not None for one in (self.sol, self.voltage, self.run)) != 1:
            raise ValueError(
                'expected exactly one of sol, voltage and run, e.g. {sol: 0.5}, {voltage: "3.7 V"}'
                " or {run: runs/first}"
            )
        return self

    @property
    def checkpoint(self) -> Path | None:
        """File of the state that is taken over, or None."""
        return None if self.run is None else self.run / CHECKPOINT

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}
