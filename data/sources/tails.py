"""Assumed tails for potentials that end before a study's cut-offs do."""

from __future__ import annotations

from dataclasses import replace

from voxtrode.data.law import Law, Tail
from voxtrode.data.material_kinds import ActiveMaterial

EDGES = (0.05, 0.95)
"""Where tails begin, where the source states no range of stoichiometry."""

_ROOM = 0.02  # least distance of a tail's start from θ = 0 and from θ = 1


def reaching(material: ActiveMaterial, lower: float, upper: float) -> ActiveMaterial:
    """The material with a potential that meets both cut-offs inside 0 < θ < 1.

    A fit that meets them is left alone. Otherwise a smooth, steep tail, marked as assumed, begins
    at the end of the range that the source states and meets the cut-off half-way from there to
    θ = 1 (lower cut-off) or θ = 0 (upper one).

    Args:
        material: From a source.
        lower, upper: Cut-offs of the study [V].
    """
    low, high = material.U.valid.get("theta", EDGES)
    U = _extended(material.U, min(high, 1.0 - _ROOM), 1.0, lower)
    U = _extended(U, max(low, _ROOM), 0.0, upper)
    return replace(material, U=U)


def _extended(U: Law, start: float, end: float, voltage: float) -> Law:
    sign = 1.0 if end > start else -1.0  # U falls with θ
    at = 0.5 * (start + end)
    places = (at, end - sign * 1e-9)  # at the very end a logarithm has no value
    if min(sign * (float(U(theta=place)) - voltage) for place in places) <= 0.0:
        return U
    tail = Tail(
        start,
        at,
        voltage,
        "V",
        f"assumed: the source's potential is {float(U(theta=places[1])):.3f} V at theta {end:g}",
        note="a C2 ramp of the slope to the study's cut-off, unchanged fit before it",
    )
    return replace(
        U,
        expression=tail.applied_to(U.expression),
        tails=(*U.tails, tail),
        fit=U.fit or U.expression,
    )
