"""What is worked out in the transport stage: phases one by one, and all that carry a species."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voxtrode.data.phases import Liquid, Phase
from voxtrode.solvers.voxel_transport.problem import Inside

IONS = "ions"
ELECTRONS = "electrons"


@dataclass(frozen=True)
class Case:
    """One kind of transport.

    Attributes:
        name: A phase's name for its shape alone (inside of the phase = 1); ``ions`` or
            ``electrons`` for all phases that carry them, each with its own value.
        inside: By label, what the phase carries: ε and its conductivity over the reference.
        reference: Conductivity that stands for 1 [S/m]; None for pure geometry, and for ions in one
            electrolyte, whose free electrolyte is 1.
    """

    name: str
    inside: Inside
    reference: float | None = None

    @property
    def solved(self) -> Inside:
        """What is solved for it: of a phase alone its shape, whose result only scales."""
        return self.inside if len(self.inside) > 1 else dict.fromkeys(self.inside, (1.0, 1.0))

    @property
    def scale(self) -> tuple[float, float]:
        """Share and conductivity that the result of `solved` is multiplied by."""
        return (1.0, 1.0) if len(self.inside) > 1 else next(iter(self.inside.values()))


def transport_cases(phases: Mapping[str, Phase], names: Sequence[str]) -> list[Case]:
    """Every phase that carries ions or electrons, then ions and electrons in all of them.

    Args:
        phases: By name.
        names: Of the labels 0, 1, ….
    """
    found = {names.index(name): phase for name, phase in phases.items()}
    liquids = {label: one.liquid for label, one in found.items() if one.liquid is not None}
    solids = {label: one.kappa for label, one in found.items() if one.kappa}
    sigma = {label: one.sigma for label, one in found.items() if one.sigma}
    cases = [
        Case(names[label], {label: (1.0, 1.0)})
        for label in found
        if label in liquids or label in solids or label in sigma
    ]
    if liquids or solids:
        cases.append(_ions(liquids, solids))
    if sigma:
        best = max(sigma.values())
        inside = {label: (1.0, value / best) for label, value in sigma.items()}
        cases.append(Case(ELECTRONS, inside, best))
    return cases


def _ions(liquids: Mapping[int, Liquid], solids: Mapping[int, float]) -> Case:
    """All that carry ions: salt solutions with ε and τ of their own, and solid electrolytes."""
    free = {label: _kappa(liquid) for label, liquid in liquids.items()}
    best = max([*free.values(), *solids.values()])
    inside = {
        label: (liquid.porosity, liquid.transport * free[label] / best)
        for label, liquid in liquids.items()
    }
    inside |= {label: (1.0, kappa / best) for label, kappa in solids.items()}
    several = len({liquid.electrolyte.name for liquid in liquids.values()}) > 1
    return Case(IONS, inside, best if several or solids else None)


def _kappa(liquid: Liquid) -> float:
    """Conductivity of the free electrolyte at its initial concentration [S/m]."""
    salt = liquid.electrolyte
    return float(salt.kappa(c_e=salt.c_e0.value))
