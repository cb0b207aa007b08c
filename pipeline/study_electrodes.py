"""The `negative` and `positive` sections: a full cell whose electrodes stand in one volume."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from voxtrode.pipeline.quantities import Voltage
from voxtrode.pipeline.study_base import Section


class ElectrodeEntry(Section):
    """One electrode of a volume that holds both.

    Attributes:
        phases: Its phases: all that stores lithium or conducts electrons in it.
        collector: Which end of the volume its collector is: `first` (z = 0) or `last` (z = L).
    """

    phases: Annotated[tuple[str, ...], Field(min_length=1)]
    collector: Literal["first", "last"]


class NegativeEntry(ElectrodeEntry):
    """The negative one.

    Attributes:
        potentials: Its potentials against lithium [V] where the cell is fully charged and fully
            discharged: SoL 1 and SoL 0 of its materials.
    """

    potentials: tuple[Voltage, Voltage]

    @field_validator("potentials", mode="after")
    @classmethod
    def _rising(cls, ends: tuple[float, float]) -> tuple[float, float]:
        return rising(ends)


def rising(ends: tuple[float, float]) -> tuple[float, float]:
    """Potentials of a negative electrode, cell charged and discharged, if they are in order."""
    if ends[0] >= ends[1]:
        raise ValueError(
            f"a negative electrode is lower where the cell is charged, got {ends[0]:g} V"
            f" charged and {ends[1]:g} V discharged"
        )
    return ends


def check_electrodes(
    negative: NegativeEntry | None, positive: ElectrodeEntry | None, names: tuple[str, ...]
) -> None:
    """Refuse electrodes that do not make a cell.

    Raises:
        ValueError: One is missing, both have one collector or one phase, or a phase is not there.
    """
    if negative is None and positive is None:
        return
    if negative is None or positive is None:
        there, lacking = ("positive", "negative") if negative is None else ("negative", "positive")
        raise ValueError(f"{there}: there is no {lacking} electrode; give both, or a counter")
    if negative.collector == positive.collector:
        raise ValueError(
            f"positive.collector: both electrodes have their collector {negative.collector};"
            " expected one first and one last"
        )
    for key, entry in (("negative", negative), ("positive", positive)):
        for name in entry.phases:
            if name not in names:
                raise ValueError(
                    f'{key}.phases: the volume has no phase "{name}"; its phases:'
                    f" {', '.join(names)}"
                )
    both = sorted(set(negative.phases) & set(positive.phases))
    if both:
        raise ValueError(
            f'positive.phases: "{both[0]}" is in both electrodes; give the two electrodes labels'
            " of their own"
        )
