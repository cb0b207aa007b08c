"""States that have left the ranges which the sources of the laws cover."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from voxtrode.data.law import Law
from voxtrode.data.materials import ActiveMaterial, Electrolyte
from voxtrode.solvers.cell import Cell

SALT = "c_e"
"""The concentration's key among the extremes; stoichiometries are kept by the phase's name."""

Extremes = Mapping[str, tuple[float, float] | list[float]]


def out_of_range(cell: Cell, extremes: Extremes) -> list[dict[str, Any]]:
    """Laws whose argument has been beyond what their source covers.

    Args:
        cell: What was simulated.
        extremes: Smallest and largest c_e [mol/m³] (`c_e`) and θ (by the name of its phase).

    Returns:
        `phase` (None: all that hold the electrolyte), `material`, `law`, `argument`, `range` and
        `reached` of each, and `held`: whether the law is constant beyond (else it goes on as its
        formula or its assumed tail does).
    """
    found = []
    if SALT in extremes:
        for fluid, _ in cell.electrolytes():
            left = _left(fluid, SALT, extremes[SALT], fluid.c_max_fit.value)
            found += [{"phase": None, **one} for one in left]
    # Phases split so that their particles come apart share a name, and the extremes kept by it.
    for name, phase in {phase.name: phase for phase in cell.phases.values()}.items():
        if phase.active is not None and name in extremes:
            left = _left(phase.active, "theta", extremes[name], None)
            found += [{"phase": name, **one} for one in left]
    return found


def _left(
    material: Electrolyte | ActiveMaterial,
    argument: str,
    reached: tuple[float, float] | list[float],
    limit: float | None,
) -> Iterator[dict[str, Any]]:
    low, high = reached
    for field in fields(material):
        law = getattr(material, field.name)
        if not isinstance(law, Law) or field.name == "kappa_over_c":  # κ says it already
            continue
        valid = law.valid.get(argument)
        if valid is None and limit is not None and field.name != "chi":
            valid = (0.0, limit)
        if valid is None or (valid[0] <= low and high <= valid[1]):
            continue
        beyond = [at for at in (low, high) if not valid[0] <= at <= valid[1]]
        values = [float(law(**_state(law, argument, at))) for at in beyond]
        ends = [
            float(law(**_state(law, argument, min(max(at, valid[0]), valid[1])))) for at in beyond
        ]
        yield {
            "material": material.name,
            "law": field.name,
            "argument": argument,
            "range": list(valid),
            "reached": [low, high],
            "held": values == ends,
        }


def _state(law: Law, argument: str, at: float) -> dict[str, float]:
    """A state with the argument at a value; other arguments, on which no range depends, at one."""
    return {**dict.fromkeys(law.arguments, 0.5), argument: at}
